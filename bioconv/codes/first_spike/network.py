"""Build the spiking network of the first-spike code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Function, Linear, ReLU
from bioconv.analog.graph import Layer
from bioconv.codes.code import Request
from bioconv.codes.common.assembly import Parts, add_all, prepared
from bioconv.codes.common.encoding import with_encoders
from bioconv.codes.common.headroom import measure_headroom
from bioconv.codes.common.layout import (
    asked_steps,
    depths,
    describe_options,
    names,
)
from bioconv.codes.common.max_windows import cells_of, rectifier_of
from bioconv.codes.common.membrane import on_grid
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.once import (
    GRID,
    ONCE_STEPS,
    current_inputs,
    margin,
)
from bioconv.codes.common.rewritten import Carried, Rewritten
from bioconv.codes.first_spike.code import FirstSpikeCode
from bioconv.codes.first_spike.neurons import FirstSpike
from bioconv.codes.first_spike_exact.neurons import FirstSpikePool
from bioconv.ground.errors import ParameterError
from bioconv.network import Change, Drive, Input, Population, Projection, Readout, SpikingNetwork
from bioconv.neurons import Neuron
from bioconv.neurons.library.parts import NEVER
from bioconv.operators import Operator, compact, scaled

Scale = NDArray[np.float64]

#: default duration of a layer in units of time: nearly all spikes of a LeNet-5 occur within it
_UNITS_A_LAYER = 3


@dataclass
class FirstSpikePlan(Parts):
    """State of the construction: decisions made beforehand, and the parts built so far.

    Parameters
    ----------
    code : FirstSpikeCode
    rewritten : Rewritten
        With encoders.
    scales : dict of str to ndarray
        Activation that one unit of time represents, by layer.
    dt : float
        ms.
    n_steps : int
    names : mapping of str to str
        Names of the populations.
    carried : mapping of str to Carried
    inputs : mapping of str to Input
    announcers : dict of str to str
        For each layer, the population that announces its spikes.
    """

    code: FirstSpikeCode
    rewritten: Rewritten
    scales: Mapping[str, Scale]
    dt: float
    n_steps: int
    names: Mapping[str, str]
    carried: Mapping[str, Carried]
    inputs: Mapping[str, Input]
    announcers: dict[str, str] = field(default_factory=dict)

    @property
    def dynamic(self) -> bool:
        """Whether spikes are announced."""
        return self.code.threshold == "dynamic"

    @property
    def unit(self) -> float:
        """Time of the full scale in ms."""
        return self.code.unit_steps * self.dt

    @property
    def values(self) -> NDArray[np.float64]:
        """The value that a spike in each step represents, in units of the scale."""
        return self.code.unit_steps / np.arange(1.0, self.n_steps + 1.0)

    def neuron(self, threshold: str = "") -> Neuron:
        """The neuron of all layers except gates."""
        return FirstSpike(threshold or self.code.threshold, t_ref=ONCE_STEPS * self.dt)

    @property
    def n_crossings(self) -> int:
        """Number of threshold crossings up to the spike that represents the value."""
        return 2 if self.dynamic else 1

    @property
    def lift(self) -> float:
        """Increase of the potential in mV that the full scale causes in one unit of time."""
        return self.n_crossings * float(self.neuron().value("v_th"))

    @property
    def full(self) -> float:
        """Current in pA that represents the full scale."""
        return self.lift * float(self.neuron().value("c_m")) / self.unit


def build(code: FirstSpikeCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a graph; see `bioconv.convert`.

    Parameters
    ----------
    code : FirstSpikeCode
    request : Request
        ``n_steps``: by default three units of time for each layer, input and output included.

    Raises
    ------
    ConversionError
        If the code does not support some layers (the message lists all of them) or the neuron.
    ParameterError
        If not even the full scale fires within the duration.
    """
    graph, calibration, step = request.graph, request.calibration, request.dt or 1.0
    plain = prepared(request, code.name, carries)
    rewritten = with_encoders(plain, calibration)
    n_steps = asked_steps(request, step)
    depth = max(depths(rewritten, [entry.name for entry in rewritten.inputs]).values())
    n_steps = n_steps or _UNITS_A_LAYER * (depth + 1) * code.unit_steps
    _check_duration(code, n_steps)
    plan = FirstSpikePlan(
        code,
        rewritten,
        _scales(rewritten, calibration),
        step,
        n_steps,
        names(rewritten),
        plain.carried(graph),
        current_inputs(graph),
    )
    add_all(
        plan,
        rewritten,
        graph.outputs,
        layer=_add_layer,
        gates=_add_gates,
        readout=_add_readout,
    )
    return plan.network(
        graph,
        plan.inputs.values(),
        dt=step,
        n_steps=n_steps,
        record=_record(plan, request),
    )


