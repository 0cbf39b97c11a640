"""rueckauer Fig 1b: distribution of the largest activation of each sample."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.activations import first_layer
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.plots.style import finish, legend_above, panels

MANIFEST = Manifest(
    paper="rueckauer",
    number="Fig 1b",
    title="Largest activation of each sample in the first convolution layer",
    claims=(
        Claim(
            "median_over_max",
            "median of the largest activations of samples, as a share of the largest of all",
            0.6,
            kind="at most",
            source="caption: 'for most samples their maximum activation is far from the maximum'; "
            "the number is our reading",
        ),
    ),
    data="CIFAR-10 (16,666 samples), the paper's own network of four convolutions",
    substitute="a published CIFAR-10 network with max pooling; without data a digits network",
    minutes=0.2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """The largest activation of each sample."""
    activation, used = first_layer(context)
    return {
        "maxima": activation.max(axis=1),
        "percentile": np.array(np.percentile(activation, 99.9)),
        "used": np.array(used),
    }


def measure(result: Result) -> dict[str, float]:
    """Return the typical maximum as a share of the largest activation."""
    return {"median_over_max": float(np.median(result["maxima"]) / result["maxima"].max())}


def plot(result: Result, context: Context) -> Figure:
    """Histogram of the maxima."""
    figure, (axes,) = panels(1, width=5.0, height=3.4)
    axes.hist(result["maxima"], bins=50)
    axes.axvline(float(result["percentile"]), color="k", linestyle="--", label="99.9th percentile")
    finish(axes, "", "largest activation of a sample (1)", "samples")
    legend_above(figure, axes)
    return figure
