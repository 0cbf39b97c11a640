"""The analog network that a Keras model computes, in the form that conversion uses.

Every layer is a function of affine maps of earlier layers::

    layer = function(affine_1, affine_2, ...),   affine = sum_i operator_i(source_i) + bias

Linear Keras layers do not appear on their own: convolution, padding, average pooling, flatten,
batch normalization, addition and concatenation are composed into the operators and the bias of
the next non-linear layer.  A bias has the full shape of the layer if necessary.  For example, a
batch normalization before a zero-padded convolution results in different biases at the border
(stanojevic Eq 2.11).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Function
from bioconv.analog.samples import Data
from bioconv.ground.errors import ParameterError
from bioconv.ground.suggestions import did_you_mean
from bioconv.ground.tables import html_table
from bioconv.operators import LEAF, Operator, register

Shape = tuple[int, ...]


@dataclass(frozen=True)
class GraphInput:
    """An input of the network, with its name and the shape of one sample in Keras's layout."""

    name: str
    shape: Shape


@register
@dataclass(frozen=True, eq=False)
class Term:
    """A linear contribution, ``operator`` applied to the layer or input called ``source``."""

    source: str
    operator: Operator = field(metadata=LEAF)


@register
@dataclass(frozen=True, eq=False)
class Affine:
    """Sum of linear contributions of earlier layers and a bias.

    Parameters
    ----------
    terms : tuple of Term
        Contributions.  Without any, the map is constant.  Several terms may have the same source,
        as in a sum of two convolutions.
    bias : ndarray of float64, broadcastable to ``shape`` with the same number of axes
    shape : tuple of int
    """

    terms: tuple[Term, ...] = field(metadata=LEAF)
    bias: NDArray[np.float64] = field(metadata=LEAF)
    shape: Shape


@register
@dataclass(frozen=True, eq=False)
class Layer:
    """A non-linear layer, or a linear output layer with the function ``Linear``.

    Parameters
    ----------
    name : str
        Name of the Keras layer whose output the activation is.
    function : Function
    inputs : tuple of Affine
        One for an elementwise function or pooling, several for products, attention, ...
    shape : tuple of int
    members : tuple of str
        Names of all Keras layers that are merged into this one, in order.
    """

    name: str
    function: Function = field(metadata=LEAF)
    inputs: tuple[Affine, ...] = field(metadata=LEAF)
    shape: Shape
    members: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the inputs and layers from which it is computed, one for each term."""
        return tuple(term.source for affine in self.inputs for term in affine.terms)


@register
@dataclass(frozen=True, eq=False)
class AnalogGraph:
    """An analog network of inputs, layers in topological order, and names of the outputs."""

    name: str
    inputs: tuple[GraphInput, ...]
    layers: tuple[Layer, ...] = field(metadata=LEAF)
    outputs: tuple[str, ...]

    def __repr__(self) -> str:
        inputs = ", ".join(f"{entry.name} {entry.shape}" for entry in self.inputs)
        return (
            f"<AnalogGraph {self.name!r}: {len(self.layers)} layers, {inputs} -> "
            f"{', '.join(self.outputs)}>"
        )

    def _repr_html_(self) -> str:
        rows = [
            {
                "layer": layer.name,
                "function": type(layer.function).__name__,
                "sources": layer.sources,
                "shape": layer.shape,
            }
            for layer in self.layers
        ]
        return html_table(repr(self), rows)

    def layer(self, name: str) -> Layer:
        """Return the layer called ``name``, or raise `ParameterError` with a list of layers."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise ParameterError(
            f"{self.name}: there is no layer {name!r}. Layers: {', '.join(names)}."
            + did_you_mean(name, names)
        )

    def shapes(self) -> dict[str, Shape]:
        """Return the shape of one sample of every input and layer, in order."""
        inputs = {entry.name: entry.shape for entry in self.inputs}
        return inputs | {layer.name: layer.shape for layer in self.layers}

    def predict(
        self, x: Data, *, batch_size: int | None = None, dtype: str = "float32"
    ) -> NDArray | dict[str, NDArray]:
        """Return the outputs of the Keras model: one array, or a dict by name for several.

        See `bioconv.analog.evaluate.evaluate` for parameters and errors.
        """
        from bioconv.analog.evaluate import evaluate

        outputs = evaluate(self, x, batch_size=batch_size, dtype=dtype)
        return outputs[self.outputs[0]] if len(self.outputs) == 1 else outputs

    def activations(
        self,
        x: Data,
        names: Sequence[str] | None = None,
        *,
        batch_size: int | None = None,
        dtype: str = "float32",
    ) -> dict[str, NDArray]:
        """Return activations by layer; see `bioconv.analog.evaluate.activations`."""
        from bioconv.analog.evaluate import activations

        return activations(self, x, names, batch_size=batch_size, dtype=dtype)

    def iterate(
        self,
        x: Data,
        names: Sequence[str] | None = None,
        *,
        batch_size: int | None = None,
        dtype: str = "float32",
    ) -> Iterator[dict[str, NDArray]]:
        """Iterate over activations by layer, in batches; see `bioconv.analog.evaluate.iterate`."""
        from bioconv.analog.evaluate import iterate

        return iterate(self, x, names=names, batch_size=batch_size, dtype=dtype)
