"""Normalizations by statistics of each sample."""

from __future__ import annotations

from dataclasses import dataclass, field

import jax.numpy as jnp
from jax import lax
from numpy.typing import NDArray

from bioconv.analog.elementwise import Elementwise
from bioconv.operators import LEAF, Array, register


def unit_norm(x: Array, axis: int | tuple[int, ...]) -> Array:
    """Divide ``x`` by its length along ``axis`` (squared length at least 1e-12, as in Keras)."""
    squared = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    return x * lax.rsqrt(jnp.maximum(squared, 1e-12))


@register
@dataclass(frozen=True, eq=False)
class UnitNormalization(Elementwise):
    """Scale to Euclidean length 1 along ``axis`` (counted as in Keras, the batch is axis 0)."""

    axis: int | tuple[int, ...] = -1

    pointwise = False

    def value(self, x: Array) -> Array:
        return unit_norm(x, self.axis)


@register
@dataclass(frozen=True, eq=False)
class RMSNormalization(Elementwise):
    """Divide by the root of the mean square along ``axis``, to which ``epsilon`` is added.

    The axis is counted as in Keras (the batch is axis 0).  The trained scale of Keras's layer is
    part of the next affine map.
    """

    axis: tuple[int, ...] = (-1,)
    epsilon: float = 1e-6

    pointwise = False

    def value(self, x: Array) -> Array:
        mean = jnp.mean(jnp.square(x), axis=self.axis, keepdims=True)
        return x * lax.rsqrt(mean + self.epsilon)


@register
@dataclass(frozen=True, eq=False)
class LayerNormalization(Elementwise):
    """Subtract the mean and divide by the standard deviation along ``axis``, then scale and shift.

    Parameters
    ----------
    axis : tuple of int
        Axes, counted as in Keras (the batch is axis 0).
    epsilon : float
        Added to the variance.
    gamma, beta : ndarray with the shape of the normalized axes, or None
        Scale and shift.
    rms_scaling : bool
        If True, the mean is not subtracted and ``beta`` is not added.  The variance is still that
        around the mean.
    """

    axis: tuple[int, ...] = (-1,)
    epsilon: float = 1e-3
    gamma: NDArray | None = field(default=None, metadata=LEAF)
    beta: NDArray | None = field(default=None, metadata=LEAF)
    rms_scaling: bool = False

    pointwise = False

    def value(self, x: Array) -> Array:
        variance = jnp.var(x, axis=self.axis, keepdims=True)
        mean = 0.0 if self.rms_scaling else jnp.mean(x, axis=self.axis, keepdims=True)
        scale = lax.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            scale = scale * self._spread(self.gamma, x.ndim)
        y = (x - mean) * scale
        if self.beta is None or self.rms_scaling:
            return y
        return y + self._spread(self.beta, x.ndim)

    def _spread(self, weights: Array, rank: int) -> Array:
        """Return weights with an axis of length 1 for each axis of ``x`` that is not normalized."""
        shape = [1] * rank
        for axis, size in zip(self.axis, weights.shape, strict=True):
            shape[axis] = size
        return jnp.reshape(weights, shape)
