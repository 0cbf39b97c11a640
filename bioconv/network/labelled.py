"""Recordings as xarray datasets: arrays whose axes have names, times and units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.extras import required
from bioconv.network.network import SpikingNetwork
from bioconv.network.recording_parts import RecordingParts

#: names of the axes, an array, and its attributes
Variable = tuple[tuple[str, ...], NDArray, dict[str, str]]


def to_xarray(recording: RecordingParts, network: SpikingNetwork | None = None) -> Any:
    """Return a recording as an ``xarray.Dataset``.

    Parameters
    ----------
    recording : Recording
    network : SpikingNetwork, optional
        The network of the recording, for the units of its state variables.

    Returns
    -------
    xarray.Dataset
        For each readout, ``NAME output`` at the end and ``NAME decision`` over ``time``, in ms from
        the beginning of a sample; for each population ``NAME spikes`` of a sample, and what was
        recorded: ``NAME counts`` of its neurons, and ``NAME VARIABLE`` over ``step_time``, the ends
        of the steps in ms.  ``synaptic operations`` are those of a sample.

    Raises
    ------
    SimulatorMissingError
        If xarray is not installed.
    """
    xarray = required("xarray")
    times = {"time": recording.checkpoints, "step_time": np.arange(1, recording.n_steps + 1)}
    coordinates: dict[str, Variable] = {
        name: ((name,), steps * recording.dt, {"units": "ms"})
        for name, steps in times.items()
        if name == "time" or recording.traces
    }
    coordinates["sample"] = (("sample",), np.arange(recording.n_images), {})
    about = {"network": recording.network, "simulator": recording.simulator}
    variables = {**dict(_of_readouts(recording)), **dict(_of_populations(recording, network))}
    return xarray.Dataset(variables, coordinates, {**about, "dt": recording.dt})


def _of_readouts(recording: RecordingParts) -> Iterator[tuple[str, Variable]]:
    for name, output in recording.outputs.items():
        axes = _axes(name, output.ndim - 1, "output")
        yield f"{name} output", (("sample", *axes), output, {})
    for name, classes in recording.classes.items():
        decided = recording.values.get(name, classes)
        axes = _axes(name, decided.ndim - 2, "decision")
        yield f"{name} decision", (("sample", "time", *axes), decided, {})


def _of_populations(
    recording: RecordingParts, network: SpikingNetwork | None
) -> Iterator[tuple[str, Variable]]:
    units = {
        (population.name, state.name): state.unit
        for population in (network.populations if network else ())
        for state in population.model.states
    }
    yield "synaptic operations", (("sample",), recording.synaptic_operations, {})
    for name, spikes in recording.spikes_per_image.items():
        yield f"{name} spikes", (("sample",), spikes, {})
    for name, counts in recording.counts.items():
        yield f"{name} counts", (("sample", f"{name} neuron"), counts, {})
    for (name, variable), trace in recording.traces.items():
        unit = units.get((name, variable))
        axes = ("sample", "step_time", f"{name} neuron")
        yield f"{name} {variable}", (axes, trace, {"units": unit} if unit else {})


def _axes(name: str, n: int, what: str) -> tuple[str, ...]:
    """Return names for the ``n`` axes of a readout, which has at most one usually."""
    return tuple(f"{name} {what} {axis}" if n > 1 else f"{name} {what}s" for axis in range(n))
