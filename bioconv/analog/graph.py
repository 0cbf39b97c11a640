"""The analog network that a Keras model computes, in the form that conversion needs.

Every layer is one function of affine maps of earlier layers::

    layer = function(affine_1, affine_2, ...),   affine = sum_i operator_i(source_i) + bias

Linear Keras layers never appear on their own: convolution, padding, average pooling, flatten,
batch normalization, addition and concatenation are composed into the operators and the bias of
the next non-linear layer.  A bias is an array of the full shape where it has to be: a batch
normalization in front of a zero-padded convolution gives another bias at the border
(stanojevic Eq 2.11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Function
from bioconv.operators import Operator

Shape = tuple[int, ...]


@dataclass(frozen=True)
class GraphInput:
    """An input of the network: its name and the shape of one sample (Keras's own layout)."""

    name: str
    shape: Shape


@dataclass(frozen=True)
class Term:
    """One linear contribution: ``operator`` applied to the layer or input called ``source``."""

    source: str
    operator: Operator


@dataclass(frozen=True)
class Affine:
    """Sum of linear contributions of earlier layers, plus a bias.

    Parameters
    ----------
    terms : tuple of Term
        May be empty (a constant); two terms may have the same source (a sum of two convolutions).
    bias : ndarray of float64, broadcastable to ``shape`` with the same number of axes
    shape : tuple of int
    """

    terms: tuple[Term, ...]
    bias: NDArray[np.float64]
    shape: Shape


@dataclass(frozen=True)
class Layer:
    """A non-linear layer (or an output that is linear, with the function ``Linear``).

    Parameters
    ----------
    name : str
        Name of the Keras layer that gives the activation.
    function : Function
    inputs : tuple of Affine
        One for an elementwise function or a pooling, several for products, attention, ...
    shape : tuple of int
    members : tuple of str
        Names of all Keras layers whose work is done here, in order.
    """

    name: str
    function: Function
    inputs: tuple[Affine, ...]
    shape: Shape
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnalogGraph:
    """An analog network: inputs, layers in topological order, names of the output layers."""

    name: str
    inputs: tuple[GraphInput, ...]
    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]
