"""rueckauer Fig 2a: contribution of each method of conversion to the accuracy."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import accuracy_over_time
from bioconv.paper_figures.workloads import cifar10
from bioconv.plots.style import BLUE, finish, legend_above, panels

#: label -> (code, reset): each bar adds one method to the preceding bar
STEPS = {
    "default": (
        RateCode(normalization="none", input="poisson", initial="zero", clamp=0),
        "value",
    ),
    "+ weight\nnormalisation": (
        RateCode(
            percentile=100.0,
            normalization="layer",
            over="all",
            input="poisson",
            initial="zero",
            clamp=0,
        ),
        "value",
    ),
    "+ reset by\nsubtraction": (
        RateCode(
            percentile=100.0,
            normalization="layer",
            over="all",
            input="poisson",
            initial="zero",
            clamp=0,
        ),
        "subtraction",
    ),
    "+ analog\ninput": (
        RateCode(percentile=100.0, normalization="layer", over="all", initial="zero", clamp=0),
        "subtraction",
    ),
    "+ 99.9th\npercentile": (
        RateCode(percentile=99.9, normalization="layer", over="all", initial="zero", clamp=0),
        "subtraction",
    ),
}

_SOURCE = "text of 4.2; tolerance: twice the standard error of such a share of 200 images"

MANIFEST = Manifest(
    paper="rueckauer",
    number="Fig 2a",
    title="Influence of the methods of conversion on the accuracy after 300 steps",
    claims=(
        Claim(
            "default",
            "accuracy of the default mode in %: it fails, barely above chance",
            16.5,
            tolerance=5.2,
            kind="at most",
            source=_SOURCE,
        ),
        Claim(
            "normalisation_gain",
            "points gained by weight normalisation (59.82 - 16.5)",
            43.3,
            tolerance=7.0,
            source=_SOURCE,
        ),
        Claim(
            "subtraction_gain",
            "points gained by reset by subtraction",
            20.0,
            tolerance=5.7,
            source=_SOURCE,
        ),
        Claim(
            "final_loss",
            "points lost with all methods (87.86 - 87.62)",
            0.24,
            tolerance=0.7,
            kind="at most",
            source=_SOURCE,
        ),
    ),
    data="CIFAR-10, the paper's own network of four convolutions with max pooling",
    substitute="a published CIFAR-10 network with max pooling; without data a digits network",
    minutes=10,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy after 300 steps for each set of methods."""
    workload = cifar10(context, "cnn", context.pick(200, 40))
    accuracy = []
    for code, reset in STEPS.values():
        _, curve = accuracy_over_time(workload, code, context.pick(300, 60), context, reset=reset)
        accuracy.append(curve[-1])
    return {
        "accuracy": np.array(accuracy),
        "analog": np.array(workload.analog_accuracy()),
        "used": np.array(workload.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Return gains and losses in points."""
    points = 100 * result["accuracy"]
    analog = 100 * float(result["analog"])
    return {
        "default": float(points[0]),
        "normalisation_gain": float(points[1] - points[0]),
        "subtraction_gain": float(points[2] - points[1]),
        "final_loss": float(analog - points[-1]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot one bar per set of methods."""
    figure, (axes,) = panels(1, width=6.5, height=3.6)
    bars = axes.bar(list(STEPS), 100 * result["accuracy"], color=BLUE)
    axes.bar_label(bars, fmt="%.1f")
    analog = 100 * float(result["analog"])
    axes.axhline(analog, color="k", linestyle="--", label=f"analog network ({analog:.1f} %)")
    axes.set_ylim(0, 110)
    axes.set_yticks(range(0, 101, 20))
    finish(axes, "", "", "accuracy (%)")
    legend_above(figure, axes)
    return figure
