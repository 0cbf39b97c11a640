"""yousefzadeh Figs 3, 4: accuracy over time, over spikes a neuron, and over operations."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.sigma_delta import CODE, over_time, workload
from bioconv.plots.style import BLUE, GRAY, finish, panels

MANIFEST = Manifest(
    paper="yousefzadeh",
    number="Figs 3, 4",
    title="Accuracy over time (3a), over spikes a neuron (3b) and over operations (4)",
    claims=(
        Claim(
            "spikes",
            "spikes a neuron a frame",
            0.25,
            tolerance=0.02,
            kind="at most",
            source="table",
        ),
        Claim(
            "loss",
            "points lost at the end (99.21 - 99.19)",
            0.02,
            tolerance=0.5,
            kind="at most",
            source="table; tolerance: one of 200 images is half a point",
        ),
        Claim(
            "operations_share",
            "operations, as a share of the analog network's (600 K of 911 K)",
            600 / 911,
            kind="at most",
            source="text",
        ),
        Claim(
            "early",
            "share of the time after which accuracy is within a point of the last",
            1.0,
            kind="at most",
            source="text: much before the presentation of all input",
        ),
    ),
    data="MNIST, 16C5-MP2-8C5-MP2-256-10",
    substitute="a LeNet with max pooling of our own; without data a digits network",
    minutes=3,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Curves over time."""
    work = workload(context, 400)
    return {**over_time(work, CODE, context), "used": np.array(work.used)}


def measure(result: Result) -> dict[str, float]:
    """Ends of the curves."""
    accuracy = result["accuracy"]
    late = np.flatnonzero(accuracy < accuracy[-1] - 0.01)
    return {
        "spikes": float(result["spikes"][-1]),
        "loss": 100 * float(result["analog"] - accuracy[-1]),
        "operations_share": float(result["operations"][-1] / result["analog_operations"]),
        "early": float((late[-1] + 2 if late.size else 1) / len(accuracy)),
    }


def plot(result: Result, context: Context) -> Figure:
    """Three panels."""
    figure, axes = panels(3, columns=3, width=3.2, height=2.8)
    accuracy, analog = 100 * result["accuracy"], 100 * float(result["analog"])
    for panel, key, title, label in zip(
        axes,
        ("time", "spikes", "operations"),
        ("(3a) time", "(3b) spikes", "(4) operations"),
        ("time (units)", "spikes a neuron (1)", "additions a frame (1000)"),
        strict=True,
    ):
        x = result[key] / (1000 if key == "operations" else 1)
        panel.plot(x, accuracy, color=BLUE)
        panel.axhline(analog, color=GRAY, linestyle="--", linewidth=0.8)
        finish(panel, title, label, "accuracy (%)")
    axes[2].axvline(float(result["analog_operations"]) / 1000, color=GRAY, linestyle=":")
    return figure
