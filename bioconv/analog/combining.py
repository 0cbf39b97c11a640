"""Elementwise functions of several arrays, and scalar products of two arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import jax.numpy as jnp

from bioconv.analog import formulas
from bioconv.analog.base import Function
from bioconv.operators import Array, register


@register
@dataclass(frozen=True, eq=False)
class Multiply(Function):
    """Elementwise product of all inputs, with NumPy broadcasting."""

    def apply(self, inputs: Sequence[Array]) -> Array:
        return formulas.multiply(jnp, inputs)


@register
@dataclass(frozen=True, eq=False)
class Maximum(Function):
    """Elementwise maximum of all inputs, with NumPy broadcasting."""

    def apply(self, inputs: Sequence[Array]) -> Array:
        return reduce(jnp.maximum, formulas.same_rank(inputs))


@register
@dataclass(frozen=True, eq=False)
class Minimum(Function):
    """Elementwise minimum of all inputs, with NumPy broadcasting."""

    def apply(self, inputs: Sequence[Array]) -> Array:
        return reduce(jnp.minimum, formulas.same_rank(inputs))


@register
@dataclass(frozen=True, eq=False)
class Dot(Function):
    """Scalar products of two arrays along one axis of each.

    Parameters
    ----------
    axes : tuple of two ints
        Axis of the first and of the second input, counted as in Keras (the batch is axis 0).
    normalize : bool
        Whether to scale both to unit length first, which gives the cosine similarity.
    """

    axes: tuple[int, int]
    normalize: bool = False

    def apply(self, inputs: Sequence[Array]) -> Array:
        return formulas.dot(jnp, inputs, self.axes, self.normalize)
