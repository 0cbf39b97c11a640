"""mueller Fig 3.12: conversion loss on test data and on uniform noise, by percentile.

The thesis does not state which samples determine the scales of the networks that are tested on
noise.  The loss on noise has its minimum inside the range of percentiles, with a rise on both
sides, if the scales are determined by noise as well: as a percentile of all activations of a
layer, in the basic conversion (the potential starts at zero, no clamp).  With the scales of the
training data, the loss on noise decreases up to the maximum, because noise causes different
activations, of which smaller scales only cut off more; this is the third curve.  The loss on test
data is that of networks with the scales of the training data, as networks are normally used.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.measures.estimation import search_percentile
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import accuracy_over_time
from bioconv.paper_figures.workloads import mnist
from bioconv.plots.style import GRAY, finish, legend_above, panels

PERCENTILES = (80.0, 85.0, 90.0, 93.0, 95.0, 96.5, 98.0, 99.0, 99.5, 99.9, 100.0)
N_STEPS = 10
CODE = RateCode(normalization="layer", over="all", initial="zero", clamp=0)
#: points: twice the standard error of a difference of two losses, if two networks disagree on one
#: in six of 2,000 noise samples: 2 * sqrt(1 / 6 / 2000)
_SPREAD = 1.8

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 3.12",
    title="Conversion loss on the test set and on a synthetic set, by percentile",
    claims=(
        Claim(
            "choice",
            "percentile with the smallest loss on noise",
            96.5,
            tolerance=1.5,
            source="caption; tolerance: one step of the percentiles tried, as between our seeds",
        ),
        Claim(
            "rise_below",
            "rise of the loss on noise from its minimum to the smallest percentile, points",
            _SPREAD,
            kind="at least",
            source="figure: there is one; the number is twice the spread of our noise samples",
        ),
        Claim(
            "rise_above",
            "rise of the loss on noise from its minimum to the maximum, points",
            _SPREAD,
            kind="at least",
            source="figure: there is one; the number is twice the spread of our noise samples",
        ),
        Claim(
            "noise_over_test",
            "at the smallest percentile the loss on noise exceeds the loss on test data, points",
            _SPREAD,
            kind="at least",
            source="text of 3.3.2; the number is twice the spread of our noise samples",
        ),
        Claim(
            "loss_at_choice",
            "points lost on test data at the percentile chosen on noise",
            1.2,
            tolerance=0.7,
            kind="at most",
            source="caption; tolerance: twice the standard error of 1.2 % of 1,000 images",
        ),
        Claim(
            "over_best",
            "points lost on test data at that percentile more than at the best one",
            1.0,
            kind="at most",
            source="our reading of 'the fastest converging SNN with the highest accuracy'",
        ),
    ),
    data="an unnamed test set, a 3-layer fully connected network",
    substitute="MNIST and the 3-layer network of models/; without data digits",
    minutes=3,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Compute the losses for every percentile after a fixed, short time."""
    workload = mnist(context, "mlp_3layer", context.pick(1000, 100), "digits_mlp")
    analog = workload.analog_accuracy()
    loss = []
    for percentile in PERCENTILES:
        code = replace(CODE, percentile=percentile)
        _, accuracy = accuracy_over_time(workload, code, N_STEPS, context)
        loss.append(analog - accuracy[-1])
    noise = {}
    for scales in ("noise", "calibration"):
        rows = search_percentile(
            workload.graph,
            calibration=workload.calibration,
            code=CODE,
            percentiles=PERCENTILES,
            n_samples=context.pick(2000, 50),
            scales=scales,
            n_steps=N_STEPS,
            seed=context.seed,
        )
        noise[scales] = np.array([1 - row.agreement for row in rows])
    return {
        "percentiles": np.array(PERCENTILES),
        "test_loss": np.array(loss),
        "noise_loss": noise["noise"],
        "noise_loss_calibrated": noise["calibration"],
        "used": np.array(workload.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Return the minimum of the loss on noise, its shape, and the resulting loss on test data."""
    noise, test = 100 * result["noise_loss"], 100 * result["test_loss"]
    choice = int(np.argmin(noise))
    return {
        "choice": float(result["percentiles"][choice]),
        "rise_below": float(noise[0] - noise[choice]),
        "rise_above": float(noise[-1] - noise[choice]),
        "noise_over_test": float(noise[0] - test[0]),
        "loss_at_choice": float(test[choice]),
        "over_best": float(test[choice] - test.min()),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the losses over the percentile."""
    figure, (axes,) = panels(1, width=5.5, height=3.6)
    place = np.arange(len(PERCENTILES))
    axes.plot(place, 100 * result["test_loss"], "o-", label="test set")
    axes.plot(place, 100 * result["noise_loss"], "s-", label="noise, scales of noise")
    axes.plot(
        place,
        100 * result["noise_loss_calibrated"],
        "s:",
        color=GRAY,
        label="noise, scales of the training data",
    )
    axes.set_xticks(place, [f"{p:g}" for p in PERCENTILES])
    finish(
        axes,
        "",
        "percentile of the normalisation (%)",
        f"conversion loss after {N_STEPS} steps (points)",
    )
    legend_above(figure, axes)
    return figure
