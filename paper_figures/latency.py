"""Accuracy over time of one network with several conversions, for several figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioconv.codes import RateCode
from bioconv.conversion import convert
from bioconv.network import SpikingNetwork
from bioconv.neurons import IntegrateAndFire
from bioconv.paper_figures.frame import Context, Result
from bioconv.paper_figures.parts import part
from bioconv.paper_figures.workloads import Workload, cifar10
from bioconv.plots.style import finish, legend_above, panels
from bioconv.simulators import simulate

#: product of neurons, steps and images of a part of a full run, which takes a minute or two; an
#: interrupted run goes on with the first part that is not finished
_PART = 1 << 34


def accuracy_over_time(
    workload: Workload,
    code: RateCode,
    n_steps: int,
    context: Context,
    *,
    reset: str = "subtraction",
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the accuracy after each step of a perfect integrate-and-fire network.

    A full run keeps the parts that are finished in the cache of the user
    (`bioconv.ground.cache`), from which an interrupted run, or another figure with the same
    network, takes them.

    Returns
    -------
    steps, accuracy : ndarray, shape (n_checkpoints,)
        The accuracy is NaN as long as no sample has an output.
    """
    network = convert(
        workload.graph,
        calibration=workload.calibration,
        code=code,
        neuron=IntegrateAndFire(reset=reset),
        seed=context.seed,
    )
    n, size = len(workload.x), max(_PART // (network.n_neurons * n_steps), 1)
    parts = [
        _part(network, workload, slice(first, min(first + size, n)), n_steps, context)
        for first in range(0, n, size)
    ]
    steps = parts[0]["steps"].astype(np.int64)
    right, answered = (sum(part[key] for part in parts) / n for key in ("right", "answered"))
    return steps, np.where(answered > 0, right, np.nan)


def _part(
    network: SpikingNetwork, workload: Workload, images: slice, n_steps: int, context: Context
) -> Mapping[str, NDArray[np.float64]]:
    """Return the checkpoints, and how many of some images are right and have an output there."""
    x, y = workload.x[images], workload.y[images]

    def simulated() -> dict[str, NDArray]:
        recording = simulate(
            network,
            x,
            steps=n_steps,
            seed=context.seed,
            first=images.start,
            progress=context.progress,
        )
        return {
            "steps": recording.checkpoints,
            "right": len(x) * recording.accuracy_over_time(y),
            "answered": len(x) * recording.answered(),
        }

    key = {
        "network": network,
        "x": x,
        "y": y,
        "n_steps": n_steps,
        "seed": context.seed,
        "first": images.start,
    }
    return part(context, key, ("steps", "right", "answered"), simulated)


def curves(
    workload: Workload, codes: Mapping[str, RateCode], n_steps: int, context: Context
) -> dict[str, NDArray]:
    """Return the accuracy over time for each code, the analog accuracy, and texts on the data."""
    result: dict[str, NDArray] = {
        "label": np.array(workload.label),
        "analog": np.array(workload.analog_accuracy()),
        "used": np.array(workload.used),
    }
    for label, code in codes.items():
        result["steps"], result[label] = accuracy_over_time(workload, code, n_steps, context)
    return result


def curves_of_networks(
    names: Iterable[str],
    codes: Mapping[str, RateCode],
    n_images: int,
    n_steps: int,
    context: Context,
) -> dict[str, NDArray]:
    """Return `curves` of several networks of `workloads.cifar10`; see `network_of`."""
    result: dict[str, NDArray] = {}
    used = []
    for name in names:
        found = curves(cifar10(context, name, n_images), codes, n_steps, context)
        used.append(str(found.pop("used")))
        result["steps"] = found.pop("steps")
        result |= {f"{name}_{key}": value for key, value in found.items()}
    return {**result, "used": np.array("; ".join(dict.fromkeys(used)))}


def network_of(result: Result, name: str) -> dict[str, NDArray]:
    """Return the part of `curves_of_networks` of one network."""
    prefix = f"{name}_"
    own = {key.removeprefix(prefix): a for key, a in result.items() if key.startswith(prefix)}
    return {**own, "steps": result["steps"]}


def speedup(result: Result, slow: str, fast: str, share: float = 0.99) -> float:
    """Return how many times sooner one code has ``share`` of the analog accuracy than another.

    A code that does not reach it counts as one that reaches it at the end.
    """
    end = float(result["steps"][-1])
    before, after = (min(steps_to(result, label, share), end) for label in (slow, fast))
    return before / after


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
    _draw(axes, result, labels)
    finish(axes, title, "simulated steps (1 ms each)", "accuracy (%)")
    legend_above(figure, axes)
    return figure


def plot_networks(result: Result, networks: Sequence[str], labels: Mapping[str, str]) -> Figure:
    """Plot the accuracy over steps of several networks, one panel each."""
    figure, panels_ = panels(len(networks), columns=2, width=4.0, height=3.4)
    for axes, name in zip(panels_, networks, strict=True):
        own = network_of(result, name)
        _draw(axes, own, labels)
        finish(axes, str(own["label"]), "simulated steps (1 ms each)", "accuracy (%)")
    legend_above(figure, panels_[0])
    return figure


def _draw(axes: Axes, result: Result, labels: Mapping[str, str]) -> None:
    for key, label in labels.items():
        axes.plot(result["steps"], 100 * result[key], label=label)
    axes.axhline(100 * float(result["analog"]), color="k", linestyle="--", label="analog network")
