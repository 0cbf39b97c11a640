"""Build the spiking network of the sigma-delta code.

Potentials are in units of levels: 1 mV is the threshold of the layer.  A population has the shape
(2, *layer shape), with the ON cells first and then the OFF cells, which receive the same input.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, lcm

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.graph import Layer
from bioconv.codes.code import Request
from bioconv.codes.common import layout
from bioconv.codes.common.affine import substitute
from bioconv.codes.common.assembly import add_all, prepared
from bioconv.codes.common.calibration import input_scales
from bioconv.codes.common.max_windows import rectifier_of
from bioconv.codes.common.membrane import denominator, on_grid, rounded
from bioconv.codes.common.names import identifiers
from bioconv.codes.sigma_delta.code import SigmaDeltaCode
from bioconv.codes.sigma_delta.levels import levels_of
from bioconv.codes.sigma_delta.neurons import (
    IntensityToDelay,
    SigmaDelta,
    SigmaDeltaOutput,
)
from bioconv.codes.sigma_delta.plan import (
    GRID,
    PixelEncoder,
    SigmaDeltaPlan,
    decoded,
    one_value,
    polarity,
    synapses,
)
from bioconv.codes.sigma_delta.pooling import add_gates, add_pooling, pooled_inside
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
from bioconv.neurons.library.parts import NEVER
from bioconv.operators import (
    Broadcast,
    Operator,
    Polarity,
    compact,
    compose,
    identity,
    scaled,
)

Floats = NDArray[np.float64]


def build(code: SigmaDeltaCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a graph; see `bioconv.convert`.

    Parameters
    ----------
    code : SigmaDeltaCode
    request : Request

    Raises
    ------
    ConversionError
        If the code does not support some layers (the message lists all of them) or the neuron.
    ParameterError
        If the duration is too short.
    """
    graph, calibration, step = request.graph, request.calibration, request.dt or 1.0
    rewritten = prepared(request, "sigma-delta")
    encoders = {} if code.input == "current" else _encoders(calibration)
    names = layout.names(rewritten)
    currents = set() if encoders else {entry.name for entry in rewritten.inputs}
    pooled = pooled_inside(rewritten) if code.pooling == "inside" and encoders else {}
    merged = {source.name for source in pooled.values()}
    depths = layout.depths(rewritten, currents, merged)
    last = floor((1 - code.input_threshold) * code.input_steps) if encoders else 0
    counted = code.readout == "spikes"
    least = last + max(depths.values()) + 2 + counted
    steps = layout.steps_of(
        request, step, least, code.settle, "Use more steps, or fewer input_steps."
    )
    plan = SigmaDeltaPlan(
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

    def add_layer(plan: SigmaDeltaPlan, layer: Layer) -> None:
        if layer.name not in merged:
            _add_neurons(plan, layer, rectifier_of(layer).max_value)

    def add_maximum(plan: SigmaDeltaPlan, layer: Layer) -> None:
        if layer.name in pooled:
            add_pooling(plan, layer, pooled[layer.name])
        else:
            add_gates(plan, layer)

    add_all(
        plan,
        rewritten,
        graph.outputs,
        layer=add_layer,
        gates=add_maximum,
        readout=_add_counted if counted else _add_readout,
    )
    levels = [plan.levels.of[layer.name] for layer in rewritten.layers] or [np.ones(())]
    return plan.network(
        graph,
        inputs,
        dt=step,
        n_steps=steps,
        record={
            **layout.describe_options(code),
            "latency_steps": least,
            "latency": least * step,
            "effective_input_threshold": 1 - last / code.input_steps if encoders else 0.0,
            "smallest_level": float(min(np.min(level) for level in levels)),
            "largest_level": float(max(np.max(level) for level in levels)),
            "calibration_samples": request.n_samples,
        },
    )


def _encoders(calibration: Mapping[str, NDArray]) -> dict[str, PixelEncoder]:
    return {name: PixelEncoder(*input_scales(x)) for name, x in calibration.items()}


def _add_encoder(plan: SigmaDeltaPlan, key: str, shape: Shape) -> None:
    """Add input neurons that spike once, earlier for brighter pixels."""
    encoder, name, code = plan.encoders[key], f"{plan.names[key]}_delay", plan.code
    full = encoder.shape(shape)
    operator: Operator = identity(shape)
    factor: Floats | float = 1.0 / (encoder.largest * plan.dt)
    if encoder.signed:
        operator = Broadcast(shape, full)
        factor = factor * polarity(shape)
    slope = 1.0 / (code.input_steps * plan.dt)
    plan.populations.append(
        # half a multiple off the grid, so that no potential equals the threshold
        Population(name, full, IntensityToDelay().model, {"slope": slope}, {"v": GRID / 2})
    )
    plan.drives.append(Drive(plan.names[key], name, scaled(operator, post=factor), GRID / plan.dt))
    plan.changes += [
        Change(1, name, "gate", 0.0),
        Change(plan.last + 1, name, "slope", 0.0),
    ]


def _add_neurons(plan: SigmaDeltaPlan, layer: Layer, highest: float = np.inf) -> None:
    """Add the ON and OFF cells of a rectification with an upper limit."""
    name, unit = plan.names[layer.name], plan.levels.of[layer.name]
    parameters, margin = _connect(plan, layer, double=True)
    limit = np.minimum(highest / unit, NEVER)
    plan.populations.append(
        Population(
            name,
            (2, *layer.shape),
            SigmaDelta().model,
            {
                **parameters,
                **plan.times(layer),
                "polarity": polarity(layer.shape),
                "v_th": 1.0 - margin,
                "v_max": one_value(limit),
            },
            {"v": 0.5 if plan.code.initial == "half" else 0.0},
            **decoded(plan, layer),
        )
    )


def _add_readout(plan: SigmaDeltaPlan, layer: Layer, output: str) -> None:
    """Add neurons that sum signed spikes."""
    name = plan.names[layer.name]
    parameters, _ = _connect(plan, layer, double=False)
    start = plan.depths[layer.name]
    plan.populations.append(
        Population(
            name,
            layer.shape,
            SigmaDeltaOutput().model,
            parameters | plan.times(layer),
            scale=plan.levels.of[layer.name],
            start_step=start,
        )
    )
    (readout,) = identifiers([output])
    plan.readouts.append(Readout(readout, name, "level", layer.function))


def _add_counted(plan: SigmaDeltaPlan, layer: Layer, output: str) -> None:
    """Add an output population that spikes, and the neurons that count its spikes."""
    _add_neurons(plan, layer)
    _add_counters(plan, layer, output)


def _add_counters(plan: SigmaDeltaPlan, layer: Layer, output: str) -> None:
    """Add neurons that count the ON spikes minus the OFF spikes of output neurons."""
    pre = plan.names[layer.name]
    name = f"{pre}_count"
    plan.populations.append(
        Population(
            name,
            layer.shape,
            SigmaDeltaOutput().model,
            scale=plan.levels.of[layer.name],
            start_step=plan.depths[layer.name] + 1,
        )
    )
    plan.projections.append(Projection(pre, name, Polarity((2, *layer.shape)), "syn", 1))
    (readout,) = identifiers([output])
    plan.readouts.append(Readout(readout, name, "level", layer.function))


def _connect(plan: SigmaDeltaPlan, layer: Layer, *, double: bool) -> tuple[dict[str, Value], float]:
    """Add the projections and drives of a layer, and return its parameters.

    Returns
    -------
    parameters : dict of str to float or ndarray
    margin : float
        Distance in mV of the threshold below the level: half a multiple of the grid.
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
            plan.drives.append(Drive(plan.names[term.source], name, operator, GRID / plan.dt))
            continue
        pre, operator, receptor, grid = synapses(plan, term)
        operator = scaled(operator, post=1 / unit)
        operator = on_grid(operator, grid)
        operators.append(operator)
        delay = plan.depths[layer.name] - plan.depths[term.source]
        plan.projections.append(Projection(pre, name, compose(operator, after), receptor, delay))
    plan.changes.append(Change(1, name, "gate", 0.0))
    current = rounded(np.asarray(affine.bias, np.float64) / unit, GRID) / plan.dt
    margin = GRID / (2 * lcm(*map(denominator, operators)))
    return {"i_offset": one_value(compact(current, affine.shape))}, margin
