"""Max pooling with spikes: maxima over windows of non-negative rates.

A gate passes on the spikes of the source with the largest rate (rueckauer 3.6), so that its inputs
must be spikes.  There are four cases, of which the first applicable one is used:

1. The values are moved activations with positive factors (identity, padding, concatenation, a
   batch normalization with positive factors): the gate receives the spikes, and layers that use
   the maximum apply the factor.
2. Only rectifications use the maximum: the maximum of the rectified values is the same, because
   a rectification preserves the order of values.
3. Otherwise a spiking layer represents the values, shifted by their smallest value on the
   calibration data so that none is negative; layers that use the maximum subtract the shift.
4. A window of one cell only selects values and does not need a maximum.

For a code that supports minima as well (stanojevic Fig 2.2c), the first case includes channels
whose factor is negative: the maximum of ``-x`` is minus the minimum of ``x``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import MaxPool, ReLU
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.codes.common.affine import (
    apply64,
    channel_axis,
    elementwise_factor,
    moves_values,
    same,
    scale_affine,
    substitute,
    without_factors,
)
from bioconv.codes.common.max_windows import pool_of, pool_stages
from bioconv.codes.common.rewritten import Rewritten
from bioconv.operators import Array, Shape, WindowCell, compact, compose, register


@register
@dataclass(frozen=True, eq=False)
class MaxMinPool(MaxPool):
    """Maximum over windows for some channels and minimum for others, ignoring padding.

    Parameters
    ----------
    minima : tuple of bool
        For each channel, whether it is a minimum.
    """

    minima: tuple[bool, ...] = ()

    def apply(self, inputs: Sequence[Array]) -> Array:
        """Return the function of one input, (batch, *spatial, channels)."""
        sign = np.where(self.minima, -1.0, 1.0)
        (x,) = inputs
        return super().apply([x * sign.astype(x.dtype)]) * sign.astype(x.dtype)


def rewrite_max_pool(
    graph: AnalogGraph,
    layer: Layer,
    users: list[Layer],
    result: Rewritten,
    lowest: Callable[[Layer], NDArray[np.float64]],
    *,
    minima: bool = False,
) -> None:
    """Add the layers that replace a max pooling to ``result``; see `rewriting.rewrite`."""
    affine, pool = substitute(layer.inputs[0], result.values), pool_of(layer)
    if prod(pool.size) == 1:
        result.values[layer.name] = _pick(affine, pool, layer.shape)
        return
    moved = _moved_rates(affine, result, minima)
    if moved is not None:
        selection, factor, shift = moved
        _add_gates(replace(layer, inputs=(selection,)), result, np.ravel(factor < 0))
        if np.any(factor != 1) or np.any(shift):
            value = scale_affine(same(layer.name, layer.shape), factor, shift)
            result.values[layer.name] = value
    elif not {layer.name, *(user.name for user in users)} & set(graph.outputs) and all(
        _rectifies(user, layer.name) for user in users
    ):
        result.deferred[layer.name] = replace(layer, inputs=(affine,))
    else:
        _add_shifted(layer, affine, result, lowest(layer))


def pool_after(layer: Layer, result: Rewritten) -> None:
    """Add the rectification ``layer`` of a deferred maximum, followed by the maximum."""
    (term,) = layer.inputs[0].terms
    pool = result.deferred[term.source]
    factor = apply64(term.operator, np.ones((1, *term.operator.in_shape)))
    before = scale_affine(pool.inputs[0], _one(factor), _one(layer.inputs[0].bias))
    name = result.free_name(f"{layer.name}_unpooled")
    result.add(Layer(name, layer.function, (before,), before.shape, layer.members))
    _add_gates(replace(pool, name=layer.name, inputs=(same(name, before.shape),)), result)


def _add_shifted(
    layer: Layer, affine: Affine, result: Rewritten, lowest: NDArray[np.float64]
) -> None:
    name = result.free_name(f"{layer.name}_unpooled")
    lowest = lowest.reshape((1,) * (len(affine.shape) - 1) + (-1,))
    shifted = scale_affine(affine, 1.0, -lowest)
    result.add(Layer(name, ReLU(), (shifted,), affine.shape, layer.members))
    _add_gates(replace(layer, inputs=(same(name, affine.shape),)), result)
    result.values[layer.name] = scale_affine(same(layer.name, layer.shape), 1.0, lowest)


def _pick(affine: Affine, pool: MaxPool, shape: Shape) -> Affine:
    cell = WindowCell(affine.shape, pool.size, pool.strides, pool.padding, 0)
    terms = tuple(Term(t.source, compose(t.operator, cell)) for t in affine.terms)
    full = np.ascontiguousarray(np.broadcast_to(affine.bias, affine.shape))[None]
    return Affine(terms, compact(apply64(cell, full), shape), shape)


def _moved_rates(
    affine: Affine, result: Rewritten, minima: bool
) -> tuple[Affine, NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the spikes to pool, and factor and shift of the maximum, or None outside case 1."""
    operators = [term.operator for term in affine.terms]
    inputs = {entry.name for entry in result.inputs}
    if not operators or inputs & {term.source for term in affine.terms}:
        return None
    if not all(moves_values(operator, signed=minima) for operator in operators):
        return None
    moves = [without_factors(operator) for operator in operators]
    hits = _sum([apply64(op, np.ones((1, *op.in_shape))) for op in moves])
    factors = _sum([apply64(op, np.ones((1, *op.in_shape))) for op in operators])
    factor = _by_channel(factors, hits)
    shift = _by_channel(np.broadcast_to(affine.bias, affine.shape), np.ones(affine.shape))
    # Scales of all sources must agree within a window for every channel; checked with random ones.
    axes = {layer.name: channel_axis(layer) for layer in result.layers} if minima else {}
    tried = [
        _random_scale(op.in_shape, axes.get(term.source, -1), seed)
        for seed, (term, op) in enumerate(zip(affine.terms, moves, strict=True))
    ]
    scales = _sum([apply64(op, scale[None]) for op, scale in zip(moves, tried, strict=True)])
    if np.any(hits > 1) or factor is None or shift is None or _by_channel(scales, hits) is None:
        return None
    if np.any(factor < 0) and np.any(hits == 0):
        return None  # a cell without a source is 0, a minimum that no spike represents
    terms = tuple(Term(t.source, op) for t, op in zip(affine.terms, moves, strict=True))
    return Affine(terms, np.zeros((1,) * len(affine.shape)), affine.shape), factor, shift


