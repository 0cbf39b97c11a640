"""What the spread of a device changes in a neuron: factors on parameters, on what arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from bioconv.network import Population, SpikingNetwork
from bioconv.neurons.language import roles
from bioconv.neurons.library.parts import OUT_OF_REACH
from bioconv.noise.edits import (
    Edit,
    Floats,
    Rule,
    common_size,
    has,
    membrane_receptors,
    resting,
    scheduled,
    swing,
    threshold_of,
    time_constants,
    value_of,
)
from bioconv.operators import precision

_WINDOW_CURRENTS = (roles.WINDOW_CURRENT, roles.WINDOW_CURRENT_WITH_SYNAPSES)

#: (network, population, name of a parameter -> factors) -> what changes, or nothing
Device = Callable[[SpikingNetwork, Population, Callable[[str], Floats]], Edit]


def times(factor: Floats) -> Rule:
    """A parameter is that many times as large."""
    return lambda value: value * factor


def around(rest: Floats, factor: Floats) -> Rule:
    """Its distance from ``rest`` is that many times as large.

    A population whose thresholds lie on either side of rest spreads by its mean square distance:
    a threshold that happens to lie at rest is no better made than the others (`common_size`).
    """

    def rule(value: Floats) -> Floats:
        distance = value - rest
        size = common_size(distance)
        if size is None:
            return rest + distance * factor
        real = np.abs(distance) < OUT_OF_REACH
        return np.where(real, value + size * (factor - 1.0), value)

    return rule


def _threshold(
    network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]
) -> Edit:
    name = threshold_of(population.model)
    return Edit({name: around(resting(population, name), draw(""))}) if name else Edit()


def _time_constant(
    network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]
) -> Edit:
    return Edit({name: times(draw(name)) for name in time_constants(population.model)})


def _leak(network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]) -> Edit:
    """The leak conductance; where only a time constant is given, that is its inverse."""
    model = population.model
    leak, tau = model.role(roles.LEAK), model.role(roles.MEMBRANE_TIME_CONSTANT)
    if leak:
        return Edit({leak: times(draw(""))})
    return Edit({tau: times(1.0 / draw(""))}) if tau else Edit()


def _capacitance(
    network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]
) -> Edit:
    """More capacitance: slower by the leak, and less potential for the same charge or current."""
    model = population.model
    if not model.role(roles.CAPACITANCE):
        return Edit()
    factor = draw("")
    slower = model.with_role(roles.CAPACITANCE, roles.MEMBRANE_TIME_CONSTANT)
    rules: dict[str, Rule] = dict.fromkeys(slower, times(factor))
    rules |= {p.name: times(1.0 / factor) for p in model.parameters if p.unit == "mV/ms"}
    charge = [r.name for r in membrane_receptors(model) if r.unit == "mV"]
    return Edit(rules, dict.fromkeys(charge, 1.0 / factor))


def _gain(network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]) -> Edit:
    """All input of a neuron: synapses, bias and sample."""
    current = population.model.current
    if not current:
        return Edit()
    factor = draw("")
    receptors = {r.name: factor for r in membrane_receptors(population.model)}
    return Edit({current: times(factor)}, receptors, factor)


def _slope(network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]) -> Edit:
    """The steady rise of a potential that turns input into the time of a spike."""
    model = population.model
    slopes, capacitance = model.with_role(roles.SLOPE), model.role(roles.CAPACITANCE)
    if model.role(*_WINDOW_CURRENTS) and model.current and capacitance:
        return _exact_slope(network, population, draw(""))
    if slopes:
        return Edit(dict.fromkeys(slopes, times(draw(""))))
    if model.threshold and capacitance and model.states_of(roles.LASTING_CURRENT):
        # every spike's slope, and nothing else
        return Edit({capacitance: times(1.0 / draw(""))})
    return Edit()


def _exact_slope(network: SpikingNetwork, population: Population, factor: Floats) -> Edit:
    """alpha + Y in place of alpha (stanojevic section 2.2.4, Fig 2.5c), Y relative to alpha.

    alpha flows as constant current until the window opens and within the window current from then
    on; what synapses add within the window does not change.
    """
    model = population.model
    within = model.role(*_WINDOW_CURRENTS)
    alpha = value_of(population, model.current)
    if not np.any(alpha):  # it flows from the opening on only
        alpha = value_of(population, within) - _within_window(network, population)
    more = alpha * (factor - 1.0)
    per_time = more / value_of(population, model.role(roles.CAPACITANCE))
    rules: dict[str, Rule] = {model.current: times(factor), within: lambda value: value + more}
    slopes = dict.fromkeys(model.with_role(roles.SLOPE), lambda value: value + per_time)
    return Edit({**rules, **slopes})


def _within_window(network: SpikingNetwork, population: Population) -> Floats:
    """What the window current holds of the synapses: everything if inactive neurons stay silent."""
    total = np.zeros(population.shape)
    if not population.model.role(roles.WINDOW_CURRENT_WITH_SYNAPSES):
        return total
    for projection in network.projections_to(population.name):
        operator = projection.operator
        with precision("float64"):
            total += np.asarray(operator.apply(np.ones((1, *operator.in_shape))))[0]
    return total


#: what mismatch can be called by -> what it does to a neuron
DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        "capacitance": _capacitance,
        "gain": _gain,
        "leak": _leak,
        "slope": _slope,
        "threshold": _threshold,
        "time_constant": _time_constant,
    }
)


def parameter_device(name: str) -> Device:
    """The mismatch of one parameter.

    A potential moves by a share of the distance from rest to threshold; the threshold itself is
    counted from rest; all else is multiplied, a bias together with what the sample adds to it.
    What is 0 in the whole run stays as it is, and so does a population that has nothing else.
    """

    def device(
        network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]
    ) -> Edit:
        if not has(population, name):
            return Edit()
        model, factor = population.model, draw(name)
        if name == threshold_of(model):
            return Edit({name: around(resting(population, name), factor)})
        if name == model.current:
            return Edit({name: times(factor)}, drive=factor)
        scale = swing(network, population)
        if model.parameter(name).unit != "mV" or scale is None:
            nothing = not any(map(np.any, scheduled(network, population.name, name)))
            return Edit() if nothing else Edit({name: times(factor)})
        shift = scale * (factor - 1.0)
        return Edit({name: lambda value: value + shift})

    return device
