"""Edits of a network by imperfections: parameters, their scheduled changes, and the input."""

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
#: function from the old values of a parameter, broadcastable to the population, to the new ones
Rule = Callable[[Floats], Floats]
_Connection = TypeVar("_Connection", Projection, Drive)

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, eq=False)
class Edit:
    """Changes to one population.

    Parameters
    ----------
    parameters : mapping of str to function
        Functions that return the new values of a parameter from the old ones.  They also apply to
        its scheduled changes.
    receptors : mapping of str to ndarray, broadcastable to the population
        Factors on the input of a receptor.
    drive : ndarray, optional
        Factor on the currents that inputs drive.
    """

    parameters: Mapping[str, Rule] = field(default_factory=dict)
    receptors: Mapping[str, Floats] = field(default_factory=dict)
    drive: Floats | None = None


def edited(network: SpikingNetwork, edits: Mapping[str, Edit]) -> SpikingNetwork:
    """Return the network with some of its populations changed.

    Parameters
    ----------
    network : SpikingNetwork
    edits : mapping of str to Edit
        The changes, by the name of the population.
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
    """Clip values to the bounds of a parameter; a single number stays a number."""
    low, high = model.parameter(name).bounds
    kept = np.clip(np.asarray(values, np.float64), low, high)
    return float(kept) if kept.ndim == 0 else kept


def value_of(population: Population, name: str) -> Floats:
    """Return the set or default values of a parameter, broadcastable to the population."""
    return np.asarray(population.value(name), np.float64)


def scheduled(network: SpikingNetwork, population: str, name: str) -> Iterator[Floats]:
    """Iterate over all values that a parameter takes in a run, including the initial one."""
    yield value_of(network.population(population), name)
    for change in network.changes:
        if change.population == population and change.variable == name:
            yield np.asarray(change.value, np.float64)


def has(population: Population, name: str) -> bool:
    """Whether the population's model has a parameter of this name."""
    return any(parameter.name == name for parameter in population.model.parameters)


def neurons_of_axons(network: SpikingNetwork) -> dict[str, str]:
    """Map each population of axons to the population of neurons to which they belong."""
    axons = {p.name for p in network.populations if is_axon(p.model)}
    return {p.post: p.pre for p in network.projections if p.post in axons}


def paired(population: Population) -> bool:
    """Whether the population holds ON and OFF neurons of each unit, which share one device."""
    return bool(population.model.role(roles.POLARITY)) and population.shape[0] == 2


def time_constants(model: NeuronModel) -> tuple[str, ...]:
    """Return the names of the parameters that are time constants of a device."""
    names = model.with_role(roles.MEMBRANE_TIME_CONSTANT, roles.TIME_CONSTANT)
    return tuple(name for name in names if model.parameter(name).unit == "ms")


def threshold_of(model: NeuronModel) -> str:
    """Return the name of the threshold parameter, or an empty string."""
    return model.role(roles.SOFT_THRESHOLD) or model.role(roles.THRESHOLD)


def is_gate(population: Population) -> bool:
    """Whether the population is a gate of max pooling, whose threshold is not that of a device."""
    return population.model.kind == roles.MAX_GATE


def resting(population: Population, name: str) -> Floats:
    """Return the origin of a threshold: the reset potential, else the rest, else 0.

    A soft threshold, at which a spike starts, is measured from rest.
    """
    model = population.model
    soft = model.parameter(name).role == roles.SOFT_THRESHOLD
    for role in (roles.REST,) if soft else (roles.RESET, roles.REST):
        place = model.role(role)
        if place and model.parameter(place).unit == model.parameter(name).unit:
            return value_of(population, place)
    return np.zeros(())


def swing(network: SpikingNetwork, population: Population) -> Floats | None:
    """Return the distance from rest to threshold, the scale of potentials; None if there is none.

    It is the smallest distance within a run, for each neuron.  A broken neuron, whose threshold is
    out of reach, gets the median of the others.  If no neuron can fire, the distance is that of
    the model's default parameters.
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
    """Return the root mean square distance of thresholds on both sides of rest, else None.

    A threshold that happens to lie at rest counts as a device like the others.
    """
    real = distance[np.abs(distance) < OUT_OF_REACH]
    if not (np.any(real > 0) and np.any(real < 0)):
        return None
    return float(np.sqrt(np.mean(real**2)))


def _sizes(distance: Floats) -> Floats:
    """Return the size of each distance as a scale, NaN where it cannot serve as one."""
    common = common_size(distance)
    if common is not None:
        return np.full(distance.shape, common)
    size = np.abs(distance)
    return np.where((size > 0) & (size < OUT_OF_REACH), size, np.nan)


def membrane_receptors(model: NeuronModel) -> tuple[Receptor, ...]:
    """Return the receptors whose spikes end up as charge on the membrane.

    The spikes of other receptors raise a threshold.
    """
    words = {e.name: set(_NAME.findall(e.expression)) for e in model.parsed_equations}
    feeding: set[str] = set()
    found = set(model.states_of(roles.MEMBRANE_POTENTIAL))
    while found - feeding:
        feeding |= found
        found = set().union(*(words.get(name, set()) for name in feeding))
    return tuple(r for r in model.receptors if feeding.intersection(r.variables))
