"""stanojevic Fig 2.5c: accuracy when the slopes of neurons differ."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.noise import Mismatch
from bioconv.paper_figures.exact_spikes import converted, workload
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.hardware import FAMILY, curves, sweep
from bioconv.plots.style import finish, legend_above, panels

#: standard deviations of Y over alpha
SIGMAS = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01)
#: label -> network of `paper_figures.exact_spikes`; the last is a deep chain, as in the paper
NETWORKS = {"CNN": "cnn", "ResNet-8": "resnet8", "DS-CNN": "keywords"}

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 2.5c",
    title="Accuracy against the spread of the slope parameter alpha, for the family of mappings",
    claims=(
        Claim(
            "loss_at_0_001",
            "points that alpha = 1 + Y costs, Y of 0.001 ('dramatic drop')",
            20.0,
            kind="at least",
            source="text; our reading of 'dramatic'",
        ),
        Claim(
            "loss_at_0_01",
            "points that alpha = 1 + Y costs, Y of 0.01",
            50.0,
            kind="at least",
            source="our reading of 'dramatic' at ten times the spread",
        ),
    ),
    data="CIFAR-10, VGG16",
    substitute="two published CIFAR-10 networks and one for keywords in speech, which the claims "
    "are about; without data digits",
    minutes=2,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy of every member of the family at every spread."""
    n = context.pick(4, 2)
    result: dict[str, NDArray] = {}
    used = []
    for label, name in NETWORKS.items():
        given = workload(context, name, context.pick(100, 40))
        used.append(given.used)
        for index, options in enumerate(FAMILY.values()):
            network = converted(given, **{"normalization": "none", **options})
            found = sweep(network, given, lambda s: Mismatch("slope", s), SIGMAS, n)
            result[f"{label}_{index}"] = found
        result[f"{label}_analog"] = np.array(given.analog_accuracy())
    result["used"] = np.array("; ".join(dict.fromkeys(used)))
    return result


def measure(result: Result) -> dict[str, float]:
    """Return the mean loss in points of the deep chain with alpha = 1 due to the spread.

    The loss is relative to the spiking network without spread, so that a network that never works
    fails the claims.
    """
    accuracy = 100 * result["DS-CNN_0"].mean(axis=1)
    loss = accuracy[0] - accuracy
    return {
        "loss_at_0_001": float(loss[SIGMAS.index(0.001)]),
        "loss_at_0_01": float(loss[SIGMAS.index(0.01)]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Plot the accuracy against the spread, with one curve per member and one panel per network."""
    figure, axes = panels(len(NETWORKS), width=3.6, height=3.6)
    for panel, name in zip(axes, NETWORKS, strict=True):
        found = {label: result[f"{name}_{index}"] for index, label in enumerate(FAMILY)}
        curves(panel, SIGMAS, found, linear=1e-4)
        analog = 100 * float(result[f"{name}_analog"])
        panel.axhline(analog, color="k", linestyle=":", label="ReLU network")
        finish(panel, name, "standard deviation of Y (alpha = 1)", "accuracy (%)")
    legend_above(figure, axes[0])
    return figure
