"""What a simulation gives back: the same `Recording` from every simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Raster:
    """Spikes of one population: three arrays of equal length, sorted by image, step, neuron."""

    image: NDArray[np.int64]
    step: NDArray[np.int64]
    neuron: NDArray[np.int64]


@dataclass(frozen=True)
class Recording:
    """The result of simulating ``n_images`` samples for ``n_steps`` steps of ``dt`` ms.

    Parameters
    ----------
    network, simulator : str
        Names.
    dt : float
        ms.
    n_steps, n_images : int
    outputs : dict of str to ndarray, shape (n_images, *shape)
        For each readout the analog output at the end.
    checkpoints : ndarray of int, shape (n_checkpoints,)
        Numbers of steps simulated at which ``classes`` were taken (1 ... n_steps).
    classes : dict of str to ndarray of int, shape (n_images, n_checkpoints)
        Arg max of each readout over time (-1 where no output neuron has given anything yet).
    spikes_per_image : dict of str to ndarray of int, shape (n_images,)
        For each population (and each spiking input).
    spikes_per_neuron : dict of str to ndarray of int, shape (n_neurons,)
        Summed over images.
    synaptic_operations : ndarray of float, shape (n_images,)
        Synaptic events: spikes times fan-out.
    counts : dict of str to ndarray of int, shape (n_images, n_neurons)
        Spike counts from ``population.start_step`` on, for populations recorded with "counts".
    rasters : dict of str to Raster
        For populations recorded with "spikes".
    traces : dict of (str, str) to ndarray of float, shape (n_images, n_steps, n_neurons)
        For (population, state variable) recorded.
    seconds : dict of str to float
        "build" and "run".
    versions : dict of str to str
    """

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
