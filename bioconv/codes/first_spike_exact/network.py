"""The network of the exact first-spike code (stanojevic Algorithm 2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from math import inf

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import MaxPool, ReLU
from bioconv.analog.graph import GraphInput, Layer, Term
from bioconv.codes.code import Request
from bioconv.codes.common.affine import apply64
from bioconv.codes.common.assembly import Parts, add_all, prepared
from bioconv.codes.common.expectation import Level, expect
from bioconv.codes.common.layout import asked_steps
from bioconv.codes.common.max_windows import cells_of, pool_of
from bioconv.codes.common.membrane import off_grid, rounded
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.pooling import MaxMinPool
from bioconv.codes.common.rewritten import Carried, Rewritten
from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.decaying import Decay
from bioconv.codes.first_spike_exact.layers import (
    GRID,
    SlopeSource,
    as_value,
    connect,
    integrator,
    rectifier,
    spike_values,
)
from bioconv.codes.first_spike_exact.neurons import FirstSpikeEncoder, FirstSpikePool
from bioconv.codes.first_spike_exact.scaling import Scaling, measure
from bioconv.codes.first_spike_exact.schedule import Schedule, plan
from bioconv.network import (
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
)
from bioconv.neurons import Neuron
from bioconv.operators import identity, scaled

Floats = NDArray[np.float64]


@dataclass
class FirstSpikeExactPlan(Parts):
    """State of the construction: decisions made beforehand, and the parts built so far."""

    code: FirstSpikeExactCode
    rewritten: Rewritten
    scaling: Scaling
    schedule: Schedule
    decay: Decay | None
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
        code,
        rewritten,
        scaling,
        schedule,
        Decay.of(code, schedule, _layers_with_windows(rewritten)),
        _names(rewritten),
        rewritten.carried(graph),
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


def _layers_with_windows(rewritten: Rewritten) -> list[str]:
    return [entry.name for entry in rewritten.layers if not isinstance(entry.function, MaxPool)]


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
    grid = dt * GRID
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
            spike_values=spike_values(schedule, window),
        )
    )
    return Input(plan.names[entry.name], entry.shape)


def _add_rectifier(plan: FirstSpikeExactPlan, layer: Layer) -> None:
    """Add neurons whose first spike represents a ReLU (thesis 2.4.2 (ii)-(v))."""
    scale, gain, name = plan.scaling.scale[layer.name], _gain(plan, layer), plan.names[layer.name]
    sources = [_source(plan, layer, term, gain / scale) for term in layer.inputs[0].terms]
    grid, synapses = connect(name, layer.shape, sources)
    plan.projections += synapses
    function = layer.function
    neuron = rectifier(
        plan.code,
        plan.schedule,
        plan.schedule.windows[layer.name],
        shape=layer.shape,
        synapses=synapses,
        grid=grid,
        slope=gain,
        bias=plan.scaling.bias(layer.inputs[0]) / scale,
        limit=function.max_value / scale if isinstance(function, ReLU) else inf,
        decay=plan.decay,
    )
    _append(plan, layer, neuron)


def _source(
    plan: FirstSpikeExactPlan, layer: Layer, term: Term, post: Floats | None
) -> SlopeSource:
    operator = scaled(term.operator, pre=plan.scaling.scale[term.source], post=post)
    delay = plan.schedule.delay(term.source, layer.name)
    return SlopeSource(_population_of(plan, term.source), operator, delay)


def _gain(plan: FirstSpikeExactPlan, layer: Layer) -> Floats:
    """Return the slope of the potential within the window, J / w of Eqs 2.3 and 2.6."""
    sums = plan.scaling.sums[layer.name]
    return np.ones(sums.shape) if plan.code.slope == "identical" else 1.0 / (1.0 - sums)


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
    _append(plan, layer, FirstSpikePool(v_th=as_value(v_th, layer.shape)))


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
            spike_values=spike_values(plan.schedule, window),
        )
    )


def _add_readout(plan: FirstSpikeExactPlan, layer: Layer, output: str) -> None:
    """Add outputs, which only sum their input."""
    schedule, population = plan.schedule, plan.names[layer.name]
    for term in layer.inputs[0].terms:
        source = _source(plan, layer, term, None)
        plan.projections.append(
            Projection(source.population, population, source.operator, "syn", source.delay)
        )
    bias, window = plan.scaling.bias(layer.inputs[0]), schedule.windows[layer.name]
    neuron = integrator(schedule, window, shape=layer.shape, bias=bias, decay=plan.decay)
    (name,) = identifiers([output])
    plan.populations.append(
        Population(
            population,
            layer.shape,
            neuron.model,
            neuron.parameters,
            scale=np.asarray(1.0 / schedule.unit),
        )
    )
    plan.readouts.append(Readout(name, population, "level", layer.function))


def _levels(plan: FirstSpikeExactPlan) -> dict[str, Level]:
    """Return the values that spikes on the time grid represent, for `expect`."""
    scaling, windows = plan.scaling, plan.schedule.windows
    per_unit = plan.schedule.unit / plan.schedule.dt
    levels: dict[str, Level] = {}
    for name in (
        *(entry.name for entry in plan.rewritten.inputs),
        *(e.name for e in plan.rewritten.layers if not isinstance(e.function, MaxPool)),
    ):
        longest = windows[name].close - windows[name].open
        low = scaling.low.get(name, 0.0)
        levels[name] = partial(_said, scaling.scale[name] / per_unit, low, longest)
    return levels


def _said(step: Floats, low: float, longest: int, x: NDArray) -> NDArray:
    """Round to the value of the nearest step of a window."""
    return low + step * np.clip(np.round((x - low) / step), 0, longest)


def _expected(plan: FirstSpikeExactPlan, request: Request) -> dict[str, str | float]:
    """Return what to expect, unless neurons may fire early, or responses are not linear."""
    if plan.code.threshold != "held" or plan.code.response != "linear":
        return {}
    return expect(
        plan.rewritten, _levels(plan), request.calibration, decisions=request.decided()
    ).record()


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
        **_expected(plan, request),
        "seed": request.seed,
    }
