"""yousefzadeh Figs 3, 4: accuracy over time, over spikes per neuron, and over operations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.sigma_delta import CODE, PAPER, PAPER_SPIKES, over_time, unit, workload
from bioconv.plots.style import BLUE, GRAY, ORANGE, finish, legend_above, panels

#: Two standard errors of 400 images of which 1 % are decided differently.
POINTS = 1.0
#: value of time or cost if the accuracy is never reached, which is larger than all claims allow
NEVER = 2.0

MANIFEST = Manifest(
    paper="yousefzadeh",
    number="Figs 3, 4",
    title="Accuracy over time (3a), over spikes per neuron (3b) and over operations (4)",
    claims=(
        Claim(
            "loss",
            "Algorithm 1: points lost at the end (99.21 - 99.19)",
            0.02,
            tolerance=POINTS,
            source="table; tolerance: two standard errors of 400 images",
        ),
        Claim(
            "operations_share",
            "Algorithm 1: operations until the accuracy is that of the analog network, as a share "
            "of its operations (600 K of 911 K)",
            600 / 911,
            kind="at most",
            source="text; the accuracy is the same within two standard errors",
        ),
        Claim(
            "early",
            "Algorithm 1: share of the presentation after which the accuracy is within a point of "
            "that of the analog network, permanently",
            0.75,
            kind="at most",
            source="text: much before the presentation of all input, read as a quarter of it",
        ),
        Claim(
            "default_loss",
            "default code: points lost at the end",
            0.02,
            tolerance=POINTS,
            source="table; tolerance: two standard errors of 400 images",
        ),
        Claim(
            "default_spikes",
            "default code: spikes per neuron and frame",
            PAPER_SPIKES,
            tolerance=0.1 * PAPER_SPIKES,
            source="table; tolerance: a tenth for weights of another training",
        ),
    ),
    data="MNIST, 16C5-MP2-8C5-MP2-256-10",
    substitute="a LeNet with max pooling of our own, whose second convolution is without padding; "
    "Algorithm 1 with the threshold that gives the paper's number of spikes; the default code has "
    "scales of channels, finer levels for small layers, gray pixels and 16 time steps; without "
    "data a digits network",
    minutes=6,
)

_CURVES = ("time", "accuracy", "answered", "spikes", "operations")
#: those that accuracy is drawn over
_OVER = ("time", "spikes", "operations")


def compute(context: Context) -> dict[str, NDArray]:
    """Curves over time of Algorithm 1 and of the default code."""
    work = workload(context, 400)
    one = unit(work, context)
    paper = over_time(work, replace(PAPER, threshold=one), context)
    default = over_time(work, CODE, context)
    return {
        **{f"paper {name}": paper[name] for name in _CURVES},
        **{f"default {name}": default[name] for name in _CURVES},
        "analog": paper["analog"],
        "analog_operations": paper["analog_operations"],
        "presentation": np.array(1 - PAPER.input_threshold),
        "unit": np.array(one),
        "used": np.array(work.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Return the ends of the curves, and when they reach the accuracy of the analog network."""
    accuracy, analog = result["paper accuracy"], float(result["analog"])
    low = np.flatnonzero(accuracy < analog - POINTS / 100)
    since = low[-1] + 1 if low.size else 0
    reached = since < len(accuracy)
    time = float(result["paper time"][since] / result["presentation"]) if reached else NEVER
    cost = float(result["paper operations"][since]) if reached else np.inf
    return {
        "loss": 100 * (analog - float(accuracy[-1])),
        "operations_share": min(cost / float(result["analog_operations"]), NEVER),
        "early": time,
        "default_loss": 100 * (analog - float(result["default accuracy"][-1])),
        "default_spikes": float(result["default spikes"][-1]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Three panels, two curves each, which begin with the first answers."""
    figure, axes = panels(3, columns=3, width=3.2, height=2.8)
    analog = 100 * float(result["analog"])
    for panel, key, title, label in zip(
        axes,
        _OVER,
        ("(3a) time", "(3b) spikes", "(4) operations"),
        ("time (units)", "spikes per neuron (1)", "additions per frame (1000)"),
        strict=True,
    ):
        for name, text, color in (
            ("paper", "Algorithm 1", BLUE),
            ("default", "default code", ORANGE),
        ):
            x = result[f"{name} {key}"] / (1000 if key == "operations" else 1)
            known = result[f"{name} answered"] > 0
            share = np.where(known, 100 * result[f"{name} accuracy"], np.nan)
            panel.plot(x, share, color=color, label=text)
        panel.axhline(analog, color=GRAY, linestyle="--", linewidth=0.8)
        finish(panel, title, label, "accuracy (%)")
    legend_above(figure, axes[0])
    axes[2].axvline(float(result["analog_operations"]) / 1000, color=GRAY, linestyle=":")
    return figure
