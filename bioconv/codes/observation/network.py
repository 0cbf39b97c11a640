"""The spiking network of layers with an observation period."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import FirstSpikes, Linear, ReLU
from bioconv.analog.graph import Layer
from bioconv.codes.code import Request
from bioconv.codes.common.assembly import Parts
from bioconv.codes.common.layout import asked_steps, check_neuron
from bioconv.codes.common.membrane import off_grid, on_grid, rounded
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.once import GRID, ONCE_STEPS, current_inputs
from bioconv.codes.common.trained import check_chain, record_of
from bioconv.codes.first_spike_exact.neurons import FirstSpikeEncoder
from bioconv.codes.observation.code import ObservationCode
from bioconv.codes.observation.neurons import ObservedNeuron, Relay
from bioconv.ground.errors import ParameterError
from bioconv.network import Drive, Population, Projection, Readout, SpikingNetwork, Value
from bioconv.operators import Dense, Operator, Reshape, compose, scaled

#: default number of steps of the period in which input spikes arrive, one for each grey level
_UNIT_STEPS = 255
#: steps from a spike to its effect on the next layer: to a relay neuron, and from there
_DELAY = 2
#: distance of an observation period from all times on the grid, as a share of a step
_FINE = 2.0**-20


@dataclass
class ObservationPlan(Parts):
    """State of the construction: decisions made beforehand, and the parts built so far.

    Parameters
    ----------
    code : ObservationCode
    dt : float
        ms.
    unit_steps : int
        Number of steps of the period in which input spikes arrive.
    n_steps : int
    names : mapping of str to str
        Names of inputs and populations by input and layer; relays by layer with " relay".
    outputs : tuple of str
        Layers that are read.
    """

    code: ObservationCode
    dt: float
    unit_steps: int
    n_steps: int
    names: dict[str, str]
    outputs: tuple[str, ...]

    @property
    def unit(self) -> float:
        """Duration of the period in which input spikes arrive, in ms."""
        return self.unit_steps * self.dt


def build(code: ObservationCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a trained analog network; see `bioconv.convert`.

    Parameters
    ----------
    code : ObservationCode
    request : Request
        The graph is that of `bioconv.training.train_observation`.

    Raises
    ------
    ConversionError
        If the graph computes anything else (the message lists all layers), or if a neuron is
        requested.
    ParameterError
        If the duration is too short.
    """
    graph = request.graph
    check_neuron(code.name, request.neuron)
    check_graph(graph)
    dt = request.dt or code.time_unit / _UNIT_STEPS
    unit_steps = round(code.time_unit / dt)
    if unit_steps < 1:
        raise ParameterError(
            f"dt = {dt:g} ms is longer than the period of the input, {code.time_unit:g} ms. Use a "
            "smaller dt, or a longer time_unit."
        )
    encoder, *layers = graph.layers
    horizon = _function(layers[-1]).horizon
    least = _DELAY * len(layers) + unit_steps + 1
    n_steps = asked_steps(request, dt) or _DELAY * len(layers) + ceil(horizon * unit_steps)
    if n_steps < least:
        raise ParameterError(
            f"n_steps = {n_steps} is too short: input spikes take {least} steps to the output."
        )
    plan = ObservationPlan(code, dt, unit_steps, n_steps, _names(graph), graph.outputs)
    _add_encoder(plan, graph, encoder)
    for depth, (before, layer) in enumerate(zip(graph.layers, layers, strict=False), 1):
        _add_relay(plan, before, layer, depth)
        _add_layer(plan, before, layer, depth)
    _add_readout(plan, graph)
    return plan.network(
        graph,
        current_inputs(graph).values(),
        dt=dt,
        n_steps=n_steps,
        record=record_of(code, request, n_steps, dt),
    )


def check_graph(graph: AnalogGraph) -> None:
    """Refuse graphs other than those of `bioconv.training.train_observation`.

    Raises
    ------
    ConversionError
        The message lists all layers that compute anything else.
    """

    def misfit(layer: Layer, place: int) -> str:
        known = _is_layer(layer, place) if place else _is_encoder(layer)
        return "" if known else "it is not a layer of neurons that fire once."

    check_chain(
        graph,
        code="observation",
        trained="in spike times",
        trainer="bioconv.training.train_observation",
        fewest=2,
        misfit=misfit,
    )


def _is_encoder(layer: Layer) -> bool:
    """Whether a layer clips values to [0, 1]."""
    function = layer.function
    return isinstance(function, ReLU) and (
        (function.max_value, function.threshold, function.negative_slope) == (1.0, 0.0, 0.0)
    )


def _is_layer(layer: Layer, depth: int) -> bool:
    """Whether a layer receives the spikes of the layer before; input 0 fires at time 1."""
    if not isinstance(layer.function, FirstSpikes) or len(layer.inputs) != 1:
        return False
    (affine,) = layer.inputs
    bias = layer.function.horizon - 1.0 if depth == 1 else 0.0
    return bool(np.all(affine.bias == bias)) and all(
        isinstance(t.operator, Reshape) for t in affine.terms
    )


