"""Whether a neuron can carry a rate, and of which kind it is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from bioconv.codes.common.driving import Ask, default_step, pause_of
from bioconv.ground.errors import Problem
from bioconv.neurons import IntegrateAndFire, LeakyIntegrateAndFire, Neuron, NeuronModel
from bioconv.neurons.response.transfer import has_parameters

#: Hz: a network at lower rates would need minutes of biological time
_SLOWEST = 1.0
#: mV: a spike that lifts the potential by more is no small part of a current
_MOST_LIFT = 50.0

_ADVICE = "Use a neuron of bioconv.neurons.library()."


def nominal(neuron: Neuron) -> Neuron:
    """The neuron itself, or where parameters differ, one with their means."""
    arrays = {n: v for n, v in neuron.parameters.items() if np.ndim(v)}
    if not arrays and not neuron.distributions:
        return neuron
    means = {name: float(np.mean(value)) for name, value in arrays.items()}
    return Neuron(neuron.model, {**neuron.parameters, **means})


def neuron_problems(neuron: Neuron, ask: Ask) -> Iterator[Problem]:
    """Why the rate code cannot use a neuron; nothing if it can, as far as is known yet."""
    model = neuron.model
    if not model.current or not model.receptors or not model.threshold:
        reason = "it needs a constant current, a receptor and a threshold."
        yield Problem(model.name, "neuron", reason, _ADVICE)
        return
    first = model.receptors[0]
    known = {"syn"} if len(model.receptors) == 1 else {"exc", "inh"}
    if {entry.name for entry in model.receptors} != known:
        reason = "it needs one receptor for both signs, or the receptors exc and inh."
        yield Problem(model.name, "neuron", reason, _ADVICE)
    single = nominal(neuron)
    if not first.tau and not (has_parameters(model, "c_m") and first.variable == "v"):
        reason = "it has no capacitance that the delta synapse would charge."
        yield Problem(model.name, "neuron", reason, "Use synapse='exponential'.")
    if family(model) and single.value("v_th") <= single.value("v_reset"):
        yield Problem(model.name, "neuron", "v_th must lie above v_reset.")
    if model.current in neuron.distributions or np.any(np.asarray(neuron.value(model.current))):
        reason = f"{model.current} is what the code sets; a value of its own would be lost."
        yield Problem(model.name, "neuron", reason, f"Leave {model.current} out.")
    if 0 < ask.max_rate < _SLOWEST:
        reason = f"max_rate = {ask.max_rate:g} Hz is too slow to show a sample in."
        yield Problem(model.name, "neuron", reason, f"Use at least {_SLOWEST:g} Hz.")
    dt = ask.dt or (1.0 if is_perfect(single) else default_step(single))
    fastest = 1000.0 / (dt + pause_of(single))
    if ask.max_rate > fastest * (1 + 1e-9):
        reason = f"it cannot fire at max_rate = {ask.max_rate:g} Hz with a step of {dt:g} ms."
        yield Problem(model.name, "neuron", reason, f"Use at most {fastest:g} Hz.")


def lift_problems(neuron: Neuron, fit_gain: float, max_rate: float) -> Iterator[Problem]:
    """A delta synapse must not lift the potential further than a spike is high."""
    model = neuron.model
    if model.receptors[0].tau or family(model):
        return
    lift = fit_gain * 1000.0 / max_rate / float(neuron.value("c_m"))
    if lift > _MOST_LIFT:
        reason = f"with a delta synapse one spike would lift its potential by up to {lift:.3g} mV."
        yield Problem(model.name, "neuron", reason, "Use synapse='exponential'.")


@lru_cache(maxsize=64)
def family(model: NeuronModel) -> bool:
    """Whether this is a perfect or leaky integrate-and-fire neuron with current synapses."""
    return model in [
        constructor(reset, synapse).model
        for constructor in (IntegrateAndFire, LeakyIntegrateAndFire)
        for reset in ("subtraction", "value")
        for synapse in ("delta", "exponential", "alpha")
    ]


def is_perfect(neuron: Neuron) -> bool:
    """Whether the neuron adds up without leak and without a pause."""
    perfect = [
        IntegrateAndFire(reset, synapse).model
        for reset in ("subtraction", "value")
        for synapse in ("delta", "exponential", "alpha")
    ]
    return neuron.model in perfect and float(neuron.value("t_ref")) == 0.0
