"""The parts of which stages are made: functions of one variable, squares and products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Elementwise, RectifiedSquare
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.codes.common.affine import same, scale_affine, substitute
from bioconv.ground.naming import free_name
from bioconv.operators import (
    Broadcast,
    Dense,
    Operator,
    Permute,
    Reshape,
    Scale,
    Shape,
    compact,
    compose,
)

Floats = NDArray[np.float64]

#: signs of the factors in the four squares of a product, and of the squares in their sum: a square
#: is that of its positive and of its negative part, each of which is monotonous, so that a table
#: represents it more accurately, and with fewer spikes
_LEFT, _RIGHT = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, -1.0, -1.0, 1.0])
_SUM = _LEFT * _RIGHT
#: smallest deviation of an element, as a share of that of all elements
_SMALLEST = 2.0**-6


@dataclass(frozen=True, eq=False)
class Balance:
    """What the calibration data say about a factor of a product, or about an argument.

    Products and squares are exact for any balance.  With the mean as the centre and the deviation
    as the scale, however, the functions of one variable that compute them have small arguments of
    equal sizes, which suit a table; what is left of the product is affine.

    Parameters
    ----------
    centre : ndarray, broadcastable to the shape
        Mean of each element.
    deviation : ndarray of that shape
        Root mean square distance of each element from its centre.
    least : float
        Smallest value.
    """

    centre: Floats
    deviation: Floats
    least: float

    def factor(self, shape: Shape, axes: Iterable[int] = ()) -> Floats:
        """Return powers of two that make the deviation about 1, one for each of the ``axes``.

        Parameters
        ----------
        shape : tuple of int
        axes : iterable of int
            Axes along which the factors may differ.

        Returns
        -------
        ndarray, with ``len(shape)`` axes
        """
        kept = set(axes)
        squares = np.broadcast_to(np.square(self.deviation), shape)
        others = tuple(axis for axis in range(len(shape)) if axis not in kept)
        size = np.sqrt(squares.mean(axis=others, keepdims=True))
        # what hardly varies on the calibration data may vary more on other samples
        size = np.maximum(size, _SMALLEST * np.sqrt(squares.mean()))
        known = size > 0
        return np.where(known, 2.0 ** -np.round(np.log2(np.where(known, size, 1.0))), 1.0)


NEUTRAL = Balance(np.zeros(()), np.ones(()), 0.0)


@dataclass
class Builder:
    """The layers that stages have been expanded to so far.

    Parameters
    ----------
    taken : set of str
        Names that no new layer may have.
    balances : mapping of str to Balance
        By factor or argument; those that are missing are neutral.
    """

    taken: set[str]
    balances: Mapping[str, Balance] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    probes: dict[str, Affine] = field(default_factory=dict)
    members: tuple[str, ...] = ()

    def balance(self, name: str, affine: Affine) -> Balance:
        """Return the balance of a value, which is noted as one to be measured."""
        self.probes[name] = affine
        return self.balances.get(name, NEUTRAL)

    def layer(self, name: str, function: Elementwise, affine: Affine) -> Affine:
        """Add a layer and return its value."""
        free = free_name(name, self.taken)
        self.taken.add(free)
        self.layers.append(Layer(free, function, (affine,), affine.shape, self.members))
        return same(free, affine.shape)

    def square(self, name: str, x: Affine) -> Affine:
        """Return x², computed around the mean m: (x - m)² + 2 m x - m²."""
        balance = self.balance(f"{name}/of", x)
        centre = np.broadcast_to(balance.centre, x.shape)
        factor = balance.factor(x.shape, range(len(x.shape)))
        argument = scale_affine(x, factor, -centre * factor)
        wide = through(argument, Reshape(x.shape, (*x.shape, 1)))
        parts = self.layer(name, RectifiedSquare(), _signed(wide, (*x.shape, 2), _LEFT[:2]))
        both = Dense(parts.shape, np.ones((2, 1)))
        squares = through(parts, both, Reshape((*x.shape, 1), x.shape))
        return total(
            scale_affine(squares, factor**-2.0), scale_affine(x, 2 * centre, -np.square(centre))
        )

    def multiply(self, name: str, x: Affine, y: Affine) -> Affine:
        """Return the elementwise product of two values, with NumPy broadcasting."""
        shape = np.broadcast_shapes(x.shape, y.shape)
        one, other = (ranked(value, len(shape)) for value in (x, y))
        if not one.terms or not other.terms:
            constant, value = (one, other) if not one.terms else (other, one)
            return scale_affine(spread(value, shape), np.broadcast_to(constant.bias, shape))
        a, b = self._balances(name, one, other)
        left, right = centred(one, a.centre), centred(other, b.centre)
        wide = [through(value, Reshape(value.shape, (*value.shape, 1))) for value in (left, right)]
        p, q = (
            balance.factor(value.shape, range(len(shape)))[..., None]
            for balance, value in ((a, one), (b, other))
        )
        return total(
            self._products(name, wide[0], wide[1], p, q),
            scale_affine(spread(one, shape), np.broadcast_to(b.centre, other.shape)),
            scale_affine(spread(right, shape), np.broadcast_to(a.centre, one.shape)),
        )

    def contract(
        self, name: str, x: Affine, y: Affine, along_x: Iterable[int], along_y: Iterable[int]
    ) -> Affine:
        """Return the sums over the last axis of the products of all rows of x and of y.

        Parameters
        ----------
        name : str
        x : Affine, shape (n, rows, size)
        y : Affine, shape (n, columns, size)
        along_x, along_y : iterable of int
            Axes along which the sizes of the factors differ.

        Returns
        -------
        Affine, shape (n, rows, columns)
        """
        (n, rows, size), columns = x.shape, y.shape[1]
        a, b = self._balances(name, x, y)
        left, right = centred(x, a.centre), centred(y, b.centre)
        p = a.factor(x.shape, along_x)[:, :, None]
        q = b.factor(y.shape, along_y)[:, None]
        pairs = (
            through(left, Reshape(x.shape, (n, rows, 1, size))),
            through(right, Reshape(y.shape, (n, 1, columns, size))),
        )
        return total(
            self._products(name, *pairs, p, q),
            _rows_by(x, np.broadcast_to(b.centre, y.shape)),
            _swapped(_rows_by(right, np.broadcast_to(a.centre, x.shape))),
        )

    def _balances(self, name: str, x: Affine, y: Affine) -> tuple[Balance, Balance]:
        return self.balance(f"{name}/left", x), self.balance(f"{name}/right", y)

    def _products(self, name: str, x: Affine, y: Affine, p: Floats, q: Floats) -> Affine:
        """Return the sum over the last axis of xy = ((px + qy)² - (px - qy)²) / 4pq.

        Shapes are those of a result of broadcasting, with the axis of the sum at the end.
        """
        *shape, size = np.broadcast_shapes(x.shape, y.shape)
        n = len(_SUM)
        both, flat = (*shape, n, size), (*shape, n * size)
        squares = self.layer(
            name,
            RectifiedSquare(),
            total(
                _several(scale_affine(x, p), both, _LEFT),
                _several(scale_affine(y, q), both, _RIGHT),
            ),
        )
        weight = 0.25 / (p * q)
        weight = np.broadcast_to(weight, (*weight.shape[:-1], size))
        signed = (weight[..., None, :] * _SUM[:, None]).reshape(*weight.shape[:-1], n * size)
        return through(
            squares,
            Reshape(both, flat),
            Scale(flat, compact(signed, flat)),
            Dense(flat, np.ones((n * size, 1))),
            Reshape((*shape, 1), tuple(shape)),
        )


def through(x: Affine, *operators: Operator) -> Affine:
    """Return operators applied to a value, in order."""
    operator = compose(*operators)
    shape = operator.out_shape
    outer = Affine((Term("", operator),), np.zeros((1,) * len(shape)), shape)
    return substitute(outer, {"": x})


def total(*values: Affine) -> Affine:
    """Return the sum of values of the same shape."""
    first = values[0]
    terms = tuple(term for value in values for term in value.terms)
    bias = sum((value.bias for value in values), start=np.zeros((1,) * len(first.shape)))
    return Affine(terms, compact(bias, first.shape), first.shape)


def centred(x: Affine, centre: Floats) -> Affine:
    """Return a value without its centre."""
    shift = np.broadcast_to(centre, x.shape)
    return Affine(x.terms, compact(x.bias - shift, x.shape), x.shape)


def ranked(x: Affine, rank: int) -> Affine:
    """Return a value with axes of length 1 in front, as many as its rank lacks."""
    missing = rank - len(x.shape)
    return through(x, Reshape(x.shape, (*(1,) * missing, *x.shape))) if missing else x


def spread(x: Affine, shape: Shape) -> Affine:
    """Return a value broadcast to a shape."""
    return x if x.shape == shape else through(x, Broadcast(x.shape, shape))


def along_last(x: Affine, axes: Iterable[int]) -> tuple[Affine, Callable[[Affine], Affine]]:
    """Return a value with the given axes merged into a last one, and the way back.

    The way back also takes values whose last axis has the length 1, which stands for all.

    Parameters
    ----------
    x : Affine
    axes : iterable of int
        Axes of a sample.
    """
    merged = sorted(axes)
    kept = [axis for axis in range(len(x.shape)) if axis not in merged]
    order = (*kept, *merged)
    shape = tuple(x.shape[axis] for axis in kept)
    long = (*shape, prod(x.shape[axis] for axis in merged))
    moved = tuple(x.shape[axis] for axis in order)
    inverse = tuple(int(axis) for axis in np.argsort(order))

    def back(y: Affine) -> Affine:
        return through(spread(y, long), Reshape(long, moved), Permute(moved, inverse))

    return through(x, Permute(x.shape, order), Reshape(moved, long)), back


def _several(x: Affine, shape: Shape, signs: Floats) -> Affine:
    """Return a value broadcast to ``shape``, whose last axis but one is that of the signs."""
    wide = through(x, Reshape(x.shape, (*x.shape[:-1], 1, x.shape[-1])))
    return _signed(wide, shape, signs[:, None])


def _signed(x: Affine, shape: Shape, signs: Floats) -> Affine:
    """Return a value broadcast to ``shape`` and multiplied by signs."""
    return through(x, Broadcast(x.shape, shape), Scale(shape, signs))


def _rows_by(x: Affine, constants: Floats) -> Affine:
    """Return x[b, i] · constants[b, j], shape (n, rows, columns), for x of (n, rows, size)."""
    (n, rows, size), columns = x.shape, constants.shape[1]
    blocks = np.zeros((n, size, n, columns))
    number = np.arange(n)
    blocks[number, :, number] = constants.transpose(0, 2, 1)
    return through(
        x,
        Permute(x.shape, (1, 0, 2)),
        Reshape((rows, n, size), (rows, n * size)),
        Dense((rows, n * size), blocks.reshape(n * size, n * columns)),
        Reshape((rows, n * columns), (rows, n, columns)),
        Permute((rows, n, columns), (1, 0, 2)),
    )


def _swapped(x: Affine) -> Affine:
    """Return a value with its last two axes exchanged."""
    return through(x, Permute(x.shape, (0, 2, 1)))
