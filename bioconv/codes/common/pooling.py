"""Max pooling in spikes: maxima over windows of rates that are not negative.

A gate lets spikes of the largest rate pass (rueckauer 3.6), so what it pools must be spikes.
Four cases, the first that fits:

1. the values are moved and positively scaled activations (identity, padding, concatenation, a
   batch normalization with positive factors): the gate takes the spikes, and who uses the maximum
   gets the factor;
2. only rectifications use the maximum: the maximum of the rectified values is the same, because
   a rectification never changes order;
3. otherwise a spiking layer carries the values, shifted by their smallest value on the
   calibration data so that none is negative; who uses the maximum gets the shift back.
4. A window of one cell is no maximum at all: it picks values.

A code that can carry minima as well (stanojevic Fig 2.2c) gets them in the first case, for channels
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
    """Maximum over windows of some channels, minimum of others; padding never wins.

    Parameters
    ----------
    minima : tuple of bool
        For each channel whether it is a minimum.
    """

    minima: tuple[bool, ...] = ()

    def apply(self, inputs: Sequence[Array]) -> Array:
        """The function of one input, (batch, *spatial, channels)."""
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
    """Add to ``result`` what a max pooling becomes; see `rewriting.rewrite`."""
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
    """The rectification ``layer`` of a deferred maximum: rectify first, then take the maximum."""
    (term,) = layer.inputs[0].terms
    pool = result.deferred[term.source]
    factor = elementwise_factor(term.operator)
    assert factor is not None  # else the maximum would not have been deferred
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
    """Spikes to pool, and factor and shift of the maximum; None unless case 1 applies."""
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
    # Scales of any channel of any source must be alike within a window: tried with random ones.
    axes = {layer.name: channel_axis(layer) for layer in result.layers} if minima else {}
    tried = [
        _random_scale(op.in_shape, axes.get(term.source, -1), seed)
        for seed, (term, op) in enumerate(zip(affine.terms, moves, strict=True))
    ]
    scales = _sum([apply64(op, scale[None]) for op, scale in zip(moves, tried, strict=True)])
    if np.any(hits > 1) or factor is None or shift is None or _by_channel(scales, hits) is None:
        return None
    if np.any(factor < 0) and np.any(hits == 0):
        return None  # a cell without source is 0: the minimum, which no spike tells
    terms = tuple(Term(t.source, op) for t, op in zip(affine.terms, moves, strict=True))
    return Affine(terms, np.zeros((1,) * len(affine.shape)), affine.shape), factor, shift


def _random_scale(shape: Shape, axis: int | None, seed: int) -> NDArray[np.float64]:
    """Another number for each channel, the channels along ``axis`` (None: one number)."""
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
    """One value a channel, shape (1, ..., channels), if all that are hit agree; else None."""
    flat = np.where(hits > 0, values, np.nan).reshape(-1, values.shape[-1])
    flat = np.where(np.all(np.isnan(flat), axis=0), 1.0, flat)
    low, high = np.nanmin(flat, axis=0), np.nanmax(flat, axis=0)
    return low.reshape((1,) * (values.ndim - 1) + (-1,)) if np.array_equal(low, high) else None


def _rectifies(user: Layer, source: str) -> bool:
    """Whether ``user`` is a plain ReLU of ``source``, with one positive factor a channel."""
    plain = isinstance(user.function, ReLU) and user.function.negative_slope == 0
    if not plain or len(user.inputs[0].terms) != 1:
        return False
    (term,) = user.inputs[0].terms
    factor = elementwise_factor(term.operator) if term.source == source else None
    if factor is None or np.any(factor <= 0):
        return False
    return all(
        compact(v, user.shape).size in (1, user.shape[-1]) and _one(v) is not None
        for v in (factor, user.inputs[0].bias)
    )


def _one(values: NDArray) -> NDArray[np.float64]:
    """Values that depend on the channel only, ready to broadcast to another spatial shape."""
    return values.reshape((1,) * (values.ndim - 1) + (-1,))


def _add_gates(layer: Layer, result: Rewritten, minima: NDArray[np.bool_] | None = None) -> None:
    """The maximum as one layer of gates, or several where windows are large.

    ``minima`` says for each channel (or for all at once) whether it is a minimum.
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
