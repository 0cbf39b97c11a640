"""Convert the linear nodes of NIR to operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.network.storage.schema import MAX_SIZE
from bioconv.operators import (
    AveragePool,
    Conv,
    Dense,
    Operator,
    Pad,
    Permute,
    Reshape,
    Scale,
    compose,
    identity,
)
from bioconv.targets.nir.graph import Node, Shape, channels_last, first, last, size

Array = NDArray[Any]
Values = Mapping[str, Any]


def operator_of(node: Node, shape: Shape) -> Operator:
    """Return the operator of a linear node on arrays of ``shape`` (channels last).

    Raises
    ------
    ParameterError
        The node cannot take this shape, is not linear, or has an output that is too large.
    """
    if node.kind not in _MAKERS:
        raise ParameterError(f"{node.kind} is not a linear node")
    made = _MAKERS[node.kind](node.values, shape)
    if prod(made.out_shape) > MAX_SIZE:
        raise ParameterError(f"its output {made.out_shape} has more than {MAX_SIZE:,} values")
    return made


def bias_of(node: Node, shape: Shape) -> Array | None:
    """Return the bias of a node as an array that broadcasts to its output, or None if it has none.

    Parameters
    ----------
    node : Node
    shape : tuple of int
        Shape of the output, channels last.

    Raises
    ------
    ParameterError
        If the number of biases is not that of the channels.
    """
    bias = node.values.get("bias")
    if bias is None or not np.any(bias):
        return None
    value = np.asarray(bias, np.float64)
    # The bias of a matrix is that of the axis which it multiplies, see `_matrix`.
    axis = -2 if node.kind == "Affine" and len(shape) > 1 else -1
    if value.shape != (shape[axis],):
        raise ParameterError(f"has {value.size} biases for {shape[axis]} channels")
    return value[:, None] if axis == -2 else value


def _matrix(values: Values, shape: Shape) -> Operator:
    weight = np.asarray(values["weight"], np.float64)
    if weight.ndim != 2:
        raise ParameterError(f"its weight has {weight.ndim} axes, expected 2: (outputs, inputs)")
    kernel = np.ascontiguousarray(weight.T)
    if len(shape) == 1:
        return Dense(shape, kernel)
    if size(shape) == weight.shape[1] != first(shape)[-1]:  # flattened implicitly
        flat = _flattening(shape, (size(shape),))
        return compose(flat, Dense(flat.out_shape, kernel))
    # PyTorch multiplies the last axis of NIR's order, which is the last but one here.
    rank = len(shape)
    swapped = (*range(rank - 2), rank - 1, rank - 2)
    to_last = Permute(shape, swapped)
    dense = Dense(to_last.out_shape, kernel)
    return compose(to_last, dense, Permute(dense.out_shape, swapped))


def _convolution(rank: int) -> Callable[[Values, Shape], Operator]:
    def convolution(values: Values, shape: Shape) -> Operator:
        weight = np.asarray(values["weight"], np.float64)
        if weight.ndim != rank + 2 or len(shape) != rank + 1:
            raise ParameterError(
                f"its weight of shape {weight.shape} does not fit an input of shape {first(shape)}"
            )
        kernel = np.ascontiguousarray(weight.transpose(*range(2, rank + 2), 1, 0))
        strides = _numbers(values["stride"], rank)
        dilation = _numbers(values["dilation"], rank)
        padding = _padding(values["padding"], kernel.shape[:rank], strides, dilation)
        groups = int(np.asarray(values["groups"]).item())
        return Conv(shape, kernel, strides, padding, dilation, groups)

    return convolution


def _padding(
    padding: Any, kernel: Shape, strides: Shape, dilation: Shape
) -> tuple[tuple[int, int], ...]:
    """Return the zeros before and after, by the rules of PyTorch's convolutions."""
    if not isinstance(padding, str):
        return tuple((n, n) for n in _numbers(padding, len(kernel), least=0))
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same" or any(stride != 1 for stride in strides):
        raise ParameterError(
            "padding must be numbers, 'valid', or 'same' with strides of 1, received "
            f"{padding!r} with strides of {strides}"
        )
    totals = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals)


