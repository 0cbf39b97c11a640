"""mueller Fig 3.12: conversion loss on test data and on uniform noise, by percentile."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.measures.estimation import search_percentile
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.latency import accuracy_over_time
from bioconv.paper_figures.workloads import mnist
from bioconv.plots.style import finish, panels

PERCENTILES = (80.0, 85.0, 90.0, 93.0, 95.0, 96.5, 98.0, 99.0, 99.5, 99.9, 100.0)
N_STEPS = 30

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 3.12",
    title="Conversion loss on the test set and on a synthetic set, by percentile",
    claims=(
        Claim(
            "noise_over_test",
            "at the smallest percentile the loss on noise exceeds the loss on test data, points",
            0.0,
            kind="at least",
            source="text of 3.3.2",
        ),
        Claim(
            "loss_at_choice",
            "points lost on test data at the percentile chosen on noise (1.2 in the thesis)",
            1.2,
            kind="at most",
            source="caption",
        ),
    ),
    data="an unnamed test set, a 3-layer fully connected network",
    substitute="MNIST and the 3-layer network of models/; without data digits",
    minutes=2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Losses for every percentile after a fixed, short time."""
    workload = mnist(context, "mlp_3layer", context.pick(1000, 100), "digits_mlp")
    analog = workload.analog_accuracy()
    loss = []
    for percentile in PERCENTILES:
        code = RateCode(percentile=percentile, normalization="layer", clamp=1)
        _, accuracy = accuracy_over_time(workload, code, N_STEPS, context)
        loss.append(analog - accuracy[-1])
    search = search_percentile(
        workload.graph,
        calibration=workload.calibration,
        code=RateCode(normalization="layer", clamp=1),
        percentiles=PERCENTILES,
        n_samples=context.pick(500, 50),
        n_steps=N_STEPS,
        seed=context.seed,
    )
    return {
        "percentiles": np.array(PERCENTILES),
        "test_loss": np.array(loss),
        "noise_loss": np.array([1 - row.agreement for row in search]),
        "used": np.array(workload.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Loss at the percentile that the synthetic set would choose."""
    choice = int(np.argmin(result["noise_loss"]))
    return {
        "noise_over_test": float(100 * (result["noise_loss"][0] - result["test_loss"][0])),
        "loss_at_choice": float(100 * result["test_loss"][choice]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Both losses over the percentile."""
    figure, (axes,) = panels(1, width=5.5, height=3.6)
    place = np.arange(len(PERCENTILES))
    axes.plot(place, 100 * result["test_loss"], "o-", label="test set")
    axes.plot(place, 100 * result["noise_loss"], "s-", label="synthetic set (uniform noise)")
    axes.set_xticks(place, [f"{p:g}" for p in PERCENTILES])
    finish(
        axes,
        "",
        "percentile of the normalisation (%)",
        f"conversion loss after {N_STEPS} steps (points)",
    )
    axes.legend()
    return figure
