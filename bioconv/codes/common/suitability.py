"""Suitability of a neuron for the rate code, and its kind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bioconv.codes.common.driving import Ask, default_step, pause_of
from bioconv.ground.errors import Problem
from bioconv.neurons import Neuron
from bioconv.neurons.language import roles
from bioconv.neurons.response.integrators import integrating
from bioconv.neurons.response.transfer import charges_membrane

#: lowest rate in Hz; below it, a network would need minutes of biological time
_SLOWEST = 1.0
#: largest rise of the potential by one spike in mV for which input still approximates a current
_MOST_LIFT = 50.0

_ADVICE = "Use a neuron of bioconv.neurons.library()."


def nominal(neuron: Neuron) -> Neuron:
    """Return the neuron, with the mean of every parameter that differs between neurons."""
    arrays = {n: v for n, v in neuron.parameters.items() if np.ndim(v)}
    if not arrays and not neuron.distributions:
        return neuron
    means = {name: float(np.mean(value)) for name, value in arrays.items()}
    return Neuron(neuron.model, {**neuron.parameters, **means})


def neuron_problems(neuron: Neuron, ask: Ask) -> Iterator[Problem]:
    """Iterate over the known reasons why the rate code cannot use a neuron."""
    model = neuron.model
    if not model.current or not model.receptors or not model.threshold:
        reason = "it needs a constant current, a receptor and a threshold."
        yield Problem(model.name, "neuron", reason, _ADVICE)
        return
    first = model.receptors[0]
    signs = sorted(entry.sign for entry in model.receptors)
    reversals = all(entry.reversal for entry in model.receptors)
    if signs != ([-1, 1] if reversals else [0]):
        reason = (
            "it needs one receptor of currents for both signs, or an excitatory and an inhibitory "
            "one with a reversal potential each (Receptor.sign, Receptor.reversal)."
        )
        yield Problem(model.name, "neuron", reason, _ADVICE)
    single, known = nominal(neuron), integrating(model)
    if not first.tau and not charges_membrane(model, first):
        reason = "it has no capacitance that a delta synapse could charge."
        yield Problem(model.name, "neuron", reason, "Use synapse='exponential'.")
    if known and single.value(known.threshold) <= single.value(known.reset):
        reason = f"{known.threshold} must lie above {known.reset}."
        yield Problem(model.name, "neuron", reason)
    if model.current in neuron.distributions or np.any(np.asarray(neuron.value(model.current))):
        reason = f"the code sets {model.current} itself, so the given value would be lost."
        yield Problem(model.name, "neuron", reason, f"Omit {model.current}.")
    if 0 < ask.max_rate < _SLOWEST:
        reason = f"max_rate = {ask.max_rate:g} Hz is too low to present a sample."
        yield Problem(model.name, "neuron", reason, f"Use at least {_SLOWEST:g} Hz.")
    dt = ask.dt or (1.0 if is_perfect(single) else default_step(single))
    fastest = 1000.0 / (dt + pause_of(single))
    if ask.max_rate > fastest * (1 + 1e-9):
        reason = f"it cannot fire at max_rate = {ask.max_rate:g} Hz with a step of {dt:g} ms."
        yield Problem(model.name, "neuron", reason, f"Use at most {fastest:g} Hz.")


def lift_problems(neuron: Neuron, fit_gain: float, max_rate: float) -> Iterator[Problem]:
    """Report delta synapses that raise the potential by more than the height of a spike."""
    model = neuron.model
    if model.receptors[0].tau or integrating(model):
        return
    lift = fit_gain * 1000.0 / max_rate / float(neuron.value(model.role(roles.CAPACITANCE)))
    if lift > _MOST_LIFT:
        reason = f"with a delta synapse, a spike would raise its potential by up to {lift:.3g} mV."
        yield Problem(model.name, "neuron", reason, "Use synapse='exponential'.")


def is_perfect(neuron: Neuron) -> bool:
    """Whether a neuron integrates without a leak and without a refractory period."""
    known = integrating(neuron.model)
    return known is not None and known.perfect and pause_of(neuron) == 0.0
