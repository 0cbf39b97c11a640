"""Our Fig 2: accuracy against the ceiling of the firing rates, at a fixed duration."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.neuron_study import as_arrays, study
from bioconv.paper_figures.workloads import mnist
from bioconv.plots.style import COLORS, finish, legend_above, panels

RATES = (200.0, 100.0, 50.0, 25.0, 12.5)
DURATION = 300.0
NEURONS = {
    "leaky_integrate_and_fire": "lif",
    "adaptive_exponential": "adex",
    "traub_miles": "traub",
}

MANIFEST = Manifest(
    paper="bioconv",
    number="Fig 2",
    title=f"Accuracy after {DURATION:g} ms against the rate that represents the largest activation",
    claims=(
        Claim(
            "gain",
            "gain of accuracy from the lowest ceiling to 200 Hz, smallest of all neurons, in "
            "points: more spikes carry more",
            0.0,
            kind="at least",
            source="mueller 4.1.3: the error of a rate falls with the number of spikes",
        ),
        Claim(
            "loss",
            "largest loss against Keras at 200 Hz in points",
            0.5,
            kind="at most",
            source="the project's own bar",
        ),
    ),
    data="MNIST (first 200 test images), lenet_benchmark",
    substitute="digits and a small network where there is no data folder",
    minutes=15,
)


def compute(context: Context) -> dict[str, NDArray]:
    """A study with a sweep of rate ceilings."""
    workload = mnist(
        context,
        "lenet_benchmark",
        context.pick(200, 20),
        "digits_mlp" if context.quick else "digits_cnn",
    )
    neurons = dict(list(NEURONS.items())[: context.pick(len(NEURONS), 1)])
    rates = RATES[:: context.pick(1, 2)]
    found = study(workload, neurons, context, rates=rates, durations=(DURATION,))
    return {**as_arrays(found.records), "used": np.array(workload.used)}


def measure(result: Result) -> dict[str, float]:
    """Return the gain from the lowest to the highest ceiling, and the loss relative to Keras."""
    gains, losses = [], []
    for _, _, accuracy in _curves(result):
        gains.append(accuracy[-1] - accuracy[0])
        losses.append(float(result["keras_accuracy"][0]) - accuracy[-1])
    return {"gain": 100 * float(min(gains)), "loss": 100 * float(max(losses))}


def plot(result: Result, context: Context) -> Figure:
    """Plot one curve per neuron."""
    figure, (axes,) = panels(1, width=5.6, height=3.6)
    for (name, rates, accuracy), color in zip(_curves(result), COLORS, strict=False):
        axes.plot(rates, 100 * accuracy, color=color, marker="o", markersize=4, label=name)
    keras = 100 * float(result["keras_accuracy"][0])
    axes.axhline(keras, color="black", linestyle="--", linewidth=0.8, label=f"Keras: {keras:.1f} %")
    axes.set_xscale("log")
    ticks = np.unique(np.round(result["max_rate"], 6))
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    finish(axes, "", "rate ceiling (Hz)", "accuracy (%)")
    legend_above(figure, axes)
    return figure


def _curves(result: Result) -> list[tuple[str, NDArray, NDArray]]:
    """Name, ceilings in ascending order, accuracies."""
    found = []
    for name in dict.fromkeys(result["neuron"].tolist()):
        mine = np.flatnonzero(result["neuron"] == name)
        order = mine[np.argsort(result["max_rate"][mine])]
        found.append((name, result["max_rate"][order], result["accuracy"][order]))
    return found