def carries(function: Function) -> bool:
    """Whether the code supports a function in addition to plain ReLU: one with a threshold."""
    return isinstance(function, ReLU) and function.threshold > 0 and not function.negative_slope


def _check_duration(code: FirstSpikeCode, n_steps: int) -> None:
    if n_steps <= code.unit_steps:
        raise ParameterError(
            f"n_steps = {n_steps} is too short: a neuron with full-scale input fires after "
            f"{code.unit_steps} steps. Use more steps, or fewer unit_steps."
        )


def _scales(rewritten: Rewritten, calibration: Mapping[str, NDArray]) -> dict[str, Scale]:
    """Return the largest activation per channel, or per layer if it has a limit or threshold."""
    scales = measure_headroom("activation", rewritten, calibration).scales.of
    for layer in rewritten.layers:
        function = layer.function
        if carries(function) or (isinstance(function, ReLU) and np.isfinite(function.max_value)):
            scales[layer.name] = np.asarray(scales[layer.name].max())
    return scales


def _add_layer(plan: FirstSpikePlan, layer: Layer) -> None:
    """Add neurons that fire at the time that represents their activation (a rectification)."""
    name, neuron = plan.names[layer.name], plan.neuron()
    given = _connect(plan, layer, name)
    current = _bias(plan, layer)
    parameters = {"i_offset": current, **_limits(plan, layer, name, neuron)}
    _populate(plan, layer, neuron, parameters, {"v": _start(plan, given, plan.n_crossings)})
    if plan.dynamic:
        _add_missing(plan, layer, name)
        _add_announcer(plan, layer, current)


def _limits(plan: FirstSpikePlan, layer: Layer, name: str, neuron: Neuron) -> dict[str, Any]:
    """Allow spikes only between the times of the largest and the smallest value."""
    function, start = rectifier_of(layer), {}
    steps = plan.code.unit_steps * np.max(plan.scales[layer.name])
    first = round(steps / function.max_value) - 1
    if first > 0:
        start["v_th"] = NEVER
        plan.changes.append(Change(first, name, "v_th", neuron.value("v_th")))
    if carries(function):
        plan.changes.append(Change(round(steps / function.threshold), name, "v_th", NEVER))
    return start


def _add_announcer(plan: FirstSpikePlan, layer: Layer, current: Any) -> None:
    """Add neurons with the same input that fire at the first threshold crossing."""
    name, neuron = _announcer_name(plan, layer), plan.neuron("base")
    given = _connect(plan, layer, name)
    parameters = {**neuron.parameters, "i_offset": current}
    initial = {"v": _start(plan, given, 1)}
    plan.populations.append(Population(name, layer.shape, neuron.model, parameters, initial))
    function = rectifier_of(layer)
    if carries(function):  # potentials that cross later than this remain below the smallest value
        steps = plan.code.unit_steps * np.max(plan.scales[layer.name]) / plan.n_crossings
        plan.changes.append(Change(round(steps / function.threshold), name, "v_th", NEVER))


def _announcer_name(plan: FirstSpikePlan, layer: Layer) -> str:
    taken = [*plan.names.values(), *plan.announcers.values()]
    name = identifiers([*taken, f"{plan.names[layer.name]}_announced"])[-1]
    plan.announcers[layer.name] = name
    return name


def _add_missing(plan: FirstSpikePlan, layer: Layer, name: str) -> None:
    """Add synapses: announcements raise the threshold by a share of their weights, spikes lower it.

    In a chain of several signed maps, the product of their magnitudes replaces the weight.
    """
    unit = plan.code.missing * float(plan.neuron().value("v_th"))
    for term in layer.inputs[0].terms:
        if term.source not in plan.announcers:
            continue
        weights = _weights(plan, layer, term.operator, term.source)
        magnitude = weights.map_weights(lambda w: np.abs(np.asarray(w, np.float64)))
        for pre, sign in ((plan.announcers[term.source], 1.0), (plan.names[term.source], -1.0)):
            operator = on_grid(scaled(magnitude, post=sign * unit), unit * GRID)
            plan.projections.append(Projection(pre, name, operator, "announced"))


def _weights(plan: FirstSpikePlan, layer: Layer, operator: Operator, source: str) -> Operator:
    """Convert an operator from units of the scale of its source to those of the layer."""
    return scaled(operator, pre=plan.scales[source], post=1.0 / plan.scales[layer.name])


