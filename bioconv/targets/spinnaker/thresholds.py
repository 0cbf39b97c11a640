"""Thresholds that compensate for the loss by a reset to a value, measured on samples.

A neuron that receives the total input D and loses the excess o over the threshold v_th at each
spike fires D / (v_th + o) times; one that loses nothing fires D / v_ideal times.  Both counts are
measured, so o is known, and the threshold that gives the wanted count is v_ideal - o.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Population, SpikingNetwork
from bioconv.simulators import simulate
from bioconv.targets.fit import Samples

Floats = NDArray[np.float64]

#: number of spikes over all samples from which on a channel has its own threshold
_ENOUGH = 200
#: bounds of a threshold, as shares of the wanted one
_LEAST, _MOST = 0.3, 1.5
#: number of iterations, as a change in one layer changes the input of the next
_ROUNDS = 4


def spike_counts(network: SpikingNetwork, samples: Samples) -> dict[str, Floats]:
    """Return the number of spikes of each neuron of each population over all samples."""
    recording = simulate(network, samples, progress=False)
    return {
        p.name: np.asarray(recording.spikes_per_neuron[p.name], np.float64).reshape(p.shape)
        for p in network.populations
    }


def matched(
    network: SpikingNetwork, wanted: Mapping[str, Floats], samples: Samples
) -> SpikingNetwork:
    """Return the network with thresholds that give each channel the wanted number of spikes.

    Parameters
    ----------
    network : SpikingNetwork
        As the board sees it.
    wanted : mapping of str to ndarray of the population's shape
        Spikes of the populations to be matched, summed over the samples.
    samples : mapping of str to ndarray

    Returns
    -------
    SpikingNetwork
    """
    ideal = {p.name: np.asarray(p.value("v_th")) for p in network.populations}
    for _ in range(_ROUNDS):
        found = spike_counts(network, samples)
        network = network.replace(
            populations=tuple(
                _matched(p, ideal[p.name], wanted[p.name], found[p.name]) if p.name in wanted else p
                for p in network.populations
            )
        )
    return network


def _matched(population: Population, ideal: Floats, wanted: Floats, found: Floats) -> Population:
    now = np.asarray(population.value("v_th"))
    reset = np.asarray(population.value("v_reset"))
    more = _ratio(wanted, found)  # below 1 if there are too many spikes
    distance = ideal - reset
    new = (now - reset) + distance * (1.0 - more)
    new = np.clip(new, _LEAST * distance, _MOST * distance)
    return replace(population, parameters={**population.parameters, "v_th": reset + new})


def _ratio(wanted: Floats, found: Floats) -> Floats:
    """Return wanted over found spikes per channel, or per population if there are few."""
    axes = tuple(range(wanted.ndim - 1))
    whole = wanted.sum() / max(found.sum(), 1.0) if wanted.sum() >= _ENOUGH else 1.0
    channel_wanted = wanted.sum(axis=axes, keepdims=True)
    channel_found = found.sum(axis=axes, keepdims=True)
    known = (channel_wanted >= _ENOUGH) & (channel_found >= _ENOUGH / 4)
    return np.where(known, channel_wanted / np.maximum(channel_found, 1.0), whole)
