"""rueckauer Fig 2b: accuracy over time for several normalisation percentiles."""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import curves, plot_curves, settled, steps_to
from bioconv.paper_figures.workloads import cifar10

PERCENTILES = (97.0, 99.0, 99.9, 100.0)
CODES = {
    f"p{p:g}": RateCode(percentile=p, normalization="layer", over="all", initial="zero", clamp=0)
    for p in PERCENTILES
}

MANIFEST = Manifest(
    paper="rueckauer",
    number="Fig 2b",
    title="Accuracy against latency for several normalisation percentiles",
    claims=(
        Claim(
            "final_loss",
            "points lost at the end with the better of the 99th and the 99.9th "
            "percentile: very similar to the analog network",
            0.0,
            tolerance=1.5,
            kind="at most",
            source="text of 4.2; tolerance: three of 200 images",
        ),
        Claim(
            "faster_than_max",
            "steps to 90 % of the analog accuracy, maximum over 99.9th percentile",
            1.1,
            kind="at least",
            source="text of 4.2: percentiles classify quickly; the number is ours: more than the "
            "grid of steps, one in 256, can make",
        ),
    ),
    data="CIFAR-10 (400 samples), the paper's own network of four convolutions",
    substitute="a published CIFAR-10 network with max pooling; without data a digits network",
    minutes=9,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy over 300 steps for each percentile."""
    workload = cifar10(context, "cnn", context.pick(200, 40))
    return curves(workload, CODES, context.pick(300, 60), context)


def measure(result: Result) -> dict[str, float]:
    """Return the final loss, and the ratio of latencies between the maximum and a percentile."""
    best = max(settled(result["p99"]), settled(result["p99.9"]))
    end = float(result["steps"][-1])
    return {
        "final_loss": 100 * (float(result["analog"]) - best),
        "faster_than_max": min(steps_to(result, "p100", 0.9), end) / steps_to(result, "p99.9", 0.9),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot one curve per percentile."""
    labels = {f"p{p:g}": f"percentile {p:g}" for p in PERCENTILES}
    return plot_curves(result, labels, "accuracy and latency")
