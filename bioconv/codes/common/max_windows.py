"""Windows of max pooling: access cell by cell, and division of large into small windows."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd, prod
from typing import Any

from bioconv.analog.functions import MaxPool, ReLU
from bioconv.analog.graph import Layer
from bioconv.operators import Operator, Shape, WindowCell, compose, n_synapses, n_windows

#: maximum number of sources of a gate; larger windows use gates of gates
MOST_SOURCES = 25

#: size, stride, padding of a window along one axis
Window = tuple[int, int, tuple[int, int]]


def pool_of(layer: Layer) -> MaxPool:
    """Return the function of a max-pooling layer."""
    if not isinstance(layer.function, MaxPool):
        raise TypeError(f"{layer.name} is not a max pooling but a {type(layer.function).__name__}")
    return layer.function


def rectifier_of(layer: Layer) -> ReLU:
    """Return the function of a rectifying layer."""
    if not isinstance(layer.function, ReLU):
        raise TypeError(
            f"{layer.name} is not a rectification but a {type(layer.function).__name__}"
        )
    return layer.function


def cell_of(shape: Shape, pool: MaxPool, cell: int) -> WindowCell:
    """Return the indices of the values, in an array of this shape, in one cell of each window."""
    return WindowCell(shape, pool.size, pool.strides, pool.padding, cell)


def cells_of(layer: Layer) -> Iterator[tuple[int, str, Operator]]:
    """Yield the cells of the windows of a max-pooling layer, with their sources.

    Yields
    ------
    cell : int
    source : str
    operator : Operator
        Operator from the source to the cell in every window.  Cells that contain only padding
        are omitted.
    """
    (affine,), pool = layer.inputs, pool_of(layer)
    for term in affine.terms:
        for cell in range(prod(pool.size)):
            operator = compose(term.operator, cell_of(affine.shape, pool, cell))
            if n_synapses(operator):
                yield cell, term.source, operator


def pool_stages(in_shape: Shape, pool: MaxPool) -> list[MaxPool] | None:
    """Return successive poolings of at most `MOST_SOURCES` cells that are equivalent to ``pool``.

    The maximum over a block is the maximum of the maxima of its rows.  A long row is divided into
    parts such that every window starts at the beginning of a part.

    Returns
    -------
    list of MaxPool, or None
        None if some row cannot be divided.
    """
    if prod(pool.size) <= MOST_SOURCES:
        return [pool]
    rank = len(pool.size)
    stages = []
    for axis in range(rank):
        window = (pool.size[axis], pool.strides[axis], pool.padding[axis])
        parts = _axis_stages(in_shape[axis], window)
        if parts is None:
            return None
        stages += [
            MaxPool(
                _at(axis, rank, size, 1),
                _at(axis, rank, stride, 1),
                _at(axis, rank, padding, (0, 0)),
            )
            for size, stride, padding in parts
        ]
    return stages


def _at(axis: int, rank: int, value: Any, other: Any) -> tuple[Any, ...]:
    return tuple(value if k == axis else other for k in range(rank))


def _axis_stages(length: int, window: Window) -> list[Window] | None:
    size, stride, padding = window
    if size == stride == 1:
        return []
    if size <= MOST_SOURCES:
        return [window]
    if (
        length + padding[0] <= size
    ):  # a single window that covers everything can be divided anywhere
        part = MOST_SOURCES
        rest = -(-size // part)
        whole = (part, part, (padding[0], part * rest - padding[0] - length))
        after = _axis_stages(rest, (rest, rest, (0, 0)))
    else:
        common = gcd(size, stride)
        part = max((p for p in range(2, MOST_SOURCES + 1) if common % p == 0), default=1)
        if part == 1:
            return None
        covered = (n_windows(length, size, stride, padding) - 1) * stride + size
        whole = (part, part, (padding[0], max(covered - padding[0] - length, 0)))
        n_parts = n_windows(length, part, part, whole[2])
        after = _axis_stages(n_parts, (size // part, stride // part, (0, 0)))
    return None if after is None else [whole, *after]
