"""Decode the analog output from spikes or potentials of an output population.

The formulas are in `bioconv.export.support.readouts`, a copy of which accompanies every exported
program; see also `bioconv.network.Readout`.  This module calls them with the network's arrays and
applies the function of the output layer.
"""

from __future__ import annotations

from math import prod
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.export.support import readouts
from bioconv.ground.decisions import answers
from bioconv.network import Population, Readout, SpikingNetwork
from bioconv.simulators.settings import Settings

#: largest number of decisions of one sample that are decoded, over time
MOST_DECISIONS = 256

Floats = NDArray[np.float64]


def checkpoints(network: SpikingNetwork, settings: Settings) -> NDArray[np.int64]:
    """Return evenly spaced numbers of steps, up to the last, at which outputs are decoded.

    Unless their number is set, there are fewer for a network with many labels, positions or values.
    """
    n_steps = settings.n_steps
    each = [
        decision.n_decisions(readout.shape(network.population(readout.population)))
        for readout, decision in zip(network.readouts, network.decisions().values(), strict=True)
    ]
    usual = max(MOST_DECISIONS // max(each, default=1), 1)
    n = min(n_steps, settings.checkpoints or usual)
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
    points: NDArray[np.int64],
    seed: int,
    batch: int = 0,
) -> tuple[Floats, Floats]:
    """Decode the outputs of some samples.

    Parameters
    ----------
    network : SpikingNetwork
    readout : Readout
    record : ndarray, shape (n_steps, batch, n_neurons)
        The quantity named by `reads`: spikes (0 or 1), or potentials in mV at the end of each
        step.
    images : ndarray of int, shape (batch,)
        Numbers of the samples, which seed the random numbers of the softmax readout.
    points : ndarray of int, shape (n_checkpoints,)
        From `checkpoints`.
    seed, batch : int
        See `apply_function` for the second one.

    Returns
    -------
    outputs : ndarray, shape (batch, *shape)
        Estimate of the output of Keras after the last step.  An undefined analog value counts as 0
        before the function of the output layer is applied.
    analog : ndarray, shape (batch, n_checkpoints, n_outputs)
        Values before the function of the output layer after each checkpoint, for `Decisions`.
    """
    population = network.population(readout.population)
    settings = {
        "kind": readout.kind,
        "scale": _flat(population.scale, population),
        "offset": _flat(population.offset, population),
        "max_rate": population.max_rate,
        "start_step": population.start_step,
        "initial": None if readout.reads_spikes else population.starts(population.model.potential),
        "rate": readout.rate,
        "patterns": readout.patterns,
        "decay": readout.decay,
    }
    shape = readout.shape(population)
    analog = np.zeros((len(images), len(points), prod(shape)))
    nothing = np.zeros(0, np.int64)
    for index, image in enumerate(images):
        values = np.asarray(record[:, index])
        counted = readout.reads_spikes
        steps, neurons = np.nonzero(values) if counted else (nothing, nothing)
        generator = np.random.default_rng((seed, int(image)))
        analog[index] = readouts.decode(
            settings, steps, neurons, None if counted else values, points, network.dt, generator
        )
    final = np.nan_to_num(analog[:, -1], nan=0.0).reshape(-1, *shape)
    return apply_function(readout, final, batch), analog


class Decisions:
    """What the readouts of a network decide, for all samples and checkpoints.

    Parameters
    ----------
    network : SpikingNetwork
    n_images, n_points : int
    batch : int
        Number of samples that are added at once, of which the last ones may be fewer.

    Attributes
    ----------
    decisions : dict of str to Decision
    classes, values : dict of str to ndarray
        As in `Recording`.
    """

    def __init__(self, network: SpikingNetwork, n_images: int, n_points: int, batch: int = 0):
        self._rows = batch * n_points
        self.decisions = network.decisions()
        self._before = network.decisions_before_functions()
        self._shapes = {r.name: r.shape(network.population(r.population)) for r in network.readouts}
        self.classes: dict[str, NDArray[np.int64]] = {}
        self.values: dict[str, NDArray] = {}
        for name, decision in self.decisions.items():
            positions = decision.positions(self._shapes[name])
            of_classes = positions if decision.of_classes else ()
            self.classes[name] = np.full((n_images, n_points, *of_classes), -1)
            if not decision.of_classes:
                self.values[name] = np.full((n_images, n_points, *positions), np.nan)

    def add(self, readout: Readout, images: NDArray[np.int64], analog: Floats) -> None:
        """Add the decisions for samples.

        Parameters
        ----------
        readout : Readout
        images : ndarray of int, shape (batch,)
        analog : ndarray, shape (batch, n_points, n_outputs)
            Values before the function of the output layer, NaN where there is no output.
        """
        name, shape = readout.name, self._shapes[readout.name]
        if name in self.values:
            self.classes[name][images] = answers(analog)
            outputs = apply_function(readout, analog.reshape(-1, *shape), self._rows)
            self.values[name][images] = self._before[name].decide(
                outputs.reshape(analog.shape), shape
            )
        else:
            self.classes[name][images] = self._before[name].decide_known(analog, shape)


def apply_function(readout: Readout, analog: Floats, batch: int = 0) -> Floats:
    """Apply the function of the output layer in float64 to an array of shape (n, *shape).

    Fewer rows than ``batch`` are filled up, because another number of rows would be compiled anew,
    and might be rounded differently.
    """
    n = len(analog)
    if n < batch:
        analog = analog[np.minimum(np.arange(batch), n - 1)]
    with jax.enable_x64(True):
        return np.asarray(readout.function.apply([analog]), np.float64)[:n]


def _flat(value: Any, population: Population) -> Floats:
    return np.broadcast_to(np.asarray(value, np.float64), population.shape).reshape(-1)
