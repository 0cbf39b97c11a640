"""Average pooling over windows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from bioconv.operators.base import Array, Edges, Operator, Shape, register
from bioconv.operators.windows import Pairs, check_windows, n_windows, outer_index, taps

#: largest window whose number of spikes fits into a byte
_MOST_IN_A_BYTE = 255


@register
@dataclass(frozen=True, eq=False)
class AveragePool(Operator):
    """Mean over windows without the cells of the padding, as in Keras's "same".

    Parameters
    ----------
    in_shape : tuple of int
        (*spatial, channels).  Global pooling has ``size`` equal to the spatial shape.
    size : tuple of int
    strides : tuple of int, optional
        Default: ``size``.
    padding : tuple of (int, int), optional
        Padding before and after along each spatial axis.  Default: none.
    """

    in_shape: Shape
    size: Shape
    strides: Shape = ()
    padding: Pairs = ()

    def __post_init__(self) -> None:
        rank = len(self.in_shape) - 1
        object.__setattr__(self, "in_shape", tuple(self.in_shape))
        object.__setattr__(self, "size", tuple(self.size))
        object.__setattr__(self, "strides", tuple(self.strides) or self.size)
        padding = tuple((int(low), int(high)) for low, high in self.padding) or ((0, 0),) * rank
        object.__setattr__(self, "padding", padding)
        check_windows("AveragePool", self.in_shape, self.size, self.strides, self.padding)

    @property
    def out_shape(self) -> Shape:
        spatial = self.in_shape[:-1]
        axes = zip(spatial, self.size, self.strides, self.padding, strict=True)
        return (*(n_windows(*axis) for axis in axes), self.in_shape[-1])

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of input cells in each window, shape (*spatial of out_shape, 1)."""
        spatial = self.in_shape[:-1]
        axes = zip(spatial, self.size, self.strides, self.padding, strict=True)
        ones = [np.bincount(taps(*axis)[1], minlength=n_windows(*axis)) for axis in axes]
        return np.maximum(reduce(np.multiply.outer, ones), 1)[..., None]

    def apply(self, x: Array) -> Array:
        x = jnp.asarray(x)
        total = lax.reduce_window(
            x,
            np.zeros((), x.dtype),
            lax.add,
            (1, *self.size, 1),
            (1, *self.strides, 1),
            ((0, 0), *self.padding, (0, 0)),
        )
        return total / jnp.asarray(self.counts, x.dtype)

    def transmit(self, spikes: Array, dtype: Any) -> Array:
        tiled = self.strides == self.size and not np.any(self.padding)
        if not tiled or prod(self.size) > _MOST_IN_A_BYTE:
            return super().transmit(spikes, dtype)
        # Bytes take a quarter of the memory, and XLA sums slices of tiles fastest.
        total = spikes.astype(jnp.uint8)
        for axis, (n, size) in enumerate(zip(self.out_shape[:-1], self.size, strict=True), 1):
            total = lax.slice_in_dim(total, 0, n * size, axis=axis)
            tiles = total.reshape(*total.shape[:axis], n, size, *total.shape[axis + 1 :])
            total = sum(
                (lax.index_in_dim(tiles, i, axis + 1, keepdims=False) for i in range(1, size)),
                lax.index_in_dim(tiles, 0, axis + 1, keepdims=False),
            )
        return total.astype(dtype) / jnp.asarray(self.counts, dtype)

    def edges(self) -> Edges:
        spatial, channels = self.in_shape[:-1], self.in_shape[-1]
        axes = [
            taps(*axis) for axis in zip(spatial, self.size, self.strides, self.padding, strict=True)
        ]
        channel = np.arange(channels)
        pre = outer_index([axis[0] for axis in axes] + [channel], self.in_shape)
        post = outer_index([axis[1] for axis in axes] + [channel], self.out_shape)
        weight = 1.0 / self.counts[np.ix_(*(axis[1] for axis in axes))]
        return Edges(pre.ravel(), post.ravel(), np.broadcast_to(weight, pre.shape).ravel())
