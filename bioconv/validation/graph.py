"""What must hold in an analog graph."""

from __future__ import annotations

from collections.abc import Mapping

from bioconv.analog import AnalogGraph
from bioconv.analog.graph import Layer
from bioconv.errors import Problem
from bioconv.validation.checks import (
    Problems,
    listed,
    operator_problems,
    repeated,
    shape_problems,
    text_problems,
    value_problems,
)


def graph_problems(graph: AnalogGraph) -> list[Problem]:
    """Everything that is wrong with an analog graph: names, order, shapes, values."""
    problems: list[Problem] = []
    shapes = {entry.name: entry.shape for entry in graph.inputs}
    for name in [graph.name, *(entry.name for entry in (*graph.inputs, *graph.layers))]:
        problems.extend(text_problems(f"analog {name!r}", "name", name))
    problems.extend(repeated("analog graph", (e.name for e in (*graph.inputs, *graph.layers))))
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
                reason = f"takes its input from {term.source!r}, which is no earlier layer."
                yield Problem(where, "Layer", reason)
            yield from operator_problems(
                where, "Layer", term.operator, shapes.get(term.source), affine.shape
            )
