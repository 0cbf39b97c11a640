"""How imperfections reach into a network: parameters with their schedules, and what arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import MaxPool
from bioconv.network import Change, Drive, Population, Projection, SpikingNetwork, Value
from bioconv.neurons.language.model import NeuronModel, Receptor
from bioconv.neurons.library.axon import is_axon
from bioconv.neurons.library.parts import OUT_OF_REACH
from bioconv.operators import scaled

Floats = NDArray[np.float64]
#: the values of a parameter, broadcastable to the population, become others
Rule = Callable[[Floats], Floats]
_Connection = TypeVar("_Connection", Projection, Drive)

#: time constants that are none: marks that are wiped out within a step
_NO_DEVICE = frozenset({"tau_flag"})
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


def has(population: Population, *names: str) -> bool:
    """Whether the population's model has all these parameters."""
    return set(names) <= {parameter.name for parameter in population.model.parameters}


def neurons_of_axons(network: SpikingNetwork) -> dict[str, str]:
    """For each population of axons that of the neurons to which they belong."""
    axons = {p.name for p in network.populations if is_axon(p.model)}
    return {p.post: p.pre for p in network.projections if p.post in axons}


def paired(population: Population) -> bool:
    """Whether it holds the ON and the OFF neurons of each unit, which are one device."""
    return has(population, "polarity") and population.shape[0] == 2


def time_constants(model: NeuronModel) -> tuple[str, ...]:
    """Names of the parameters that are time constants of a device."""
    return tuple(
        p.name
        for p in model.parameters
        if p.name.startswith("tau") and p.unit == "ms" and p.name not in _NO_DEVICE
    )


def threshold_of(population: Population) -> str:
    """Name of the parameter that holds the threshold, or nothing."""
    return next((name for name in ("v_t", "v_th", "theta_inf") if has(population, name)), "")


def is_gate(network: SpikingNetwork, population: Population) -> bool:
    """Whether its threshold is none of a device: gates of max pooling in the population code.

    They count with the model of its neurons; those of other codes have models of their own,
    without a threshold that could differ.
    """
    if not has(population, "window", "gate", "v_th"):
        return False
    functions = {layer.name: layer.function for layer in network.analog.layers}
    return isinstance(functions.get(population.layer), MaxPool)


def resting(population: Population, name: str) -> Floats:
    """From where a threshold is counted: reset potential, else rest, else 0."""
    places = ("v_rest",) if name in ("v_t", "theta_inf") else ("v_reset", "v_rest")
    unit = population.model.parameter(name).unit
    for place in places:
        if has(population, place) and population.model.parameter(place).unit == unit:
            return value_of(population, place)
    return np.zeros(())


def swing(network: SpikingNetwork, population: Population) -> Floats | None:
    """The distance from rest to threshold, the scale of all potentials; None without threshold.

    The smallest of a run, neuron by neuron.  A neuron whose threshold is out of reach (broken)
    has the median of the others; if none ever fires, it is that of the model's defaults.
    """
    name = threshold_of(population)
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
    found = {state.name for state in model.states if state.name.startswith("v")}
    while found - feeding:
        feeding |= found
        found = set().union(*(words.get(name, set()) for name in feeding))
    return tuple(r for r in model.receptors if feeding.intersection(r.variables))
