"""Operators whose outputs are copies of inputs or zero."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import prod
from types import ModuleType

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import Array, Edges, Operator, Shape, register
from bioconv.operators.windows import Pairs, check_windows, n_windows


def _module(x: Array) -> ModuleType:
    """Return NumPy for NumPy arrays, so that arrays of indices stay exact integers, else JAX."""
    return np if isinstance(x, np.ndarray) else jnp


class Selection(Operator):
    """Base class of operators that only move values, and whose ``apply`` accepts any dtype."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():  # JSON and Keras use lists for tuples
            if isinstance(value, list | tuple):
                pairs = tuple(tuple(v) if isinstance(v, list | tuple) else int(v) for v in value)
                object.__setattr__(self, name, pairs)
        self.check()

    @abstractmethod
    def check(self) -> None:
        """Raise `ParameterError` if the settings do not fit the shape of the input."""

    def require(self, right: bool, expected: str, received: object) -> None:
        """Raise `ParameterError` unless ``right``."""
        if not right:
            raise ParameterError(
                f"{type(self).__name__}: expected {expected} for inputs of shape {self.in_shape}. "
                f"Received: {received}"
            )

    def sources(self) -> NDArray[np.int64]:
        """Return the flat index of the input that each output copies, -1 for a zero; (n_out,)."""
        ramp = np.arange(1, self.n_in + 1).reshape(1, *self.in_shape)
        return self.apply(ramp).ravel() - 1

    def edges(self) -> Edges:
        source = self.sources()
        post = np.flatnonzero(source >= 0)
        return Edges(
            source[post].astype(np.int32), post.astype(np.int32), np.ones(len(post), np.float64)
        )


def _pair_rule(rank: int) -> str:
    return f"{rank} pairs (before, after) of non-negative integers, one per axis,"


def _are_pairs(value: Pairs, rank: int) -> bool:
    return len(value) == rank and all(len(pair) == 2 and min(pair) >= 0 for pair in value)


@register
@dataclass(frozen=True, eq=False)
class Reshape(Selection):
    """Change of shape in C order."""

    in_shape: Shape
    new_shape: Shape

    def check(self) -> None:
        same = prod(self.in_shape) == prod(self.new_shape)
        self.require(same, "a shape with as many elements", self.new_shape)

    @property
    def out_shape(self) -> Shape:
        return self.new_shape

    def apply(self, x: Array) -> Array:
        return x.reshape(x.shape[0], *self.new_shape)


@register
@dataclass(frozen=True, eq=False)
class Permute(Selection):
    """Permutation of axes, where axis ``i`` of the output is axis ``axes[i]`` of the input."""

    in_shape: Shape
    axes: Shape

    def check(self) -> None:
        right = sorted(self.axes) == list(range(len(self.in_shape)))
        self.require(right, f"a permutation of 0 ... {len(self.in_shape) - 1}", self.axes)

    @property
    def out_shape(self) -> Shape:
        return tuple(self.in_shape[axis] for axis in self.axes)

    def apply(self, x: Array) -> Array:
        return x.transpose(0, *(axis + 1 for axis in self.axes))


@register
@dataclass(frozen=True, eq=False)
class Pad(Selection):
    """Padding with zeros, where ``padding`` has one (before, after) per axis, with channels."""

    in_shape: Shape
    padding: Pairs

    def check(self) -> None:
        rank = len(self.in_shape)
        self.require(_are_pairs(self.padding, rank), _pair_rule(rank), self.padding)

    @property
    def out_shape(self) -> Shape:
        return tuple(n + sum(pair) for n, pair in zip(self.in_shape, self.padding, strict=True))

    def apply(self, x: Array) -> Array:
        return _module(x).pad(x, ((0, 0), *self.padding))


@register
@dataclass(frozen=True, eq=False)
class Crop(Selection):
    """Removal of border cells by one (before, after) per axis, including channels."""

    in_shape: Shape
    cropping: Pairs

    def check(self) -> None:
        rank = len(self.in_shape)
        self.require(_are_pairs(self.cropping, rank), _pair_rule(rank), self.cropping)
        self.require(min(self.out_shape) > 0, "to leave at least one cell", self.cropping)

    @property
    def out_shape(self) -> Shape:
        return tuple(n - sum(pair) for n, pair in zip(self.in_shape, self.cropping, strict=True))

    def apply(self, x: Array) -> Array:
        sizes = zip(self.in_shape, self.cropping, strict=True)
        return x[(slice(None), *(slice(low, n - high) for n, (low, high) in sizes))]


