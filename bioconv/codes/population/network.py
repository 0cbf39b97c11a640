"""Build the spiking network of the population code.

A population has the shape (*layer, n).  All neurons of a unit receive the same input, and their
spikes have the same weight: the operator of the layer is preceded by one that sums the neurons of
each unit, and followed by one that copies values to the neurons of each unit.  Delays are chosen
such that all input of a layer arrives in the step in which the layer fires.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import lcm

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Elementwise, MaxPool, ReLU, ThresholdCount
from bioconv.analog.graph import Layer
from bioconv.codes.code import Request
from bioconv.codes.common import layout
from bioconv.codes.common.affine import apply64
from bioconv.codes.common.assembly import Parts, add_all, prepared
from bioconv.codes.common.calibration import measure, pooled_scale
from bioconv.codes.common.expectation import Level, expect
from bioconv.codes.common.max_windows import cells_of
from bioconv.codes.common.membrane import denominator, on_grid, rounded
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.rewritten import Carried, Rewritten
from bioconv.codes.population.code import PopulationCode
from bioconv.codes.population.copies import gather, lifted, spread
from bioconv.codes.population.neurons import Threshold, ThresholdGate, ThresholdOutput
from bioconv.codes.population.options import Placement
from bioconv.codes.population.placement import GRID, is_bounded, population_of
from bioconv.ground.errors import ConversionError, Problem
from bioconv.network import (
    Change,
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
    Value,
)
from bioconv.operators import Operator, compact, compose, scaled

Floats = NDArray[np.float64]

#: function of a ReLU population, from zero to its largest activation
_EVEN = ReLU(max_value=1.0)


def build(code: PopulationCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a graph; see `bioconv.convert`.

    Parameters
    ----------
    code : PopulationCode
    request : Request

    Raises
    ------
    ConversionError
        If the code does not support some layers (the message lists all of them) or the neuron.
    ParameterError
        If the duration is too short.
    """
    graph, calibration = request.graph, request.calibration
    rewritten = prepared(request, "population", _carries)
    scales = measure(
        rewritten,
        calibration,
        percentile=code.percentile,
        normalization=code.normalization,
        over=code.over,
    )
    currents = {entry.name for entry in rewritten.inputs}
    starts = layout.depths(rewritten, currents)
    plan = PopulationPlan(
        dt=request.dt or 1.0,
        names=layout.names(rewritten),
        starts=starts,
        units=_units(rewritten, scales.of),
        carried=rewritten.carried(graph),
        inputs={entry.name: entry.shape for entry in rewritten.inputs},
        counts=_counts(code, graph, rewritten, request.seed),
    )
    expected = expect(rewritten, _levels(plan, rewritten), calibration, decisions=request.decided())
    add_all(
        plan, rewritten, graph.outputs, layer=_add_neurons, gates=_add_neurons, readout=_add_readout
    )
    latency = max(starts[layer.name] for layer in rewritten.readouts) + 1
    return plan.network(
        graph,
        (Input(plan.names[name], shape) for name, shape in plan.inputs.items()),
        dt=plan.dt,
        n_steps=layout.steps_of(request, plan.dt, latency, advice="Use more steps."),
        record={
            **layout.describe_options(code),
            "seed": request.seed,
            "latency_steps": latency,
            "latency": latency * plan.dt,
            "functions": ", ".join(sorted({type(e.function).__name__ for e in rewritten.layers})),
            "calibration_samples": request.n_samples,
            **expected.record(),
        },
    )


@dataclass
class PopulationPlan(Parts):
    """State of the construction: decisions made beforehand, and the parts built so far.

    For each layer, ``units`` holds the activation that 1 mV represents, ``starts`` the step in
    which the layer fires, and ``counts`` its population of thresholds.
    """

    dt: float
    names: Mapping[str, str]
    starts: Mapping[str, int]
    units: Mapping[str, Floats]
    carried: Mapping[str, Carried]
    inputs: Mapping[str, tuple[int, ...]]
    counts: Mapping[str, ThresholdCount]


