"""Imperfections of digital hardware and defects: faults, limited fan-in and a coarse clock."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ConversionError, Problem
from bioconv.ground.options import check, number, whole
from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.library.parts import NEVER, OUT_OF_REACH
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.edits import (
    Edit,
    Floats,
    Rule,
    edited,
    time_constants,
    value_of,
)
from bioconv.noise.mismatch import chosen_neurons, device_shape
from bioconv.noise.places import Connection, Place, Places
from bioconv.noise.weights import devices, with_synapses
from bioconv.operators import Edges

_FAULTS = (
    "Spyrou et al. 2021, DATE, Neuron fault tolerance in spiking neural networks, section III "
    "(dead and saturated neurons, dead and saturated synapses)"
)
#: roles of the parameters that faults change so that a neuron never or always fires
_FIRING = (roles.THRESHOLD, roles.CURRENT_THRESHOLD)


@dataclass(frozen=True)
class _NeuronFault(Imperfection):
    """Base class of dead and stuck neurons, which selects the affected neurons."""

    share: float = number(0.0, 0.0, 1.0)
    populations: tuple[str, ...] = ()

    site = "neurons"
    unit = "share of all neurons"
    source = _FAULTS

    def __post_init__(self) -> None:
        check(self)
        object.__setattr__(self, "populations", tuple(self.populations))

    @property
    def amplitude(self) -> float:
        """Share of the neurons that are affected."""
        return self.share

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the network with some broken neurons; see `Imperfection.rewrite`."""
        places = Places(network)
        edits, problems = {}, []
        for population in chosen_neurons(network, self.populations):
            hit = streams.of(places.of(population)).random(device_shape(population)) < self.share
            edit = self._edit(population, hit)
            if edit is None:
                reason = f"it has no threshold that could keep it {self._state}."
                problems.append(Problem(population.name, population.model.name, reason))
            else:
                edits[population.name] = edit
        if problems:
            raise ConversionError(f"{network.name} cannot have {self._state} neurons:", problems)
        return edited(network, edits)

    _state = ""

    @abstractmethod
    def _edit(self, population: Population, hit: NDArray[np.bool_]) -> Edit | None:
        """Return the changes of a population, None if it cannot have the fault."""


@dataclass(frozen=True)
class DeadNeurons(_NeuronFault):
    """Randomly selected neurons that never fire; gates of max pooling are excluded by default.

    Their threshold is put out of reach, even when their window closes.  Neurons without a
    threshold, and outputs whose potential is read, receive no input instead.

    Parameters
    ----------
    share : float
        Probability that a neuron is affected, from 0 to 1.
    populations : tuple of str
        Names of the affected populations; empty for all except gates.

    Raises
    ------
    ParameterError
    """

    _state = "dead"

    def _edit(self, population: Population, hit: NDArray[np.bool_]) -> Edit:
        model = population.model
        names = model.with_role(*_FIRING, roles.DEADLINE) if model.threshold else ()
        rules: dict[str, Rule] = dict.fromkeys(names, _where(hit, NEVER))
        threshold = model.role(roles.THRESHOLD)
        if threshold in rules and np.all(value_of(population, threshold) < OUT_OF_REACH):
            return Edit(rules)
        if not model.current:
            return Edit(rules)
        alive = np.where(hit, 0.0, 1.0)
        rules[model.current] = lambda value: value * alive
        return Edit(rules, {r.name: alive for r in model.receptors}, alive)


@dataclass(frozen=True)
class StuckNeurons(_NeuronFault):
    """Randomly selected neurons that fire whenever they can, regardless of their input.

    A population that a code closes outside of its window stays closed.  A neuron that can fire
    only once fires at the first opportunity.  Gates of max pooling are excluded by default.

    Parameters
    ----------
    share : float
        Probability that a neuron is affected, from 0 to 1.
    populations : tuple of str
        Names of the affected populations; empty for all except gates.

    Raises
    ------
    ParameterError
    """

    _state = "stuck"

    def _edit(self, population: Population, hit: NDArray[np.bool_]) -> Edit | None:
        model = population.model
        names = model.with_role(*_FIRING)
        if names:
            return Edit(dict.fromkeys(names, _where(hit, -NEVER, below=OUT_OF_REACH)))
        return None if model.threshold and model.current else Edit()


def _where(hit: NDArray[np.bool_], new: float, below: float = np.inf) -> Rule:
    """Return the rule that sets affected values to ``new`` if they are below a limit."""
    return lambda value: np.where(hit & (value < below), new, value)


