"""stanojevic Fig 2.5b: accuracy when spike times jitter."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.noise import SpikeJitter
from bioconv.paper_figures.exact_spikes import converted, workload
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.hardware import FAMILY, curves, sweep
from bioconv.plots.style import finish, legend_above, panels

#: standard deviations in time units
SIGMAS = (0.0, 0.0001, 0.001, 0.01, 0.1)

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 2.5b",
    title="Accuracy against the standard deviation of spike times",
    claims=(
        Claim(
            "loss_at_0_001",
            "points lost at a jitter of 0.001 time units ('no performance degradation')",
            0.0,
            tolerance=0.2,
            kind="at most",
        ),
        Claim(
            "loss_at_0_01",
            "points lost at a jitter of 0.01 time units (93.59 to 92.93 %)",
            0.66,
            kind="at most",
            source="text",
        ),
    ),
    data="CIFAR-10, VGG16, 16 trials",
    substitute="a published CIFAR-10 network, 16 trials for alpha = 1, 4 for the others; without "
    "data a digits network",
    minutes=15,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy of every member of the family at every jitter."""
    given = workload(context, "cnn", context.pick(1000, 40))
    n = context.pick(16, 1)
    result: dict[str, NDArray] = {"used": np.array(given.used)}
    members = list(FAMILY.values())[: context.pick(len(FAMILY), 1)]
    for index, options in enumerate(members):
        network = converted(given, **{"normalization": "none", **options})
        unit = float(network.code["time_unit"])
        few = n if index == 0 else max(n // 4, 1)
        in_ms = [sigma * unit for sigma in SIGMAS]
        result[f"member_{index}"] = sweep(network, given, SpikeJitter, in_ms, few)
    result["analog"] = np.array(given.analog_accuracy())
    return result


def measure(result: Result) -> dict[str, float]:
    """Points lost with alpha = 1, the mean of the trials."""
    loss = 100 * (float(result["analog"]) - result["member_0"].mean(axis=1))
    return {
        "loss_at_0_001": float(loss[SIGMAS.index(0.001)]),
        "loss_at_0_01": float(loss[SIGMAS.index(0.01)]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Accuracy against jitter, one curve a member."""
    figure, (axes,) = panels(1, width=5.6, height=3.6)
    members = {label: f"member_{index}" for index, label in enumerate(FAMILY)}
    found = {label: result[key] for label, key in members.items() if key in result}
    curves(axes, SIGMAS, found, linear=1e-4)
    axes.axhline(100 * float(result["analog"]), color="k", linestyle=":", label="ReLU network")
    finish(axes, "", "standard deviation of spike times (time units)", "accuracy (%)")
    legend_above(figure, axes)
    return figure
