"""The conversions of residual networks in mueller 4.2, for its figures and tables."""

from __future__ import annotations

from dataclasses import replace

from bioconv.codes import RateCode

#: simulated steps of a full and of a quick run
N_STEPS = (1000, 60)
#: networks of 20 to 56 layers in place of ResNet18 to ResNet101: label by name of the workload
NETWORKS = {f"deep{n}": f"ResNet-{n}" for n in (20, 32, 44, 56)}
SHALLOWEST, DEEPEST = "deep20", "deep56"

#: the basic conversion, with the percentile of Kim et al. (4.2)
BASIC = RateCode(percentile=99.9, normalization="layer", over="all", initial="zero", clamp=0)
#: one optimisation each
UNBIASED = replace(BASIC, initial="half")
CHANNEL = replace(BASIC, normalization="channel")
CLAMPED = {d: replace(BASIC, clamp=d) for d in (1, 2, 3)}


def extended(percentile: float = 99.99) -> RateCode:
    """Return the extended conversion: unbiased, channel-wise, clamped with d = 1."""
    return replace(CHANNEL, initial="half", clamp=1, percentile=percentile)