def _function(layer: Layer) -> FirstSpikes:
    if not isinstance(layer.function, FirstSpikes):
        raise TypeError(f"{layer.name} does not consist of neurons that fire once")
    return layer.function


def _names(graph: AnalogGraph) -> dict[str, str]:
    keys = [entry.name for entry in graph.inputs]
    for layer in graph.layers:
        keys += [f"{layer.name} relay", layer.name]
    return dict(zip(keys, identifiers(keys), strict=True))


def _add_encoder(plan: ObservationPlan, graph: AnalogGraph, layer: Layer) -> None:
    """Add input neurons, which fire earlier for larger values (Eq A.1)."""
    (affine,) = layer.inputs
    (term,) = affine.terms
    grid, close = plan.dt * GRID, (plan.unit_steps + 1) * plan.dt
    neuron = FirstSpikeEncoder(
        "fire",
        v_th=float(off_grid(close, grid)),
        i_offset=rounded(affine.bias * plan.unit, grid),
        t_close=close,
    )
    name = plan.names[layer.name]
    drive = scaled(term.operator, post=plan.unit)
    plan.drives.append(Drive(plan.names[term.source], name, drive, grid))
    values = 1.0 - np.arange(plan.unit_steps + 1) / plan.unit_steps
    plan.populations.append(
        Population(
            name,
            layer.shape,
            neuron.model,
            neuron.parameters,
            layer=layer.name,
            spike_values=values,
        )
    )


def _add_relay(plan: ObservationPlan, before: Layer, layer: Layer, depth: int) -> None:
    """Add the neuron that fires with the first spike of the layer before (at R_l)."""
    neuron = Relay(t_ref=ONCE_STEPS * plan.dt)
    name = plan.names[f"{layer.name} relay"]
    start_step = _DELAY * depth - 1
    plan.populations.append(
        Population(name, (1,), neuron.model, neuron.parameters, start_step=start_step)
    )
    n_pre = _function(layer).weights.shape[0]
    operator = _flat(before, Dense((n_pre,), np.ones((n_pre, 1))))
    plan.projections.append(Projection(plan.names[before.name], name, operator, "syn"))


def _add_layer(plan: ObservationPlan, before: Layer, layer: Layer, depth: int) -> None:
    function, name, unit = _function(layer), plan.names[layer.name], plan.unit
    weights, alpha = (np.asarray(x, np.float64) for x in (function.weights, function.alpha))
    grid = _grid(weights, alpha) / unit
    fine = plan.dt * grid / 2  # potentials are compared with the threshold in the middle of a step
    neuron = ObservedNeuron(
        v_th=float(off_grid(function.v_th, fine)),
        i_offset=rounded(alpha / unit, grid),
        t_obs=off_grid(np.asarray(function.t_obs, np.float64) * unit, plan.dt * _FINE),
        t_ref=ONCE_STEPS * plan.dt,
    )
    # Steps are counted from the first spike, which is at epsilon on the clock.
    initial: dict[str, Value] = {
        "v": rounded(alpha * function.epsilon, fine),
        "clock": float(rounded(function.epsilon * unit, plan.dt * _FINE)),
    }
    plan.populations.append(
        Population(
            name,
            layer.shape,
            neuron.model,
            neuron.parameters,
            initial,
            start_step=_DELAY * depth,
            **_contribution(plan, layer, depth),
        )
    )
    synapses = on_grid(_flat(before, Dense((len(weights),), weights / unit)), grid)
    starter = Dense((1,), np.ones((1, weights.shape[1])))
    plan.projections += [
        Projection(plan.names[before.name], name, synapses, "syn", _DELAY),
        Projection(plan.names[f"{layer.name} relay"], name, starter, "start"),
    ]


def _contribution(plan: ObservationPlan, layer: Layer, depth: int) -> dict[str, Any]:
    """Return how spike times of a population become values of its layer, or of the output."""
    horizon = _function(layer).horizon
    if layer.name in plan.outputs:
        return {"scale": np.asarray(1.0 / plan.unit), "offset": np.asarray(horizon)}
    steps = np.arange(plan.n_steps - _DELAY * depth)
    return {"layer": layer.name, "spike_values": horizon - steps / plan.unit_steps}


def _grid(weights: NDArray[np.float64], alpha: NDArray[np.float64]) -> float:
    """Return the step of which weights are multiples, in units of the threshold per T."""
    largest = float(np.max(alpha + np.abs(weights).sum(axis=0)))
    return float(GRID * 2.0 ** np.ceil(np.log2(largest)))


def _flat(before: Layer, operator: Operator) -> Operator:
    """Return an operator of flat inputs for inputs with the shape of a layer."""
    return compose(Reshape(before.shape, operator.in_shape), operator)


def _add_readout(plan: ObservationPlan, graph: AnalogGraph) -> None:
    (output,) = graph.outputs
    (name,) = identifiers([output])
    plan.readouts.append(Readout(name, plan.names[output], "first_spike", Linear()))
