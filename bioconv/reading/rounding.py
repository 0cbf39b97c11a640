"""Leave out the rounding of inputs in quantized layers, which neurons do not compute."""

from __future__ import annotations

from dataclasses import replace

from bioconv.analog import Affine, AnalogGraph, Layer
from bioconv.analog.functions import Rounding
from bioconv.reading.tensors import Tensor, linear, total


def without_rounding(graph: AnalogGraph) -> AnalogGraph:
    """Return a graph whose layers use the values before a `Rounding` instead of those after it.

    The weights of quantized layers are kept.  Outputs change by about the size of the rounding.

    Parameters
    ----------
    graph : AnalogGraph

    Returns
    -------
    AnalogGraph
    """
    exact: dict[str, Affine] = {}
    members: dict[str, tuple[str, ...]] = {}
    layers: list[Layer] = []
    for layer in graph.layers:
        sources = dict.fromkeys(layer.sources)
        inputs = tuple(_replaced(affine, exact) for affine in layer.inputs)
        inside = [name for source in sources for name in members.get(source, ())]
        names = tuple(dict.fromkeys((*inside, *layer.members)))
        if isinstance(layer.function, Rounding):
            exact[layer.name], members[layer.name] = inputs[0], names
        else:
            layers.append(replace(layer, inputs=inputs, members=names))
    return replace(graph, layers=tuple(layers)) if exact else graph


def _replaced(affine: Affine, exact: dict[str, Affine]) -> Affine:
    """Return an affine map in which rounded sources are replaced by their own affine maps."""
    if not any(term.source in exact for term in affine.terms):
        return affine
    kept = tuple(term for term in affine.terms if term.source not in exact)
    parts = [Tensor(replace(affine, terms=kept))]
    parts += [
        linear(Tensor(exact[term.source]), term.operator)
        for term in affine.terms
        if term.source in exact
    ]
    return total(parts).affine
