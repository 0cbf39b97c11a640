"""Maximum over windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp

from bioconv.analog import formulas
from bioconv.analog.base import Function
from bioconv.operators import Array, register


@register
@dataclass(frozen=True, eq=False)
class MaxPool(Function):
    """Maximum over windows, in which padding is never the maximum.

    Parameters
    ----------
    size : tuple of int
        Size along each spatial axis of inputs of shape (*spatial, channels).  Global pooling has
        the spatial shape as size.
    strides : tuple of int, optional
        Default: ``size``.
    padding : tuple of (int, int), optional
        Padding before and after along each spatial axis.  Default: none.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...] = ()
    padding: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", tuple(self.size))
        object.__setattr__(self, "strides", tuple(self.strides) or self.size)
        padding = tuple((int(low), int(high)) for low, high in self.padding)
        object.__setattr__(self, "padding", padding or ((0, 0),) * len(self.size))

    def apply(self, inputs: Sequence[Array]) -> Array:
        return formulas.max_pool(jnp, inputs, self.size, self.strides, self.padding)
