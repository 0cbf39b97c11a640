"""mueller Fig 4.4: the optimisations one by one, on a shallow and on a deep residual network."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import curves_of_networks, network_of, plot_networks, speedup
from bioconv.paper_figures.residual import (
    BASIC,
    CHANNEL,
    CLAMPED,
    DEEPEST,
    N_STEPS,
    SHALLOWEST,
    UNBIASED,
)

CODES = {
    "baseline": BASIC,
    "unbiased": UNBIASED,
    "channel": CHANNEL,
    **{f"clamp{d}": code for d, code in CLAMPED.items()},
}
LABELS = {
    "baseline": "baseline",
    "unbiased": "unbiased",
    "channel": "channel-wise",
    **{f"clamp{d}": f"clamp, d = {d}" for d in CLAMPED},
}
ENDS = (SHALLOWEST, DEEPEST)

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 4.4",
    title="Accuracy over time of unbiased quantisation, channel-wise scales and voltage clamp",
    claims=(
        Claim(
            "unbiased",
            "steps to 99 % of the analog accuracy, baseline over unbiased, smaller of both networks"
            " ('more than half the necessary inference time')",
            2.0,
            kind="at least",
        ),
        Claim(
            "clamp_best",
            "steps to 99 %, unbiased or channel-wise (the faster) over clamped (the best d), "
            "smaller of both networks ('the most effective')",
            1.1,
            kind="at least",
            source="text; our reading: by a tenth",
        ),
        Claim(
            "channel_shallow",
            "steps to 99 %, baseline over channel-wise, shallow network ('only a slight speedup')",
            1.3,
            tolerance=0.25,
            source="text; our reading of 'slight': up to a half, and no less than a twentieth",
        ),
        Claim(
            "channel_deep",
            "steps to 99 %, unbiased over channel-wise, deep network ('slightly faster')",
            1.05,
            kind="at least",
            source="text; our reading of 'slightly'",
        ),
        Claim(
            "first_output",
            "step of the first output of the deep network, d = 3 over d = 1 ('three times')",
            3.0,
            tolerance=0.1,
            source="text; tolerance: the steps of the delays",
        ),
    ),
    data="CIFAR-10, ResNet18 to ResNet101",
    substitute="published ResNet-20 and ResNet-56 (CIFAR-10), test images instead of the "
    "validation set; without data a digits network",
    minutes=30,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 1,000 steps for six conversions of both networks."""
    n_images, n_steps = context.pick_images(50, 60), context.pick(*N_STEPS)
    return curves_of_networks(ENDS, CODES, n_images, n_steps, context)


def measure(result: Result) -> dict[str, float]:
    """Ratios of latencies."""
    shallow, deep = (network_of(result, name) for name in ENDS)
    return {
        "unbiased": min(speedup(r, "baseline", "unbiased") for r in (shallow, deep)),
        "clamp_best": min(_clamp_gain(r) for r in (shallow, deep)),
        "channel_shallow": speedup(shallow, "baseline", "channel"),
        "channel_deep": speedup(deep, "unbiased", "channel"),
        "first_output": _first(deep, "clamp3") / _first(deep, "clamp1"),
    }


def _clamp_gain(result: Result) -> float:
    """Return how many times sooner than both other methods the best clamp converges."""
    return max(
        min(speedup(result, other, f"clamp{d}") for other in ("unbiased", "channel"))
        for d in CLAMPED
    )


def _first(result: Result, label: str) -> float:
    """Return the first step with an output."""
    return float(result["steps"][np.argmax(np.isfinite(result[label]))])


def plot(result: Result, context: Context) -> Figure:
    """One panel a network."""
    return plot_networks(result, ENDS, LABELS)
