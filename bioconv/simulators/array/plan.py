"""What the array simulator compiles: the network's structure, without any of its numbers.

A `Plan` is hashable and holds no array, so JAX compiles one program for all networks of the same
structure; weights, parameters and samples are its arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language.model import NeuronModel
from bioconv.simulators.decoding import reads
from bioconv.simulators.settings import Settings

#: samples that are simulated together where nobody says how many: so few that the state of the
#: largest population, which goes through many steps at a time, takes at most a third of a chunk
#: (with more of it, a Traub-Miles neuron takes nearly twice as long), and a step at
#: most half (with more, memory is handed back and asked for again in every call)
_LEAST, _MOST = 4, 64
_STATES, _STEPS = 3, 2


@dataclass(frozen=True)
class Source:
    """A projection into a population: its index in the network, and what it acts on.

    ``fails``: some spikes are not passed on; ``single``: no neuron has more than one synapse.
    """

    index: int
    pre: str
    variables: tuple[str, ...]
    delay: int
    fails: bool = False
    single: bool = False


@dataclass(frozen=True)
class Stage:
    """One population.

    Parameters
    ----------
    name : str
    n : int
        Number of neurons.
    model : NeuronModel
    sources : tuple of Source
    changing : tuple of str
        Parameters that scheduled changes set.
    set_states : tuple of str
        State variables that scheduled changes set.
    refractory : bool
        Whether any neuron has a refractory period.
    late : bool
        Whether counts from the population's first step on are wanted, besides those from step 0.
    spikes : bool
        Whether all spikes are wanted.
    traces : tuple of str
        State variables wanted in every step.
    """

    name: str
    n: int
    model: NeuronModel
    sources: tuple[Source, ...]
    changing: tuple[str, ...]
    set_states: tuple[str, ...]
    refractory: bool
    late: bool
    spikes: bool
    traces: tuple[str, ...]

    @property
    def waits(self) -> bool:
        """Whether a neuron that has fired may be kept from firing again."""
        return self.refractory or self.model.crossing


@dataclass(frozen=True)
class Plan:
    """The populations in topological order, and the size of one call.

    Parameters
    ----------
    stages : tuple of Stage
    inputs : tuple of (str, int)
        Spiking inputs and their numbers of sources.
    batch, steps : int
        Samples and steps of one call.
    dt : float
    dtype : str
    windows : bool
        Each layer spikes in a window of its own, as in temporal codes: where there is no spike,
        the linear algebra is left out.  To ask costs a quarter where there always is one.
    """

    stages: tuple[Stage, ...]
    inputs: tuple[tuple[str, int], ...]
    batch: int
    steps: int
    dt: float
    dtype: str
    windows: bool


def make_plan(network: SpikingNetwork, settings: Settings, n_images: int, chunk_bytes: int) -> Plan:
    """The plan for a network and a number of samples.

    Parameters
    ----------
    network : SpikingNetwork
    settings : Settings
    n_images : int
        Simulated together in batches of ``settings.batch_size``, or of a size that suits the
        caches.
    chunk_bytes : int
        Memory for what goes between populations in the steps of one call, roughly.

    Raises
    ------
    ParameterError
        The network is recurrent.
    """
    stages = tuple(
        _stage(network, network.population(name), settings) for name in network.topological_order()
    )
    inputs = tuple((entry.name, entry.n_neurons) for entry in network.spiking_inputs)
    widths = [n for _, n in inputs] + [
        stage.n * (1 + len(stage.sources) + len(stage.traces)) for stage in stages
    ]
    item = np.dtype(settings.dtype).itemsize
    state = max(stage.n * len(stage.model.states) for stage in stages)
    most = chunk_bytes // (item * max(_STATES * state, _STEPS * sum(widths)))
    if settings.batch_size:
        batch = min(settings.batch_size, n_images)
    else:
        batch = _even_part(n_images, min(max(most, _LEAST), _MOST))
    steps = _even_part(settings.n_steps, max(1, chunk_bytes // (batch * sum(widths) * item)))
    last = max(population.start_step for population in network.populations)
    windows = 2 * last >= settings.n_steps
    return Plan(stages, inputs, batch, steps, network.dt, settings.dtype, windows)


def _even_part(total: int, most: int) -> int:
    """A size of parts, at most ``most``, that wastes the least in the last part."""
    n_parts = -(-total // most)
    return -(-total // n_parts)


def _stage(network: SpikingNetwork, population: Population, settings: Settings) -> Stage:
    model = population.model
    sources = tuple(
        Source(
            index,
            p.pre,
            model.receptor(p.receptor).variables,
            p.delay_steps,
            p.release < 1,
            p.release < 1 and bool(np.bincount(p.operator.edges().post).max(initial=0) <= 1),
        )
        for index, p in enumerate(network.projections)
        if p.post == population.name
    )
    changed = {c.variable for c in network.changes if c.population == population.name}
    states = {state.name for state in model.states}
    read = {reads(network, r) for r in network.readouts if r.population == population.name}
    wanted = set(settings.record.get(population.name, ())) | read
    return Stage(
        name=population.name,
        n=population.n_neurons,
        model=model,
        sources=sources,
        changing=tuple(sorted(changed - states)),
        set_states=tuple(sorted(changed & states)),
        refractory=_is_refractory(network, population),
        late=population.start_step > 0 and "counts" in wanted and bool(model.threshold),
        spikes="spikes" in wanted,
        traces=tuple(state.name for state in model.states if state.name in wanted),
    )


def _is_refractory(network: SpikingNetwork, population: Population) -> bool:
    name = population.model.refractory
    if not name:
        return False
    periods = [population.value(name)]
    periods += [
        c.value for c in network.changes if c.population == population.name and c.variable == name
    ]
    return any(np.any(np.asarray(period) > 0) for period in periods)
