"""Multiplication by elementwise factors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import LEAF, Array, Edges, Operator, Shape, compact, register


@register
@dataclass(frozen=True, eq=False)
class Scale(Operator):
    """Multiplication by fixed factors.

    Parameters
    ----------
    in_shape : tuple of int
    factor : float or ndarray broadcastable to in_shape
    """

    in_shape: Shape
    factor: NDArray = field(metadata=LEAF)

    def __post_init__(self) -> None:
        object.__setattr__(self, "in_shape", tuple(self.in_shape))
        if isinstance(self.factor, int | float):
            object.__setattr__(self, "factor", np.asarray(self.factor, np.float64))
        if not isinstance(self.factor, np.ndarray):
            return  # a tracer or placeholder of JAX
        shape = self.factor.shape
        if len(shape) > len(self.in_shape) or any(
            size not in (1, full)
            for size, full in zip(shape[::-1], self.in_shape[::-1], strict=False)
        ):
            raise ParameterError(
                f"Scale: factor must be broadcastable to {self.in_shape}. Received: {shape}"
            )

    @property
    def out_shape(self) -> Shape:
        return self.in_shape

    def apply(self, x: Array) -> Array:
        return jnp.asarray(x) * jnp.asarray(self.factor)

    def edges(self) -> Edges:
        weight = np.broadcast_to(np.asarray(self.factor, np.float64), self.in_shape).ravel()
        index = np.flatnonzero(weight).astype(np.int32)
        return Edges(index, index.copy(), weight[index])

    def absorb(self, pre: NDArray | None, post: NDArray | None) -> Scale:
        factors = [self.factor, *(factor for factor in (pre, post) if factor is not None)]
        total = np.ones((1,) * len(self.in_shape))
        for factor in factors:
            total = total * factor
        return Scale(self.in_shape, compact(total, self.in_shape))

    def map_weights(self, function: Callable[[NDArray], NDArray]) -> Scale:
        return Scale(self.in_shape, function(self.factor))
