"""yousefzadeh Table I: accuracy and spikes of two thresholds, and of the quantised analog net."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.sigma_delta import CODE, over_time, quantised_accuracy, workload
from bioconv.plots.style import BLUE, GRAY, finish, panels

MANIFEST = Manifest(
    paper="yousefzadeh",
    number="Table I",
    title="Accuracy of the analog, quantised and spiking network, and spikes a neuron a frame",
    claims=(
        Claim(
            "loss",
            "threshold 1: points lost (99.21 - 99.19)",
            0.02,
            tolerance=0.5,
            kind="at most",
            source="table; tolerance: a few images",
        ),
        Claim(
            "spikes",
            "threshold 1: spikes a neuron a frame",
            0.25,
            tolerance=0.02,
            kind="at most",
            source="table",
        ),
        Claim(
            "loss_twice",
            "threshold 2: points lost (99.21 - 97.26)",
            1.95,
            tolerance=1.5,
            kind="at most",
            source="table",
        ),
        Claim(
            "spikes_ratio",
            "spikes with twice the threshold over those with one (0.08 / 0.25)",
            0.32,
            tolerance=0.15,
            source="table",
        ),
        Claim(
            "gain",
            "points gained over the quantised analog network (99.19 - 98.81)",
            0.0,
            kind="at least",
            source="table: the sign; the paper also made its input black and white",
        ),
    ),
    data="MNIST, 16C5-MP2-8C5-MP2-256-10, 15k neurons",
    substitute="a LeNet with max pooling of our own, threshold in units of our scales; without "
    "data a digits network",
    minutes=5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Rows of the table: our threshold, and twice as much."""
    work = workload(context, 2000)
    rows = []
    for factor in (1.0, 2.0):
        code = replace(CODE, threshold=factor * CODE.threshold)
        found = over_time(work, code, context)
        rows.append([found["accuracy"][-1], found["spikes"][-1], quantised_accuracy(work, code)])
    return {
        "rows": np.array(rows, np.float64),
        "analog": np.array(work.analog_accuracy()),
        "used": np.array(work.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Losses in points and spikes a neuron."""
    (accuracy, spikes, quantised), (twice, fewer, _) = result["rows"]
    return {
        "loss": 100 * float(result["analog"] - accuracy),
        "spikes": float(spikes),
        "loss_twice": 100 * float(result["analog"] - twice),
        "spikes_ratio": float(fewer / spikes),
        "gain": 100 * float(accuracy - quantised),
    }


def plot(result: Result, context: Context) -> Figure:
    """Bars of accuracy and spikes for both thresholds."""
    figure, axes = panels(2, columns=2, width=3.4, height=2.8)
    place = np.arange(2)
    for shift, column, label, color in ((-0.2, 2, "quantised", GRAY), (0.2, 0, "spiking", BLUE)):
        bars = axes[0].bar(
            place + shift, 100 * result["rows"][:, column], 0.4, label=label, color=color
        )
        axes[0].bar_label(bars, fmt="%.1f", fontsize=8)
    axes[0].axhline(100 * float(result["analog"]), color=GRAY, linestyle="--", linewidth=0.8)
    axes[0].set_ylim(0, 125)
    axes[0].set_yticks(range(0, 101, 20))
    axes[0].legend(fontsize=8, loc="upper center", ncols=2)
    axes[1].bar_label(axes[1].bar(place, result["rows"][:, 1], color=BLUE), fmt="%.3f", fontsize=8)
    axes[1].set_ylim(0, 1.25 * float(result["rows"][:, 1].max()))
    for panel in axes:
        panel.set_xticks(place, ["threshold", "twice"])
    finish(axes[0], "accuracy", "", "accuracy (%)")
    finish(axes[1], "spikes", "", "spikes a neuron (1)")
    return figure
