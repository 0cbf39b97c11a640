"""Readers of layers that scale and shift by stored values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.reading.config import shown
from bioconv.reading.context import Context
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Shape, Tensor, scaled, shifted

#: Keras's lower bound of a standard deviation (`keras.config.epsilon()`)
_EPSILON = 1e-7


def batch_normalization(context: Context) -> Tensor:
    """Read BatchNormalization, which predicts with its moving statistics."""
    x = context.only()
    axes = _axes(context, len(x.shape))
    shape = _kept(x.shape, axes)
    n = tuple(x.shape[axis] for axis in axes)
    epsilon = context.config.number("epsilon", 1e-3)
    variance = context.weight("moving_variance", n) + epsilon
    if np.any(variance <= 0):
        raise Refusal("its moving variance is not positive.", "Save the trained model again.")
    factor = 1 / np.sqrt(variance)
    if context.config.flag("scale", True):
        factor = factor * context.weight("gamma", n)
    offset = -context.weight("moving_mean", n) * factor
    if context.config.flag("center", True):
        offset = offset + context.weight("beta", n)
    return shifted(scaled(x, factor.reshape(shape)), offset.reshape(shape))


def normalization(context: Context) -> Tensor:
    """Read Normalization by mean and standard deviation of the data to which it was adapted."""
    x = context.only()
    axes = _axes(context, len(x.shape))
    shape = _kept(x.shape, axes)
    mean = _statistic(context, "mean", x.shape, axes).reshape(shape)
    deviation = np.sqrt(_statistic(context, "variance", x.shape, axes).reshape(shape))
    deviation = np.maximum(deviation, _EPSILON)
    if not np.all(np.isfinite(deviation)):
        raise Refusal("its variance is negative.", "Adapt it to the data again.")
    if context.config.flag("invert", False):
        return shifted(scaled(x, deviation), mean)
    return shifted(scaled(x, 1 / deviation), -mean / deviation)


def rescaling(context: Context) -> Tensor:
    """Read Rescaling, scale times x plus offset."""
    x = context.only()
    factor = _fitting(context.config.array("scale"), x.shape, "scale")
    offset = _fitting(context.config.array("offset", 0.0), x.shape, "offset")
    return shifted(scaled(x, factor), offset)


def layer_scale(context: Context) -> Tensor:
    """Read LayerScale of ConvNeXt, which multiplies every channel by a weight."""
    x = context.only()
    return scaled(x, context.weight("gamma", x.shape[-1:]))


def _statistic(context: Context, name: str, shape: Shape, axes: tuple[int, ...]) -> NDArray:
    n = tuple(shape[axis] for axis in axes)
    if name in context.weights:
        return context.weights[name].reshape(n)
    array = context.config.array(name)
    kept = _kept(shape, axes)
    return np.broadcast_to(_fitting(array.reshape(array.shape or (1,)), kept, name), kept)


def _fitting(array: NDArray, shape: Shape, name: str) -> NDArray:
    """Return ``array``, without leading axes of length 1, if it broadcasts to ``shape``."""
    while array.ndim > len(shape) and array.shape[0] == 1:
        array = array[0]
    axes = zip(array.shape[::-1], shape[::-1], strict=False)
    if array.ndim > len(shape) or any(size not in (1, full) for size, full in axes):
        raise Refusal(f"{name!r} has the shape {array.shape}, which does not fit {shape}.")
    return array


def _axes(context: Context, rank: int) -> tuple[int, ...]:
    """Return the axes with separate statistics, counted without the batch, in ascending order."""
    value = context.config.get("axis", -1)
    given = [] if value is None else value if isinstance(value, list | tuple) else [value]
    axes = []
    for axis in given:
        if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis <= rank:
            raise Refusal(
                f"its axis is {shown(value)}, but the input has {rank} axes and the batch axis."
            )
        if axis == 0:
            raise Refusal("it normalizes along the batch axis.")
        axes.append(axis % (rank + 1) - 1)
    return tuple(sorted(axes))


def _kept(shape: Shape, axes: tuple[int, ...]) -> Shape:
    return tuple(size if axis in axes else 1 for axis, size in enumerate(shape))
