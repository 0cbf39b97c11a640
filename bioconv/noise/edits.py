"""How imperfections reach into a network: parameters with their schedules, and what arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bioconv.network import Change, Drive, Population, Projection, SpikingNetwork, Value
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Receptor
from bioconv.neurons.library.axon import is_axon
from bioconv.neurons.library.parts import OUT_OF_REACH
from bioconv.operators import scaled

Floats = NDArray[np.float64]
#: the values of a parameter, broadcastable to the population, become others
Rule = Callable[[Floats], Floats]
_Connection = TypeVar("_Connection", Projection, Drive)

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, eq=False)
class Edit:
    """What changes in one population.

    Parameters
    ----------
    parameters : mapping of str to function
        New values of a parameter from the old ones; scheduled changes of it go the same way.
    receptors : mapping of str to ndarray, broadcastable to the population
        Factors on what arrives at a receptor.
    drive : ndarray, optional
        Factor on the currents that inputs drive.
    """

    parameters: Mapping[str, Rule] = field(default_factory=dict)
    receptors: Mapping[str, Floats] = field(default_factory=dict)
    drive: Floats | None = None


def edited(network: SpikingNetwork, edits: Mapping[str, Edit]) -> SpikingNetwork:
    """The network with some populations changed.

    Parameters
    ----------
    network : SpikingNetwork
    edits : mapping of str to Edit
        By name of the population.
    """
    if not edits:
        return network
    shapes = {population.name: population for population in network.populations}

    def projection(entry: Projection) -> Projection:
        return _scaled(entry, edits.get(entry.post, Edit()).receptors.get(entry.receptor))

    def drive(entry: Drive) -> Drive:
        return _scaled(entry, edits.get(entry.post, Edit()).drive)

    def change(entry: Change) -> Change:
        rule = edits.get(entry.population, Edit()).parameters.get(entry.variable)
        population = shapes[entry.population]
        return entry if rule is None else replace(entry, value=_ruled(population, entry, rule))

    return network.replace(
        populations=tuple(_population(p, edits.get(p.name)) for p in network.populations),
        projections=tuple(map(projection, network.projections)),
        drives=tuple(map(drive, network.drives)),
        changes=tuple(map(change, network.changes)),
    )


def _scaled(entry: _Connection, factor: Floats | None) -> _Connection:
    if factor is None:
        return entry
    return replace(entry, operator=scaled(entry.operator, post=factor))


def _population(population: Population, edit: Edit | None) -> Population:
    if edit is None or not edit.parameters:
        return population
    new = {
        name: within(population.model, name, rule(value_of(population, name)))
        for name, rule in edit.parameters.items()
    }
    return replace(population, parameters={**population.parameters, **new})


def _ruled(population: Population, change: Change, rule: Rule) -> Value:
    return within(population.model, change.variable, rule(np.asarray(change.value, np.float64)))


def within(model: NeuronModel, name: str, values: Floats) -> Value:
    """The values, kept between the bounds of the parameter; one number where it is one."""
    low, high = model.parameter(name).bounds
    kept = np.clip(np.asarray(values, np.float64), low, high)
    return float(kept) if kept.ndim == 0 else kept


def value_of(population: Population, name: str) -> Floats:
    """The values of a parameter, given or default, broadcastable to the population."""
    return np.asarray(population.value(name), np.float64)


def scheduled(network: SpikingNetwork, population: str, name: str) -> Iterator[Floats]:
    """All values that a parameter has in a run, the first one included."""
    yield value_of(network.population(population), name)
    for change in network.changes:
        if change.population == population and change.variable == name:
            yield np.asarray(change.value, np.float64)


def has(population: Population, name: str) -> bool:
    """Whether the population's model has a parameter that somebody has asked for by name."""
    return any(parameter.name == name for parameter in population.model.parameters)


def neurons_of_axons(network: SpikingNetwork) -> dict[str, str]:
    """For each population of axons that of the neurons to which they belong."""
    axons = {p.name for p in network.populations if is_axon(p.model)}
    return {p.post: p.pre for p in network.projections if p.post in axons}


def paired(population: Population) -> bool:
    """Whether it holds the ON and the OFF neurons of each unit, which are one device."""
    return bool(population.model.role(roles.POLARITY)) and population.shape[0] == 2


def time_constants(model: NeuronModel) -> tuple[str, ...]:
    """Names of the parameters that are time constants of a device."""
    names = model.with_role(roles.MEMBRANE_TIME_CONSTANT, roles.TIME_CONSTANT)
    return tuple(name for name in names if model.parameter(name).unit == "ms")


def threshold_of(model: NeuronModel) -> str:
    """Name of the parameter that holds the threshold, or nothing."""
    return model.role(roles.SOFT_THRESHOLD) or model.role(roles.THRESHOLD)


def is_gate(population: Population) -> bool:
    """Whether its threshold is none of a device: it belongs to a gate of max pooling."""
    return population.model.kind == roles.MAX_GATE


def resting(population: Population, name: str) -> Floats:
    """From where a threshold is counted: reset potential, else rest, else 0.

    A soft threshold, at which a spike begins, is counted from rest.
    """
    model = population.model
    soft = model.parameter(name).role == roles.SOFT_THRESHOLD
    for role in (roles.REST,) if soft else (roles.RESET, roles.REST):
        place = model.role(role)
        if place and model.parameter(place).unit == model.parameter(name).unit:
            return value_of(population, place)
    return np.zeros(())


def swing(network: SpikingNetwork, population: Population) -> Floats | None:
    """The distance from rest to threshold, the scale of all potentials; None without threshold.

    The smallest of a run, neuron by neuron.  A neuron whose threshold is out of reach (broken)
    has the median of the others; if none ever fires, it is that of the model's defaults.
    """
    name = threshold_of(population.model)
    if not name:
        return None
    rest = resting(population, name)
    found = (_sizes(value - rest) for value in scheduled(network, population.name, name))
    smallest = reduce(np.fmin, found)
    missing = np.isnan(smallest)
    if np.all(missing):
        bare = replace(population, parameters={})
        return abs(value_of(bare, name) - resting(bare, name))
    return np.where(missing, np.nanmedian(smallest), smallest)


def common_size(distance: Floats) -> float | None:
    """One size for thresholds on either side of rest: their root mean square distance; else None.

    One that happens to lie at rest is a device like the others.
    """
    real = distance[np.abs(distance) < OUT_OF_REACH]
    if not (np.any(real > 0) and np.any(real < 0)):
        return None
    return float(np.sqrt(np.mean(real**2)))


def _sizes(distance: Floats) -> Floats:
    """Size of each distance as a scale; NaN where it is none."""
    common = common_size(distance)
    if common is not None:
        return np.full(distance.shape, common)
    size = np.abs(distance)
    return np.where((size > 0) & (size < OUT_OF_REACH), size, np.nan)


def membrane_receptors(model: NeuronModel) -> tuple[Receptor, ...]:
    """The receptors whose spikes end up as charge on the membrane.

    Others raise a threshold.
    """
    words = {e.name: set(_NAME.findall(e.expression)) for e in model.parsed_equations}
    feeding: set[str] = set()
    found = set(model.states_of(roles.MEMBRANE_POTENTIAL))
    while found - feeding:
        feeding |= found
        found = set().union(*(words.get(name, set()) for name in feeding))
    return tuple(r for r in model.receptors if feeding.intersection(r.variables))
