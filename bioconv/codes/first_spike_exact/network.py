"""The network of the exact first-spike code (stanojevic Algorithm 2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import lcm

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import ReLU
from bioconv.analog.graph import GraphInput, Layer
from bioconv.codes.code import Request
from bioconv.codes.common.affine import apply64
from bioconv.codes.common.assembly import Parts, add_all, prepared
from bioconv.codes.common.layout import asked_steps
from bioconv.codes.common.max_windows import cells_of, pool_of
from bioconv.codes.common.membrane import denominator, off_grid, on_grid, rounded
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.pooling import MaxMinPool
from bioconv.codes.common.rewritten import Carried, Rewritten
from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.neurons import (
    FirstSpikeEncoder,
    FirstSpikeExact,
    FirstSpikeIntegrator,
    FirstSpikePool,
)
from bioconv.codes.first_spike_exact.scaling import Scaling, measure
from bioconv.codes.first_spike_exact.schedule import Schedule, Window, plan
from bioconv.network import (
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
    Value,
)
from bioconv.neurons import Neuron
from bioconv.operators import compact, identity, scaled

Floats = NDArray[np.float64]

#: weights are integer multiples of this share of a population's largest slope: fine enough for
#: float32, coarse enough for sums in any order and any unit to stay on the same side of a threshold
_GRID = 2.0**-34


@dataclass
class FirstSpikeExactPlan(Parts):
    """State of the construction: decisions made beforehand, and the parts built so far."""

    code: FirstSpikeExactCode
    rewritten: Rewritten
    scaling: Scaling
    schedule: Schedule
    names: dict[str, str]
    carried: dict[str, Carried]


def build(code: FirstSpikeExactCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a graph; see `bioconv.convert`.

    Parameters
    ----------
    code : FirstSpikeExactCode
    request : Request

    Raises
    ------
    ConversionError
        If the code does not support some layers (the message lists all of them) or the neuron.
    ParameterError
        If the duration is too short.
    """
    graph, calibration = request.graph, request.calibration
    rewritten = prepared(request, "exact first-spike", minima=True)
    scaling = measure(code, rewritten, calibration)
    dt = request.dt
    n_steps = asked_steps(request, dt or plan(code, rewritten, scaling, dt, None).dt)
    schedule = plan(code, rewritten, scaling, dt, n_steps)
    built = FirstSpikeExactPlan(
        code, rewritten, scaling, schedule, _names(rewritten), rewritten.carried(graph)
    )
    inputs = _add_inputs(built)
    add_all(
        built, rewritten, graph.outputs, layer=_add_rectifier, gates=_add_pool, readout=_add_readout
    )
    return built.network(
        graph,
        inputs,
        dt=schedule.dt,
        n_steps=schedule.n_steps,
        record=_record(built, request),
    )


def _names(rewritten: Rewritten) -> dict[str, str]:
    """Return the names of inputs and populations; encoders follow their inputs."""
    keys = [entry.name for entry in rewritten.inputs]
    keys += [f"{entry.name} encoder" for entry in rewritten.inputs]
    keys += [layer.name for layer in (*rewritten.layers, *rewritten.readouts)]
    unique = dict(zip(keys, identifiers(keys), strict=True))
    return unique


def _population_of(plan: FirstSpikeExactPlan, source: str) -> str:
    """Return the name of the population whose spikes represent an input or a layer."""
    return plan.names.get(f"{source} encoder", plan.names[source])


def _add_inputs(plan: FirstSpikeExactPlan) -> tuple[Input, ...]:
    return tuple(_add_encoder(plan, entry) for entry in plan.rewritten.inputs)


def _add_encoder(plan: FirstSpikeExactPlan, entry: GraphInput) -> Input:
    """Add input neurons, which fire earlier for larger values (thesis 2.4.2 (i))."""
    schedule, window = plan.schedule, plan.schedule.windows[entry.name]
    dt, unit = schedule.dt, schedule.unit
    name = plan.names[f"{entry.name} encoder"]
    low, scale = plan.scaling.low[entry.name], float(plan.scaling.scale[entry.name])
    grid = dt * _GRID
    neuron = FirstSpikeEncoder(
        plan.code.inactive,
        v_th=off_grid(window.close * dt, grid),
        i_offset=float(rounded(-low / scale * unit, grid)),
        t_close=window.close * dt,
    )
    plan.drives.append(
        Drive(plan.names[entry.name], name, scaled(identity(entry.shape), post=unit / scale), grid)
    )
    plan.populations.append(
        Population(
            name,
            entry.shape,
            neuron.model,
            neuron.parameters,
            start_step=window.open - 1,
            spike_values=_values(schedule, window),
        )
    )
    return Input(plan.names[entry.name], entry.shape)


