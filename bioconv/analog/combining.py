"""Elementwise functions of several arrays, and scalar products of two arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import jax.numpy as jnp
from jax import lax

from bioconv.analog.base import Function
from bioconv.analog.normalization import unit_norm
from bioconv.operators import Array, register


@register
@dataclass(frozen=True, eq=False)
class Multiply(Function):
    """Elementwise product of all inputs, with NumPy broadcasting."""

    def apply(self, inputs: Sequence[Array]) -> Array:
        return reduce(jnp.multiply, _same_rank(inputs))


@register
@dataclass(frozen=True, eq=False)
class Maximum(Function):
    """Elementwise maximum of all inputs, with NumPy broadcasting."""

    def apply(self, inputs: Sequence[Array]) -> Array:
        return reduce(jnp.maximum, _same_rank(inputs))


@register
@dataclass(frozen=True, eq=False)
class Minimum(Function):
    """Elementwise minimum of all inputs, with NumPy broadcasting."""

    def apply(self, inputs: Sequence[Array]) -> Array:
        return reduce(jnp.minimum, _same_rank(inputs))


def _same_rank(inputs: Sequence[Array]) -> list[Array]:
    """Insert axes of length 1 after the batch so that all have the same rank, as Keras does."""
    rank = max(x.ndim for x in inputs)
    return [x.reshape(x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:]) for x in inputs]


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
        first, second = inputs
        a, b = self.axes[0] % first.ndim, self.axes[1] % second.ndim
        if self.normalize:
            first, second = unit_norm(first, a), unit_norm(second, b)
        product = lax.dot_general(first, second, (((a,), (b,)), ((0,), (0,))))
        return product if product.ndim > 1 else product[:, None]
