"""mueller Fig 4.2b: convergence of a residual network with and without centred error."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import curves, plot_curves, speedup
from bioconv.paper_figures.residual import BASIC, N_STEPS, UNBIASED
from bioconv.paper_figures.workloads import cifar10

CODES = {"baseline": BASIC, "centred": UNBIASED}
LABELS = {
    "baseline": "baseline, initial potential 0",
    "centred": "centred, initial potential 1/2 threshold",
}

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 4.2b",
    title="Convergence of a residual network with centred error and of the baseline",
    claims=(
        Claim(
            "faster",
            "steps to 99 % of the analog accuracy, centred over baseline ('one-third faster')",
            0.667,
            kind="at most",
            source="caption",
        ),
    ),
    data="CIFAR-10, ResNet34",
    substitute="a published ResNet-32 (CIFAR-10); without data a digits network",
    minutes=5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 1,000 steps with both initial potentials."""
    workload = cifar10(context, "deep32", context.pick_images(100, 60))
    return curves(workload, CODES, context.pick(*N_STEPS), context)


def measure(result: Result) -> dict[str, float]:
    """Ratio of latencies."""
    return {"faster": 1 / speedup(result, "baseline", "centred")}


def plot(result: Result, context: Context) -> Figure:
    """Both curves."""
    return plot_curves(result, LABELS, "centred error")
