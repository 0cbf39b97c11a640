"""Rewrite an analog graph such that a firing rate can represent the activation of every layer.

The result contains only rectifications (`ReLU` with slope 0), maxima over windows of non-negative
values, and outputs.  A leaky rectification is split into its positive and its negative part.  A
linear output that feeds other layers is merged into their affine maps.  Functions of output
branches are moved after the joining layers (`bioconv.codes.common.outputs`).  Maxima of signed
values are handled in `bioconv.codes.common.pooling`.  For a code that supports analog stages,
layers that no neuron computes stay as they are (`bioconv.codes.common.stages`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Elementwise, Function, Linear, MaxPool, Multiply, ReLU
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.codes.common.affine import same, scale_affine, substitute
from bioconv.codes.common.max_windows import MOST_SOURCES, pool_stages
from bioconv.codes.common.outputs import different_branches, push_functions
from bioconv.codes.common.pooling import pool_after, rewrite_max_pool
from bioconv.codes.common.rectifiers import is_rectifier, rectifiers
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.common.stages import analog_layers
from bioconv.ground.errors import ConversionError, Problem
from bioconv.network.stages import STAGE_FUNCTIONS

Lowest = Callable[[Layer], NDArray[np.float64]]
Carries = Callable[[Function], bool]


def _nothing(function: Function) -> bool:
    return False


def rewrite(
    graph: AnalogGraph,
    lowest: Lowest,
    code: str = "rate",
    carries: Carries = _nothing,
    *,
    minima: bool = False,
    stages: bool = False,
) -> Rewritten:
    """Rewrite a graph for spiking layers with activations of one sign.

    Parameters
    ----------
    graph : AnalogGraph
    lowest : function of Layer to ndarray, shape (channels,)
        Smallest value of each channel in the input of a max pooling on the calibration data;
        called only where a maximum of signed values cannot be avoided.
    code : str
        Name of the code in messages.
    carries : function of Function to bool
        Whether the code supports a function of hidden layers other than rectifications and
        maxima; such functions are not changed.
    minima : bool
        Whether the code supports minima (`pooling.MaxMinPool`), which replace the maxima of
        activations with a negative factor.
    stages : bool
        Whether the code supports analog stages, in which layers that no neuron computes stay
        analog (`bioconv.codes.common.stages`).

    Returns
    -------
    Rewritten

    Raises
    ------
    ConversionError
        If some layers cannot spike; the message lists all of them with reasons.
    """
    graph = push_functions(graph)
    analog = analog_layers(graph) if stages else set()
    problems = [
        problem
        for layer in graph.layers
        if layer.name not in analog
        for problem in layer_problems(graph, layer, carries)
    ]
    if problems:
        raise ConversionError(
            f"The {code} code does not support {len(problems)} layer(s) of {graph.name!r}:",
            problems,
        )
    result = Rewritten(graph.name, graph.inputs, analog=analog)
    users = _users(graph)
    for layer in graph.layers:
        if layer.name in analog:
            inputs = tuple(substitute(affine, result.values) for affine in layer.inputs)
            result.add(replace(layer, inputs=inputs))
        elif isinstance(layer.function, MaxPool):
            rewrite_max_pool(graph, layer, users[layer.name], result, lowest, minima=minima)
        elif is_rectifier(layer.function) and (users[layer.name] or not _is_output(graph, layer)):
            _rewrite_rectifier(layer, result)
        elif carries(layer.function) and (users[layer.name] or not _is_output(graph, layer)):
            result.add(replace(layer, inputs=(substitute(layer.inputs[0], result.values),)))
        elif isinstance(layer.function, Linear):
            result.values[layer.name] = substitute(layer.inputs[0], result.values)
    by_name = {layer.name: layer for layer in graph.layers}
    for name in graph.outputs:
        _add_readout(by_name.get(name), name, graph, result)
    return result


def layer_problems(
    graph: AnalogGraph, layer: Layer, carries: Carries = _nothing
) -> Iterator[Problem]:
    """Yield the reason why spikes cannot represent a layer, if there is one."""
    function = layer.function
    kind = type(function).__name__
    if isinstance(function, ReLU) and function.threshold != 0 and not carries(function):
        reason = f"a rectification with threshold {function.threshold:g} is discontinuous."
        yield Problem(layer.name, kind, reason, "Retrain with threshold 0.")
    elif isinstance(function, MaxPool):
        if pool_stages(layer.inputs[0].shape, function) is None:
            reason = (
                f"a window of {function.size} has a row of more than {MOST_SOURCES} cells, which "
                "cannot be divided."
            )
            yield Problem(
                layer.name, kind, reason, "Use smaller windows, or equal size and stride."
            )
    elif isinstance(function, Linear) or is_rectifier(function) or carries(function):
        return
    elif isinstance(function, Multiply):
        reason = "spikes cannot represent a product of layers."
        yield Problem(layer.name, kind, reason, f"{_ADVICE_PRODUCT} {_ADVICE_STAGE}")
    elif len(layer.inputs) != 1:
        advice = f"{_ADVICE} {_ADVICE_STAGE}" if isinstance(function, STAGE_FUNCTIONS) else _ADVICE
        yield Problem(layer.name, kind, "it combines several layers nonlinearly.", advice)
    elif isinstance(function, Elementwise) and not function.pointwise and _is_hidden(graph, layer):
        reason = "each of its values depends on several elements, so no single neuron computes it."
        more = f" {_ADVICE_STAGE}" if isinstance(function, STAGE_FUNCTIONS) else ""
        yield Problem(layer.name, kind, reason, f"{_ADVICE_NORMALIZATION}{more}")
    elif not _is_output(graph, layer) and (joined := different_branches(graph, layer.name)):
        yield Problem(layer.name, kind, joined, "Give every branch an output of its own.")
    elif not _is_output(graph, layer):
        reason = "a hidden layer must be a ReLU, a leaky ReLU or a maximum."
        yield Problem(layer.name, kind, reason, _ADVICE)
    elif _users(graph)[layer.name]:
        reason = "it is an output, computed outside the spiking network, but feeds other layers."
        yield Problem(layer.name, kind, reason, _ADVICE)
    elif not isinstance(function, Elementwise):
        yield Problem(layer.name, kind, "it is not a function of one membrane potential.", _ADVICE)


_ADVICE = "Retrain with a ReLU in its place, or cut the model before it."
_ADVICE_PRODUCT = "Retrain without the product, or cut the model before it."
_ADVICE_STAGE = (
    "RateCode() leaves it analog, in a stage that computes from spikes; "
    'FewSpikesCode(analog="none") computes it by spikes.'
)
_ADVICE_NORMALIZATION = (
    "Retrain without it (a BatchNormalization becomes part of the weights), or cut the model "
    "before it."
)


def _is_output(graph: AnalogGraph, layer: Layer) -> bool:
    return layer.name in graph.outputs


def _is_hidden(graph: AnalogGraph, layer: Layer) -> bool:
    return not _is_output(graph, layer) or bool(_users(graph)[layer.name])


def _users(graph: AnalogGraph) -> Mapping[str, list[Layer]]:
    users: dict[str, list[Layer]] = {layer.name: [] for layer in graph.layers}
    for layer in graph.layers:
        for source in layer.sources:
            if source in users:
                users[source].append(layer)
    return users


def _rewrite_rectifier(layer: Layer, result: Rewritten) -> None:
    if set(result.deferred).intersection(layer.sources):
        pool_after(layer, result)
        return
    affine = substitute(layer.inputs[0], result.values)
    parts = rectifiers(layer.function)
    if parts[0].is_all:
        result.add(replace(layer, inputs=(affine,)))
        return
    terms: list[Term] = []
    bias = np.zeros((1,) * len(layer.shape))
    for part in parts:
        name = result.free_name(f"{layer.name}{part.suffix}")
        driven = scale_affine(affine, part.gain, part.shift)
        result.add(Layer(name, part.function, (driven,), layer.shape, layer.members))
        terms += same(name, layer.shape, part.factor).terms
        bias = bias + part.offset
    result.values[layer.name] = Affine(tuple(terms), bias, layer.shape)


def _add_readout(layer: Layer | None, name: str, graph: AnalogGraph, result: Rewritten) -> None:
    """Add an output as a separate layer, which no other layer uses."""
    shapes = graph.shapes()
    function: Function = Linear()
    affine = same(name, shapes[name])
    if layer is not None and not isinstance(layer.function, MaxPool) and name not in result.analog:
        function, affine = layer.function, layer.inputs[0]
    members = layer.members if layer is not None else ()
    known = {entry.name for entry in result.inputs} | {entry.name for entry in result.layers}
    free = result.free_name(f"{name}_output") if name in known else name
    affine = substitute(affine, result.values)
    result.readouts.append(Layer(free, function, (affine,), shapes[name], members))
