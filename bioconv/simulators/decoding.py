"""Decode the analog output from spikes or potentials of an output population.

The formulas are in `bioconv.export.support.readouts`, a copy of which accompanies every exported
program; see also `bioconv.network.Readout`.  This module calls them with the network's arrays and
applies the function of the output layer.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.export.support import readouts
from bioconv.network import Population, Readout, SpikingNetwork

#: largest number of steps at which classes are decoded
MOST_CHECKPOINTS = 256

Floats = NDArray[np.float64]


def checkpoints(n_steps: int) -> NDArray[np.int64]:
    """Return evenly spaced numbers of steps, up to ``n_steps``, at which classes are decoded."""
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
    """Decode outputs and classes of some samples.

    Parameters
    ----------
    network : SpikingNetwork
    readout : Readout
    record : ndarray, shape (n_steps, batch, n_neurons)
        The quantity named by `reads`: spikes (0 or 1), or potentials in mV at the end of each
        step.
    images : ndarray of int, shape (batch,)
        Numbers of the samples, which seed the random numbers of the softmax readout.
    seed : int

    Returns
    -------
    outputs : ndarray, shape (batch, *shape)
        Estimate of the output of Keras after the last step.  An undefined analog value counts as 0
        before the function of the output layer is applied.
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
    """Apply the function of the output layer in float64 to an array of shape (batch, *shape)."""
    with jax.enable_x64(True):
        return np.asarray(readout.function.apply([analog]), np.float64)


def _flat(value: Any, population: Population) -> Floats:
    return np.broadcast_to(np.asarray(value, np.float64), population.shape).reshape(-1)
