"""rueckauer Fig 1a: distribution of all non-zero activations of the first convolution."""

from __future__ import annotations

import numpy as np
import scipy.stats
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.activations import first_layer
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import BLUE, finish, legend_above, panels

MANIFEST = Manifest(
    paper="rueckauer",
    number="Fig 1a",
    title="Non-zero activations of the first convolution layer; dashed: 99.9th percentile",
    claims=(
        Claim(
            "max_over_percentile",
            "largest activation over the 99.9th percentile of all (23.16 / 6.83)",
            3.39,
            tolerance=0.39,
            source="caption; tolerance: down to 'more than three times' of the text",
        ),
        Claim(
            "outliers",
            "that ratio over the one of as many normal values, rectified: there are outliers",
            1.0,
            kind="at least",
            source="text of 3.2.2: 'such outliers are not uncommon'; the comparison is ours",
        ),
    ),
    data="CIFAR-10 (16,666 samples), the paper's own network of four convolutions",
    substitute="a published CIFAR-10 network with max pooling; without data a digits network",
    minutes=0.2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Histogram of the non-zero activations."""
    activation, used = first_layer(context)
    values = activation[activation > 0]
    count, edges = np.histogram(values, bins=100)
    return {
        "count": count,
        "edges": edges,
        "percentile": np.array(np.percentile(activation, 99.9)),
        "n_values": np.array(activation.size),
        "maximum": np.array(values.max()),
        "used": np.array(used),
    }


def measure(result: Result) -> dict[str, float]:
    """How far the maximum lies beyond the percentile."""
    ratio = float(result["maximum"] / result["percentile"])
    largest, high = scipy.stats.norm.isf([1 / float(result["n_values"]), 0.001])
    return {"max_over_percentile": ratio, "outliers": ratio / float(largest / high)}


def plot(result: Result, context: Context) -> Figure:
    """Histogram on a logarithmic scale."""
    figure, (axes,) = panels(1, width=5.0, height=3.4)
    axes.stairs(result["count"], result["edges"], fill=True, color=BLUE)
    axes.axvline(float(result["percentile"]), color="k", linestyle="--", label="99.9th percentile")
    axes.set_yscale("log")
    finish(axes, "", "activation (1)", "count")
    legend_above(figure, axes)
    return figure