def _random_scale(shape: Shape, axis: int | None, seed: int) -> NDArray[np.float64]:
    """Return a different number for each channel along ``axis`` (None: a single number)."""
    if axis is None:
        return np.full(shape, np.random.default_rng(seed).random())
    values = np.random.default_rng(seed).random(shape[axis])
    full = np.moveaxis(
        np.broadcast_to(values, np.moveaxis(np.empty(shape), axis, -1).shape), -1, axis
    )
    return np.ascontiguousarray(full)


def _sum(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.sum(parts, axis=0)


def _by_channel(values: NDArray, hits: NDArray) -> NDArray[np.float64] | None:
    """Return one value per channel, shape (1, ..., channels), or None if used values differ."""
    flat = np.where(hits > 0, values, np.nan).reshape(-1, values.shape[-1])
    flat = np.where(np.all(np.isnan(flat), axis=0), 1.0, flat)
    low, high = np.nanmin(flat, axis=0), np.nanmax(flat, axis=0)
    return low.reshape((1,) * (values.ndim - 1) + (-1,)) if np.array_equal(low, high) else None


def _rectifies(user: Layer, source: str) -> bool:
    """Whether ``user`` is a plain ReLU of ``source``, with one positive factor per channel."""
    plain = isinstance(user.function, ReLU) and user.function.negative_slope == 0
    if not plain or len(user.inputs[0].terms) != 1:
        return False
    (term,) = user.inputs[0].terms
    factor = elementwise_factor(term.operator) if term.source == source else None
    if factor is None or np.any(factor <= 0):
        return False
    return all(
        compact(v, user.shape).size in (1, user.shape[-1]) for v in (factor, user.inputs[0].bias)
    )


def _one(values: NDArray) -> NDArray[np.float64]:
    """Reshape values that depend only on the channel to broadcast to another spatial shape."""
    return compact(values, values.shape).reshape((1,) * (values.ndim - 1) + (-1,))


def _add_gates(layer: Layer, result: Rewritten, minima: NDArray[np.bool_] | None = None) -> None:
    """Add the maximum as one layer of gates, or as several layers if windows are large.

    ``minima`` specifies for each channel, or for all channels, whether it is a minimum.
    """
    (affine,) = layer.inputs
    stages = pool_stages(affine.shape, pool_of(layer)) or []
    for number, pool in enumerate(stages, start=1):
        if minima is not None and minima.any():
            flags = tuple(map(bool, np.broadcast_to(minima, affine.shape[-1:])))
            pool = MaxMinPool(pool.size, pool.strides, pool.padding, flags)  # noqa: PLW2901
        last = number == len(stages)
        name = layer.name if last else result.free_name(f"{layer.name}_stage{number}")
        shape = WindowCell(affine.shape, pool.size, pool.strides, pool.padding, 0).out_shape
        result.add(Layer(name, pool, (affine,), shape, layer.members))
        affine = same(name, shape)
