"""Networks of spike patterns with correlative time encoding (Stanojevic 2023, appendix A.2)."""

from bioconv.codes.correlative.code import CorrelativeCode

__all__ = ["CorrelativeCode"]
