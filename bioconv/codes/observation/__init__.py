"""The single-spike network with an observation period (Stanojevic 2023, appendix A.1)."""

from bioconv.codes.observation.code import ObservationCode

__all__ = ["ObservationCode"]
