"""Recordings as Neo objects, for Elephant, Viziphant and other tools of the field.

The names of annotations are those of PyNN recordings: ``source_population``, ``source_index``,
``channel_id``.  A spike of step t has the time (t + 1) dt, as in NEST.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bioconv.ground.errors import ParameterError
from bioconv.ground.extras import required
from bioconv.network.network import SpikingNetwork
from bioconv.network.recording_parts import RecordingParts


def to_neo(recording: RecordingParts, network: SpikingNetwork | None = None) -> Any:
    """Return a recording as a ``neo.Block`` with one segment for each sample.

    Parameters
    ----------
    recording : Recording
        With populations recorded as "spikes", or with state variables.
    network : SpikingNetwork, optional
        The simulated network, which determines the units of state variables.

    Returns
    -------
    neo.Block
        ``block.segments[i]`` contains the spike trains of all recorded populations for sample i, in
        ms, one for each neuron, and one ``AnalogSignal`` for each population and state variable.
        Annotations are ``source_population`` and, for each train, ``source_index`` (flat index of
        the neuron); for segments, ``image`` and the class of each readout; and for the block, the
        simulator, its versions and the time step.

    Raises
    ------
    ParameterError
        If neither spikes nor state variables were recorded, or if state variables were recorded
        and ``network`` is missing or does not have the recorded populations.
    SimulatorMissingError
        If Neo is not installed.
    """
    if not recording.rasters and not recording.traces:
        raise ParameterError(
            f"The recording of {recording.network!r} contains no spike times. Simulate with "
            'record={"POPULATION": ("spikes",)}.'
        )
    neo = required("neo")
    units = _units(recording, network)
    period = _quantity(recording.dt, "ms")
    trains = _trains(recording, neo)
    block = neo.Block(
        name=recording.network,
        simulator=recording.simulator,
        dt_ms=float(recording.dt),
        n_steps=int(recording.n_steps),
        versions=dict(recording.versions),
    )
    for image in range(recording.n_images):
        classes = {
            name: found[image, -1].tolist()
            for name, found in {**recording.classes, **recording.values}.items()
        }
        segment = neo.Segment(name=f"image {image}", image=image, classes=classes)
        segment.spiketrains = trains(image)
        segment.spiketrains.segment = segment
        for (population, variable), unit in units.items():
            signal = _signal(recording, population, variable, image, unit, period)
            segment.analogsignals.append(signal)
        block.segments.append(segment)
    return block


def _units(recording: RecordingParts, network: SpikingNetwork | None) -> dict[tuple[str, str], str]:
    """Return the unit of each recorded state variable, in the notation of ``quantities``."""
    if not recording.traces:
        return {}
    if network is None:
        names = ", ".join(f"{name}.{variable}" for name, variable in recording.traces)
        raise ParameterError(
            f"The units of {names} require the network: recording.to_neo(network=network)."
        )
    units = {}
    for name, variable in recording.traces:
        unit = network.population(name).model.state(variable).unit
        units[name, variable] = "dimensionless" if unit == "1" else unit
    return units


def _quantity(value: ArrayLike, unit: str) -> Any:
    return importlib.import_module("quantities").Quantity(value, unit)


def _trains(recording: RecordingParts, neo: Any) -> Callable[[int], Any]:
    """Return a function from samples to the spike trains of all recorded populations.

    Neo creates the object of a train only when it is accessed.
    """
    sizes = {name: len(recording.spikes_per_neuron[name]) for name in recording.rasters}
    first = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    rasters = recording.rasters.items()
    images = np.concatenate([raster.image for _, raster in rasters] or [np.zeros(0, int)])
    order = np.argsort(images, kind="stable")
    ends = np.searchsorted(images[order], np.arange(recording.n_images + 1))
    channels = np.concatenate([r.neuron + first[n] for n, r in rasters] or [np.zeros(0, int)])
    times = np.concatenate([r.moments(recording.dt) for _, r in rasters] or [np.zeros(0)])
    annotations = {
        "source_population": np.repeat(list(sizes), list(sizes.values())),
        "source_index": np.concatenate(
            [np.arange(n) for n in sizes.values()] or [np.zeros(0, int)]
        ),
    }

    def trains(image: int) -> Any:
        mine = order[ends[image] : ends[image + 1]]
        return neo.core.spiketrainlist.SpikeTrainList.from_spike_time_array(
            _quantity(times[mine], "ms"),
            channels[mine],
            np.arange(sum(sizes.values())),
            t_start=_quantity(0.0, "ms"),
            t_stop=_quantity(recording.n_steps * recording.dt, "ms"),
            **annotations,
        )

    return trains


def _signal(
    recording: RecordingParts, population: str, variable: str, image: int, unit: str, period: Any
) -> Any:
    values = np.asarray(recording.traces[population, variable][image], np.float64)
    return importlib.import_module("neo").AnalogSignal(
        values,
        units=unit,
        t_start=period,  # the state at the end of the first step
        sampling_period=period,
        name=variable,
        source_population=population,
        array_annotations={"channel_index": np.arange(values.shape[1])},
    )
