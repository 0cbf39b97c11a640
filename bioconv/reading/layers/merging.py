"""Readers of layers and operations that join tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Dot, Function, Maximum, Minimum, Multiply
from bioconv.operators import Place
from bioconv.reading.config import Config, shown
from bioconv.reading.context import Context
from bioconv.reading.layers.activation import ACTIVATIONS, applied
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


def _inputs(context: Context, n: int | None = None) -> list[Tensor]:
    tensors = context.tensors
    if len(tensors) != len(context.args) or not tensors or n not in (None, len(tensors)):
        expected = "two tensors" if n == 2 else "tensors"
        raise Refusal(f"it must join {expected}. Received: {len(context.args)} arguments.")
    return tensors


def add(context: Context) -> Tensor:
    """Read Add, the sum of all inputs."""
    return total(_inputs(context))


def subtract(context: Context) -> Tensor:
    """Read Subtract, the difference of two inputs."""
    first, second = _inputs(context, 2)
    return total([first, scaled(second, -1.0)])


def average(context: Context) -> Tensor:
    """Read Average, the mean of all inputs."""
    tensors = _inputs(context)
    return scaled(total(tensors), 1 / len(tensors))


def concatenate(context: Context) -> Tensor:
    """Read Concatenate, which joins all inputs along one axis."""
    tensors = _inputs(context)
    shapes = [tensor.shape for tensor in tensors]
    rank, axis = len(shapes[0]), context.config.get("axis", -1)
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
        return _joined(context, function, _inputs(context))

    return read


def _joined(context: Context, function: Function, tensors: Sequence[Tensor]) -> Tensor:
    shape = broadcast_shape(tensors)
    parts = [broadcast(tensor, shape) for tensor in tensors]
    return context.layer(function, *parts, shape=shape)


def dot(context: Context) -> Tensor:
    """Read Dot, the scalar products along one axis of each input."""
    first, second = _inputs(context, 2)
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


def _operands(context: Context, n: int) -> list[Tensor | NDArray[np.float64]]:
    """Return the operands of a function such as ``x + 1`` as tensors or constant arrays."""
    named = [context.kwargs[key] for key in ("x1", "x2", "y") if key in context.kwargs]
    operands = [_operand(value) for value in (*context.args, *named)]
    if len(operands) != n or not any(isinstance(operand, Tensor) for operand in operands):
        raise Refusal(f"it takes {n} operands. Received: {len(operands)}.")
    return operands


def _operand(value: Any) -> Tensor | NDArray[np.float64]:
    return value if isinstance(value, Tensor) else Config({"operand": value}).array("operand")


def _fit(array: NDArray[np.float64], tensor: Tensor) -> NDArray[np.float64]:
    axes = zip(array.shape[::-1], tensor.shape[::-1], strict=False)
    if array.ndim > len(tensor.shape) or any(size not in (1, full) for size, full in axes):
        raise Refusal(f"its operands have incompatible shapes: {array.shape} and {tensor.shape}.")
    return array


def add_operation(sign: float) -> Reader:
    """Return the reader of ``a + b`` (sign 1) or ``a - b`` (sign -1)."""

    def read(context: Context) -> Tensor:
        first, second = _operands(context, 2)
        if isinstance(first, Tensor) and isinstance(second, Tensor):
            return total([first, scaled(second, sign) if sign != 1 else second])
        if isinstance(first, Tensor):
            return shifted(first, sign * _fit(np.asarray(second), first))
        assert isinstance(second, Tensor)
        return shifted(scaled(second, sign), _fit(first, second))

    return read


def multiply_operation(context: Context) -> Tensor:
    """Read ``a * b``."""
    first, second = _operands(context, 2)
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return _joined(context, Multiply(), [first, second])
    tensor, array = (first, second) if isinstance(first, Tensor) else (second, first)
    assert isinstance(tensor, Tensor) and not isinstance(array, Tensor)
    return scaled(tensor, _fit(array, tensor))


def divide_operation(context: Context) -> Tensor:
    """Read ``a / b`` for a constant b."""
    first, second = _operands(context, 2)
    if not isinstance(first, Tensor) or isinstance(second, Tensor) or not np.all(second):
        raise Refusal("it divides by values that are not constant.")
    return scaled(first, 1 / _fit(second, first))


def negative_operation(context: Context) -> Tensor:
    """Read ``-a``."""
    return scaled(context.only(), -1.0)


def activation_operation(name: str) -> Reader:
    """Return the reader of a function such as ``keras.ops.relu(x)``."""

    def read(context: Context) -> Tensor:
        return applied(context, context.only(), ACTIVATIONS[name])

    return read
