"""Recordings as pandas data frames: a row for each sample, or for each spike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.ground.frames import data_frame
from bioconv.network.recording_parts import Raster, RecordingParts

#: what a row stands for
ROWS = ("samples", "spikes")


def to_frame(recording: RecordingParts, rows: str = "samples") -> Any:
    """Return a recording as a ``pandas.DataFrame``.

    Parameters
    ----------
    recording : Recording
    rows : {"samples", "spikes"}
        What a row stands for.

    Returns
    -------
    pandas.DataFrame
        Samples: columns ``sample``, the decision at the end of each readout by its name (-1 or NaN
        without an output; with several decisions, one column for each, ``NAME[0]``, ...),
        ``synaptic operations``, and ``spikes of POPULATION``.  Spikes: ``population``, ``sample``,
        ``neuron`` (flat index), ``time`` in ms; of all populations whose spikes were recorded.

    Raises
    ------
    ParameterError
        If ``rows`` is neither, or if no spikes were recorded.
    SimulatorMissingError
        If pandas is not installed.
    """
    if rows not in ROWS:
        raise ParameterError(f"rows must be one of {', '.join(ROWS)}. Received: {rows!r}.")
    if rows == "samples":
        return data_frame(_samples(recording))
    if not recording.rasters:
        raise ParameterError(
            f"The recording of {recording.network!r} contains no spike times. Simulate with "
            'record={"POPULATION": ("spikes",)}.'
        )
    parts = [_spikes(name, raster, recording.dt) for name, raster in recording.rasters.items()]
    return data_frame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _samples(recording: RecordingParts) -> dict[str, NDArray]:
    columns: dict[str, NDArray] = {"sample": np.arange(recording.n_images)}
    for name, classes in recording.classes.items():
        found = recording.values.get(name, classes)[:, -1]
        flat = found.reshape(recording.n_images, -1)
        if found.ndim == 1:
            columns[name] = found
        else:
            columns |= {f"{name}[{place}]": flat[:, place] for place in range(flat.shape[1])}
    columns["synaptic operations"] = recording.synaptic_operations
    spikes = recording.spikes_per_image.items()
    return columns | {f"spikes of {name}": counts for name, counts in spikes}


def _spikes(name: str, raster: Raster, dt: float) -> dict[str, NDArray]:
    return {
        "population": np.full(len(raster.step), name, dtype=object),
        "sample": raster.image,
        "neuron": raster.neuron,
        "time": raster.moments(dt),
    }
