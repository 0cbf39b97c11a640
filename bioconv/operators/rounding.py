"""Rounding to a grid whose derivative is that of the identity."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from bioconv.operators.base import Array


def snapped(x: Array, grid: float) -> Array:
    """Round to whole multiples of ``grid``; 0 leaves ``x`` unchanged.

    The derivative is that of the identity, because the derivative of rounding is zero almost
    everywhere (the straight-through estimator of Bengio, Leonard and Courville 2013).
    """
    return _snapped(x, float(grid)) if grid else x


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _snapped(x: Array, grid: float) -> Array:
    return jnp.round(x / grid) * grid


@_snapped.defjvp
def _slope(grid: float, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (slope,) = primals, tangents
    return _snapped(x, grid), slope
