"""Readers of layers that join tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bioconv.analog.functions import Dot, Function, Maximum, Minimum, Multiply
from bioconv.operators import Broadcast, Place, Reshape
from bioconv.reading.config import shown
from bioconv.reading.context import Context
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import (
    Tensor,
    broadcast,
    broadcast_shape,
    linear,
    scaled,
    shifted,
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
        tensors = inputs(context)
        if context.era.keras < 3 or all(tensor.mask is None for tensor in tensors):
            return joined_by(context, function, tensors)
        if isinstance(function, Multiply):
            return _masked_product(context, tensors)
        return _masked_extremum(context, function, tensors)

    return read


def _masked_product(context: Context, tensors: Sequence[Tensor]) -> Tensor:
    """Return the product in Keras 3: masked values are 1, and 0 where all inputs are masked."""
    steps = [_spread(tensor) for tensor in tensors]
    factors = [
        tensor if step is None else _where(context, step, tensor, None)
        for tensor, step in zip(tensors, steps, strict=True)
    ]
    product = joined_by(context, Multiply(), factors)
    masked = [step for step in steps if step is not None]
    if len(masked) < len(steps):
        return product
    return joined_by(context, Multiply(), [product, _either(context, masked)])


def _masked_extremum(context: Context, function: Function, tensors: Sequence[Tensor]) -> Tensor:
    """Return the maximum or minimum in Keras 3, which replaces masked values by the others."""
    result, first = tensors[0], _spread(tensors[0])
    for tensor in tensors[1:]:
        step = _spread(tensor)
        other = tensor if step is None else _where(context, step, tensor, result)
        result = result if first is None else _where(context, first, result, other)
        both = [part for part in (first, step) if part is not None]
        first = _either(context, both) if len(both) == 2 else None
        result = joined_by(context, function, [result, other])
    return result


def _spread(tensor: Tensor) -> Tensor | None:
    """Return the mask of a sequence, repeated for every feature."""
    if tensor.mask is None:
        return None
    if len(tensor.shape) != 2:
        raise Refusal("it joins masked tensors that are not sequences.")
    steps = tensor.mask.shape
    return linear(tensor.mask, Reshape(steps, (*steps, 1)), Broadcast((*steps, 1), tensor.shape))


def _either(context: Context, steps: Sequence[Tensor]) -> Tensor:
    return steps[0] if len(steps) == 1 else joined_by(context, Maximum(), steps)


def _where(context: Context, step: Tensor, x: Tensor, other: Tensor | None) -> Tensor:
    """Return ``x`` where ``step`` is 1, and the other tensor, or 1, where it is 0."""
    chosen = joined_by(context, Multiply(), [step, x])
    rest = shifted(scaled(step, -1.0), np.array(1.0))
    if other is not None:
        rest = joined_by(context, Multiply(), [rest, other])
    return total([chosen, rest])


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
