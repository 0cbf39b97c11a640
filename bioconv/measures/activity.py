"""Spikes, rates and operations of a simulation.

Accuracy and agreement over time are methods of `bioconv.Recording`, whereas all measures here
require the network as well.  Rates are in Hz, activations in the units of the analog network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph, evaluate
from bioconv.analog.samples import Data
from bioconv.ground.errors import ParameterError
from bioconv.measures.diagnosis import first_decision, labels_of
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.neurons.language import roles
from bioconv.operators import fan_out, n_synapses


@dataclass(frozen=True)
class PopulationActivity:
    """Average activity of a population or spiking input.

    Parameters
    ----------
    population : str
    neurons : int
    spikes_per_image, spikes_per_neuron : float
        Mean number of spikes per image of the whole population, and of one neuron.
    mean_rate, median_rate, max_rate : float
        Mean, median and maximum over neurons of their mean rates in Hz over the whole duration.
    silent : float
        Fraction of neurons that emitted no spike for any image.
    synaptic_operations : float
        Mean number of synaptic events per image that the population's spikes cause.
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
    """Return spikes, rates and synaptic operations of every population.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording of this network.

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
    """Return the number of synaptic events per image, the sum of fan-outs over all spikes.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording of this network.
    by : {"pre", "post"}
        Whether to attribute events to the presynaptic population (or input) or to the
        postsynaptic one.

    Returns
    -------
    dict of str to float
        Mean over images; 0 for a population without such projections.

    Raises
    ------
    ParameterError
        If ``by`` is neither, or if the recording belongs to another network.
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
    """Return the fraction of neurons that violate Dale's law by outgoing weights of both signs.

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
    """Return the multiply-accumulate operations per sample of each layer of the analog network.

    Their number is that of the non-zero entries of the layer's linear map.  Linear Keras layers are
    composed into the next non-linear one, so that average pooling counts as part of the
    convolution that follows it.

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


def spikes_per_image(recording: Recording, network: SpikingNetwork | None = None) -> float:
    """Return the mean number of spikes per image of all populations and spiking inputs.

    Parameters
    ----------
    recording : Recording
    network : SpikingNetwork, optional
        The network of the recording.  If it is given, axons are not counted, which imperfections
        add to pass on the spikes of neurons.
    """
    populations = () if network is None else network.populations
    axons = {p.name for p in populations if p.model.kind == roles.AXON}
    counts = recording.spikes_per_image
    return float(sum(np.mean(counts[name]) for name in counts if name not in axons))


def spikes_per_neuron(network: SpikingNetwork, recording: Recording) -> float:
    """Return the mean number of spikes per image and neuron, including spike sources.

    Axons are not counted, see `spikes_per_image`.
    """
    n = sum(p.n_neurons for p in network.populations if p.model.kind != roles.AXON)
    n += sum(item.n_neurons for item in network.spiking_inputs)
    return spikes_per_image(recording, network) / n


def analog_classes(network: SpikingNetwork, x: Data) -> NDArray:
    """Return what the analog network decides, the reference of `Recording.agreement`.

    Returns
    -------
    ndarray, shape (n_images, ...)
        The class of each sample, or its labels or values, by the decision of the first output.
    """
    output = network.analog.outputs[0]
    return first_decision(network).of(evaluate(network.analog, x, names=(output,))[output])


def analog_accuracy(network: SpikingNetwork, x: Data, y: ArrayLike) -> float:
    """Return the share of the analog network's decisions that are right; see `Recording`.

    Raises
    ------
    DataError
        If the labels do not fit the first output; see `bioconv.ground.decisions.Decision.labels`.
    """
    found = analog_classes(network, x)
    return first_decision(network).share(found, labels_of(network, y, len(found)))


def _spikes(recording: Recording, name: str) -> NDArray[np.int64]:
    if name not in recording.spikes_per_neuron:
        known: Sequence[str] = sorted(recording.spikes_per_neuron)
        raise ParameterError(
            f"The recording has no population {name!r} and belongs to another network. "
            f"Its populations: {', '.join(known)}."
        )
    return recording.spikes_per_neuron[name]
