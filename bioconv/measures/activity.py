"""Spikes, rates and operations of a simulation.

Accuracy and agreement over time are methods of `bioconv.Recording`; everything here needs the
network as well.  Rates are in Hz, activations in the units of the analog network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph, evaluate
from bioconv.analog.samples import Data
from bioconv.ground.errors import ParameterError
from bioconv.measures.diagnosis import classes_of
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import fan_out, n_synapses


@dataclass(frozen=True)
class PopulationActivity:
    """What one population, or spiking input, did on average.

    Parameters
    ----------
    population : str
    neurons : int
    spikes_per_image, spikes_per_neuron : float
        Mean over images; the second for one neuron and one image.
    mean_rate, median_rate, max_rate : float
        Rate in Hz over the whole duration: mean, median and largest of the neurons' means.
    silent : float
        Share of neurons that emitted no spike for any image.
    synaptic_operations : float
        Synaptic events that the population's spikes cause, for one image.
    """

    population: str
    neurons: int
    spikes_per_image: float
    spikes_per_neuron: float
    mean_rate: float
    median_rate: float
    max_rate: float
    silent: float
    synaptic_operations: float


def activity(network: SpikingNetwork, recording: Recording) -> list[PopulationActivity]:
    """Spikes, rates and synaptic operations, population by population.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        Of this network.

    Returns
    -------
    list of PopulationActivity
        Spiking inputs first, then the populations in the network's order.
    """
    operations = synaptic_operations(network, recording)
    sources = {entry.name: entry.n_neurons for entry in network.spiking_inputs}
    sources |= {population.name: population.n_neurons for population in network.populations}
    return [
        _activity(recording, name, n_neurons, operations[name])
        for name, n_neurons in sources.items()
    ]


def _activity(
    recording: Recording, name: str, n_neurons: int, operations: float
) -> PopulationActivity:
    spikes = _spikes(recording, name) / recording.n_images
    rates = spikes / (recording.n_steps * recording.dt * 1e-3)
    return PopulationActivity(
        population=name,
        neurons=n_neurons,
        spikes_per_image=float(spikes.sum()),
        spikes_per_neuron=float(spikes.mean()),
        mean_rate=float(rates.mean()),
        median_rate=float(np.median(rates)),
        max_rate=float(rates.max()),
        silent=float(np.mean(spikes == 0)),
        synaptic_operations=operations,
    )


def synaptic_operations(
    network: SpikingNetwork, recording: Recording, by: str = "pre"
) -> dict[str, float]:
    """Synaptic events for one image: spikes times fan-out.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        Of this network.
    by : {"pre", "post"}
        Count them for the population (or input) that sends, or for the one that receives.

    Returns
    -------
    dict of str to float
        Mean over images; 0 for a population without such projections.

    Raises
    ------
    ParameterError
        If ``by`` is neither, or the recording is of another network.
    """
    if by not in ("pre", "post"):
        raise ParameterError(f'by must be "pre" or "post". Received: {by!r}.')
    total = {entry.name: 0.0 for entry in network.spiking_inputs}
    total |= {population.name: 0.0 for population in network.populations}
    for projection in network.projections:
        spikes = _spikes(recording, projection.pre) / recording.n_images
        total[getattr(projection, by)] += float(spikes @ fan_out(projection.operator))
    return total


def mixed_signs(network: SpikingNetwork) -> float:
    """Share of neurons that violate Dale's law: outgoing weights of both signs.

    Parameters
    ----------
    network : SpikingNetwork

    Returns
    -------
    float
        Of the neurons and spike sources that have synapses at all; 0 without any.  What an
        inhibitory receptor takes counts as negative.
    """
    names = {projection.pre for projection in network.projections}
    positive = {name: np.zeros(0, np.bool_) for name in names}
    negative = dict(positive)
    for projection in network.projections:
        edges = projection.operator.edges()
        receptor = network.population(projection.post).model.receptor(projection.receptor)
        above = edges.weight < 0 if receptor.sign < 0 else edges.weight > 0
        n_in = projection.operator.n_in
        for found, chosen in ((positive, above), (negative, ~above)):
            reached = np.bincount(edges.pre[chosen], minlength=n_in) > 0
            before = found[projection.pre]
            found[projection.pre] = reached | before if before.size else reached
    connected = sum(int(np.sum(positive[name] | negative[name])) for name in names)
    both = sum(int(np.sum(positive[name] & negative[name])) for name in names)
    return both / connected if connected else 0.0


def multiply_accumulates(graph: AnalogGraph) -> dict[str, int]:
    """Multiply-accumulate operations of the analog network for one sample, by layer.

    They count the non-zero entries of each layer's linear map.  Linear Keras layers are composed
    into the next non-linear one, so average pooling counts as part of the convolution behind it.

    Parameters
    ----------
    graph : AnalogGraph

    Returns
    -------
    dict of str to int
    """
    return {
        layer.name: sum(n_synapses(term.operator) for part in layer.inputs for term in part.terms)
        for layer in graph.layers
    }


def spikes_per_image(recording: Recording) -> float:
    """Spikes of all populations and spiking inputs for one image, mean over images."""
    return float(sum(np.mean(counts) for counts in recording.spikes_per_image.values()))


def spikes_per_neuron(network: SpikingNetwork, recording: Recording) -> float:
    """Spikes of one neuron for one image: mean over neurons and images, sources included."""
    n_sources = sum(item.n_neurons for item in network.spiking_inputs)
    return spikes_per_image(recording) / (network.n_neurons + n_sources)


def analog_classes(network: SpikingNetwork, x: Data) -> NDArray[np.int64]:
    """The analog network's class of each sample: the target for `Recording.agreement`."""
    output = network.analog.outputs[0]
    return classes_of(evaluate(network.analog, x, names=(output,))[output])


def _spikes(recording: Recording, name: str) -> NDArray[np.int64]:
    if name not in recording.spikes_per_neuron:
        known: Sequence[str] = sorted(recording.spikes_per_neuron)
        raise ParameterError(
            f"The recording has no population {name!r}: it is of another network. "
            f"It has {', '.join(known)}."
        )
    return recording.spikes_per_neuron[name]
