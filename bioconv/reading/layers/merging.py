"""Readers of layers that join tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bioconv.analog.functions import Dot, Function, Maximum, Minimum, Multiply
from bioconv.operators import Place
from bioconv.reading.config import shown
from bioconv.reading.context import Context
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import (
    Tensor,
    broadcast,
    broadcast_shape,
    linear,
    scaled,
    total,
)

Reader = Callable[[Context], Tensor]


def inputs(context: Context, n: int | None = None) -> list[Tensor]:
    """Return the tensors that the layer joins, of which there must be ``n`` if given."""
    tensors = context.tensors
    if len(tensors) != len(context.args) or not tensors or n not in (None, len(tensors)):
        expected = "two tensors" if n == 2 else "tensors"
        raise Refusal(f"it must join {expected}. Received: {len(context.args)} arguments.")
    return tensors


def add(context: Context) -> Tensor:
    """Read Add, the sum of all inputs."""
    return total(inputs(context))


def subtract(context: Context) -> Tensor:
    """Read Subtract, the difference of two inputs."""
    first, second = inputs(context, 2)
    return total([first, scaled(second, -1.0)])


def average(context: Context) -> Tensor:
    """Read Average, the mean of all inputs."""
    tensors = inputs(context)
    return scaled(total(tensors), 1 / len(tensors))


def concatenate(context: Context) -> Tensor:
    """Read Concatenate, which joins all inputs along one axis."""
    return concatenated(inputs(context), context.config.get("axis", -1))


def concatenated(tensors: Sequence[Tensor], axis: Any) -> Tensor:
    """Return tensors that are joined along an axis, counted as in Keras (the batch is axis 0)."""
    shapes = [tensor.shape for tensor in tensors]
    rank = len(shapes[0])
    if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis <= rank or not axis:
        raise Refusal(
            f"its axis is {shown(axis)}, but its inputs have {rank} axes and the batch axis."
        )
    axis = axis % (rank + 1) - 1
    others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len({len(shape) for shape in shapes}) > 1 or len(others) > 1:
        raise Refusal(f"its inputs have incompatible shapes: {shapes}.")
    starts = np.cumsum([0, *(shape[axis] for shape in shapes)]).tolist()
    placed = [
        linear(tensor, Place(tensor.shape, axis, start, starts[-1]))
        for tensor, start in zip(tensors, starts[:-1], strict=True)
    ]
    return total(placed)


def elementwise(function: Function) -> Reader:
    """Return the reader of Multiply, Maximum or Minimum."""

    def read(context: Context) -> Tensor:
        return joined_by(context, function, inputs(context))

    return read


def joined_by(context: Context, function: Function, tensors: Sequence[Tensor]) -> Tensor:
    """Return a function of tensors whose shapes broadcast."""
    shape = broadcast_shape(tensors)
    parts = [broadcast(tensor, shape) for tensor in tensors]
    return context.layer(function, *parts, shape=shape)


def scaled_sum(context: Context) -> Tensor:
    """Read CustomScaleLayer of InceptionResNetV2, one input plus another times a scale."""
    first, second = inputs(context, 2)
    return total([first, scaled(second, context.config.number("scale"))])


def dot(context: Context) -> Tensor:
    """Read Dot, the scalar products along one axis of each input."""
    first, second = inputs(context, 2)
    axes = context.config.get("axes", -1)
    pair = tuple(axes) if isinstance(axes, list | tuple) else (axes, axes)
    ranks = (len(first.shape), len(second.shape))
    if len(pair) != 2 or any(
        isinstance(a, bool) or not isinstance(a, int) or not -n <= a <= n or not a
        for a, n in zip(pair, ranks, strict=True)
    ):
        raise Refusal(
            f"its axes {shown(axes)} do not fit inputs with {ranks[0]} and {ranks[1]} axes."
        )
    function = Dot(pair, context.config.flag("normalize", False))
    shape = function.out_shape([first.shape, second.shape])
    return context.layer(function, first, second, shape=shape)


MAXIMUM = elementwise(Maximum())
MINIMUM = elementwise(Minimum())
MULTIPLY = elementwise(Multiply())
