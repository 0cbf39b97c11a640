"""Our Fig 1: accuracy over biological time for every neuron of the library."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.neuron_study import all_neurons, as_arrays, study
from bioconv.paper_figures.workloads import mnist
from bioconv.plots.style import SMALL, finish, panels

#: neurons for which a loss of at most half a point is promised, within 300 ms and 200 Hz
PROMISED = (
    "leaky_integrate_and_fire",
    "adaptive_exponential",
    "izhikevich",
    "izhikevich fast spiking",
    "traub_miles",
)
_STYLES = ("-", "--", ":")

MANIFEST = Manifest(
    paper="bioconv",
    number="Fig 1",
    title="Accuracy over biological time of one LeNet on every neuron of the library",
    claims=(
        Claim(
            "loss",
            "largest loss to Keras in points: LIF, adaptive exponential, Izhikevich regular "
            "and fast spiking, Traub-Miles",
            0.5,
            kind="at most",
            source="the project's own bar",
        ),
        Claim(
            "duration",
            "longest duration of these in ms",
            300.0,
            tolerance=1.0,
            kind="at most",
            source="the project's own bar",
        ),
        Claim(
            "rate",
            "rate of these in Hz that represents the largest activation",
            200.0,
            kind="at most",
            source="the project's own bar",
        ),
    ),
    data="MNIST (first 200 test images), lenet_benchmark",
    substitute="digits and a small network where there is no data folder",
    minutes=30,
)


def compute(context: Context) -> dict[str, NDArray]:
    """A study of the network with the defaults of every neuron."""
    workload = mnist(
        context,
        "lenet_benchmark",
        context.pick(200, 20),
        "digits_mlp" if context.quick else "digits_cnn",
    )
    found = study(workload, all_neurons(context), context)
    refused = "; ".join(f"{name}: {reason}" for name, reason in found.refused.items())
    return {
        **as_arrays(found.records),
        "used": np.array(workload.used),
        "refused": np.array(refused),
    }


def measure(result: Result) -> dict[str, float]:
    """Return loss, duration and rate of the neurons with a promised accuracy."""
    chosen = np.isin(result["neuron"], PROMISED)
    loss = 100 * (result["keras_accuracy"] - result["accuracy"])
    return {
        "loss": float(loss[chosen].max()),
        "duration": float(result["duration"][chosen].max()),
        "rate": float(result["max_rate"][chosen].max()),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot one curve per neuron, sorted by the final accuracy."""
    figure, (axes,) = panels(1, width=8.6, height=4.6)
    order = np.argsort(-result["accuracy"], kind="stable")
    colors = colormaps["turbo"](np.linspace(0.03, 0.97, len(order)))
    for place, number in enumerate(order):
        label = f"{result['neuron'][number]}: {100 * result['accuracy'][number]:.1f} %"
        axes.plot(
            result[f"time {number}"],
            100 * result[f"curve {number}"],
            color=colors[place],
            linestyle=_STYLES[place % len(_STYLES)],
            linewidth=1.3,
            label=label,
        )
    keras = 100 * float(result["keras_accuracy"][0])
    axes.axhline(keras, color="black", linewidth=0.8, label=f"Keras: {keras:.1f} %")
    axes.set_xscale("log")
    axes.set_xlim(left=1.0)
    axes.set_ylim(0, 102)
    finish(axes, "", "biological time (ms)", "accuracy (%)")
    figure.legend(loc="outside right center", fontsize=SMALL - 1, frameon=False)
    return figure
