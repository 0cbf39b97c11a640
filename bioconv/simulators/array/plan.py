"""The structure of a network as the array simulator compiles it, without numerical values.

A `Plan` is hashable and holds no arrays, so that JAX compiles one program for all networks of the
same structure; weights, parameters and samples are arguments of this program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language.evaluation import Comparison
from bioconv.neurons.language.model import NeuronModel
from bioconv.simulators.array.stages import decoded, stage_drives, widths_of
from bioconv.simulators.decoding import reads
from bioconv.simulators.settings import Settings

#: bounds of the default batch size, within which it is chosen so that the state of the largest
#: population, which is updated in many steps in a row, takes at most a third of a chunk (with
#: more, a Traub-Miles neuron takes nearly twice as long), and one step at most half of it (with
#: more, memory is released and allocated again in every call)
_LEAST, _MOST = 4, 64
_STATES, _STEPS = 3, 2


@dataclass(frozen=True)
class Source:
    """A projection to a population, by its index in the network and the variables it acts on.

    ``fails`` is True if its synapses may fail to transmit a spike, and ``single`` if, in addition,
    no postsynaptic neuron has more than one of its synapses.
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
        Whether to count spikes from the population's first step on, in addition to those from
        step 0.
    spikes : bool
        Whether to record every spike.
    traces : tuple of str
        State variables to record in every step.
    driven : tuple of (int, str)
        Drives by analog stages: the index in the network, and the stage.
    compare : Comparison, optional
        Surrogate derivative of the threshold, for runs that are differentiated.
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
    driven: tuple[tuple[int, str], ...] = ()
    compare: Comparison | None = None

    @property
    def waits(self) -> bool:
        """Whether a neuron may be unable to fire for some time after a spike."""
        return self.refractory or self.model.crossing


@dataclass(frozen=True)
class Plan:
    """The populations in topological order, and the size of one call.

    Parameters
    ----------
    stages : tuple of Stage
    inputs : tuple of (str, int)
        Name of each spiking input and its number of sources.
    batch, steps : int
        Number of samples and steps in one call.
    dt : float
    dtype : str
    windows : bool
        Whether each layer spikes in a time window of its own, as in temporal codes.  If so, the
        linear algebra is skipped wherever there are no spikes.  This test makes a network that
        spikes all the time slower by a quarter.
    differentiable : bool
        Whether spikes and counts are numbers through which derivatives pass.  The values are the
        same.
    local : bool
        Whether no derivative passes from one population to those before it.
    """

    stages: tuple[Stage, ...]
    inputs: tuple[tuple[str, int], ...]
    batch: int
    steps: int
    dt: float
    dtype: str
    windows: bool
    differentiable: bool = False
    local: bool = False


def make_plan(network: SpikingNetwork, settings: Settings, n_images: int, chunk_bytes: int) -> Plan:
    """Return the plan for a network and a number of samples.

    Parameters
    ----------
    network : SpikingNetwork
    settings : Settings
    n_images : int
        Number of samples, which are simulated in batches of ``settings.batch_size`` or, by
        default, of a size that suits the caches.
    chunk_bytes : int
        Approximate memory for the signals between populations in the steps of one call.

    Raises
    ------
    ParameterError
        If the network is recurrent.
    """
    stages = tuple(
        _stage(network, network.population(name), settings) for name in network.topological_order()
    )
    inputs = tuple((entry.name, entry.n_neurons) for entry in network.spiking_inputs)
    widths = [n for _, n in inputs] + [
        stage.n * (1 + len(stage.sources) + len(stage.driven) + len(stage.traces))
        for stage in stages
    ]
    widths += widths_of(network)
    item = np.dtype(settings.dtype).itemsize
    state = max(stage.n * len(stage.model.states) for stage in stages)
    most = chunk_bytes // (item * max(_STATES * state, _STEPS * sum(widths)))
    batch = settings.batch_size or _even_part(n_images, min(max(most, _LEAST), _MOST))
    steps = _even_part(settings.n_steps, max(1, chunk_bytes // (batch * sum(widths) * item)))
    last = max(population.start_step for population in network.populations)
    windows = 2 * last >= settings.n_steps
    return Plan(stages, inputs, batch, steps, network.dt, settings.dtype, windows)


def _even_part(total: int, most: int) -> int:
    """Return the size of equal parts, at most ``most``, with the least padding in the last."""
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
    driven = tuple(
        (index, network.drives[index].input) for index in stage_drives(network, population.name)
    )
    changed |= {model.current} if driven else set()
    counted = "counts" in wanted or population.name in decoded(network)
    return Stage(
        name=population.name,
        n=population.n_neurons,
        model=model,
        sources=sources,
        changing=tuple(sorted(changed - states)),
        set_states=tuple(sorted(changed & states)),
        refractory=_is_refractory(network, population),
        late=population.start_step > 0 and counted and bool(model.threshold),
        spikes="spikes" in wanted,
        traces=tuple(state.name for state in model.states if state.name in wanted),
        driven=driven,
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