@register
@dataclass(frozen=True, eq=False)
class Upsample(Selection):
    """Repetition of every cell ``factors[axis]`` times along each axis (nearest neighbour)."""

    in_shape: Shape
    factors: Shape

    def check(self) -> None:
        right = len(self.factors) == len(self.in_shape) and min(self.factors) >= 1
        self.require(right, "one positive factor per axis", self.factors)

    @property
    def out_shape(self) -> Shape:
        return tuple(n * k for n, k in zip(self.in_shape, self.factors, strict=True))

    def apply(self, x: Array) -> Array:
        pairs = [(n, k) for n, k in zip(self.in_shape, self.factors, strict=True)]
        thin = x.reshape(x.shape[0], *(size for n, _ in pairs for size in (n, 1)))
        wide = (x.shape[0], *(size for pair in pairs for size in pair))
        return _module(x).broadcast_to(thin, wide).reshape(x.shape[0], *self.out_shape)


@register
@dataclass(frozen=True, eq=False)
class Place(Selection):
    """Insertion into a larger array of zeros, as for one branch of a Concatenate.

    Cell 0 of ``axis`` is moved to ``offset``, and the resulting axis has ``total`` cells.
    """

    in_shape: Shape
    axis: int
    offset: int
    total: int

    def check(self) -> None:
        rank = len(self.in_shape)
        self.require(-rank <= self.axis < rank, f"an axis below {rank}", self.axis)
        object.__setattr__(self, "axis", self.axis % rank)
        fits = 0 <= self.offset <= self.total - self.in_shape[self.axis]
        self.require(fits, "an offset and a total that fit", (self.offset, self.total))

    @property
    def padding(self) -> Pairs:
        """The padding of an equivalent `Pad`."""
        after = self.total - self.offset - self.in_shape[self.axis]
        pairs = [(0, 0)] * len(self.in_shape)
        pairs[self.axis] = (self.offset, after)
        return tuple(pairs)

    @property
    def out_shape(self) -> Shape:
        return (*self.in_shape[: self.axis], self.total, *self.in_shape[self.axis + 1 :])

    def apply(self, x: Array) -> Array:
        return _module(x).pad(x, ((0, 0), *self.padding))


@register
@dataclass(frozen=True, eq=False)
class WindowCell(Selection):
    """Cell number ``cell`` (in C order) of every pooling window, or zero for padding.

    Spiking max pooling uses the ``prod(size)`` such operators of a pooling as its inputs.
    """

    in_shape: Shape
    size: Shape
    strides: Shape
    padding: Pairs
    cell: int

    def check(self) -> None:
        check_windows("WindowCell", self.in_shape, self.size, self.strides, self.padding)
        n_cells = prod(self.size)
        self.require(0 <= self.cell < n_cells, f"a cell number below {n_cells}", self.cell)

    @property
    def out_shape(self) -> Shape:
        spatial = self.in_shape[:-1]
        axes = zip(spatial, self.size, self.strides, self.padding, strict=True)
        return (*(n_windows(*axis) for axis in axes), self.in_shape[-1])

    def apply(self, x: Array) -> Array:
        padded = _module(x).pad(x, ((0, 0), *self.padding, (0, 0)))
        first = np.unravel_index(self.cell, self.size)
        windows = zip(first, self.strides, self.out_shape, strict=False)
        cells = (slice(int(k), int(k) + (n - 1) * s + 1, s) for k, s, n in windows)
        return padded[(slice(None), *cells)]


@register
@dataclass(frozen=True, eq=False)
class Broadcast(Selection):
    """NumPy broadcasting to ``shape``, as in an Add of unequal shapes."""

    in_shape: Shape
    shape: Shape

    def check(self) -> None:
        axes = zip(self.in_shape[::-1], self.shape[::-1], strict=False)
        right = len(self.in_shape) <= len(self.shape) and all(n in (1, m) for n, m in axes)
        self.require(right, "a shape to which they broadcast", self.shape)

    @property
    def out_shape(self) -> Shape:
        return self.shape

    def apply(self, x: Array) -> Array:
        missing = (1,) * (len(self.shape) - len(self.in_shape))
        x = x.reshape(x.shape[0], *missing, *self.in_shape)
        return _module(x).broadcast_to(x, (x.shape[0], *self.shape))


@register
@dataclass(frozen=True, eq=False)
class Polarity(Operator):
    """Difference ``x[0] - x[1]`` of ON and OFF values of an input with shape (2, *shape)."""

    in_shape: Shape

    def __post_init__(self) -> None:
        object.__setattr__(self, "in_shape", tuple(self.in_shape))
        if self.in_shape[:1] != (2,):
            raise ParameterError(f"Polarity: expected shape (2, ...). Received: {self.in_shape}")

    @property
    def out_shape(self) -> Shape:
        return self.in_shape[1:]

    def apply(self, x: Array) -> Array:
        return x[:, 0] - x[:, 1]

    def edges(self) -> Edges:
        n = self.n_out
        pre = np.arange(2 * n, dtype=np.int32)
        return Edges(pre, pre % np.int32(n), np.where(pre < n, 1.0, -1.0))
