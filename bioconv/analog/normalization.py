"""Normalizations by statistics of each sample."""

from __future__ import annotations

from dataclasses import dataclass, field

import jax.numpy as jnp
from numpy.typing import NDArray

from bioconv.analog import formulas
from bioconv.analog.elementwise import Elementwise
from bioconv.operators import LEAF, Array, register


@register
@dataclass(frozen=True, eq=False)
class UnitNormalization(Elementwise):
    """Scale to Euclidean length 1 along ``axis`` (counted as in Keras, the batch is axis 0)."""

    axis: int | tuple[int, ...] = -1

    pointwise = False

    def value(self, x: Array) -> Array:
        return formulas.unit_normalization(jnp, [x], self.axis)


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
        return formulas.rms_normalization(jnp, [x], self.axis, self.epsilon)


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
        return formulas.layer_normalization(
            jnp, [x], self.axis, self.epsilon, self.gamma, self.beta, self.rms_scaling
        )
