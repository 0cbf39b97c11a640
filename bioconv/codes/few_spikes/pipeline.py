"""A stream of samples through a few-spikes network, with a new sample every 2K steps.

Stoeckl and Maass 2021, "Emulating an ANN neuron by a spiking neuron with few spikes": the
parameters of a neuron change periodically.  A neuron collects the spikes of a sample for K steps
and fires for another K steps, after which the spikes of the next sample start to arrive.  With
functions of different K, the period is twice the largest K.

The stream is itself a spiking network, in which the changes of one sample are scheduled again for
every sample, and the samples are currents that flow for one step.  Every simulator can therefore
run it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.codes.few_spikes.neurons import FewSpikes, FewSpikesMaxGate, FewSpikesOutput
from bioconv.ground.errors import ConversionError, Problem
from bioconv.network import Change, Input, Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.neurons.language import roles
from bioconv.neurons.language.identity import same
from bioconv.neurons.language.model import NeuronModel
from bioconv.simulators import simulate
from bioconv.simulators.array.arrays import drive_currents
from bioconv.simulators.array.collect import Collector
from bioconv.simulators.settings import Settings, check_data

Floats = NDArray[np.float64]

#: the only input of a stream, which is empty: the samples are contained in the changes
_NOTHING = "nothing"


@dataclass(frozen=True, eq=False)
class Stream:
    """Samples that follow each other through one network.

    Parameters
    ----------
    single : SpikingNetwork
        The network that processes one sample.
    network : SpikingNetwork
        The same neurons and synapses, with the changes of all samples.
    interval : int
        Steps from one sample to the next.
    opens : dict of str to int
        For each population, the step in which it is reset for the first sample.
    n_images : int
    """

    single: SpikingNetwork
    network: SpikingNetwork
    interval: int
    opens: Mapping[str, int]
    n_images: int

    @property
    def duration(self) -> float:
        """Duration of the whole stream in ms."""
        return self.network.n_steps * self.network.dt


def stream(network: SpikingNetwork, x: ArrayLike | Mapping[str, ArrayLike]) -> Stream:
    """Return a network that processes one sample after the other without a pause.

    Parameters
    ----------
    network : SpikingNetwork
        Of `bioconv.FewSpikesCode`.
    x : ndarray of shape (n_images, *input shape), or mapping of input names to such arrays

    Returns
    -------
    Stream

    Raises
    ------
    ConversionError
        A population that few-spikes networks do not have.
    DataError
        Samples that cannot be used.
    """
    _check(network)
    data = check_data(network, x)
    n_images = len(next(iter(data.values())))
    currents = drive_currents(network, data)
    opens = {population.name: _opens(network, population) for population in network.populations}
    longest = max((len(p.spike_values) for p in network.populations), default=0)
    interval = 2 * max(longest, 1)
    changes: list[Change] = []
    for population in network.populations:
        name, scheduled = population.name, _of(network, population)
        for number in range(n_images):
            changes += _window(population, opens[name] + number * interval, scheduled, number)
            changes += _sample(population, opens[name] + number * interval, currents, number)
            changes += [replace(c, step=c.step + number * interval) for c in scheduled]
    streamed = network.replace(
        name=f"{network.name}_stream",
        n_steps=network.n_steps + (n_images - 1) * interval,
        inputs=(Input(_NOTHING, (1,)),),
        drives=(),
        changes=tuple(changes),
        populations=tuple(_waiting(p, opens[p.name]) for p in network.populations),
    )
    return Stream(network, streamed, interval, opens, n_images)


def simulate_stream(
    network: SpikingNetwork,
    x: ArrayLike | Mapping[str, ArrayLike],
    *,
    simulator: str = "array",
    dtype: str = "float64",
    progress: bool = True,
    **options: Any,
) -> Recording:
    """Present samples to a few-spikes network as a `stream`, and return the outputs for each.

    Parameters
    ----------
    network : SpikingNetwork
        Of `bioconv.FewSpikesCode`.
    x : ndarray of shape (n_images, *input shape), or mapping of input names to such arrays
    simulator : str
        A key of `bioconv.simulators.SIMULATORS`.
    dtype : {"float32", "float64"}
    progress : bool
    **options
        Of the simulator.

    Returns
    -------
    Recording
        The same as from `bioconv.simulate` with one sample at a time: steps are counted from the
        step in which a sample enters.  It contains the rasters of all populations.

    Raises
    ------
    ConversionError
        A population that few-spikes networks do not have.
    DataError, ParameterError, SimulatorMissingError, SimulationError
        As `bioconv.simulate`.
    """
    streamed = stream(network, x)
    spiking = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    levels = {
        readout.population: (network.population(readout.population).model.potential,)
        for readout in network.readouts
    }
    recording = simulate(
        streamed.network,
        np.zeros((1, 1)),
        simulator=simulator,
        record={**spiking, **levels},
        dtype=dtype,
        progress=progress,
        **options,
    )
    return _cut(streamed, recording, dtype)


def _cut(streamed: Stream, recording: Recording, dtype: str) -> Recording:
    """Split the recording by sample, with steps counted from the entry of each sample."""
    single, images = streamed.single, np.arange(streamed.n_images)
    raster_names = tuple(recording.rasters)
    settings = Settings(
        recording.simulator, single.n_steps, dict.fromkeys(raster_names, ("spikes",)), dtype=dtype
    )
    found = Collector(single, settings, streamed.n_images, streamed.n_images)
    for name, raster in recording.rasters.items():
        image = (raster.step - streamed.opens[name]) // streamed.interval
        found.add_spikes(name, image, raster.step - image * streamed.interval, raster.neuron)
        counts = np.zeros((streamed.n_images, single.population(name).n_neurons), np.int64)
        np.add.at(counts, (image, raster.neuron), 1)
        found.add_counts(name, images, counts, counts)
    for readout in single.readouts:
        # before the window of a sample opens, the potential still belongs to the preceding sample
        within = np.maximum(np.arange(single.n_steps), streamed.opens[readout.population])
        steps = within[:, None] + images * streamed.interval
        potential = single.population(readout.population).model.potential
        levels = recording.traces[readout.population, potential][0]
        found.add_readout(readout, images, levels[steps])
    return found.finish(recording.seconds, recording.versions, recording.engine)


def _check(network: SpikingNetwork) -> None:
    problems = [
        Problem(
            population.name,
            population.model.name,
            "it is not a neuron of the few-spikes code; only these have windows that repeat.",
            "Stream only networks that were converted with FewSpikesCode.",
        )
        for population in network.populations
        if not _is_own(population.model)
    ]
    if problems:
        raise ConversionError(f"{network.name!r} cannot be streamed:", problems)


def _is_own(model: NeuronModel) -> bool:
    """Whether a model is one of this code, regardless of the names of the model and its parts."""
    n = len(model.receptors)
    own = [make(n).model for make in (FewSpikes, FewSpikesOutput) if 1 <= n <= 8]
    own += [FewSpikesMaxGate(n // 2).model] if 4 <= n <= 50 else []
    return any(same(model, known) for known in own)


def _opens(network: SpikingNetwork, population: Population) -> int:
    """Return the step in which the first spikes can arrive, or the start step if none do."""
    arrivals = [
        network.population(entry.pre).start_step + entry.delay_steps
        for entry in network.projections_to(population.name)
    ]
    return min(arrivals, default=population.start_step)


def _gate(population: Population) -> str:
    """Return the name of the parameter that gates the constant current, or an empty string."""
    return population.model.role(roles.GATE)


def _of(network: SpikingNetwork, population: Population) -> list[Change]:
    """Return the changes of one sample except those of the current, which the stream schedules."""
    return [
        change
        for change in network.changes
        if change.population == population.name and change.variable != _gate(population)
    ]


def _waiting(population: Population, opens: int) -> Population:
    """Return a population that receives no current before its window opens."""
    gate = _gate(population)
    if not (gate and opens):
        return population
    return replace(population, parameters={**population.parameters, gate: 0.0})


def _window(
    population: Population, step: int, scheduled: list[Change], number: int
) -> Iterator[Change]:
    """Reset the states, and the parameters that the preceding sample changed."""
    if not number:
        return
    name = population.name
    for state in population.model.states:
        yield Change(step, name, state.name, population.start(state.name))
    # a variable that the schedule sets in this same step keeps that value
    first = {change.variable: change.step for change in reversed(scheduled)}
    for variable in first:
        if not any(c.step == first[variable] == step for c in scheduled):
            yield Change(step, name, variable, population.value(variable))


def _sample(
    population: Population, step: int, currents: Mapping[str, Floats], number: int
) -> Iterator[Change]:
    """Switch on the current of a sample and of the bias for one step."""
    gate = _gate(population)
    if not gate:
        return
    name, current = population.name, population.model.current
    if name in currents:
        driven = currents[name][number].reshape(population.shape)
        yield Change(step, name, current, population.value(current) + driven)
    yield Change(step, name, gate, 1.0)
    yield Change(step + 1, name, gate, 0.0)
