"""Accuracy over time of one network with several conversions, for several figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.conversion import convert
from bioconv.paper_figures.frame import Context, Result
from bioconv.paper_figures.workloads import Workload
from bioconv.plots.style import finish, legend_above, panels
from bioconv.simulators import simulate


def accuracy_over_time(
    workload: Workload,
    code: RateCode,
    n_steps: int,
    context: Context,
    *,
    reset: str = "subtraction",
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the accuracy after each step of a perfect integrate-and-fire network.

    Returns
    -------
    steps, accuracy : ndarray, shape (n_checkpoints,)
        The accuracy is NaN as long as no sample has an output.
    """
    from bioconv.neurons import IntegrateAndFire

    network = convert(
        workload.graph,
        calibration=workload.calibration,
        code=code,
        neuron=IntegrateAndFire(reset=reset),
        seed=context.seed,
    )
    recording = simulate(
        network, workload.x, steps=n_steps, seed=context.seed, progress=context.progress
    )
    accuracy = recording.accuracy_over_time(workload.y)
    return recording.checkpoints, np.where(recording.answered() > 0, accuracy, np.nan)


def curves(
    workload: Workload, codes: Mapping[str, RateCode], n_steps: int, context: Context
) -> dict[str, NDArray]:
    """Return the accuracy over time for each code, the analog accuracy, and a text on the data."""
    result: dict[str, NDArray] = {
        "analog": np.array(workload.analog_accuracy()),
        "used": np.array(workload.used),
    }
    for label, code in codes.items():
        result["steps"], result[label] = accuracy_over_time(workload, code, n_steps, context)
    return result


def steps_to(result: Result, label: str, share: float) -> float:
    """Return the first step with ``share`` of the analog accuracy, or inf if there is none."""
    reached = result[label] >= share * float(result["analog"])
    return float(result["steps"][np.argmax(reached)]) if reached.any() else float("inf")


def settled(accuracy: NDArray) -> float:
    """Return the mean accuracy over the last tenth of the simulation.

    mueller averages over the last 100 of 1,000 steps.
    """
    return float(accuracy[-max(1, len(accuracy) // 10) :].mean())


def plot_curves(result: Result, labels: Mapping[str, str], title: str) -> Figure:
    """Plot the accuracy over steps, with that of the analog network as a line."""
    figure, (axes,) = panels(1, width=6.0, height=3.8)
    for key, label in labels.items():
        axes.plot(result["steps"], 100 * result[key], label=label)
    axes.axhline(100 * float(result["analog"]), color="k", linestyle="--", label="analog network")
    finish(axes, title, "simulated steps (1 ms each)", "accuracy (%)")
    legend_above(figure, axes)
    return figure
