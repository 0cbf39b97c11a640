"""Functions of output branches whose values are only moved and joined afterwards.

A head of a detector ends in a function, for example a sigmoid, whose values are reshaped and joined
with those of other heads.  An elementwise function commutes with such moves.  It can therefore be
computed where outputs are read, outside the spiking network, instead of by spikes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

import numpy as np

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Elementwise, Function, Linear
from bioconv.analog.graph import Affine, Layer
from bioconv.codes.common.affine import apply64, substitute
from bioconv.codes.common.rectifiers import is_rectifier
from bioconv.operators import Chain, Operator, Selection

Layers = Mapping[str, Layer]


def push_functions(graph: AnalogGraph) -> AnalogGraph:
    """Return the network with the functions of joined branches moved after the joining layers.

    Rectifications, which every code supports, are not moved.

    Parameters
    ----------
    graph : AnalogGraph

    Returns
    -------
    AnalogGraph
        Without the layers that are no longer used.
    """
    layers = {layer.name: layer for layer in graph.layers}
    replaced: set[str] = set()
    for name in [layer.name for layer in graph.layers if layer.name in graph.outputs]:
        function = _common_function(layers[name], layers)
        if function is not None:
            (affine,) = layers[name].inputs
            sources = {term.source for term in affine.terms}
            before = {source: layers[source].inputs[0] for source in sources}
            inputs = (substitute(affine, before),)
            layers[name] = replace(layers[name], function=function, inputs=inputs)
            replaced |= sources
    used = {t.source for layer in layers.values() for a in layer.inputs for t in a.terms}
    unused = replaced - used - set(graph.outputs)
    kept = tuple(layer for layer in layers.values() if layer.name not in unused)
    return replace(graph, layers=kept)


def different_branches(graph: AnalogGraph, name: str) -> str:
    """Return why the function of a layer cannot be applied after the joining output, or ""."""
    layers = {layer.name: layer for layer in graph.layers}
    for output in (layers[entry] for entry in graph.outputs if entry in layers):
        if not isinstance(output.function, Linear):
            continue
        own = [t for t in output.inputs[0].terms if t.source == name and _moves(t.operator)]
        branches = list(_branches(output.inputs[0], layers))
        if own and not all(
            same_function(layers[name].function, function) for _, function in branches
        ):
            listed = ", ".join(f"{source} ({type(f).__name__})" for source, f in branches)
            return (
                f"the output {output.name!r} joins branches with different functions ({listed}), "
                "but a readout can apply only one function to all of them."
            )
    return ""


def _branches(affine: Affine, layers: Layers) -> Iterator[tuple[str, Function]]:
    """Yield name and function of each branch that is joined."""
    for term in affine.terms:
        layer = layers.get(term.source)
        if layer is None or not _moves(term.operator):
            yield term.source, Linear()
        else:
            yield term.source, layer.function


def _common_function(layer: Layer, layers: Layers) -> Function | None:
    """Return the common function of the branches that a layer only moves and joins, or None."""
    if not isinstance(layer.function, Linear) or np.any(layer.inputs[0].bias):
        return None
    terms = layer.inputs[0].terms
    sources = [layers.get(term.source) for term in terms]
    functions = [source.function for source in sources if source is not None]
    if not terms or len(functions) < len(terms) or _stays(functions[0]):
        return None
    first = functions[0]
    if not all(_moves(term.operator) for term in terms) or not all(
        same_function(first, function) for function in functions
    ):
        return None
    places = sum(apply64(t.operator, np.ones((1, *t.operator.in_shape))) for t in terms)
    return first if np.all(places == 1) else None


def _stays(function: Function) -> bool:
    return isinstance(function, Linear) or is_rectifier(function)


def _moves(operator: Operator) -> bool:
    """Whether every value is a value of the source, or 0 where another branch has values."""
    parts = operator.operators if isinstance(operator, Chain) else (operator,)
    return all(isinstance(part, Selection) for part in parts)


def same_function(one: Function, other: Function) -> bool:
    """Whether both are the same elementwise function, the same for all elements."""
    if type(one) is not type(other) or not isinstance(one, Elementwise) or not one.pointwise:
        return False
    pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]  # type: ignore[arg-type]
    return all(np.ndim(a) == np.ndim(b) == 0 and a == b for a, b in pairs)
