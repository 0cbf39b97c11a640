"""Readers of layers that only move values, such as padding, cropping and reshaping."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.operators import Broadcast, Crop, Dense, Pad, Permute, Reshape, Upsample
from bioconv.reading.config import shown
from bioconv.reading.context import Context
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Tensor, checked, linear

Reader = Callable[[Context], Tensor]


def flatten(context: Context) -> Tensor:
    """Read Flatten in C order, after moving channels last if its data_format is channels_first.

    In Keras 1 and Keras 2 before 2.2, it has no ``data_format`` and does not move channels.
    """
    x = context.only()
    x = context.channels_last(x) if len(x.shape) > 1 else x
    return linear(x, Reshape(x.shape, (prod(x.shape),)))


def reshape(context: Context) -> Tensor:
    """Read Reshape in C order, where a size of -1 is inferred."""
    x = context.only()
    target = context.config.get("target_shape")
    if not isinstance(target, list | tuple) or not all(isinstance(n, int) for n in target):
        raise Refusal(f"its target_shape must be a list of integers. Received: {shown(target)}.")
    target = list(target)
    if target.count(-1) == 1:
        known = prod(n for n in target if n != -1)
        target[target.index(-1)] = prod(x.shape) // max(known, 1)
    if any(n < 1 for n in target) or prod(target) != prod(x.shape):
        raise Refusal(f"its target_shape {shown(target)} does not fit {prod(x.shape)} values.")
    return linear(x, Reshape(x.shape, tuple(target)))


def permute(context: Context) -> Tensor:
    """Read Permute, whose axis numbers start at 1."""
    x = context.only()
    axes = context.config.integers("dims", len(x.shape))
    if sorted(axes) != list(range(1, len(x.shape) + 1)):
        raise Refusal(f"its dims {axes} are not a permutation of {len(x.shape)} axes.")
    return linear(x, Permute(x.shape, tuple(axis - 1 for axis in axes)))


def repeat_vector(context: Context) -> Tensor:
    """Read RepeatVector, which repeats a vector at every time step."""
    x = context.only(1)
    n = context.config.integer("n")
    shape = checked((n, *x.shape))
    return linear(x, Reshape(x.shape, (1, *x.shape)), Broadcast((1, *x.shape), shape))


def zero_padding(rank: int) -> Reader:
    """Return the reader of ZeroPadding1D, ZeroPadding2D or ZeroPadding3D."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        pairs = (*context.config.pairs("padding", rank, 1), (0, 0))
        checked([n + sum(pair) for n, pair in zip(x.shape, pairs, strict=True)])
        return context.own_format(linear(x, Pad(x.shape, pairs)))

    return read


def cropping(rank: int) -> Reader:
    """Return the reader of Cropping1D, Cropping2D or Cropping3D."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        pairs = (*context.config.pairs("cropping", rank, 1), (0, 0))
        checked([n - sum(pair) for n, pair in zip(x.shape, pairs, strict=True)])
        return context.own_format(linear(x, Crop(x.shape, pairs)))

    return read


def upsampling(rank: int) -> Reader:
    """Return the reader of UpSampling1D, UpSampling2D or UpSampling3D, nearest or bilinear."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        factors = context.config.integers("size", rank, 2)
        kind = context.config.choice("interpolation", ("nearest", "bilinear"), "nearest")
        checked([n * k for n, k in zip(x.shape, (*factors, 1), strict=True)])
        if kind == "nearest":
            x = linear(x, Upsample(x.shape, (*factors, 1)))
        else:
            for axis, factor in enumerate(factors):
                x = _interpolated(x, axis, factor)
        return context.own_format(x)

    return read


def _interpolated(x: Tensor, axis: int, factor: int) -> Tensor:
    """Interpolate linearly along one axis by a matrix on this axis."""
    rank = len(x.shape)
    order = (*(a for a in range(rank) if a != axis), axis)
    back = tuple(order.index(a) for a in range(rank))
    x = linear(x, Permute(x.shape, order))
    x = linear(x, Dense(x.shape, _interpolation(x.shape[-1], factor)))
    return linear(x, Permute(x.shape, back))


def _interpolation(n: int, factor: int) -> NDArray[np.float64]:
    """Return weights (n, n factor) between cell centres, with constant continuation at borders."""
    checked((n, n * factor))
    place = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
    low = np.minimum(place.astype(int), max(n - 2, 0))
    high = np.minimum(low + 1, n - 1)
    weights = np.zeros((n, n * factor))
    columns = np.arange(n * factor)
    np.add.at(weights, (low, columns), 1 - (place - low))
    np.add.at(weights, (high, columns), place - low)
    return weights
