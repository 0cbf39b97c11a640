"""The populations of the rate code, one function for each kind of layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, ReLU
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.codes.common.assembly import Parts
from bioconv.codes.common.calibration import Scales
from bioconv.codes.common.driving import Receiver
from bioconv.codes.common.max_windows import cells_of, pool_of
from bioconv.codes.common.membrane import Membrane
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.rewritten import Carried, Rewritten
from bioconv.codes.common.signs import signed_part
from bioconv.codes.rate.code import RateCode
from bioconv.network import (
    AnalogStage,
    Change,
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    Value,
)
from bioconv.neurons import MaxGate, Neuron
from bioconv.neurons.language import roles
from bioconv.neurons.library.parts import NEVER
from bioconv.operators import Operator, Polarity, compact, compose, scaled

Scale = NDArray[np.float64]


@dataclass
class RatePlan(Parts):
    """Settings of the conversion and the parts of the network that have been built so far.

    Parameters
    ----------
    code : RateCode
    original : AnalogGraph
    rewritten : Rewritten
    membrane : Membrane
    scales : Scales
    inputs : dict of str to Input
        The inputs, by their names in the graph.
    names : dict of str to str
        Name of the population, or spiking input, of every input, layer and readout.
    depths, releases : dict of str to int
        Longest path to each layer in delays, and the step of its release (mueller Eq 4.4).
    carried : mapping of str to Carried
    neuron : Neuron
        The neuron given by the user, including distributions of parameters.
    seed : int
        Seed of the values drawn from these distributions.
    first_spikes : dict of str to int
        Earliest step in which a population, or spiking input, can spike.
    """

    code: RateCode
    original: AnalogGraph
    rewritten: Rewritten
    membrane: Membrane
    scales: Scales
    inputs: Mapping[str, Input]
    names: Mapping[str, str]
    depths: Mapping[str, int]
    releases: Mapping[str, int]
    carried: Mapping[str, Carried]
    neuron: Neuron
    seed: int
    first_spikes: dict[str, int] = field(default_factory=dict)

    def delay(self, source: str, layer: str) -> int:
        """Return the delay of a projection in steps."""
        return self.depths[layer] - self.depths[source] if self.code.balance_delays else 1


@dataclass(frozen=True)
class Destination:
    """A population that receives input; its activation is ``affine / scale``."""

    key: str
    affine: Affine
    scale: Scale
    membrane: Membrane
    spiking: bool = True


def add_spiking(plan: RatePlan, layer: Layer) -> None:
    """Add the spiking neurons of a rectification."""
    scale = plan.scales.of[layer.name]
    carried = plan.carried.get(layer.name)
    if carried is None:
        name, factor, offset = "", np.ones(()), np.zeros(())
    else:
        name, factor, offset = carried.layer, carried.factor, carried.offset
    target = Destination(layer.name, layer.inputs[0], scale, plan.membrane)
    _add_neurons(plan, target, name, scale * factor, offset)


def add_gates(plan: RatePlan, layer: Layer) -> None:
    """Add gates that pass on the spikes of the fastest source in each window (rueckauer 3.6)."""
    gate = MaxGate(prod(pool_of(layer).size), plan.code.max_pool_estimate)
    scale = plan.scales.of[layer.name]
    carried = plan.carried.get(layer.name)
    name = plan.names[layer.name]
    plan.populations.append(
        Population(
            name,
            layer.shape,
            gate.model,
            dict(gate.parameters),
            layer="" if carried is None else carried.layer,
            scale=scale if carried is None else scale * carried.factor,
            offset=np.zeros(()) if carried is None else carried.offset,
            max_rate=plan.membrane.max_rate,
            start_step=plan.releases[layer.name],
        )
    )
    synapses = [
        Projection(plan.names[source], name, operator, f"p{cell}", plan.delay(source, layer.name))
        for cell, source, operator in cells_of(layer)
    ]
    plan.projections += synapses
    plan.first_spikes[name] = int(_first_arrival(plan, synapses))  # a gate is never held


def add_stage(plan: RatePlan, layer: Layer) -> None:
    """Add a layer that stays analog and computes from the rates of its sources (mueller 4.4)."""
    inputs = tuple(_decoding(plan, affine) for affine in layer.inputs)
    plan.stages.append(AnalogStage(plan.names[layer.name], layer.name, inputs))


def _decoding(plan: RatePlan, affine: Affine) -> Affine:
    """Return a map of rates, samples and values of stages instead of activations."""
    terms = []
    for term in affine.terms:
        operator, source = term.operator, plan.inputs.get(term.source)
        if source is not None and source.spikes:
            operator = scaled(_of_sources(term, source), post=1.0 / source.scale)
        elif source is None and term.source not in plan.rewritten.analog:
            operator = scaled(operator, pre=plan.scales.of[term.source])
        name = plan.names[term.source] if source is None else source.name
        terms.append(Term(name, operator))
    return Affine(tuple(terms), np.asarray(affine.bias, np.float64), affine.shape)


def add_readout(plan: RatePlan, layer: Layer, output: str) -> None:
    """Add an output: neurons that only integrate, or neurons whose spikes are counted."""
    affine, scale, membrane = layer.inputs[0], plan.scales.of[layer.name], plan.membrane
    code = plan.code
    kind = code.readout
    if kind == "softmax" and code.competition == "accumulated":
        kind = "accumulated_softmax"
    if kind == "count":
        shift = plan.scales.shift[layer.name]
        shifted = Affine(affine.terms, affine.bias - shift, affine.shape)
        layers = {entry.name for entry in plan.original.layers}
        carries = isinstance(layer.function, Linear | ReLU) and output in layers
        target = Destination(layer.name, shifted, scale, membrane)
        _add_neurons(plan, target, output if carries else "", scale, shift)
    else:
        # mV per step at the activation ``scale``, for neurons that only integrate
        silent = membrane.readout()
        per_step = silent.gain * membrane.dt / silent.capacitance
        target = Destination(layer.name, affine, scale, silent, spiking=False)
        _add_neurons(plan, target, "", scale / per_step, np.zeros(()))
    (name,) = identifiers([output])
    softmax = code.readout == "softmax"  # the function is already realized by the random draws
    function = Linear() if softmax else layer.function
    rate = code.readout_rate if softmax else 0.0
    plan.readouts.append(Readout(name, plan.names[layer.name], kind, function, rate))


def _add_neurons(
    plan: RatePlan, target: Destination, layer: str, scale: Scale, offset: NDArray[np.float64]
) -> None:
    """Add a population with its synapses, currents and clamp."""
    membrane, name, key = target.membrane, plan.names[target.key], target.key
    synapses = _connect(plan, target)
    bias = np.asarray(target.affine.bias, np.float64) / target.scale
    current = membrane.round_current(membrane.current + membrane.gain * bias)
    parameters: dict[str, Value] = membrane.parameters
    if target.spiking:
        parameters |= _different(plan, name, target.affine.shape)
    initial: dict[str, Value] = {}
    if membrane.held:
        half = plan.code.initial == "half" and target.spiking
        v_start, v_reset = membrane.start(
            0.5 if half else 0.0, [projection.operator for projection in synapses]
        )
        initial = {membrane.known.potential: v_start}
        if v_reset != membrane.v_reset and not membrane.known.subtracts:
            parameters[membrane.known.reset] = v_reset
        plan.first_spikes[name] = plan.releases[key]
        later = _clamp(plan, target, synapses, parameters, initial, current)
    else:
        plan.first_spikes[name] = 0
        parameters[membrane.neuron.model.current] = _compact(current, target)
        later = {} if target.spiking else _at_rest(membrane.neuron)
    plan.changes += [Change(plan.releases[key], name, *entry) for entry in later.items()]
    plan.populations.append(
        Population(
            name,
            target.affine.shape,
            membrane.neuron.model,
            parameters,
            initial,
            layer,
            np.asarray(scale),
            np.asarray(offset),
            membrane.max_rate,
            plan.releases[key],
            activation_current=membrane.gain if target.spiking else 0.0,
        )
    )


def _clamp(
    plan: RatePlan,
    target: Destination,
    synapses: list[Projection],
    parameters: dict[str, Value],
    initial: dict[str, Value],
    current: NDArray[np.float64],
) -> dict[str, Value]:
    """Hold a population until its release; return the changes and update ``parameters``.

    If no input can arrive before the release, it is sufficient to switch on the constant current
    then.  Otherwise the threshold is out of reach until the release, when potential and threshold
    are set.
    """
    membrane, release = target.membrane, plan.releases[target.key]
    parameter = membrane.neuron.model.current
    value = _compact(current, target)
    if release == 0:
        parameters[parameter] = value
        return {}
    parameters[parameter] = 0.0
    later: dict[str, Value] = {parameter: value} if np.any(value) else {}
    early = _first_arrival(plan, synapses) < release
    driven = any(entry.post == plan.names[target.key] for entry in plan.drives)
    if early or driven or not membrane.exact:
        later |= initial
        if target.spiking:
            threshold = membrane.known.threshold
            later[threshold] = parameters.get(threshold, membrane.v_th)
            parameters[threshold] = NEVER
    return later


def _at_rest(neuron: Neuron) -> dict[str, Value]:
    """Return the start value of the potential for a neuron at rest."""
    model = neuron.model
    return {model.potential: float(neuron.value(model.role(roles.REST)))}


def _compact(current: NDArray[np.float64], target: Destination) -> Value:
    """Return a constant current, as a single number if it is the same for all neurons."""
    constant = compact(current, target.affine.shape)
    return float(constant.ravel()[0]) if constant.size == 1 else constant


def _different(plan: RatePlan, name: str, shape: tuple[int, ...]) -> dict[str, Value]:
    """Return the parameters that differ between neurons, as given or drawn for this population."""
    number = list(plan.names.values()).index(name)
    drawn = plan.neuron.drawn(shape, np.random.default_rng((plan.seed, number)))
    refractory = plan.neuron.model.refractory
    if refractory in drawn:  # simulators count refractory periods in steps
        dt = plan.membrane.dt
        drawn[refractory] = np.maximum(np.round(drawn[refractory] / dt), 1.0) * dt
    return {**{n: v for n, v in plan.neuron.parameters.items() if np.ndim(v)}, **drawn}


def _first_arrival(plan: RatePlan, synapses: list[Projection]) -> float:
    """Return the earliest step in which a spike can arrive."""
    arrivals = [plan.first_spikes[entry.pre] + entry.delay_steps for entry in synapses]
    return min(arrivals, default=inf)


def _connect(plan: RatePlan, target: Destination) -> list[Projection]:
    """Add the synapses and drives of a population."""
    membrane, name = target.membrane, plan.names[target.key]
    found = []
    for term in target.affine.terms:
        source = plan.inputs.get(term.source)
        analog = term.source in plan.rewritten.analog
        if analog or (source is not None and not source.spikes):
            gain = membrane.gain / target.scale
            operator = scaled(term.operator, post=gain)
            key = plan.names[term.source] if source is None else source.name
            plan.drives.append(Drive(key, name, operator, membrane.current_grid))
            continue
        for synapse in membrane.synapses:
            operator = _weights(plan, target, term, synapse)
            part = signed_part(operator, synapse.sign, name)
            if part is not None:
                delay, pre = plan.delay(term.source, target.key), plan.names[term.source]
                found.append(
                    Projection(pre, name, membrane.round_weights(part), synapse.receptor, delay)
                )
    plan.projections += found
    return found


def _weights(plan: RatePlan, target: Destination, term: Term, synapse: Receiver) -> Operator:
    """Return the weights of a term, of both signs, in the unit of the receptor."""
    membrane, source = target.membrane, plan.inputs.get(term.source)
    if source is not None:
        of_one = membrane.weight(1000.0 / membrane.dt, synapse) / source.scale
        return scaled(_of_sources(term, source), post=of_one / target.scale)
    before = membrane.weight(plan.membrane.max_rate, synapse) * plan.scales.of[term.source]
    return scaled(term.operator, pre=before, post=1.0 / target.scale)


def _of_sources(term: Term, source: Input) -> Operator:
    """Return the operator from spike sources, which are ON and OFF cells for a signed input."""
    if not source.signed:
        return term.operator
    return compose(Polarity(source.spike_shape), term.operator)
