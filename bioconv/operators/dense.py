"""Multiplication of the last axis by a matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import (
    EXACT,
    LEAF,
    Array,
    Edges,
    Operator,
    Shape,
    last_axis_factor,
    register,
)


@register
@dataclass(frozen=True, eq=False)
class Dense(Operator):
    """Multiplication of the last axis by a matrix, as in Keras's Dense for any rank.

    Parameters
    ----------
    in_shape : tuple of int
    kernel : ndarray, shape (in_shape[-1], n_out)
    """

    in_shape: Shape
    kernel: NDArray = field(metadata=LEAF)

    def __post_init__(self) -> None:
        object.__setattr__(self, "in_shape", tuple(self.in_shape))
        if not isinstance(self.kernel, np.ndarray):
            return  # a tracer or placeholder of JAX
        if self.kernel.ndim != 2 or self.in_shape[-1:] != self.kernel.shape[:1]:
            raise ParameterError(
                f"Dense: kernel must have shape ({self.in_shape[-1:]}, n_out) for inputs of shape "
                f"{self.in_shape}. Received: {self.kernel.shape}"
            )

    @property
    def out_shape(self) -> Shape:
        return (*self.in_shape[:-1], self.kernel.shape[-1])

    def apply(self, x: Array) -> Array:
        return jnp.matmul(jnp.asarray(x), jnp.asarray(self.kernel), precision=EXACT)

    def edges(self) -> Edges:
        kernel = np.asarray(self.kernel, np.float64)
        n_in, n_out = kernel.shape
        row, column = (index.astype(np.int32) for index in np.nonzero(kernel))
        place = np.arange(prod(self.in_shape[:-1]), dtype=np.int32)[:, None]
        return Edges(
            (place * np.int32(n_in) + row).ravel(),
            (place * np.int32(n_out) + column).ravel(),
            np.tile(kernel[row, column], len(place)),
        )

    def absorb(self, pre: NDArray | None, post: NDArray | None) -> Dense | None:
        before = last_axis_factor(pre, self.in_shape)
        after = last_axis_factor(post, self.out_shape)
        if before is None or after is None:
            return None
        return Dense(self.in_shape, before[:, None] * self.kernel * after)

    def map_weights(self, function: Callable[[NDArray], NDArray]) -> Dense:
        return Dense(self.in_shape, function(self.kernel))
