"""Readers of functions of `keras.ops` and TensorFlow in a model, such as ``x + y``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import (
    Celu,
    Elementwise,
    Gelu,
    Maximum,
    Minimum,
    Multiply,
    NotEqual,
    ReLU,
    Squareplus,
)
from bioconv.reading.config import Config, shown
from bioconv.reading.context import Context
from bioconv.reading.layers.activation import ACTIVATIONS, LAYERS, applied, softmax
from bioconv.reading.layers.merging import inputs, joined_by
from bioconv.reading.layers.rearranging import (
    concatenate,
    expand_dims,
    get_item,
    reduction,
    reshape,
    squeeze,
    stack,
    transpose,
)
from bioconv.reading.layers.recurrent import any_feature
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import (
    Tensor,
    boolean,
    constant,
    scaled,
    shifted,
    total,
)

Reader = Callable[[Context], Tensor]
Operand = Tensor | NDArray[np.float64]


@dataclass(frozen=True)
class Operation:
    """A function and the options that its configuration may contain."""

    read: Reader
    options: tuple[str, ...] = ()


def _operands(context: Context, n: int) -> list[Operand]:
    """Return the operands of a function such as ``x + 1`` as tensors or constant arrays."""
    named = [context.kwargs[key] for key in ("x1", "x2", "y") if key in context.kwargs]
    operands = [_operand(value) for value in (*context.args, *named)]
    if len(operands) != n or not any(isinstance(operand, Tensor) for operand in operands):
        raise Refusal(f"it takes {n} operands. Received: {len(operands)}.")
    return operands


def _operand(value: Any) -> Operand:
    return value if isinstance(value, Tensor) else Config({"operand": value}).array("operand")


def _fit(array: NDArray[np.float64], tensor: Tensor) -> NDArray[np.float64]:
    """Return a constant without the axis of the batch if it broadcasts to the tensor."""
    if array.ndim == len(tensor.shape) + 1 and array.shape[0] == 1:
        array = array[0]
    axes = zip(array.shape[::-1], tensor.shape[::-1], strict=False)
    if array.ndim > len(tensor.shape) or any(size not in (1, full) for size, full in axes):
        raise Refusal(f"its operands have incompatible shapes: {array.shape} and {tensor.shape}.")
    return array


def _check_numbers(operands: Sequence[Operand]) -> None:
    if all(isinstance(operand, Tensor) and operand.boolean for operand in operands):
        raise Refusal("it calculates with values that are only true or false.")


def _add(sign: float) -> Reader:
    """Return the reader of ``a + b`` (sign 1) or ``a - b`` (sign -1)."""

    def read(context: Context) -> Tensor:
        first, second = _operands(context, 2)
        _check_numbers([first, second])
        if isinstance(first, Tensor) and isinstance(second, Tensor):
            return total([first, scaled(second, sign) if sign != 1 else second])
        tensor, array = _apart(first, second)
        if tensor is first:
            return shifted(tensor, sign * _fit(array, tensor))
        return shifted(scaled(tensor, sign), _fit(array, tensor))

    return read


def _apart(first: Tensor | NDArray, second: Tensor | NDArray) -> tuple[Tensor, NDArray]:
    """Return the tensor and the constant of two operands."""
    if isinstance(first, Tensor) and not isinstance(second, Tensor):
        return first, np.asarray(second)
    if isinstance(second, Tensor) and not isinstance(first, Tensor):
        return second, np.asarray(first)
    raise Refusal("it does not combine a tensor with a constant.")


def _multiply(context: Context) -> Tensor:
    """Read ``a * b``."""
    first, second = _operands(context, 2)
    _check_numbers([first, second])
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return joined_by(context, Multiply(), [first, second])
    tensor, array = _apart(first, second)
    return scaled(tensor, _fit(array, tensor))


def _divide(context: Context) -> Tensor:
    """Read ``a / b`` for a constant b."""
    first, second = _operands(context, 2)
    if not isinstance(first, Tensor) or isinstance(second, Tensor) or not np.all(second):
        raise Refusal("it divides by values that are not constant.")
    return scaled(first, 1 / _fit(second, first))


def _negative(context: Context) -> Tensor:
    """Read ``-a``."""
    return scaled(context.only(), -1.0)


def _square(context: Context) -> Tensor:
    """Read ``a ** 2`` as a product."""
    x = context.only()
    return joined_by(context, Multiply(), [x, x])


def _extremum(sign: float) -> Reader:
    """Return the reader of the maximum (sign 1) or minimum (sign -1) of tensors or constants."""

    def read(context: Context) -> Tensor:
        first, second = _operands(context, 2)
        if isinstance(first, Tensor) and isinstance(second, Tensor):
            return joined_by(context, Maximum() if sign > 0 else Minimum(), [first, second])
        tensor, array = _apart(first, second)
        limit = _fit(array, tensor)
        # max(x, c) = c + relu(x - c) and min(x, c) = c - relu(c - x)
        above = shifted(scaled(tensor, sign) if sign < 0 else tensor, -sign * limit)
        rectified = applied(context, above, ReLU())
        return shifted(scaled(rectified, sign) if sign < 0 else rectified, limit)

    return read


def _clip(context: Context) -> Tensor:
    """Read a clipping to two constants as a rectification with a maximum."""
    low, high = context.config.number("x_min"), context.config.number("x_max")
    if low > high:
        raise Refusal(f"its limits {low} and {high} are in the wrong order.")
    x = applied(context, shifted(context.only(), np.array(-low)), ReLU(max_value=high - low))
    return shifted(x, np.array(low))


def _logical(function: Maximum | Minimum) -> Reader:
    """Return the reader of ``or`` (maximum) or ``and`` (minimum) of values that are not 0."""

    def read(context: Context) -> Tensor:
        parts = [_truth(context, x) for x in inputs(context, 2)]
        return boolean(joined_by(context, function, parts))

    return read


def _truth(context: Context, x: Tensor) -> Tensor:
    return x if x.boolean else context.layer(NotEqual(0.0), x, shape=x.shape, suffix="/true")


def _not_equal(context: Context) -> Tensor:
    """Read ``x != number``, by which Keras 3 computes the mask of Embedding and Masking."""
    tensor, number = context.args if len(context.args) == 2 else (None, None)
    if not isinstance(tensor, Tensor):
        raise Refusal("it must compare a tensor with a number.")
    function = NotEqual(Config({"number": number}).number("number"))
    return boolean(context.layer(function, tensor, shape=tensor.shape))


def _any(context: Context) -> Tensor:
    """Read ``any(x, axis=-1)`` of a sequence, by which Keras 3 computes the mask of Masking."""
    x = context.only(2)
    if context.config.get("axis") not in (-1, 2, [-1], [2]) or context.config.flag("keepdims"):
        raise Refusal("it must reduce the last axis only.")
    return any_feature(context, _truth(context, x))


def _like(value: float) -> Reader:
    """Return the reader of ``ones_like`` or ``zeros_like``."""

    def read(context: Context) -> Tensor:
        x = constant(value, context.only().shape)
        return boolean(x) if context.config.get("dtype") == "bool" else x

    return read


def _function(make: Callable[[Config], Elementwise | None]) -> Reader:
    """Return the reader of an elementwise function of its configuration."""

    def read(context: Context) -> Tensor:
        return applied(context, context.only(), make(context.config))

    return read


def _leaky(config: Config) -> Elementwise:
    return ReLU(negative_slope=config.number("negative_slope", 0.2))


def _unchanged(context: Context) -> Tensor:
    """Read a function that returns its input."""
    return context.only()


def _cast(context: Context) -> Tensor:
    """Read a conversion to another type of real numbers."""
    kind = context.config.get("dtype")
    if kind not in ("float16", "bfloat16", "float32", "float64"):
        raise Refusal(f"it converts numbers to {shown(kind)}, which rounds them.")
    x = context.only()
    return boolean(x, False)


def _named(name: str) -> Operation:
    """Return the operation of an activation without options."""
    return Operation(_function(lambda config: ACTIVATIONS[name]))


_ADD, _SUBTRACT = Operation(_add(1.0)), Operation(_add(-1.0))
_MULTIPLY, _DIVIDE = Operation(_multiply), Operation(_divide)
_NEGATIVE = Operation(_negative)

#: name of a function in lower case without underscores -> how it is read
OPERATIONS: Mapping[str, Operation] = {
    "add": _ADD,
    "subtract": _SUBTRACT,
    "sub": _SUBTRACT,
    "multiply": _MULTIPLY,
    "mul": _MULTIPLY,
    "divide": _DIVIDE,
    "truedivide": _DIVIDE,
    "truediv": _DIVIDE,
    "negative": _NEGATIVE,
    "neg": _NEGATIVE,
    "square": Operation(_square),
    "maximum": Operation(_extremum(1.0)),
    "minimum": Operation(_extremum(-1.0)),
    "clip": Operation(_clip, ("x_min", "x_max")),
    "notequal": Operation(_not_equal),
    "any": Operation(_any, ("axis", "keepdims")),
    "logicalor": Operation(_logical(Maximum())),
    "logicaland": Operation(_logical(Minimum())),
    "oneslike": Operation(_like(1.0), ("dtype",)),
    "zeroslike": Operation(_like(0.0), ("dtype",)),
    "relu": Operation(_function(LAYERS["ReLU"]), ("negative_slope", "max_value", "threshold")),
    "leakyrelu": Operation(_function(_leaky), ("negative_slope",)),
    "elu": Operation(_function(LAYERS["ELU"]), ("alpha",)),
    "celu": Operation(_function(lambda config: Celu(config.number("alpha", 1.0))), ("alpha",)),
    "gelu": Operation(_function(lambda config: Gelu(config.flag("approximate"))), ("approximate",)),
    "squareplus": Operation(_function(lambda config: Squareplus(config.number("b", 4.0))), ("b",)),
    "softmax": Operation(softmax, ("axis",)),
    "logsoftmax": Operation(partial(softmax, logarithm=True), ("axis",)),
    "exp": _named("exponential"),
    **{
        name.replace("_", ""): _named(name)
        for name in (
            "relu6",
            "sigmoid",
            "tanh",
            "silu",
            "swish",
            "softplus",
            "softsign",
            "selu",
            "hard_sigmoid",
            "hard_silu",
            "hard_swish",
            "hard_tanh",
            "log_sigmoid",
            "mish",
            "exponential",
        )
    },
    "identity": Operation(_unchanged),
    "stopgradient": Operation(_unchanged),
    "cast": Operation(_cast, ("dtype",)),
    "reshape": Operation(reshape, ("newshape", "target_shape")),
    "expanddims": Operation(expand_dims, ("axis",)),
    "squeeze": Operation(squeeze, ("axis",)),
    "transpose": Operation(transpose, ("axes",)),
    "concatenate": Operation(concatenate, ("axis",)),
    "stack": Operation(stack, ("axis",)),
    "mean": Operation(reduction(mean=True), ("axis", "keepdims")),
    "sum": Operation(reduction(mean=False), ("axis", "keepdims")),
    "getitem": Operation(get_item),
}
