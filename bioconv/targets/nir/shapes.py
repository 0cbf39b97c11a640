"""Shapes of neurons whose parameters are single numbers that hold for all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bioconv.ground.errors import NetworkFileError, ParameterError
from bioconv.targets.nir.graph import NEURONS, Graph, Node, Shape, first, last, size
from bioconv.targets.nir.operators import operator_of

#: Shapes of linear nodes after which a loop is suspected; the network is then refused when it is
#: built.
_MOST = 1000


def with_shapes(graph: Graph, label: str) -> Graph:
    """Return a graph in which all values of a node with neurons have the shape of its neurons.

    Values of shape () or (1,) hold for as many neurons as receive something.

    Raises
    ------
    NetworkFileError
        If the values of a node have different shapes.
    """
    nodes = dict(graph.nodes)
    for name, node in graph.of_kind(*NEURONS).items():
        nodes[name] = _even(node, _own(name, node, label))
    single = {name for name, node in nodes.items() if node.kind in NEURONS and size(node.shape) < 2}
    waiting = [
        (name, last(node.shape))
        for name, node in nodes.items()
        if node.kind in ("Input", *NEURONS) and name not in single
    ]
    met: set[tuple[str, Shape]] = set()
    while waiting:
        before, shape = waiting.pop()
        for name in graph.after(before):
            node = nodes[name]
            if node.kind in NEURONS and name not in single or node.kind == "Output":
                continue
            if node.kind in NEURONS:
                single.discard(name)
                nodes[name] = _even(node, first(shape))
                waiting.append((name, shape))
                continue
            try:
                out = operator_of(node, shape).out_shape
            except (ParameterError, ValueError, KeyError, TypeError):
                continue  # reported with its reason when the network is built
            if (name, out) not in met and len(met) < _MOST:
                met.add((name, out))
                waiting.append((name, out))
    return replace(graph, nodes=nodes)


def _own(name: str, node: Node, label: str) -> Shape:
    shapes = {key: np.shape(value) for key, value in node.values.items()}
    try:
        found = np.broadcast_shapes(*shapes.values())
    except ValueError:
        words = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
        raise NetworkFileError(
            f"{label}: {name} ({node.kind}): its values have different shapes: {words}."
        ) from None
    return found or (1,)


def _even(node: Node, shape: Shape) -> Node:
    values = {
        key: np.broadcast_to(np.reshape(value, ()) if np.size(value) == 1 else value, shape)
        for key, value in node.values.items()
    }
    return replace(node, values=values)