def _add_rectifier(plan: FirstSpikeExactPlan, layer: Layer) -> None:
    """Add neurons whose first spike represents a ReLU (thesis 2.4.2 (ii)-(v))."""
    code, schedule = plan.code, plan.schedule
    scale, window, dt = plan.scaling.scale[layer.name], schedule.windows[layer.name], schedule.dt
    gain = _gain(plan, layer)
    grid, synapses = _connect(plan, layer, gain / scale)
    total = np.zeros(layer.shape)
    for projection in synapses:
        total += apply64(projection.operator, np.ones((1, *projection.operator.in_shape)))
    # Missing part of the slope once all input has arrived: alpha and the padding cells.
    missing = rounded(np.broadcast_to(gain, layer.shape) - total, grid)
    slope = missing + total
    ramp = missing if code.slope == "identical" else np.ones(())
    if code.ramp == "own":
        ramp = np.zeros(())
    before, length = (window.open - window.start) * dt, (window.close - window.open) * dt
    bias = plan.scaling.bias(layer.inputs[0]) / scale
    v_th = ramp * before + slope * (length - schedule.unit * bias)
    fine = dt * grid / 2 / lcm(1, *(denominator(p.operator) for p in synapses))
    neuron = FirstSpikeExact(
        code.inactive,
        "falling" if code.threshold == "falling" else "constant",
        v_th=_compact(off_grid(v_th, fine), layer),
        i_offset=_compact(ramp, layer),
        i_open=_compact(slope if code.inactive == "silent" else missing, layer),
        t_start=window.start * dt,
        t_open=window.open * dt,
        t_first=_compact(_earliest(plan, layer), layer),
        t_close=window.close * dt,
        slope=_compact(slope, layer),
    )
    _append(plan, layer, neuron)


def _gain(plan: FirstSpikeExactPlan, layer: Layer) -> Floats:
    """Return the slope of the potential within the window, J / w of Eqs 2.3 and 2.6."""
    sums = plan.scaling.sums[layer.name]
    return np.ones(sums.shape) if plan.code.slope == "identical" else 1.0 / (1.0 - sums)


def _earliest(plan: FirstSpikeExactPlan, layer: Layer) -> Floats:
    """Return the time in ms before which no neuron fires."""
    schedule, window = plan.schedule, plan.schedule.windows[layer.name]
    held = plan.code.threshold == "held"
    earliest = np.asarray(window.open * schedule.dt if held else 0.0)
    if isinstance(layer.function, ReLU) and np.isfinite(layer.function.max_value):
        limit = layer.function.max_value / plan.scaling.scale[layer.name]
        earliest = np.maximum(earliest, window.close * schedule.dt - limit * schedule.unit)
    return earliest


def _connect(
    plan: FirstSpikeExactPlan, layer: Layer, gain: Floats
) -> tuple[float, list[Projection]]:
    """Add the synapses of a population with weights on a grid, and return the grid in pA."""
    operators = [
        scaled(term.operator, pre=plan.scaling.scale[term.source], post=gain)
        for term in layer.inputs[0].terms
    ]
    size = np.ones(layer.shape)
    for operator in operators:
        size += apply64(operator.map_weights(np.abs), np.ones((1, *operator.in_shape)))
    grid = _GRID * 2.0 ** np.ceil(np.log2(size.max()))
    found = []
    for term, operator in zip(layer.inputs[0].terms, operators, strict=True):
        delay = plan.schedule.delay(term.source, layer.name)
        pre = _population_of(plan, term.source)
        found.append(Projection(pre, plan.names[layer.name], on_grid(operator, grid), "syn", delay))
    plan.projections += found
    return grid, found


