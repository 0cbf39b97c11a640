"""Effects of device mismatch on a neuron: factors on its parameters and on its input."""

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

#: (network, population, name of a parameter -> factors) -> the changes, which may be empty
Device = Callable[[SpikingNetwork, Population, Callable[[str], Floats]], Edit]


def times(factor: Floats) -> Rule:
    """Return the rule that multiplies a parameter by a factor."""
    return lambda value: value * factor


def around(rest: Floats, factor: Floats) -> Rule:
    """Return the rule that multiplies the distance of a parameter from ``rest`` by a factor.

    If thresholds lie on both sides of rest, they spread in proportion to their root mean square
    distance, so that a threshold that happens to lie at rest varies as much as the others
    (`common_size`).
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
    """Spread of the leak conductance, or inversely of the time constant if only that is given."""
    model = population.model
    leak, tau = model.role(roles.LEAK), model.role(roles.MEMBRANE_TIME_CONSTANT)
    if leak:
        return Edit({leak: times(draw(""))})
    return Edit({tau: times(1.0 / draw(""))}) if tau else Edit()


def _capacitance(
    network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]
) -> Edit:
    """Spread of the capacitance: a larger one slows the leak and reduces the effect of input."""
    model = population.model
    capacitance = model.with_role(roles.CAPACITANCE)
    if not capacitance:
        return Edit()
    factor = draw("")
    slower = (*capacitance, *model.with_role(roles.MEMBRANE_TIME_CONSTANT))
    rules: dict[str, Rule] = dict.fromkeys(slower, times(factor))
    rules |= {p.name: times(1.0 / factor) for p in model.parameters if p.unit == "mV/ms"}
    charge = [r.name for r in membrane_receptors(model) if r.unit == "mV"]
    return Edit(rules, dict.fromkeys(charge, 1.0 / factor))


def _gain(network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]) -> Edit:
    """Spread of all input of a neuron: synapses, bias and sample."""
    current = population.model.current
    if not current:
        return Edit()
    factor = draw("")
    receptors = {r.name: factor for r in membrane_receptors(population.model)}
    return Edit({current: times(factor)}, receptors, factor)


def _slope(network: SpikingNetwork, population: Population, draw: Callable[[str], Floats]) -> Edit:
    """Spread of the steady rise of a potential that converts input to a spike time."""
    model = population.model
    slopes, capacitance = model.with_role(roles.SLOPE), model.role(roles.CAPACITANCE)
    if model.role(*_WINDOW_CURRENTS) and model.current and capacitance:
        return _exact_slope(network, population, draw(""))
    if slopes:
        return Edit(dict.fromkeys(slopes, times(draw(""))))
    if model.threshold and capacitance and model.states_of(roles.LASTING_CURRENT):
        # only the slope that each spike adds
        return Edit({capacitance: times(1.0 / draw(""))})
    return Edit()


def _exact_slope(network: SpikingNetwork, population: Population, factor: Floats) -> Edit:
    """Replace alpha by alpha + Y (stanojevic section 2.2.4, Fig 2.5c), with Y relative to alpha.

    alpha is a constant current until the window opens, and part of the window current after that.
    The contribution of the synapses within the window does not change.
    """
    model = population.model
    within = model.role(*_WINDOW_CURRENTS)
    alpha = value_of(population, model.current)
    if not np.any(alpha):  # the current only flows after the window has opened
        alpha = value_of(population, within) - _within_window(network, population)
    more = alpha * (factor - 1.0)
    per_time = more / value_of(population, model.role(roles.CAPACITANCE))
    rules: dict[str, Rule] = {model.current: times(factor), within: lambda value: value + more}
    slopes = dict.fromkeys(model.with_role(roles.SLOPE), lambda value: value + per_time)
    return Edit({**rules, **slopes})


def _within_window(network: SpikingNetwork, population: Population) -> Floats:
    """Return the synaptic part of the window current: all of it if inactive neurons stay silent."""
    total = np.zeros(population.shape)
    if not population.model.role(roles.WINDOW_CURRENT_WITH_SYNAPSES):
        return total
    for projection in network.projections_to(population.name):
        operator = projection.operator
        with precision("float64"):
            total += np.asarray(operator.apply(np.ones((1, *operator.in_shape))))[0]
    return total


#: name of a target of mismatch -> its effect on a neuron
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
    """Return the mismatch of a single parameter.

    A potential is shifted by a share of the distance from rest to threshold, and a threshold is
    scaled by its distance from rest.  All other parameters are multiplied, a bias together with
    the input that the sample adds to it.  Parameters that are 0 throughout the run do not change.
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
