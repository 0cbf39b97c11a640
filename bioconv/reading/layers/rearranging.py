"""Readers of functions of `keras.ops` that move, join or sum values along axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from bioconv.operators import Crop, Dense, Permute, Reshape
from bioconv.reading.config import shown
from bioconv.reading.context import Context
from bioconv.reading.layers.merging import concatenated, inputs
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Shape, Tensor, boolean, checked, linear

Reader = Callable[[Context], Tensor]


def _axis(value: Any, rank: int) -> int:
    """Return one of ``rank`` axes, counted without the batch."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int) or not -rank <= value <= rank:
        raise Refusal(f"its axis is {shown(value)}; expected one of {rank} axes after the batch.")
    if value == 0:
        raise Refusal("it acts on the batch axis.")
    return value % (rank + 1) - 1


def _reshaped(x: Tensor, shape: Shape) -> Tensor:
    return boolean(linear(x, Reshape(x.shape, shape)), x.boolean)


def reshape(context: Context) -> Tensor:
    """Read a reshaping that keeps the batch as the first axis."""
    x = context.only()
    key = "newshape" if "newshape" in context.config else "target_shape"
    shape = context.config.get(key)
    if not isinstance(shape, list | tuple) or not shape or shape[0] not in (-1, None):
        raise Refusal(
            f"its {key} must be (-1, ...), where -1 is the batch. Received: {shown(shape)}."
        )
    sizes = context.config.integers(key, len(shape), least=-1)[1:] if shape[0] is not None else None
    sizes = tuple(shape[1:]) if sizes is None else sizes
    if any(not isinstance(n, int) or n < 1 for n in sizes) or prod(sizes) != prod(x.shape):
        raise Refusal(f"its {key} {shown(shape)} does not fit {prod(x.shape)} values.")
    return _reshaped(x, sizes)


def _with_new_axis(x: Tensor, axis: int) -> Tensor:
    return _reshaped(x, (*x.shape[:axis], 1, *x.shape[axis:]))


def expand_dims(context: Context) -> Tensor:
    """Read the insertion of an axis of length 1."""
    x = context.only()
    return _with_new_axis(x, _axis(context.config.get("axis"), len(x.shape) + 1))


def squeeze(context: Context) -> Tensor:
    """Read the removal of one axis of length 1."""
    x = context.only()
    axis = _axis(context.config.get("axis"), len(x.shape))
    if x.shape[axis] != 1:
        raise Refusal(f"it removes an axis of length {x.shape[axis]}.")
    return _reshaped(x, (*x.shape[:axis], *x.shape[axis + 1 :]))


def transpose(context: Context) -> Tensor:
    """Read a permutation that keeps the batch as the first axis."""
    x = context.only()
    axes = context.config.get("axes")
    if not isinstance(axes, list | tuple) or sorted(map(str, axes)) != sorted(
        map(str, range(len(x.shape) + 1))
    ):
        raise Refusal(f"its axes {shown(axes)} are not a permutation of its input's axes.")
    if axes[0] != 0:
        raise Refusal(f"its axes {shown(axes)} move the batch.")
    return linear(x, Permute(x.shape, tuple(axis - 1 for axis in axes[1:])))


def concatenate(context: Context) -> Tensor:
    """Read a concatenation, whose configuration always contains the axis."""
    tensors = inputs(context)
    if "axis" not in context.config:
        raise Refusal("its configuration has no 'axis'.")
    y = concatenated(tensors, context.config["axis"])
    return boolean(y, all(x.boolean for x in tensors))


def stack(context: Context) -> Tensor:
    """Read a concatenation along a new axis."""
    tensors = inputs(context)
    axis = _axis(context.config.get("axis"), len(tensors[0].shape) + 1)
    return concatenated([_with_new_axis(x, axis) for x in tensors], axis + 1)


def reduction(mean: bool) -> Reader:
    """Return the reader of a sum or mean along axes other than the batch."""

    def read(context: Context) -> Tensor:
        x = context.only()
        if x.boolean:
            raise Refusal("it calculates with values that are only true or false.")
        value, rank = context.config.get("axis"), len(x.shape)
        values = value if isinstance(value, list | tuple) else [value]
        axes = [_axis(item, rank) for item in values]
        if not axes or len(set(axes)) < len(axes):
            raise Refusal(f"its axis is {shown(value)}.")
        kept = [axis for axis in range(rank) if axis not in axes]
        n = prod(x.shape[axis] for axis in axes)
        y = linear(x, Permute(x.shape, (*kept, *axes)))
        y = linear(y, Reshape(y.shape, (*y.shape[: len(kept)], n)))
        y = linear(y, Dense(y.shape, np.full((n, 1), 1 / n if mean else 1.0)))
        shape = [1 if axis in axes else x.shape[axis] for axis in range(rank)]
        if not context.config.flag("keepdims", False):
            shape = [x.shape[axis] for axis in kept]
        return linear(y, Reshape(y.shape, tuple(shape)))

    return read


#: all values of an axis
_ALL: Mapping[str, Any] = {"class_name": "__slice__", "config": {}}


def get_item(context: Context) -> Tensor:
    """Read ``x[:, a:b, i]``, which selects neighbouring values along each axis."""
    x, *places = context.args
    if not isinstance(x, Tensor) or len(places) > len(x.shape) + 1:
        raise Refusal("it must select a part of one tensor.")
    first, *others = places or [_ALL]
    if _limits(first, 2**31) != (0, 2**31):
        raise Refusal("it selects some of the samples.")
    crops, shape = [], []
    for place, size in zip([*others, *[_ALL] * len(x.shape)], x.shape, strict=False):
        low, high = _limits(place, size)
        crops.append((low, size - high))
        if not isinstance(place, int):
            shape.append(high - low)
    checked([size - sum(crop) for size, crop in zip(x.shape, crops, strict=True)])
    y = linear(x, Crop(x.shape, tuple(crops)))
    return boolean(linear(y, Reshape(y.shape, tuple(shape))), x.boolean)


def _limits(place: Any, size: int) -> tuple[int, int]:
    """Return the first and the end of the values that an index or slice of an axis selects."""
    if isinstance(place, int) and not isinstance(place, bool) and -size <= place < size:
        return place % size, place % size + 1
    if place is None:
        raise Refusal("it inserts an axis by None.", "Use keras.ops.expand_dims.")
    config = place.get("config") if isinstance(place, Mapping) else None
    if not isinstance(config, Mapping) or place.get("class_name") != "__slice__":
        raise Refusal(f"it selects values by {shown(place)}.")
    limits = [config.get(key) for key in ("start", "stop", "step")]
    if any(n is not None and (isinstance(n, bool) or not isinstance(n, int)) for n in limits):
        raise Refusal(f"it selects values by {shown(place)}.")
    low, high, step = slice(*limits).indices(size)
    if step != 1:
        raise Refusal(f"it selects values in steps of {step}.")
    return low, max(low, high)
