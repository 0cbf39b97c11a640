"""Simulated chips, whose neurons and synapses deviate from the values that were set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bioconv.network import Population, SpikingNetwork
from bioconv.noise import Mismatch, Streams, disturb
from bioconv.noise.places import Places
from bioconv.targets.brainscales2.declaration import (
    SPREAD_REST,
    SPREAD_THRESHOLD,
    SPREAD_TIME,
    SPREAD_WEIGHT,
)

#: parameter -> standard deviation between neurons, LSB
_POTENTIALS = {"v_rest": SPREAD_REST, "v_reset": SPREAD_REST, "v_th": SPREAD_THRESHOLD}


def chip(network: SpikingNetwork, seed: int) -> SpikingNetwork:
    """Return a network with the deviations of one chip in potentials, time constants and weights.

    Parameters
    ----------
    network : SpikingNetwork
        In the chip's units, as returned by `bioconv.targets.brainscales2.fit`.
    seed : int
        Each seed stands for a different chip.
    """
    streams, places = Streams(seed), Places(network)
    populations = tuple(_spread(p, streams, places) for p in network.populations)
    return disturb(
        network.replace(populations=populations),
        Mismatch("tau_m", SPREAD_TIME.value),
        Mismatch("tau_syn", SPREAD_TIME.value),
        Mismatch("weight", SPREAD_WEIGHT.value),
        seed=seed,
    )


def _spread(population: Population, streams: Streams, places: Places) -> Population:
    values = {}
    for name, limit in _POTENTIALS.items():
        place = places.of(population, name)
        off = streams.of(place).normal(0.0, limit.value, population.shape)
        values[name] = np.asarray(population.parameters[name]) + off
    # a reset above the threshold would fire in every step
    values["v_reset"] = np.minimum(values["v_reset"], values["v_th"] - 1.0)
    return replace(population, parameters={**population.parameters, **values})