def _add_pool(plan: FirstSpikeExactPlan, layer: Layer) -> None:
    """Add neurons that fire with the first or with the last of their sources (Eq 2.32)."""
    pool = pool_of(layer)
    sources = np.zeros(layer.shape)
    for _, source, operator in cells_of(layer):
        sources += apply64(operator, np.ones((1, *operator.in_shape)))
        delay = plan.schedule.delay(source, layer.name)
        pre = _population_of(plan, source)
        plan.projections.append(Projection(pre, plan.names[layer.name], operator, "syn", delay))
    last = pool.minima if isinstance(pool, MaxMinPool) else (False,)
    v_th = np.where(np.asarray(last), sources - 0.5, 0.5)
    _append(plan, layer, FirstSpikePool(v_th=_compact(v_th, layer)))


def _append(plan: FirstSpikeExactPlan, layer: Layer, neuron: Neuron) -> None:
    carried, window = plan.carried.get(layer.name), plan.schedule.windows[layer.name]
    scale = plan.scaling.scale[layer.name]
    plan.populations.append(
        Population(
            plan.names[layer.name],
            layer.shape,
            neuron.model,
            neuron.parameters,
            layer="" if carried is None else carried.layer,
            scale=scale if carried is None else scale * carried.factor,
            offset=np.zeros(()) if carried is None else carried.offset,
            start_step=window.open - 1,
            spike_values=_values(plan.schedule, window),
        )
    )


def _values(schedule: Schedule, window: Window) -> Floats:
    """Return the value of a spike in each step of a window, which is 0 in the last step."""
    steps = np.arange(window.close - window.open, -1, -1)
    return np.asarray(steps * schedule.dt / schedule.unit, np.float64)


def _add_readout(plan: FirstSpikeExactPlan, layer: Layer, output: str) -> None:
    """Add outputs, which only sum their input; the bias is a current (Eqs 2.34, 2.35)."""
    schedule, window = plan.schedule, plan.schedule.windows[layer.name]
    for term in layer.inputs[0].terms:
        operator = scaled(term.operator, pre=plan.scaling.scale[term.source])
        delay = schedule.delay(term.source, layer.name)
        pre = _population_of(plan, term.source)
        plan.projections.append(Projection(pre, plan.names[layer.name], operator, "syn", delay))
    bias = plan.scaling.bias(layer.inputs[0])
    length = (window.open - window.start) * schedule.dt
    neuron = FirstSpikeIntegrator(
        i_offset=_compact(bias * schedule.unit / length, layer),
        t_start=window.start * schedule.dt,
        t_close=window.close * schedule.dt,
    )
    (name,) = identifiers([output])
    plan.populations.append(
        Population(
            plan.names[layer.name],
            layer.shape,
            neuron.model,
            neuron.parameters,
            scale=np.asarray(1.0 / schedule.unit),
        )
    )
    plan.readouts.append(Readout(name, plan.names[layer.name], "level", layer.function))


def _compact(values: Floats, layer: Layer) -> Value:
    """Return a single number if all values are the same, otherwise the array."""
    constant = compact(values, layer.shape)
    return float(constant.ravel()[0]) if constant.size == 1 else constant


def _record(plan: FirstSpikeExactPlan, request: Request) -> dict[str, str | int | float | bool]:
    """Return all settings of the network as plain values."""
    schedule, code = plan.schedule, plan.code
    options = {name: value for name, value in asdict(code).items() if name != "input_range"}
    used = code.input_range or (float("nan"), float("nan"))
    lengths = [schedule.windows[layer.name] for layer in plan.rewritten.layers]
    steps = [window.close - window.open for window in lengths]
    return {
        "code": code.name,
        **options,
        **({"input_low": used[0], "input_high": used[1]} if code.input_range else {}),
        "time_unit": schedule.unit,
        "latency": schedule.n_steps * schedule.dt,
        "latency_steps": schedule.n_steps,
        "latency_units": schedule.n_steps * schedule.dt / schedule.unit,
        "shortest_window": min(steps, default=0),
        "longest_window": max(steps, default=0),
        "calibration_samples": request.n_samples,
        "seed": request.seed,
    }
