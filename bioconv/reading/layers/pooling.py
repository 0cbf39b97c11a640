"""Readers of average pooling, which is linear, and of maximum pooling, which is a function."""

from __future__ import annotations

from collections.abc import Callable

from bioconv.analog.functions import MaxPool
from bioconv.operators import AveragePool, Reshape, keras_paddings, n_windows
from bioconv.reading.context import Context
from bioconv.reading.tensors import Tensor, linear

Reader = Callable[[Context], Tensor]


def _pooled(context: Context, x: Tensor, size: tuple, strides: tuple, mode: str) -> Tensor:
    """Return the average or maximum over windows of a channels-last tensor."""
    spatial = x.shape[:-1]
    padding = keras_paddings(spatial, size, strides, (1,) * len(size), mode)
    if "Average" in context.spec.kind:
        return linear(x, AveragePool(x.shape, size, strides, padding))
    windows = (n_windows(*axis) for axis in zip(spatial, size, strides, padding, strict=True))
    shape = (*windows, x.shape[-1])
    return context.layer(MaxPool(size, strides, padding), x, shape=shape)


def pooling(rank: int) -> Reader:
    """Return the reader of AveragePooling1D, ..., MaxPooling3D."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        size = context.config.integers("pool_size", rank, 2)
        given = context.config.get("strides") is not None
        strides = context.config.integers("strides", rank) if given else size
        mode = context.config.choice("padding", ("valid", "same"), "valid")
        return context.own_format(_pooled(context, x, size, strides, mode))

    return read


def global_pooling(rank: int) -> Reader:
    """Return the reader of GlobalAveragePooling1D, ..., GlobalMaxPooling3D."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        size = x.shape[:-1]
        x = _pooled(context, x, size, size, "valid")
        if context.config.flag("keepdims", False):
            return context.own_format(x)
        return linear(x, Reshape(x.shape, x.shape[-1:]))

    return read
