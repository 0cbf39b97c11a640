"""Results of a simulation as plain fields; `Recording` adds the methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.decisions import Decision


@dataclass(frozen=True, eq=False)
class Raster:
    """Spikes of one population: arrays of equal length, sorted by image, step, neuron.

    Parameters
    ----------
    image, step, neuron : ndarray of int, shape (n_spikes,)
    time : ndarray of float64, shape (n_spikes,), or None
        Exact times in ms from a simulator without time steps: a spike of step t occurs after
        t dt and not later than (t + 1) dt.
    """

    image: NDArray[np.int64]
    step: NDArray[np.int64]
    neuron: NDArray[np.int64]
    time: NDArray[np.float64] | None = None

    def moments(self, dt: float) -> NDArray[np.float64]:
        """Return spike times in ms: exact ones, else the ends of the steps of ``dt`` ms."""
        exact = (self.step + 1.0) * dt if self.time is None else self.time
        return np.asarray(exact, np.float64)


@dataclass(frozen=True, eq=False)
class RecordingParts:
    """All fields of a `bioconv.Recording`, where they are described."""

    network: str
    simulator: str
    dt: float
    n_steps: int
    n_images: int
    outputs: Mapping[str, NDArray]
    checkpoints: NDArray[np.int64]
    classes: Mapping[str, NDArray[np.int64]]
    spikes_per_image: Mapping[str, NDArray[np.int64]]
    spikes_per_neuron: Mapping[str, NDArray[np.int64]]
    synaptic_operations: NDArray[np.float64]
    counts: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    rasters: Mapping[str, Raster] = field(default_factory=dict)
    traces: Mapping[tuple[str, str], NDArray] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    start_steps: Mapping[str, int] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    values: Mapping[str, NDArray] = field(default_factory=dict)
    engine: str = ""