@dataclass(frozen=True)
class _SynapseFault(Imperfection):
    """Base class of dead and stuck synapses, which selects the affected synapses."""

    share: float = number(0.0, 0.0, 1.0)

    site = "synapses"
    unit = "share of all synapses"
    source = _FAULTS

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """Share of the synapses that are affected."""
        return self.share

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the network with some broken synapses; see `Imperfection.rewrite`."""

        def change(place: Place, entry: Connection, edges: Edges) -> Floats:
            device, n = devices(network, entry, edges)
            hit = (streams.of(place).random(n) < self.share)[device]
            return np.where(hit, self._broken(edges.weight), edges.weight)

        return with_synapses(network, network.populations, change)

    @abstractmethod
    def _broken(self, weight: Floats) -> Floats:
        """Return the weights that these synapses have when they are broken."""


@dataclass(frozen=True)
class DeadSynapses(_SynapseFault):
    """Randomly selected synapses, including those of analog inputs, that transmit nothing.

    Parameters
    ----------
    share : float
        Probability that a synapse is affected, from 0 to 1.

    Raises
    ------
    ParameterError
    """

    def _broken(self, weight: Floats) -> Floats:
        return np.zeros(len(weight))


@dataclass(frozen=True)
class StuckSynapses(_SynapseFault):
    """Randomly selected synapses with the largest weight of their projection and their own sign.

    Parameters
    ----------
    share : float
        Probability that a synapse is affected, from 0 to 1.

    Raises
    ------
    ParameterError
    """

    def _broken(self, weight: Floats) -> Floats:
        return np.sign(weight) * np.max(np.abs(weight), initial=0.0)


@dataclass(frozen=True)
class FanIn(Imperfection):
    """A limit on the number of synapses of a neuron; the weakest ones are removed.

    Synapses are counted over all projections to the neuron.  Weights in different units are
    compared relative to the largest in the same unit.  Analog inputs do not count as synapses.

    Parameters
    ----------
    limit : int
        Largest number of synapses of a neuron; 0 for no limit.

    Raises
    ------
    ParameterError
    """

    limit: int = whole(0, 0, 2**31)

    site = "synapses"
    unit = "synapses of a neuron; 0: no limit"
    fewer_is_worse = True
    source = (
        "Moradi et al. 2018, IEEE Trans. Biomed. Circuits Syst. 12:106, arXiv:1708.04198 "
        "(64 words of content-addressable memory per neuron)"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """Largest number of synapses."""
        return self.limit

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the network with the strongest synapses only; see `Imperfection.rewrite`."""
        kept = {p.name: _strongest(network, p, self.limit) for p in network.populations}
        crowded = [p for p in network.populations if not all(map(np.all, kept[p.name].values()))]

        def change(_: Place, entry: Connection, edges: Edges) -> Floats:
            return np.where(kept[entry.post][id(entry)], edges.weight, 0.0)

        return with_synapses(network, crowded, change, drives=False)


def _strongest(
    network: SpikingNetwork, population: Population, limit: int
) -> dict[int, NDArray[np.bool_]]:
    """Return masks of the synapses of each projection that are among their neurons' strongest."""
    incoming = network.projections_to(population.name)
    edges = [projection.operator.edges() for projection in incoming]
    if not incoming:
        return {}
    units = [population.model.receptor(projection.receptor).unit for projection in incoming]
    largest = {unit: 0.0 for unit in units}
    for unit, entry in zip(units, edges, strict=True):
        largest[unit] = max(largest[unit], float(np.max(np.abs(entry.weight), initial=0.0)))
    strength = np.concatenate(
        [abs(e.weight) / (largest[unit] or 1.0) for unit, e in zip(units, edges, strict=True)]
    )
    post = np.concatenate([entry.post for entry in edges])
    order = np.lexsort((-strength, post))
    counts = np.bincount(post, minlength=population.n_neurons)
    rank = np.empty(len(post), np.int64)
    rank[order] = np.arange(len(post)) - np.repeat(np.cumsum(counts) - counts, counts)
    parts = np.split(rank < limit, np.cumsum([len(entry) for entry in edges])[:-1])
    return {id(projection): part for projection, part in zip(incoming, parts, strict=True)}


@dataclass(frozen=True)
class TimeQuantization(Imperfection):
    """A coarse clock, of which delays, refractory periods and time constants are multiples.

    Each is rounded to the nearest multiple other than 0.  Spikes stay on the time grid of the
    network; convert with a larger ``dt`` for a simulation with a coarse clock.

    Parameters
    ----------
    step : float
        Step of the clock in ms; 0 for no rounding.

    Raises
    ------
    ParameterError
    """

    step: float = number(0.0, 0.0)

    site = "delays, refractory periods, time constants"
    unit = "ms"
    clocks = True
    source = "Furber et al. 2013, IEEE Trans. Computers 62:2454 (time steps of 1 ms)"

    def __post_init__(self) -> None:
        check(self)

    @property
    def amplitude(self) -> float:
        """Step of the clock in ms."""
        return self.step

    def rewrite(self, network: SpikingNetwork, streams: Streams) -> SpikingNetwork:
        """Return the network with rounded times; see `Imperfection.rewrite`."""
        projections = tuple(self._delayed(p, network.dt) for p in network.projections)
        later = [
            Problem(f"{p.pre} to {p.post}", "Projection", "its spikes would be decoded wrongly.")
            for p, q in zip(network.projections, projections, strict=True)
            if p.delay_steps != q.delay_steps and _timed(network, p)
        ]
        if later:
            reason = "because the times of its spikes represent values"
            raise ConversionError(
                f"The delays of {network.name} cannot be rounded, {reason}. Convert with a larger "
                "dt instead:",
                later,
            )
        edits = {p.name: Edit(self._rules(p, network.dt)) for p in network.populations}
        return edited(network.replace(projections=projections), edits)

    def _delayed(self, projection: Projection, dt: float) -> Projection:
        ms = self._rounded(np.asarray(projection.delay_steps * dt))
        return replace(projection, delay_steps=max(1, round(float(ms) / dt)))

    def _rules(self, population: Population, dt: float) -> dict[str, Rule]:
        rules: dict[str, Rule] = dict.fromkeys(time_constants(population.model), self._rounded)
        name = population.model.refractory
        if name:
            rules[name] = lambda value: np.round(self._rounded(value) / dt) * dt
        return rules

    def _rounded(self, value: Floats) -> Floats:
        nearest = np.maximum(np.round(value / self.step), 1.0) * self.step
        return np.where(value > 0, nearest, value)


def _timed(network: SpikingNetwork, projection: Projection) -> bool:
    """Whether the delay of a projection has an effect at either end."""
    ends: Collection[str] = (projection.pre, projection.post)
    level = any(r.kind == "level" for r in network.readouts)
    return level or any(p.name in ends and len(p.spike_values) for p in network.populations)
