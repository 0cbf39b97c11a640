"""Readouts: from spikes and potentials of an output population to the analog output.

The formulas are in `bioconv.export.support.readouts`, which exported programs carry with them;
see `bioconv.network.Readout`.  This module gives them the network's arrays, and applies the
function of the output layer.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.export.support import readouts
from bioconv.network import Population, Readout, SpikingNetwork

#: most steps at which classes are taken
MOST_CHECKPOINTS = 256

Floats = NDArray[np.float64]


def checkpoints(n_steps: int) -> NDArray[np.int64]:
    """Numbers of steps at which classes are taken: evenly spaced, the last one is ``n_steps``."""
    n = min(n_steps, MOST_CHECKPOINTS)
    return np.round(np.arange(1, n + 1) * (n_steps / n)).astype(np.int64)


def reads(network: SpikingNetwork, readout: Readout) -> str:
    """What a readout needs of its population: "spikes", or the name of its membrane potential."""
    if readout.reads_spikes:
        return "spikes"
    return network.population(readout.population).model.potential


def decode(
    network: SpikingNetwork,
    readout: Readout,
    record: NDArray,
    images: NDArray[np.int64],
    seed: int,
) -> tuple[Floats, NDArray[np.int64]]:
    """Outputs and classes of some samples.

    Parameters
    ----------
    network : SpikingNetwork
    readout : Readout
    record : ndarray, shape (n_steps, batch, n_neurons)
        What the readout `reads`: spikes (0 or 1), or potentials at the end of each step in mV.
    images : ndarray of int, shape (batch,)
        Numbers of the samples, for the random numbers of the softmax readout.
    seed : int

    Returns
    -------
    outputs : ndarray, shape (batch, *shape)
        What Keras gives, at the end; where the network has given nothing, of an output of 0.
    classes : ndarray of int, shape (batch, n_checkpoints)
    """
    population = network.population(readout.population)
    points = checkpoints(len(record))
    settings = {
        "kind": readout.kind,
        "scale": _flat(population.scale, population),
        "offset": _flat(population.offset, population),
        "max_rate": population.max_rate,
        "start_step": population.start_step,
        "initial": None if readout.reads_spikes else population.starts(population.model.potential),
        "rate": readout.rate,
    }
    analog = np.zeros((len(images), len(points), population.n_neurons))
    nothing = np.zeros(0, np.int64)
    for index, image in enumerate(images):
        values = np.asarray(record[:, index])
        counted = readout.reads_spikes
        steps, neurons = np.nonzero(values) if counted else (nothing, nothing)
        generator = np.random.default_rng((seed, int(image)))
        analog[index] = readouts.decode(
            settings, steps, neurons, None if counted else values, points, network.dt, generator
        )
    final = np.nan_to_num(analog[:, -1], nan=0.0).reshape(-1, *population.shape)
    return apply_function(readout, final), readouts.classes(analog)


def apply_function(readout: Readout, analog: Floats) -> Floats:
    """The function of the output layer in float64, on arrays of shape (batch, *shape)."""
    with jax.enable_x64(True):
        return np.asarray(readout.function.apply([analog]), np.float64)


def _flat(value: Any, population: Population) -> Floats:
    return np.broadcast_to(np.asarray(value, np.float64), population.shape).reshape(-1)
