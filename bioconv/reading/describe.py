"""Describe the layers of a graph as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np

from bioconv.analog import AnalogGraph, Layer


@dataclass(frozen=True)
class LayerRow:
    """One row of ``bioconv inspect``.

    Parameters
    ----------
    name : str
    function : str
        Class of the function, "Input" for an input.
    shape : tuple of int
        Shape of one sample.
    n_values : int
        Number of values of one sample.
    n_parameters : int
        Number of values in kernels, biases and tables after folding; a bias of 0 is not counted.
    sources : tuple of str
        Layers and inputs from which it is computed.
    members : tuple of str
        Keras layers that are merged into it.
    is_output : bool
    """

    name: str
    function: str
    shape: tuple[int, ...]
    n_values: int
    n_parameters: int
    sources: tuple[str, ...]
    members: tuple[str, ...]
    is_output: bool


def describe(graph: AnalogGraph) -> tuple[LayerRow, ...]:
    """Return rows that describe a graph, beginning with its inputs.

    Parameters
    ----------
    graph : AnalogGraph

    Returns
    -------
    tuple of LayerRow
    """
    inputs = [
        LayerRow(i.name, "Input", i.shape, int(np.prod(i.shape)), 0, (), (i.name,), False)
        for i in graph.inputs
    ]
    return (*inputs, *(_row(layer, layer.name in graph.outputs) for layer in graph.layers))


def _row(layer: Layer, is_output: bool) -> LayerRow:
    terms = [term for affine in layer.inputs for term in affine.terms]
    arrays = jax.tree_util.tree_leaves([layer.function, [term.operator for term in terms]])
    n_parameters = sum(int(np.size(array)) for array in arrays)
    n_parameters += sum(affine.bias.size for affine in layer.inputs if np.any(affine.bias))
    return LayerRow(
        layer.name,
        type(layer.function).__name__,
        layer.shape,
        int(np.prod(layer.shape)),
        n_parameters,
        tuple(dict.fromkeys(term.source for term in terms)),
        layer.members,
        is_output,
    )
