"""mueller Fig 4.3: quantisation by a rate code, biased and unbiased (Eqs 4.7, 4.8)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.neurons import relu_rates
from bioconv.plots.style import BLUE, GRAY, RED, finish, legend_above, panels

N_STEPS = 10

MANIFEST = Manifest(
    paper="mueller",
    number="Fig 4.3",
    title="Biased (a) and unbiased (b) quantisation of an activation by spikes",
    claims=(
        Claim(
            "biased_bound",
            "largest error times t, initial potential zero (Eq 4.7: below 1)",
            1.0,
            kind="at most",
            source="equation",
        ),
        Claim(
            "unbiased_bound",
            "largest error times t, initial potential half (Eq 4.8: below 1/2)",
            0.5,
            tolerance=1e-6,
            kind="at most",
            source="equation",
        ),
        Claim(
            "biased_mean",
            "mean error times t over uniform activations, initial potential zero",
            0.5,
            tolerance=0.01,
        ),
        Claim(
            "unbiased_mean",
            "mean signed error times t, initial potential half: averages to zero",
            0.0,
            tolerance=0.01,
        ),
    ),
    data="one neuron, activations from 0 to 1",
    minutes=0.2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Rates of one perfect integrate-and-fire neuron for activations between 0 and 1."""
    activation = (np.arange(context.pick(2000, 200)) + 0.5) / context.pick(2000, 200)
    rates = {
        initial: relu_rates(activation, N_STEPS, RateCode(initial=initial, clamp=1))
        for initial in ("zero", "half")
    }
    return {
        "activation": activation,
        "biased": rates["zero"],
        "unbiased": rates["half"],
        "used": np.array(MANIFEST.data),
    }


def measure(result: Result) -> dict[str, float]:
    """Bounds and means of the quantisation error, in units of 1/t."""
    biased = (result["activation"] - result["biased"]) * N_STEPS
    unbiased = (result["activation"] - result["unbiased"]) * N_STEPS
    return {
        "biased_bound": float(np.abs(biased).max()),
        "unbiased_bound": float(np.abs(unbiased).max()),
        "biased_mean": float(biased.mean()),
        "unbiased_mean": float(unbiased.mean()),
    }


def plot(result: Result, context: Context) -> Figure:
    """Rate and error over activation, for both initial potentials."""
    figure, axes = panels(4, columns=2, width=3.4, height=2.3)
    activation = result["activation"]
    titles = {"biased": "initial potential 0", "unbiased": "half the threshold"}
    for column, (key, title) in enumerate(titles.items()):
        rate, error = axes[column], axes[2 + column]
        rate.plot(activation, activation, "--", color=GRAY, label="ReLU")
        rate.plot(activation, result[key], color=BLUE, label=f"spikes in {N_STEPS} steps")
        error.plot(activation, activation - result[key], color=RED)
        error.axhline(0, color=GRAY, linewidth=0.8)
        error.set_ylim(-0.11, 0.11)
        finish(rate, title, "activation (1)", "rate (spikes per step)")
        finish(error, "", "activation (1)", "error (1)")
    legend_above(figure, *axes)
    return figure
