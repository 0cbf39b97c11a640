"""The sigma-delta code with hysteresis (Yousefzadeh et al. 2019)."""

from bioconv.codes.sigma_delta.code import SigmaDeltaCode

__all__ = ["SigmaDeltaCode"]
