"""The conversions of residual networks in mueller 4.2, for its figures and tables."""

from __future__ import annotations

from dataclasses import replace

from bioconv.codes import RateCode

#: simulated steps of a full and of a quick run
N_STEPS = (1000, 60)
#: networks of `workloads.cifar10` with 20 to 56 layers, in place of ResNet18 to ResNet101
NETWORKS = ("deep20", "deep32", "deep44", "deep56")
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
