"""Geometry of sliding windows: input cells, output cells and the kernel taps between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError

Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def keras_padding(size: int, kernel: int, stride: int, dilation: int, mode: str) -> tuple[int, int]:
    """Return the zeros that Keras adds before and after one axis of a convolution or pooling.

    Parameters
    ----------
    size : int
        Length of the axis.
    kernel, stride, dilation : int
    mode : {"valid", "same", "causal"}
        "same" results in ceil(size / stride) outputs, with an odd zero at the end; "causal" (1-D
        only) adds all zeros at the start.

    Returns
    -------
    (int, int)
    """
    extent = (kernel - 1) * dilation + 1
    if mode == "valid":
        return 0, 0
    if mode == "causal":
        return extent - 1, 0
    if mode == "same":
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        return total // 2, total - total // 2
    raise ParameterError(f'padding must be "valid", "same" or "causal". Received: {mode!r}')


def keras_paddings(
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    mode: str,
) -> Pairs:
    """Return `keras_padding` of every spatial axis."""
    axes = zip(sizes, kernel, strides, dilation, strict=True)
    return tuple(keras_padding(*axis, mode) for axis in axes)


def n_windows(
    size: int,
    kernel: int,
    stride: int,
    padding: tuple[int, int],
    dilation: int = 1,
    input_dilation: int = 1,
) -> int:
    """Return the number of output cells along one axis (0 if the window does not fit)."""
    total = (size - 1) * input_dilation + 1 + padding[0] + padding[1] if size else 0
    return max((total - (kernel - 1) * dilation - 1) // stride + 1, 0)


def taps(
    size: int,
    kernel: int,
    stride: int,
    padding: tuple[int, int],
    dilation: int = 1,
    input_dilation: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return all connected (input cell, output cell, kernel tap) along one axis.

    Returns
    -------
    three ndarrays of the same length, ordered by output cell, then by tap
    """
    n_out = n_windows(size, kernel, stride, padding, dilation, input_dilation)
    out, tap = np.meshgrid(np.arange(n_out), np.arange(kernel), indexing="ij")
    place = out * stride + tap * dilation - padding[0]
    real = (place >= 0) & (place % input_dilation == 0) & (place // input_dilation < size)
    return place[real] // input_dilation, out[real], tap[real]


def check_windows(
    where: str, in_shape: Shape, kernel: Shape, strides: Shape, padding: Pairs, *more: Shape
) -> None:
    """Raise `ParameterError` unless every setting has one positive entry per spatial axis."""
    rank = len(in_shape) - 1
    for setting in (kernel, strides, *more):
        if len(setting) != rank or any(value < 1 for value in setting):
            raise ParameterError(
                f"{where}: expected {rank} positive values, one per spatial axis of "
                f"{in_shape}. Received: {setting}"
            )
    if len(padding) != rank or any(len(pair) != 2 for pair in padding):
        raise ParameterError(
            f"{where}: padding must be {rank} pairs (before, after). Received: {padding}"
        )


def outer_index(parts: Sequence[NDArray], sizes: Sequence[int]) -> NDArray[np.int32]:
    """Return flat C-order indices of the product of per-axis indices, (len(parts[0]), ...)."""
    index = np.zeros((1,) * len(parts), np.int32)
    for axis, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        shape = [1] * len(parts)
        shape[axis] = -1
        index = index * np.int32(size) + part.astype(np.int32).reshape(shape)
    return index
