"""The rate code (Rueckauer et al. 2016; Mueller 2023, sections 3.3 and 4.1)."""

from bioconv.codes.rate.code import RateCode

__all__ = ["RateCode"]