@dataclass(frozen=True)
class _Kind:
    """The excitatory or the inhibitory neurons of a layer.

    The fields are the ``sign`` of their input, their ``thresholds``, and the ``worth`` of one
    spike in units.
    """

    name: str
    sign: float
    thresholds: Floats
    worth: float


def _carries(function: object) -> bool:
    return isinstance(function, Elementwise) and function.pointwise and is_bounded(function)


def _units(rewritten: Rewritten, measured: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the largest activation of a ReLU, and 1 for functions with a range of their own."""
    units: dict[str, Floats] = {}
    for layer in rewritten.layers:
        match layer.function:
            case MaxPool():
                units[layer.name] = pooled_scale(layer, units)
            case ReLU():
                units[layer.name] = np.asarray(measured[layer.name], np.float64)
            case _:
                units[layer.name] = np.ones(())
    return units | {layer.name: np.ones(()) for layer in rewritten.readouts}


def _counts(
    code: PopulationCode, graph: AnalogGraph, rewritten: Rewritten, seed: int
) -> dict[str, ThresholdCount]:
    """Return the population of every layer; a maximum has that of its sources.

    Random thresholds depend on the seed and on the place of the layer in the graph, as those of
    `bioconv.recurrent.populate` do.
    """
    places = {layer.name: place for place, layer in enumerate(graph.layers)}
    found: dict[str, ThresholdCount] = {}
    even = Placement(code.n, code.placement)
    problems = []
    for position, layer in enumerate(rewritten.layers):
        place = places.get(layer.name, len(places) + position)
        function, rng = layer.function, np.random.default_rng([seed, place, 0])
        if isinstance(function, MaxPool):
            sources = [found[term.source] for term in layer.inputs[0].terms]
            found[layer.name] = sources[0]
            if len({_worth(source) for source in sources}) > 1:
                reason = "it pools layers with different ranges, whose spikes differ in value."
                problems.append(
                    Problem(layer.name, "MaxPool", reason, "Pool these layers separately.")
                )
        elif isinstance(function, ReLU):
            found[layer.name] = population_of(_EVEN, even, layer.shape, rng)
        elif isinstance(function, Elementwise):
            found[layer.name] = population_of(function, code.thresholds, layer.shape, rng)
    if problems:
        raise ConversionError(f"The population code cannot represent {rewritten.name!r}:", problems)
    return found


def _levels(plan: PopulationPlan, rewritten: Rewritten) -> dict[str, Level]:
    """Return the values that the spikes of each layer represent, for `expect`."""
    return {
        layer.name: partial(_said, plan.counts[layer.name], plan.units[layer.name])
        for layer in rewritten.layers
        if not isinstance(layer.function, MaxPool)
    }


def _said(count: ThresholdCount, unit: Floats, x: NDArray) -> NDArray:
    return unit * np.asarray(count.value(x / unit))


def _worth(count: ThresholdCount) -> tuple[float, float]:
    return count.excitation, count.inhibition


def _kinds(plan: PopulationPlan, layer: str) -> Iterator[_Kind]:
    """Yield the excitatory and, if there are any, the inhibitory neurons of a layer."""
    count, name = plan.counts[layer], plan.names[layer]
    yield _Kind(name, 1.0, count.excitatory, count.excitation / count.n)
    if count.inhibitory is not None:
        worth = count.inhibition / count.inhibitory.shape[-1]
        yield _Kind(f"{name}_inhibitory", -1.0, count.inhibitory, worth)


def _add_neurons(plan: PopulationPlan, layer: Layer) -> None:
    """Add the populations of a layer, with the step in which they fire."""
    start, count = plan.starts[layer.name], plan.counts[layer.name]
    carried = plan.carried.get(layer.name, Carried("", np.ones(()), np.zeros(())))
    unit = plan.units[layer.name] * carried.factor
    for kind in _kinds(plan, layer.name):
        if isinstance(layer.function, MaxPool):
            model = ThresholdGate().model
            parameters, initial = _gates(plan, layer, kind)
        else:
            model = Threshold().model
            parameters, initial = _connect(plan, layer, kind.name, kind.sign, count.n)
            parameters["v_th"] = kind.thresholds + GRID / 2
        constant = carried.offset if kind.sign > 0 else np.zeros(())
        plan.populations.append(
            Population(
                kind.name,
                (*layer.shape, count.n),
                model,
                {**parameters, "window": float(start == 0)},
                initial,
                carried.layer,
                scale=_to_each(unit * kind.worth, layer),
                offset=_to_each(constant / count.n, layer),
                start_step=start,
                spike_values=np.ones(1),
            )
        )
        opened = [] if start == 0 else [Change(start, kind.name, "window", 1.0)]
        plan.changes += [*opened, Change(start + 1, kind.name, "window", 0.0)]


def _to_each(values: Floats, layer: Layer) -> Floats:
    """Reshape values of the units such that they broadcast to (*shape, n)."""
    values = np.asarray(values, np.float64)
    missing = (1,) * (len(layer.shape) - values.ndim)
    return values.reshape(*missing, *values.shape, 1)


def _add_readout(plan: PopulationPlan, layer: Layer, output: str) -> None:
    """Add output neurons, which sum their input."""
    name, start = plan.names[layer.name], plan.starts[layer.name]
    parameters, initial = _connect(plan, layer, name, 1.0, 0)
    model = ThresholdOutput().model
    plan.populations.append(
        Population(name, layer.shape, model, parameters, initial, start_step=start)
    )
    (readout,) = identifiers([output])
    plan.readouts.append(Readout(readout, name, "level", layer.function))


def _connect(
    plan: PopulationPlan, layer: Layer, name: str, sign: float, n: int
) -> tuple[dict[str, Value], dict[str, Value]]:
    """Add the projections and drives to a population of n neurons per unit (0: only the units).

    Returns
    -------
    parameters, initial : dict of str to float or ndarray
    """
    (affine,), start = layer.inputs, plan.starts[layer.name]
    to_units = sign / plan.units[layer.name]
    after = (spread(layer.shape, n),) if n else ()
    bias = np.asarray(affine.bias, np.float64) * to_units
    operators: list[Operator] = []
    for term in affine.terms:
        if term.source in plan.inputs:
            operator = scaled(term.operator, post=to_units / plan.dt)
            drive = Drive(plan.names[term.source], name, compose(operator, *after), GRID / plan.dt)
            plan.drives.append(drive)
            continue
        delay = start - plan.starts[term.source]
        for kind in _kinds(plan, term.source):
            worth = plan.units[term.source] * kind.worth
            operator = on_grid(scaled(term.operator, pre=worth, post=to_units), GRID)
            operators.append(operator)
            before = gather(term.operator.in_shape, plan.counts[term.source].n)
            whole = compose(before, operator, *after)
            plan.projections.append(Projection(kind.name, name, whole, "syn", delay))
    current = compact(rounded(bias, GRID) / plan.dt, layer.shape)
    shown = float(current.ravel()[0]) if current.size == 1 else _shown(current, n)
    plan.changes.append(Change(1, name, "gate", 0.0))
    # Half a multiple off the grid, so that no potential equals a threshold (see `membrane`).
    shift = GRID / (2 * lcm(*map(denominator, operators)))
    return {"i_offset": shown}, {"v": shift}


def _shown(current: Floats, n: int) -> Floats:
    return current[..., None] if n else current


def _gates(
    plan: PopulationPlan, layer: Layer, kind: _Kind
) -> tuple[dict[str, Value], dict[str, Value]]:
    """Add gates for a maximum over windows.

    The k-th excitatory gate fires if any of the k-th neurons of its window fires, the k-th
    inhibitory gate if all of them do.

    Returns
    -------
    parameters, initial : dict of str to float or ndarray
    """
    n, start = plan.counts[layer.name].n, plan.starts[layer.name]
    covered = np.zeros(layer.shape)
    for _, source, operator in cells_of(layer):
        covered += apply64(operator, np.ones((1, *operator.in_shape)))
        (sender,) = [k.name for k in _kinds(plan, source) if k.sign == kind.sign]
        delay = start - plan.starts[source]
        plan.projections.append(Projection(sender, kind.name, lifted(operator, n), "syn", delay))
    wanted = np.full((), 0.5) if kind.sign > 0 else covered[..., None] - 0.5
    return {"v_th": wanted, "i_offset": 0.0}, {}
