"""Random operators of every kind, small enough to write out."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from bioconv.operators import (
    AveragePool,
    Broadcast,
    Chain,
    Conv,
    Crop,
    Dense,
    Edges,
    Operator,
    Pad,
    Permute,
    Place,
    Polarity,
    Reshape,
    Scale,
    Shape,
    Upsample,
    WindowCell,
    n_windows,
    sparse,
)

MAX_CELLS = 400


def shapes(min_rank: int = 1, max_rank: int = 3) -> st.SearchStrategy[Shape]:
    return st.lists(st.integers(1, 6), min_size=min_rank, max_size=max_rank).map(tuple)


def weights(draw: st.DrawFn, shape: Shape) -> np.ndarray:
    """Normal numbers, some of them zero."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    zeros = draw(st.sampled_from([0.0, 0.3]))
    return rng.normal(size=shape) * (rng.random(shape) >= zeros)


def pairs(draw: st.DrawFn, rank: int, low: int = 0, high: int = 2) -> tuple[tuple[int, int], ...]:
    pair = st.tuples(st.integers(low, high), st.integers(low, high))
    return tuple(draw(pair) for _ in range(rank))


def per_axis(draw: st.DrawFn, rank: int, low: int = 1, high: int = 3) -> Shape:
    return tuple(draw(st.integers(low, high)) for _ in range(rank))


@st.composite
def dense(draw: st.DrawFn, shape: Shape) -> Operator:
    return Dense(shape, weights(draw, (shape[-1], draw(st.integers(1, 5)))))


@st.composite
def scale(draw: st.DrawFn, shape: Shape) -> Operator:
    return Scale(shape, weights(draw, tuple(draw(st.sampled_from([1, n])) for n in shape)))


@st.composite
def conv(draw: st.DrawFn, shape: Shape) -> Operator:
    rank, channels = len(shape) - 1, shape[-1]
    groups = draw(st.sampled_from([g for g in (1, 2, 3, channels) if channels % g == 0]))
    size = per_axis(draw, rank)
    strides, dilation = per_axis(draw, rank, 1, 3), per_axis(draw, rank, 1, 2)
    input_dilation = per_axis(draw, rank, 1, 2)
    padding = []
    for n, k, s, d, i in zip(shape, size, strides, dilation, input_dilation, strict=False):
        low, high = draw(st.integers(-2, 3)), draw(st.integers(-2, 3))
        while n_windows(n, k, s, (low, high), d, i) < 1 or (n - 1) * i + 1 + min(low, high, 0) < 1:
            low, high = max(low, 0) + 1, max(high, 0) + 1
        padding.append((low, high))
    filters = groups * draw(st.integers(1, 2))
    kernel = weights(draw, (*size, channels // groups, filters))
    return Conv(shape, kernel, strides, tuple(padding), dilation, groups, input_dilation)


def _windows(draw: st.DrawFn, shape: Shape) -> tuple[Shape, Shape, tuple[tuple[int, int], ...]]:
    """Windows that contain at least one real cell each, as those of Keras do."""
    size = tuple(draw(st.integers(1, min(n, 3))) for n in shape[:-1])
    strides = draw(st.sampled_from([size, per_axis(draw, len(size))]))
    padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in size)
    return size, strides, padding


@st.composite
def average_pool(draw: st.DrawFn, shape: Shape) -> Operator:
    return AveragePool(shape, *_windows(draw, shape))


@st.composite
def window_cell(draw: st.DrawFn, shape: Shape) -> Operator:
    size, strides, padding = _windows(draw, shape)
    cell = draw(st.integers(0, int(np.prod(size)) - 1))
    return WindowCell(shape, size, strides, padding, cell)


@st.composite
def any_synapses(draw: st.DrawFn, shape: Shape) -> Operator:
    out = draw(shapes(1, 2))
    matrix = weights(draw, (int(np.prod(shape)), int(np.prod(out))))
    pre, post = (index.astype(np.int32) for index in np.nonzero(matrix))
    return sparse(shape, out, Edges(pre, post, matrix[pre, post]))


@st.composite
def reshape(draw: st.DrawFn, shape: Shape) -> Operator:
    return Reshape(shape, draw(st.sampled_from([(int(np.prod(shape)),), shape[::-1], (*shape, 1)])))


@st.composite
def permute(draw: st.DrawFn, shape: Shape) -> Operator:
    return Permute(shape, tuple(draw(st.permutations(range(len(shape))))))


@st.composite
def pad(draw: st.DrawFn, shape: Shape) -> Operator:
    return Pad(shape, pairs(draw, len(shape)))


@st.composite
def crop(draw: st.DrawFn, shape: Shape) -> Operator:
    lows = [draw(st.integers(0, min(n - 1, 2))) for n in shape]
    highs = [draw(st.integers(0, min(n - 1 - low, 2))) for n, low in zip(shape, lows, strict=True)]
    return Crop(shape, tuple(zip(lows, highs, strict=True)))


@st.composite
def upsample(draw: st.DrawFn, shape: Shape) -> Operator:
    return Upsample(shape, per_axis(draw, len(shape), 1, 2))


@st.composite
def place(draw: st.DrawFn, shape: Shape) -> Operator:
    axis = draw(st.integers(-1, len(shape) - 1))
    offset, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    return Place(shape, axis, offset, offset + shape[axis] + after)


@st.composite
def broadcast(draw: st.DrawFn, shape: Shape) -> Operator:
    wide = tuple(n if n > 1 else draw(st.integers(1, 3)) for n in shape)
    return Broadcast(shape, (*draw(st.sampled_from([(), (2,)])), *wide))


FLAT = (dense, any_synapses, scale, reshape, permute, pad, crop, upsample, place, broadcast)
SPATIAL = (*FLAT, conv, conv, average_pool, average_pool, window_cell)


@st.composite
def operators(draw: st.DrawFn, shape: Shape | None = None) -> Operator:
    """Any single operator, for a given input shape or for any."""
    if shape is None:
        shape = draw(shapes())
        if draw(st.integers(0, 9)) == 0:
            return Polarity((2, *shape))
    kinds = FLAT if len(shape) < 2 else SPATIAL
    return draw(draw(st.sampled_from(kinds))(shape))


@st.composite
def chains(draw: st.DrawFn, max_size: int = 5) -> Chain:
    """Several operators in sequence; none is much larger than the others."""
    parts = [draw(operators())]
    for _ in range(draw(st.integers(0, max_size - 1))):
        following = draw(operators(parts[-1].out_shape))
        if following.n_out > MAX_CELLS or len(following.out_shape) > 4:
            break
        parts.append(following)
    return Chain(tuple(parts))
