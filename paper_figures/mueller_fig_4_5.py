"""mueller Fig 4.5: basic against extended conversion, accuracy over time."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import curves, plot_curves, settled, steps_to
from bioconv.paper_figures.workloads import cifar10

CODES = {
    "basic": RateCode(percentile=99.9, normalization="layer", over="all", initial="zero", clamp=0),
    "extended": RateCode(
        percentile=99.99, normalization="channel", over="all", initial="half", clamp=1
    ),
}
LABELS = {
    "basic": "basic conversion",
    "extended": "extended: channel-wise, unbiased, clamp d = 1",
}

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 4.5",
    title="Accuracy over time of the basic and the extended conversion of a residual network",
    claims=(
        Claim(
            "speedup",
            "steps to 99 % of the analog accuracy, basic over extended (ResNet18: 600 / 56)",
            10.7,
            tolerance=0.9,
            kind="at least",
            source="text: 'approximately 600', so 550 to 650",
        ),
        Claim(
            "extended_loss",
            "loss of the extended conversion at the end, in points (Table 4.2, ResNet18: -0.03)",
            0.0,
            tolerance=1.0,
            kind="at most",
            source="table",
        ),
    ),
    data="CIFAR-10, ResNet18",
    substitute="a published ResNet-20 (CIFAR-10); without data a digits network",
    minutes=20,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 1,000 steps for both conversions."""
    workload = cifar10(context, "resnet20", context.pick(200, 60))
    return curves(workload, CODES, context.pick(1000, 60), context)


def measure(result: Result) -> dict[str, float]:
    """Ratio of latencies, loss at the end."""
    end = float(result["steps"][-1])
    basic = min(steps_to(result, "basic", 0.99), end)
    return {
        "speedup": basic / steps_to(result, "extended", 0.99),
        "extended_loss": 100 * (float(result["analog"]) - settled(result["extended"])),
    }


def plot(result: Result, context: Context) -> Figure:
    """Both curves."""
    return plot_curves(result, LABELS, "basic and extended conversion")
