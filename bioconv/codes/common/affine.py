"""Algebra of affine maps: composition, substitution of sources, and properties of maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Linear, MaxPool
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.operators import (
    AveragePool,
    Chain,
    Conv,
    Dense,
    Operator,
    Permute,
    Reshape,
    Scale,
    Selection,
    Shape,
    compact,
    compose,
    identity,
    is_identity,
    precision,
)


def same(source: str, shape: Shape, factor: NDArray | float = 1.0) -> Affine:
    """Return ``factor`` times the layer called ``source``."""
    operator = identity(shape) if np.all(factor == 1) else Scale(shape, np.asarray(factor, float))
    return Affine((Term(source, operator),), np.zeros((1,) * len(shape)), shape)


def substitute(affine: Affine, values: Mapping[str, Affine]) -> Affine:
    """Return ``affine`` with every source that has an entry in ``values`` replaced by that map."""
    terms: list[Term] = []
    bias = affine.bias
    for term in affine.terms:
        value = values.get(term.source)
        if value is None:
            terms.append(term)
            continue
        terms += [Term(t.source, compose(t.operator, term.operator)) for t in value.terms]
        if np.any(value.bias):
            constant = np.ascontiguousarray(np.broadcast_to(value.bias, value.shape))[None]
            bias = bias + apply64(term.operator, constant)
    return Affine(tuple(terms), compact(bias, affine.shape), affine.shape)


def scale_affine(affine: Affine, factor: NDArray | float, shift: NDArray | float = 0.0) -> Affine:
    """Return ``factor * affine + shift``, where both broadcast to the shape."""
    after = Scale(affine.shape, np.asarray(factor, np.float64))
    terms = tuple(Term(t.source, compose(t.operator, after)) for t in affine.terms)
    bias = affine.bias * factor + shift
    return Affine(terms, compact(bias, affine.shape), affine.shape)


def elementwise_factor(operator: Operator) -> NDArray[np.float64] | None:
    """Return the factor of an operator that only scales its input elementwise, else None."""
    if is_identity(operator):
        return np.ones((1,) * len(operator.in_shape))
    return np.asarray(operator.factor, np.float64) if isinstance(operator, Scale) else None


def moves_values(operator: Operator, *, signed: bool = False) -> bool:
    """Whether every output is zero or one input times a positive factor (any if ``signed``)."""
    match operator:
        case Chain(operators=parts):
            return all(moves_values(part, signed=signed) for part in parts)
        case Scale(factor=factor):
            values = np.asarray(factor)
            return bool(np.all(values != 0) if signed else np.all(values > 0))
        case _:
            return isinstance(operator, Selection)


def without_factors(operator: Operator) -> Operator:
    """Return an operator that moves the same values with a factor of 1 (see `moves_values`)."""
    match operator:
        case Chain(operators=parts):
            return compose(*(without_factors(part) for part in parts))
        case Scale():
            return identity(operator.in_shape)
        case _:
            return operator


def channel_axis(layer: Layer) -> int | None:
    """Return the axis along which the weights of a layer differ, if all its operators agree.

    The axis of a maximum is the last one.
    """
    if isinstance(layer.function, MaxPool):
        return len(layer.shape) - 1
    axes = {_channel_axis(term.operator) for term in layer.inputs[0].terms}
    return axes.pop() if len(axes) == 1 else None


def _channel_axis(operator: Operator) -> int | None:
    parts = operator.operators if isinstance(operator, Chain) else (operator,)
    axis: int | None = len(operator.in_shape) - 1
    for part in parts:
        if isinstance(part, Permute):
            axis = None if axis is None else part.axes.index(axis)
        elif isinstance(part, Conv | Dense | AveragePool):
            axis = len(part.out_shape) - 1
        elif isinstance(part, Reshape) and part.in_shape != part.out_shape:
            axis = None
    return axis


def apply64(operator: Operator, x: NDArray) -> NDArray[np.float64]:
    """Apply ``operator`` to an array of shape (1, *in_shape) in float64, whatever the JAX default.

    Returns
    -------
    ndarray of float64, shape out_shape
    """
    with precision("float64"):
        # Placed as they are: JAX would compile a program for each shape that it converts.
        placed, x = jax.device_put((operator, np.asarray(x, np.float64)))
        return np.asarray(placed.apply(x), np.float64)[0]


def pre_activations(layers: Iterable[Layer]) -> list[Layer]:
    """Return the layers without their functions, whose outputs are the inputs of the functions."""
    return [replace(layer, function=Linear()) for layer in layers]
