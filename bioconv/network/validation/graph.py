"""Validation of analog graphs."""

from __future__ import annotations

from collections.abc import Mapping

import jax

from bioconv.analog import AnalogGraph
from bioconv.analog.graph import Layer
from bioconv.ground.errors import ParameterError, Problem
from bioconv.network.validation.checks import (
    Problems,
    has_nan,
    listed,
    operator_problems,
    repeated,
    shape_problems,
    text_problems,
    value_problems,
)


def graph_problems(graph: AnalogGraph) -> list[Problem]:
    """Return all problems of an analog graph: names, order, shapes, values."""
    problems: list[Problem] = []
    shapes = {entry.name: entry.shape for entry in graph.inputs}
    names = [*(entry.name for entry in graph.inputs), *(layer.name for layer in graph.layers)]
    for name in [graph.name, *names]:
        problems.extend(text_problems(f"analog {name!r}", "name", name))
    problems.extend(repeated("analog graph", names))
    for entry in graph.inputs:
        problems.extend(shape_problems(f"analog {entry.name!r}", "GraphInput", entry.shape))
    for layer in graph.layers:
        problems.extend(_layer_problems(layer, shapes))
        shapes[layer.name] = layer.shape
    missing = [name for name in graph.outputs if name not in shapes]
    if missing:
        problems.append(Problem("analog graph", "outputs", f"there is no layer {listed(missing)}."))
    return problems


def _layer_problems(layer: Layer, shapes: Mapping[str, tuple[int, ...]]) -> Problems:
    where = f"analog {layer.name!r}"
    yield from shape_problems(where, "Layer", layer.shape)
    for text in layer.members:
        yield from text_problems(where, "members", text)
    for affine in layer.inputs:
        yield from shape_problems(where, "Affine", affine.shape)
        yield from value_problems(where, "bias", affine.bias, affine.shape)
        for term in affine.terms:
            if term.source not in shapes:
                reason = f"takes its input from {term.source!r}, which is not an earlier layer."
                yield Problem(where, "Layer", reason)
            yield from operator_problems(
                where, "Layer", term.operator, shapes.get(term.source), affine.shape
            )
    yield from _function_problems(layer, where)


def _function_problems(layer: Layer, where: str) -> Problems:
    if has_nan(jax.tree_util.tree_leaves(layer.function)):
        yield Problem(where, type(layer.function).__name__, "a weight is NaN.")
    try:
        shape = layer.function.out_shape([affine.shape for affine in layer.inputs])
    except ParameterError as error:
        yield Problem(where, "Layer", str(error))
        return
    if tuple(shape) != tuple(layer.shape):
        reason = f"has the output shape {shape}, but the layer has {layer.shape}."
        yield Problem(where, type(layer.function).__name__, reason)