def _connect(plan: FirstSpikePlan, layer: Layer, name: str) -> list[Operator]:
    """Add drives from inputs and synapses from layers, and return the operators of the latter."""
    found, full = [], plan.full
    for term in layer.inputs[0].terms:
        if term.source in plan.inputs:
            operator = scaled(term.operator, post=full / plan.scales[layer.name])
            plan.drives.append(Drive(plan.inputs[term.source].name, name, operator, full * GRID))
            continue
        weights = _weights(plan, layer, term.operator, term.source)
        operator = on_grid(scaled(weights, post=full), full * GRID)
        plan.projections.append(Projection(plan.names[term.source], name, operator, "syn"))
        found.append(operator)
    return found


def _bias(plan: FirstSpikePlan, layer: Layer) -> Any:
    """Return the constant current in pA on the grid, as one number if it is the same for all."""
    grid = plan.full * GRID
    current = np.round(layer.inputs[0].bias / plan.scales[layer.name] * plan.full / grid) * grid
    constant = compact(current, layer.shape)
    return float(constant.ravel()[0]) if constant.size == 1 else constant


def _start(plan: FirstSpikePlan, given: list[Operator], crossing: int) -> float:
    """Return the start potential in mV: one threshold lower for each crossing without a spike.

    The additional part is so small that it only decides ties.
    """
    v_th = float(plan.neuron().value("v_th"))
    return margin(v_th, plan.code.unit_steps, given) - (crossing - 1) * v_th


def _populate(
    plan: FirstSpikePlan,
    layer: Layer,
    neuron: Neuron,
    parameters: dict[str, Any],
    initial: dict[str, Any],
) -> None:
    carried, scale = plan.carried.get(layer.name), plan.scales[layer.name]
    plan.populations.append(
        Population(
            plan.names[layer.name],
            layer.shape,
            neuron.model,
            {**neuron.parameters, **parameters},
            initial,
            layer="" if carried is None else carried.layer,
            scale=scale if carried is None else scale * carried.factor,
            offset=np.zeros(()) if carried is None else carried.offset,
            spike_values=plan.values,
        )
    )


def _add_gates(plan: FirstSpikePlan, layer: Layer) -> None:
    """Add neurons that pass on the first spike and the first announcement (a maximum)."""
    gate = FirstSpikePool()
    _populate(plan, layer, gate, {}, {})
    _connect_windows(plan, layer, plan.names[layer.name], plan.names)
    if plan.dynamic:
        name = _announcer_name(plan, layer)
        plan.populations.append(Population(name, layer.shape, gate.model, dict(gate.parameters)))
        _connect_windows(plan, layer, name, plan.announcers)


def _connect_windows(
    plan: FirstSpikePlan, layer: Layer, name: str, sources: Mapping[str, str]
) -> None:
    for _, source, operator in cells_of(layer):
        plan.projections.append(Projection(sources[source], name, operator, "syn"))


def _add_readout(plan: FirstSpikePlan, layer: Layer, output: str) -> None:
    """Add output neurons, which either only sum their input or fire."""
    name, level = plan.names[layer.name], plan.code.readout == "level"
    neuron = plan.neuron("base" if level else "")
    scale = plan.scales[layer.name]
    given = _connect(plan, layer, name)
    initial: dict[str, Any] = {}
    function = layer.function
    if level:
        neuron = neuron.with_values(v_th=NEVER)
        contribution: dict[str, Any] = {
            "scale": scale * plan.code.unit_steps / (plan.n_steps * plan.lift)
        }
    else:
        initial = {"v": _start(plan, given, plan.n_crossings)}
        contribution = {"scale": scale / (plan.n_steps * plan.dt), "offset": scale}
        function = Linear()  # the values are times, with the order of the activations
        if plan.dynamic:
            _add_missing(plan, layer, name)
    parameters = {**neuron.parameters, "i_offset": _bias(plan, layer)}
    plan.populations.append(
        Population(name, layer.shape, neuron.model, parameters, initial, **contribution)
    )
    (readout,) = identifiers([output])
    plan.readouts.append(Readout(readout, name, plan.code.readout, function))


def _record(plan: FirstSpikePlan, request: Request) -> dict[str, str | int | float | bool]:
    """Return all settings of the network as plain values."""
    used = np.concatenate([np.ravel(scale) for scale in plan.scales.values()])
    return {
        **describe_options(plan.code),
        "latency_steps": plan.n_steps,
        "latency_ms": plan.n_steps * plan.dt,
        "smallest_activation": plan.code.unit_steps / plan.n_steps,
        "calibration_samples": request.n_samples,
        "smallest_scale": float(used.min()),
        "largest_scale": float(used.max()),
        "seed": request.seed,
    }
