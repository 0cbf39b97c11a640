"""stanojevic Fig A.7: accuracy and operations with fewer and fewer spikes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes.correlative.operations import counted_operations
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.spike_patterns import accuracy, fashion
from bioconv.plots.style import BLUE, finish, panels

#: spikes of a segment, whose difference is the same, so that each step saves as many operations
ETAS = (6, 4, 2)
N_COUNTED = 500

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig A.7",
    title="Accuracy and operations on Fashion-MNIST with fewer spikes (smaller eta)",
    claims=(
        Claim(
            "saved",
            "additions of the first layer with the smallest eta, over those with the largest",
            0.5,
            kind="at most",
            source="caption ('reduced number'); the number is ours",
        ),
        Claim(
            "drop",
            "accuracy lost with the smallest eta, in points ('leads to a drop')",
            0.3,
            kind="at least",
            source="text; the number is ours",
        ),
        Claim(
            "bend",
            "accuracy lost in the last step of eta above that lost in the first, in points ('in a "
            "non-linear manner')",
            0.1,
            kind="at least",
            source="text; the direction and number are ours",
        ),
    ),
    data="Fashion-MNIST, 784-800-100",
    substitute="the network of Fig A.6e; without data digits",
    partly="fewer images and epochs than in the thesis, which does not state its values of eta",
    minutes=8,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracies and additions of the first hidden layer for every eta."""
    data, system = fashion(context, "ecte")
    system = system.adding()
    found = [
        replace(system, settings={**system.settings, "eta": eta}).trained(context, data)
        for eta in ETAS
    ]
    part = data.x_test[: context.pick(N_COUNTED, 50)]
    counts = [counted_operations(one.graph, part)["hidden_1"].mean() for one in found]
    return {
        "accuracy": np.array([accuracy(one, data) for one in found]),
        "additions": np.array(counts),
        "used": np.array(f"{data.used}, of which {len(data.x):,} were used for training"),
    }


def measure(result: Result) -> dict[str, float]:
    """Additions that are left, and points that are lost."""
    lost = -np.diff(result["accuracy"])
    additions = result["additions"]
    return {
        "saved": float(additions[-1] / additions[0]),
        "drop": float(lost.sum()),
        "bend": float(lost[-1] - lost[0]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Accuracy over additions."""
    figure, (axes,) = panels(1, width=4.6, height=3.0)
    axes.plot(result["additions"] / 1e6, result["accuracy"], "o-", color=BLUE)
    for eta, x, y in zip(ETAS, result["additions"] / 1e6, result["accuracy"], strict=True):
        axes.annotate(
            f"eta = {eta}", (x, y), xytext=(0, 6), textcoords="offset points", ha="center"
        )
    axes.margins(0.15)
    finish(axes, "", "additions of the first layer (millions)", "test accuracy (%)")
    return figure
