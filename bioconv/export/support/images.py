"""Input of the network for an image: the currents that it drives and the spikes that encode it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import encoders

Table = Mapping[str, Mapping[str, Any]]
Rows = Sequence[Mapping[str, Any]]
Arrays = Mapping[str, NDArray]


def n_neurons(entry: Mapping[str, Any]) -> int:
    """Return the number of neurons of a population, or of spike sources of an input."""
    return prod(entry["shape"]) * (2 if entry.get("signed") else 1)


def spiking(inputs: Table) -> list[str]:
    """Return the names of the inputs that are populations of spike sources."""
    return [name for name, entry in inputs.items() if entry["encoder"] != "current"]


def recordable(inputs: Table, populations: Table, models: Table) -> dict[str, tuple[str, ...]]:
    """Return what can be recorded of each population and each spiking input."""
    names: dict[str, tuple[str, ...]] = dict.fromkeys(spiking(inputs), ("spikes", "counts"))
    for name, entry in populations.items():
        names[name] = ("spikes", "counts", *models[entry["model"]]["states"])
    return names


def traced(record: Mapping[str, Sequence[str]], readouts: Table) -> list[tuple[str, str]]:
    """Return the (population, state variable) pairs that have to be recorded in every step."""
    wanted = {
        (name, variable)
        for name, what in record.items()
        for variable in what
        if variable not in ("spikes", "counts")
    }
    for readout in readouts.values():
        if readout["variable"]:
            wanted.add((readout["population"], readout["variable"]))
    return sorted(wanted)


def fan_out(
    inputs: Table, populations: Table, projections: Rows, weights: Arrays
) -> dict[str, NDArray[np.int64]]:
    """Return the number of outgoing synapses of each neuron."""
    total: dict[str, NDArray[np.int64]] = {}
    for projection in projections:
        name = projection["pre"]
        size = n_neurons(populations[name] if name in populations else inputs[name])
        counts = np.bincount(weights[f"{projection['synapses']}_pre"], minlength=size)
        total[name] = total.get(name, 0) + counts
    return total


def drive_currents(
    x: Arrays, drives: Rows, populations: Table, weights: Arrays
) -> dict[str, NDArray[np.float64]]:
    """Return the currents in pA into each driven population: weighted sums of an image's values.

    Parameters
    ----------
    x : mapping of str to ndarray
        One sample for each input.
    drives : sequence of mapping
        ``input``, ``post``, ``synapses`` (name of the arrays) and ``grid``: the current is rounded
        to whole multiples of it, so that every simulator adds up the same numbers.
    populations : mapping of str to mapping
    weights : mapping of str to ndarray
    """
    currents: dict[str, NDArray[np.float64]] = {}
    for drive in drives:
        name = drive["post"]
        values = np.ravel(x[drive["input"]])
        current = weighted_sum(drive, values, weights, n_neurons(populations[name]))
        currents[name] = currents.get(name, 0.0) + on_grid(current, drive["grid"])
    return currents


def on_grid(current: NDArray[np.float64], grid: float) -> NDArray[np.float64]:
    """Return a current, rounded to whole multiples of a grid unless it is 0."""
    return np.round(current / grid) * grid if grid else current


def weighted_sum(
    row: Mapping[str, Any], values: NDArray, weights: Arrays, size: int
) -> NDArray[np.float64]:
    """Return the sums of values, weighted by the synapses of a row, shape (size,)."""
    key = row["synapses"]
    products = values[weights[f"{key}_pre"]] * weights[f"{key}_weight"]
    sums: Any = np.bincount(weights[f"{key}_post"], products, minlength=size)
    return np.asarray(sums, np.float64)


def input_spikes(
    x: Arrays, inputs: Table, n_steps: int, seed: int, image: int
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the steps and sources of the spikes of each spiking input for one image."""
    spikes = {}
    for number, (name, entry) in enumerate(inputs.items()):
        if entry["encoder"] != "current":
            raster = encoders.spikes(
                x[name],
                n_steps,
                entry["encoder"],
                entry["scale"],
                entry["signed"],
                seed,
                image,
                stream=number,
                n_sources=n_neurons(entry),
            )
            steps, sources = np.nonzero(raster)
            spikes[name] = (steps, sources)
    return spikes
