"""Build the spiking network of the sigma-delta code.

Potentials are in levels: 1 mV is the threshold of the layer.  A population has the shape
(2, *layer shape): its ON cells, then its OFF cells, which all get the same input.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import floor, lcm, prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import FICurve, MaxPool, ReLU
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.codes import layout
from bioconv.codes.affine import apply64, same, substitute
from bioconv.codes.calibration import LowestValues, input_scales
from bioconv.codes.membrane import NEVER, denominator, rounded
from bioconv.codes.names import identifiers
from bioconv.codes.rewriting import rewrite
from bioconv.codes.rewritten import Carried, Rewritten
from bioconv.codes.sigma_delta_levels import Levels, levels_of
from bioconv.errors import ConversionError, ParameterError, Problem
from bioconv.network import (
    Change,
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    Shape,
    SpikingNetwork,
    Value,
)
from bioconv.neurons import Neuron
from bioconv.neurons.sigma_delta import (
    IntensityToDelay,
    SigmaDelta,
    SigmaDeltaMaxGate,
    SigmaDeltaOutput,
)
from bioconv.operators import (
    Broadcast,
    Operator,
    Polarity,
    WindowCell,
    compact,
    compose,
    identity,
    is_identity,
    n_synapses,
    scaled,
)
from bioconv.timing import whole_steps

if TYPE_CHECKING:
    from bioconv.codes.sigma_delta import SigmaDeltaCode

Floats = NDArray[np.float64]

#: potentials are whole multiples of 2^-34 mV: sums are exact in float64, whatever their order
_GRID = 2.0**-34


def build(
    code: SigmaDeltaCode,
    graph: AnalogGraph,
    calibration: dict[str, NDArray],
    neuron: Neuron,
    *,
    dt: float | None,
    n_steps: int | None,
    duration: float | None,
) -> SpikingNetwork:
    """The spiking network of ``graph``; see `bioconv.convert`.

    Raises
    ------
    ConversionError
        With every layer that signed spikes cannot carry, or a neuron that is not the code's own.
    ParameterError
        The duration is too short.
    """
    layout.check_neuron("sigma-delta", neuron)
    rewritten = rewrite(graph, LowestValues(graph, calibration), "sigma-delta")
    _check(rewritten)
    step = 1.0 if dt is None else dt
    encoders = {} if code.input == "current" else _encoders(calibration)
    names = layout.names(rewritten)
    currents = set() if encoders else {entry.name for entry in rewritten.inputs}
    depths = layout.depths(rewritten, currents)
    last = floor((1 - code.input_threshold) * code.input_steps) if encoders else 0
    least = last + max(depths.values()) + 2
    steps = _duration(least, code.settle, n_steps, duration, step)
    plan = _Plan(
        code,
        rewritten.layers,
        step,
        steps,
        last,
        names,
        levels_of(code, rewritten, calibration),
        depths,
        rewritten.carried(graph),
        encoders,
    )
    inputs = [Input(names[entry.name], entry.shape) for entry in rewritten.inputs]
    for entry in rewritten.inputs:
        if encoders:
            _add_encoder(plan, entry.name, entry.shape)
    pooled = _pooled_inside(rewritten) if code.pooling == "inside" and encoders else {}
    for layer in rewritten.layers:
        if layer.name in pooled:
            _add_pooling(plan, layer, pooled[layer.name])
        elif layer.name in {source.name for source in pooled.values()}:
            continue
        elif isinstance(layer.function, MaxPool):
            _add_gates(plan, layer)
        else:
            _add_neurons(plan, layer)
    for layer, name in zip(rewritten.readouts, graph.outputs, strict=True):
        _add_readout(plan, layer, name)
    return SpikingNetwork(
        name=identifiers([graph.name])[0],
        dt=step,
        n_steps=steps,
        inputs=tuple(inputs),
        populations=tuple(plan.populations),
        projections=tuple(plan.projections),
        drives=tuple(plan.drives),
        changes=tuple(plan.changes),
        readouts=tuple(plan.readouts),
        analog=graph,
        code={
            **layout.describe_options(code),
            "latency_steps": least,
            "latency": least * step,
            "effective_input_threshold": 1 - last / code.input_steps if encoders else 0.0,
            "smallest_level": float(min(np.min(level) for level in plan.levels.of.values())),
            "largest_level": float(max(np.max(level) for level in plan.levels.of.values())),
            "calibration_samples": len(next(iter(calibration.values()))),
        },
    )


@dataclass(frozen=True)
class _Encoder:
    """The pixels of an input: their largest magnitude, and whether some are negative."""

    largest: float
    signed: bool

    def shape(self, shape: Shape) -> Shape:
        """Of the population of encoder neurons."""
        return (2, *shape) if self.signed else shape


@dataclass
class _Plan:
    """What is known before the first population is built, and what has been built so far.

    ``last`` is the number of steps of the ramp after the first one.
    """

    code: SigmaDeltaCode
    layers: Sequence[Layer]
    dt: float
    n_steps: int
    last: int
    names: Mapping[str, str]
    levels: Levels
    depths: Mapping[str, int]
    carried: Mapping[str, Carried]
    encoders: Mapping[str, _Encoder]
    populations: list[Population] = field(default_factory=list)
    projections: list[Projection] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    readouts: list[Readout] = field(default_factory=list)

    @property
    def averages(self) -> dict[str, Affine]:
        """What stands for each layer: what its spikes say, and what they do not say on average."""
        shapes = {layer.name: layer.shape for layer in self.layers}
        return {
            name: replace(same(name, shapes[name]), bias=_full(offset, shapes[name]))
            for name, offset in self.levels.offset.items()
            if np.any(offset)
        }

    @property
    def times(self) -> dict[str, Value]:
        """When timed spikes are weighed: two steps after they left, in the middle of theirs."""
        return {"t_ramp": self.code.input_steps * self.dt, "t_first": 2.5 * self.dt}


def _check(rewritten: Rewritten) -> None:
    reason = "it is the measured curve of a neuron under the rate code."
    problems = [
        Problem(layer.name, "FICurve", reason, "Convert it with the rate code.")
        for layer in rewritten.layers
        if isinstance(layer.function, FICurve)
    ]
    if problems:
        raise ConversionError(
            f"The sigma-delta code cannot carry {len(problems)} layer(s) of {rewritten.name!r}:",
            problems,
        )


def _encoders(calibration: Mapping[str, NDArray]) -> dict[str, _Encoder]:
    return {name: _Encoder(*input_scales(x)) for name, x in calibration.items()}


def _duration(
    least: int, settle: int, n_steps: int | None, duration: float | None, dt: float
) -> int:
    if n_steps is None:
        n_steps = least + settle if duration is None else whole_steps(duration, dt)
    if n_steps < least:
        raise ParameterError(
            f"n_steps = {n_steps} is too short: the last pixel reaches the output after {least} "
            "steps. Use more steps, or fewer input_steps."
        )
    return n_steps


def _add_encoder(plan: _Plan, key: str, shape: Shape) -> None:
    """Neurons that spike once, the earlier the brighter."""
    encoder, name, code = plan.encoders[key], f"{plan.names[key]}_delay", plan.code
    full = encoder.shape(shape)
    operator: Operator = identity(shape)
    factor: Floats | float = 1.0 / (encoder.largest * plan.dt)
    if encoder.signed:
        operator = Broadcast(shape, full)
        factor = factor * _polarity(shape)
    slope = 1.0 / (code.input_steps * plan.dt)
    plan.populations.append(
        # half a multiple off the grid, so that no potential meets the threshold
        Population(name, full, IntensityToDelay().model, {"slope": slope}, {"v": _GRID / 2})
    )
    plan.drives.append(Drive(plan.names[key], name, scaled(operator, post=factor), _GRID / plan.dt))
    plan.changes += [
        Change(1, name, "gate", 0.0),
        Change(plan.last + 1, name, "slope", 0.0),
    ]


def _add_neurons(plan: _Plan, layer: Layer) -> None:
    """ON and OFF cells of a rectification."""
    function = layer.function
    assert isinstance(function, ReLU)
    name, unit = plan.names[layer.name], plan.levels.of[layer.name]
    parameters, margin = _connect(plan, layer, double=True)
    limit = np.minimum(function.max_value / unit, NEVER)
    plan.populations.append(
        Population(
            name,
            (2, *layer.shape),
            SigmaDelta().model,
            {
                **parameters,
                **plan.times,
                "polarity": _polarity(layer.shape),
                "v_th": 1.0 - margin,
                "v_max": _value(limit),
            },
            {"v": 0.5 if plan.code.initial == "half" else 0.0},
            **_decoded(plan, layer),
        )
    )


def _pooled_inside(rewritten: Rewritten) -> dict[str, Layer]:
    """Maxima over rectifications that nothing else uses, by name, and these rectifications.

    Only what is communicated need be quantised: a neuron can pool the potentials themselves.
    """
    by_name = {layer.name: layer for layer in rewritten.layers}
    users = Counter(
        source
        for layer in (*rewritten.layers, *rewritten.readouts)
        for source in {term.source for term in layer.inputs[0].terms}
    )
    found = {}
    for layer in rewritten.layers:
        terms = layer.inputs[0].terms
        source = by_name.get(terms[0].source) if len(terms) == 1 else None
        if (
            isinstance(layer.function, MaxPool)
            and source is not None
            and isinstance(source.function, ReLU)
            and is_identity(terms[0].operator)
            and users[source.name] == 1
        ):
            found[layer.name] = source
    return found


def _add_pooling(plan: _Plan, layer: Layer, source: Layer) -> None:
    """ON and OFF cells that take the maximum of the potentials of a window, and rectify it."""
    pool, function, name = layer.function, source.function, plan.names[layer.name]
    assert isinstance(pool, MaxPool) and isinstance(function, ReLU)
    unit = plan.levels.of[source.name]
    affine = substitute(source.inputs[0], plan.averages)
    bias = rounded(np.asarray(affine.bias, np.float64) / unit, _GRID)
    full = np.ascontiguousarray(np.broadcast_to(bias, source.shape))[None]
    cells, operators, initial = range(prod(pool.size)), [], {}
    for cell in cells:
        window = WindowCell(source.shape, pool.size, pool.strides, pool.padding, cell)
        start = apply64(window, full) + (0.5 if plan.code.initial == "half" else 0.0)
        initial[f"v{cell}"] = _value(compact(start, layer.shape))
        after = compose(window, Broadcast(layer.shape, (2, *layer.shape)))
        for term in affine.terms:
            pre, operator, receptor, grid = _synapses(plan, term)
            operator = scaled(operator, post=1 / unit).map_weights(partial(rounded, grid=grid))
            operators.append(operator)
            operator = compose(operator, after)
            if n_synapses(operator):  # a cell that is all padding has none
                delay = plan.depths[layer.name] - plan.depths[term.source]
                plan.projections.append(Projection(pre, name, operator, f"{receptor}{cell}", delay))
    parameters: dict[str, Value] = {
        **plan.times,
        "polarity": _polarity(layer.shape),
        "v_th": 1.0 - _GRID / (2 * lcm(*map(denominator, operators))),
        "v_max": _value(np.minimum(function.max_value / unit, NEVER)),
    }
    model = SigmaDelta(len(cells)).model
    plan.populations.append(
        Population(name, (2, *layer.shape), model, parameters, initial, **_decoded(plan, layer))
    )


def _add_gates(plan: _Plan, layer: Layer) -> None:
    """ON and OFF cells of a maximum."""
    (affine,), pool, name = layer.inputs, layer.function, plan.names[layer.name]
    assert isinstance(pool, MaxPool)
    cells = range(prod(pool.size))
    for cell in cells:
        window = WindowCell(affine.shape, pool.size, pool.strides, pool.padding, cell)
        for term in affine.terms:
            operator = compose(
                Polarity((2, *term.operator.in_shape)),
                term.operator,
                window,
                Broadcast(layer.shape, (2, *layer.shape)),
            )
            if n_synapses(operator):  # a cell that is all padding has none
                delay = plan.depths[layer.name] - plan.depths[term.source]
                pre = plan.names[term.source]
                plan.projections.append(Projection(pre, name, operator, f"p{cell}", delay))
    plan.populations.append(
        Population(
            name,
            (2, *layer.shape),
            SigmaDeltaMaxGate(len(cells)).model,
            {"polarity": _polarity(layer.shape)},
            **_decoded(plan, layer),
        )
    )


def _add_readout(plan: _Plan, layer: Layer, output: str) -> None:
    """Neurons that add up signed spikes."""
    name = plan.names[layer.name]
    parameters, _ = _connect(plan, layer, double=False)
    start = plan.depths[layer.name]
    plan.populations.append(
        Population(
            name,
            layer.shape,
            SigmaDeltaOutput().model,
            parameters | plan.times,
            scale=plan.levels.of[layer.name],
            start_step=start,
        )
    )
    (readout,) = identifiers([output])
    plan.readouts.append(Readout(readout, name, "level", layer.function))


def _decoded(plan: _Plan, layer: Layer) -> dict[str, Any]:
    """What the spikes of a layer say: ON spikes count up, OFF spikes down."""
    carried = plan.carried.get(layer.name, Carried("", np.ones(()), np.zeros(())))
    on = np.array([1.0, 0.0]).reshape(2, *(1,) * len(layer.shape))
    share = min(plan.code.threshold, 1.0)  # of the scale of the layer, about
    return {
        "layer": carried.layer,
        "scale": _polarity(layer.shape) * plan.levels.worth[layer.name] * carried.factor / share,
        "offset": on * (carried.offset + plan.levels.offset[layer.name] * carried.factor),
        "spike_values": np.full(plan.n_steps, share),
    }


def _connect(plan: _Plan, layer: Layer, *, double: bool) -> tuple[dict[str, Value], float]:
    """Projections, drives and bias of a layer.

    Returns
    -------
    parameters : dict of str to float or ndarray
    margin : float
        How far, in mV, the threshold must lie below the level: half a multiple of the grid.
    """
    name, unit = plan.names[layer.name], plan.levels.of[layer.name]
    affine = substitute(layer.inputs[0], plan.averages)
    after: Operator = identity(layer.shape)
    if double:
        after = Broadcast(layer.shape, (2, *layer.shape))
    operators = []
    for term in affine.terms:
        if term.source in plan.names and term.source not in plan.levels.of and not plan.encoders:
            operator = compose(scaled(term.operator, post=1 / (unit * plan.dt)), after)
            plan.drives.append(Drive(plan.names[term.source], name, operator, _GRID / plan.dt))
            continue
        pre, operator, receptor, grid = _synapses(plan, term)
        operator = scaled(operator, post=1 / unit)
        operator = operator.map_weights(partial(rounded, grid=grid))
        operators.append(operator)
        delay = plan.depths[layer.name] - plan.depths[term.source]
        plan.projections.append(Projection(pre, name, compose(operator, after), receptor, delay))
    plan.changes.append(Change(1, name, "gate", 0.0))
    current = rounded(np.asarray(affine.bias, np.float64) / unit, _GRID) / plan.dt
    margin = _GRID / (2 * lcm(*map(denominator, operators)))
    return {"i_offset": _value(compact(current, affine.shape))}, margin


def _synapses(plan: _Plan, term: Term) -> tuple[str, Operator, str, float]:
    """Sending population, operator in activation a spike, receptor, and grid of its weights."""
    if term.source in plan.levels.of:
        polarity = Polarity((2, *term.operator.in_shape))
        weighed = scaled(term.operator, pre=plan.levels.worth[term.source])
        return plan.names[term.source], compose(polarity, weighed), "syn", _GRID
    encoder = plan.encoders[term.source]
    operator = scaled(term.operator, pre=np.full((), encoder.largest))
    if encoder.signed:
        operator = compose(Polarity(encoder.shape(term.operator.in_shape)), operator)
    name = f"{plan.names[term.source]}_delay"
    if plan.code.input == "binary":
        return name, operator, "syn", _GRID
    return name, operator, "timed", _GRID * 2 * plan.code.input_steps


def _polarity(shape: Shape) -> Floats:
    """1 for the ON cells, -1 for the OFF cells."""
    return np.array([1.0, -1.0]).reshape(2, *(1,) * len(shape))


def _full(values: Floats, shape: Shape) -> Floats:
    """With as many axes as ``shape``."""
    return np.reshape(values, (1,) * (len(shape) - np.ndim(values)) + np.shape(values))


def _value(values: Floats) -> Value:
    """One number where all are alike."""
    return float(values.ravel()[0]) if values.size == 1 else values