def _pooling(mean: bool) -> Callable[[Values, Shape], Operator]:
    def pooling(values: Values, shape: Shape) -> Operator:
        if len(shape) != 3:
            raise ParameterError(
                f"its input must be (channels, height, width), received {first(shape)}"
            )
        window, strides = _numbers(values["kernel_size"], 2), _numbers(values["stride"], 2)
        zeros = _numbers(values["padding"], 2, least=0)
        padded = tuple(n + 2 * zero for n, zero in zip(shape, zeros, strict=False))
        if prod(padded) * shape[-1] > MAX_SIZE:
            raise ParameterError(f"its padded input {padded} has more than {MAX_SIZE:,} values")
        if any(zero >= k for zero, k in zip(zeros, window, strict=True)):
            raise ParameterError(f"its padding {zeros} must be smaller than its window {window}")
        pad = Pad(shape, (*((n, n) for n in zeros), (0, 0)))
        pool = AveragePool(pad.out_shape, window, strides)
        if mean:
            return compose(pad, pool)
        return compose(pad, pool, Scale(pool.out_shape, np.asarray(float(prod(window)))))

    return pooling


def _flatten(values: Values, shape: Shape) -> Operator:
    rank = len(shape)
    start, end = (int(np.asarray(values[name]).item()) for name in ("start_dim", "end_dim"))
    begin, stop = start % rank if start else 0, end % rank
    if not (-rank <= start < rank and -rank <= end < rank and begin <= stop):
        raise ParameterError(f"it flattens axes {start} to {end}, but its input has {rank} axes")
    outside = first(shape)
    joined = (*outside[:begin], prod(outside[begin : stop + 1]), *outside[stop + 1 :])
    return _flattening(shape, joined)


def _flattening(shape: Shape, joined: Shape) -> Operator:
    """Return the operator to the shape ``joined`` that keeps the channels-first order of values."""
    rank = len(shape)
    to_first = Permute(shape, (rank - 1, *range(rank - 1)))
    reshape = Reshape(to_first.out_shape, joined)
    to_last = Permute(joined, (*range(1, len(joined)), 0))
    return compose(to_first, reshape, to_last)


def _factors(values: Values, shape: Shape) -> Operator:
    factor = np.asarray(values["scale"], np.float64)
    if last(factor.shape) != shape:
        received = f"received {factor.shape}"
        raise ParameterError(
            f"its factors must have the shape of its input, {first(shape)}, {received}"
        )
    return Scale(shape, channels_last(factor))


def _nothing(values: Values, shape: Shape) -> Operator:
    return identity(shape)


def _numbers(value: Any, n: int, least: int = 1) -> Shape:
    """Return one integer for each of ``n`` axes."""
    array = np.atleast_1d(np.asarray(value))
    if array.dtype.kind not in "iuf" or array.ndim != 1 or len(array) not in (1, n):
        raise ParameterError(f"expected {n} integers, received {value!r}")
    if not np.all((array == np.floor(array)) & (array >= least) & (array < 2**31)):
        raise ParameterError(f"expected integers of at least {least}, received {array.tolist()}")
    return tuple(int(number) for number in np.broadcast_to(array, (n,)))


_MAKERS: Mapping[str, Callable[[Values, Shape], Operator]] = {
    "Affine": _matrix,
    "Linear": _matrix,
    "Conv1d": _convolution(1),
    "Conv2d": _convolution(2),
    "SumPool2d": _pooling(mean=False),
    "AvgPool2d": _pooling(mean=True),
    "Flatten": _flatten,
    "Scale": _factors,
    "Delay": _nothing,
    "Identity": _nothing,
}
