"""Build the spiking network of the oscillation code; see `bioconv.codes.phase.plan` for times."""

from __future__ import annotations

from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import MaxPool, ReLU
from bioconv.analog.graph import Affine, Layer
from bioconv.codes.code import Request
from bioconv.codes.common.affine import scale_affine
from bioconv.codes.common.assembly import add_all, prepared
from bioconv.codes.common.encoding import with_encoders
from bioconv.codes.common.expectation import Level, expect
from bioconv.codes.common.headroom import measure_headroom
from bioconv.codes.common.layout import (
    describe_options,
    names,
    steps_of,
)
from bioconv.codes.common.max_windows import cells_of
from bioconv.codes.common.membrane import on_grid
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.once import GRID, current_inputs, margin
from bioconv.codes.first_spike_exact.neurons import FirstSpikePool
from bioconv.codes.phase.code import OscillationCode
from bioconv.codes.phase.plan import PhasePlan, transmission_starts
from bioconv.network import (
    Change,
    Drive,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
)
from bioconv.neurons import Neuron
from bioconv.neurons.library.parts import NEVER
from bioconv.operators import (
    Dense,
    Operator,
    Reshape,
    compact,
    compose,
    scaled,
)


def build(code: OscillationCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a graph; see `bioconv.convert`.

    Parameters
    ----------
    code : OscillationCode
    request : Request

    Raises
    ------
    ConversionError
        If the code does not support some layers (the message lists all of them) or the neuron.
    ParameterError
        If the duration is shorter than the code requires.
    """
    graph, calibration, step = request.graph, request.calibration, request.dt or 1.0
    plain = prepared(request, code.name)
    rewritten = with_encoders(plain, calibration)
    plan = PhasePlan(
        code,
        rewritten,
        measure_headroom(code.normalization, rewritten, calibration),
        step,
        names(rewritten),
        transmission_starts(rewritten, code.window_steps),
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
    latency = _latency(plan)
    return plan.network(
        graph,
        plan.inputs.values(),
        dt=step,
        n_steps=steps_of(
            request,
            step,
            latency,
            advice="Use at least this many, or fewer window_steps.",
        ),
        record=_record(plan, latency, request),
    )


def _add_layer(plan: PhasePlan, layer: Layer) -> None:
    """Add a rectification: an encoder, or neurons that receive and then transmit."""
    if {term.source for term in layer.inputs[0].terms} & set(plan.inputs):
        neuron = _charged(plan, layer)
    else:
        held = plan.code.normalization != "bound" or _saturates(layer)
        neuron = _listening(plan, layer, layer.inputs[0], held)
    _transmit(plan, plan.names[layer.name], plan.transmits[layer.name])
    _populate(plan, layer, neuron)


def _populate(plan: PhasePlan, layer: Layer, neuron: Neuron) -> None:
    carried, scale = plan.carried.get(layer.name), plan.headroom.scales.of[layer.name]
    plan.populations.append(
        Population(
            plan.names[layer.name],
            layer.shape,
            neuron.model,
            dict(neuron.parameters),
            layer="" if carried is None else carried.layer,
            scale=scale if carried is None else scale * carried.factor,
            offset=np.zeros(()) if carried is None else carried.offset,
            start_step=plan.transmits[layer.name] - 1,
            spike_values=plan.values,
        )
    )


def _charged(plan: PhasePlan, layer: Layer) -> Neuron:
    """Add an encoder, whose membrane the sample charges in step 0."""
    neuron, name = plan.neuron(), plan.names[layer.name]
    (term,) = layer.inputs[0].terms
    v_th = float(neuron.value("v_th"))
    full = v_th * float(neuron.value("c_m")) / plan.dt
    operator = scaled(term.operator, post=full / plan.headroom.scales.of[layer.name])
    plan.drives.append(Drive(plan.inputs[term.source].name, name, operator, full * GRID))
    plan.change(name, 0, v=-margin(v_th, plan.n, []), v_th=v_th)
    plan.change(name, 1, charging=0.0)
    return neuron.with_values(charging=1.0, v_th=NEVER)


def _listening(plan: PhasePlan, layer: Layer, affine: Affine, held: bool) -> Neuron:
    """Add neurons whose potential becomes their activation in one window of the oscillation.

    The oscillation raises the potential from one threshold below zero to zero ("amplitude",
    mueller 6.2.2), or lowers it from the threshold to zero ("duration", 6.2.3).  Where the
    potential may exceed the threshold, this is ``held`` out of reach until the window is over.
    """
    neuron, name = plan.neuron(), plan.names[layer.name]
    starts = plan.transmits[layer.name]
    listens = starts - plan.n
    synapses = _connect(plan, layer, affine, neuron)
    v_th, rise = float(neuron.value("v_th")), _rise(plan, neuron)
    direction = 1.0 if plan.code.adaptation == "amplitude" else -1.0
    below = margin(v_th, plan.n, [entry.operator for entry in synapses])
    plan.change(name, listens, v=-direction * v_th - below, i_osc=direction * rise)
    plan.changes += _pulses_end(plan, name, starts)
    if plan.code.adaptation == "amplitude":
        neuron = neuron.with_values(t_listen=listens * plan.dt)
    if held:
        plan.change(name, starts - 1, v_th=v_th)
        return neuron.with_values(v_th=NEVER)
    return neuron


def _transmit(plan: PhasePlan, name: str, start: int) -> None:
    """Schedule the rising half of the oscillation; it falls afterwards, so that no neuron fires."""
    neuron = plan.neuron()
    rise, end = _rise(plan, neuron), start + plan.n
    plan.change(name, start - 1, rise=rise / float(neuron.value("c_m")))
    plan.change(name, start, i_osc=rise)
    # A zero reaches the threshold in the last step; the nearest step would be one too late.
    plan.change(name, end - 1, v_th=NEVER)
    plan.change(name, end, i_osc=-rise)


def _rise(plan: PhasePlan, neuron: Neuron) -> float:
    """Return the current in pA that raises the potential by one threshold in a window."""
    return float(neuron.value("v_th")) * float(neuron.value("c_m")) / plan.window


def _pulses_end(plan: PhasePlan, name: str, step: int) -> list[Change]:
    """End all pulses at the end of the listening window."""
    return [Change(step, name, "i_syn", 0.0)] if plan.code.adaptation == "duration" else []


def _saturates(layer: Layer) -> bool:
    return isinstance(layer.function, ReLU) and isfinite(layer.function.max_value)


def _connect(plan: PhasePlan, layer: Layer, affine: Affine, neuron: Neuron) -> list[Projection]:
    """Add the synapses from the sources and from the bias lane."""
    name, unit = plan.names[layer.name], float(neuron.value("v_th"))
    if plan.code.adaptation == "duration":
        unit = _rise(plan, neuron)
    scale, starts = plan.headroom.scales.of[layer.name], plan.transmits[layer.name]
    listens = starts - plan.n
    found = []
    for term in affine.terms:
        before = unit * plan.headroom.scales.of[term.source]
        operator = scaled(term.operator, pre=before, post=1.0 / scale)
        delay = listens - plan.transmits[term.source]
        found.append(_projection(plan.names[term.source], name, operator, unit, delay))
    if np.any(affine.bias):
        full = np.broadcast_to(affine.bias / scale, affine.shape)
        row = Dense((1,), np.ascontiguousarray(full).reshape(1, -1) * unit)
        operator = compose(row, Reshape(row.out_shape, affine.shape))
        found.append(_projection(_bias_neuron(plan, listens), name, operator, unit, 1))
    plan.projections += found
    return found


def _projection(pre: str, post: str, operator: Operator, unit: float, delay: int) -> Projection:
    return Projection(pre, post, on_grid(operator, unit * GRID), "syn", delay)


def _bias_neuron(plan: PhasePlan, listens: int) -> str:
    """Return the neuron of the bias lane that fires for the window that starts in this step.

    Its potential lies above a threshold that becomes reachable one step before the others fire.
    """
    if listens not in plan.bias_lane:
        taken = [*plan.names.values(), *plan.bias_lane.values()]
        name = identifiers([*taken, f"bias_{len(plan.bias_lane) + 1}"])[-1]
        neuron = plan.neuron()
        v_th = float(neuron.value("v_th"))
        parameters = {**neuron.parameters, "v_th": NEVER}
        start = {"v": 2 * v_th}
        plan.populations.append(Population(name, (1,), neuron.model, parameters, start))
        plan.change(name, listens - 2, v_th=v_th)
        plan.bias_lane[listens] = name
    return plan.bias_lane[listens]


def _add_gates(plan: PhasePlan, layer: Layer) -> None:
    """Add neurons that pass on the first spike, that of the largest activation (a maximum)."""
    name, start = plan.names[layer.name], plan.transmits[layer.name]
    _populate(plan, layer, FirstSpikePool())
    for _, source, operator in cells_of(layer):
        delay = start - plan.transmits[source]
        plan.projections.append(Projection(plan.names[source], name, operator, "syn", delay))


def _add_readout(plan: PhasePlan, layer: Layer, output: str) -> None:
    """Add output neurons, which only sum their input or fire in an additional window."""
    name, start, affine = plan.names[layer.name], plan.transmits[layer.name], layer.inputs[0]
    scale, shift = (getattr(plan.headroom.scales, x)[layer.name] for x in ("of", "shift"))
    level = plan.code.readout == "level"
    if level:
        neuron = plan.neuron().with_values(v_th=NEVER)
        v_th = float(plan.neuron().value("v_th"))
        if plan.code.adaptation == "amplitude":
            neuron = neuron.with_values(t_listen=(start - plan.n) * plan.dt)
        _connect(plan, layer, affine, plan.neuron())
        plan.changes += _pulses_end(plan, name, start)
        contribution: dict[str, Any] = {"scale": scale / v_th}
    else:
        neuron = _listening(plan, layer, scale_affine(affine, 1.0, -shift), held=True)
        _transmit(plan, name, start)
        contribution = {"scale": scale / plan.window, "offset": scale + shift}
    plan.populations.append(
        Population(
            name,
            layer.shape,
            neuron.model,
            dict(neuron.parameters),
            start_step=start - 1,
            **contribution,
        )
    )
    (readout,) = identifiers([output])
    plan.readouts.append(Readout(readout, name, plan.code.readout, layer.function))


def _latency(plan: PhasePlan) -> int:
    """Return the number of steps after which all outputs are complete."""
    more = 0 if plan.code.readout == "level" else plan.n
    return max(plan.transmits[layer.name] for layer in plan.rewritten.readouts) + more


def _levels(plan: PhasePlan) -> dict[str, Level]:
    """Return the values that the spikes of each layer represent, for `expect`."""
    return {
        layer.name: partial(_said, plan.code, plan.headroom.scales.of[layer.name])
        for layer in plan.rewritten.layers
        if not isinstance(layer.function, MaxPool)
    }


def _said(code: OscillationCode, scale: NDArray, x: NDArray) -> NDArray:
    return scale * code.encode(x / scale, code.window_steps)


def _record(plan: PhasePlan, latency: int, request: Request) -> dict[str, str | int | float | bool]:
    """Return all settings of the network as plain values."""
    scales = plan.headroom.scales
    used = np.concatenate([np.ravel(compact(s, np.shape(s))) for s in scales.of.values()])
    return {
        **describe_options(plan.code),
        "latency_steps": latency,
        "latency_ms": latency * plan.dt,
        "bias_neurons": len(plan.bias_lane),
        "calibration_samples": request.n_samples,
        **expect(
            plan.rewritten, _levels(plan), request.calibration, decisions=request.decided()
        ).record(),
        "smallest_scale": float(used.min()),
        "largest_scale": float(used.max()),
        "largest_headroom": max(plan.headroom.ratios(), default=1.0),
        "silent_layers": ", ".join(plan.names[name] for name in scales.silent_layers),
        "silent_channels": scales.n_silent_channels,
        "seed": request.seed,
    }
