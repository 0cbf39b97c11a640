"""Softmax, normalizations and products as functions of one variable."""

from __future__ import annotations

from functools import reduce

import numpy as np

from bioconv.analog.functions import (
    Exponential,
    InverseSquareRoot,
    LayerNormalization,
    Logarithm,
    LogSoftmax,
    Maximum,
    Minimum,
    Multiply,
    ReLU,
    RMSNormalization,
    Softmax,
    UnitNormalization,
)
from bioconv.analog.graph import Affine, Layer
from bioconv.codes.common.affine import scale_affine
from bioconv.codes.pointwise.builder import (
    Builder,
    Floats,
    along_last,
    ranked,
    spread,
    through,
    total,
)
from bioconv.operators import Crop, Dense, Place

#: sums of exponentials of distances from the largest argument are at least 1
_LEAST_SUM = 0.5
#: arguments may be smaller than the smallest one of the calibration data by this factor
_BELOW = 0.5
#: Keras's lower bound of the squared length
_LEAST_LENGTH = 1e-12


def axes_of(axis: int | tuple[int, ...], rank: int) -> list[int]:
    """Return the axes of a sample for axes that are counted as in Keras (the batch is axis 0)."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    return [a % (rank + 1) - 1 for a in axes]


def softmax(
    build: Builder, name: str, x: Affine, mask: Floats | None = None, *, logarithm: bool = False
) -> Affine:
    """Return the softmax along the last axis, or its logarithm.

    The largest value of each row is subtracted, which leaves the softmax as it is.  The sum S of
    the exponentials is then at least 1, so that its logarithm is never taken near 0, and
    exp(x - log S) is a softmax without a division.

    Parameters
    ----------
    build : Builder
    name : str
    x : Affine, shape (..., n)
    mask : ndarray of 0 and 1, broadcastable to the shape, optional
        The values that count; the first of each row always does.
    logarithm : bool
    """
    ones = Dense(x.shape, np.ones((x.shape[-1], 1)))
    # values that do not count are as large as the first one of their row, which does
    held = x if mask is None else total(scale_affine(x, mask), _first(x, 1.0 - mask))
    y = total(held, scale_affine(spread(largest(build, name, held), x.shape), -1.0))
    sizes = build.layer(f"{name}_exp", Exponential(), y)
    sizes = sizes if mask is None else scale_affine(sizes, mask)
    level = build.layer(f"{name}_log", Logarithm(_LEAST_SUM), through(sizes, ones))
    z = total(y, scale_affine(spread(level, x.shape), -1.0))
    if logarithm:
        return z
    shares = build.layer(f"{name}_shares", Exponential(), z)
    return shares if mask is None else scale_affine(shares, mask)


def largest(build: Builder, name: str, x: Affine) -> Affine:
    """Return the largest value along the last axis, which has the length 1 afterwards.

    Halves are compared with each other, max(a, b) = a + ReLU(b - a), until one value is left.
    """
    while (n := x.shape[-1]) > 1:
        half = n // 2
        first, second = _cut(x, 0, half), _cut(x, half, 2 * half)
        ahead = total(second, scale_affine(first, -1.0))
        higher = total(first, build.layer(f"{name}_ahead", ReLU(), ahead))
        x = _joined(higher, _cut(x, n - 1, n)) if n % 2 else higher
    return x


def _cut(x: Affine, low: int, high: int) -> Affine:
    """Return the values from ``low`` to ``high`` along the last axis."""
    n, rank = x.shape[-1], len(x.shape)
    return through(x, Crop(x.shape, (*((0, 0),) * (rank - 1), (low, n - high))))


def _joined(x: Affine, y: Affine) -> Affine:
    """Return two values one after the other along the last axis."""
    n = x.shape[-1] + y.shape[-1]
    placed = ((x, 0), (y, x.shape[-1]))
    return total(*(through(part, Place(part.shape, -1, at, n)) for part, at in placed))


def _first(x: Affine, factor: Floats) -> Affine:
    """Return the first value of each row, spread along the row and multiplied by a factor."""
    return scale_affine(spread(_cut(x, 0, 1), x.shape), factor)


def expand_softmax(build: Builder, layer: Layer, function: Softmax | LogSoftmax) -> Affine:
    """Expand Softmax and LogSoftmax."""
    (x,) = layer.inputs
    flat, back = along_last(x, axes_of(function.axis, len(x.shape)))
    logarithm = isinstance(function, LogSoftmax)
    return back(softmax(build, layer.name, flat, logarithm=logarithm))


def expand_layer_normalization(
    build: Builder, layer: Layer, function: LayerNormalization
) -> Affine:
    """Expand LayerNormalization."""
    (x,) = layer.inputs
    axes = axes_of(function.axis, len(x.shape))
    flat, back = along_last(x, axes)
    n = flat.shape[-1]
    centre = through(flat, Dense(flat.shape, np.eye(n) - 1.0 / n))
    variance = _mean_square(build, layer.name, centre)
    scale = _inverse_root(build, layer.name, variance, function.epsilon)
    y = build.multiply(layer.name, flat if function.rms_scaling else centre, scale)
    # the weights have the axes in the order in which they are declared
    order = [int(place) for place in np.argsort(axes)]
    if function.gamma is not None:
        y = scale_affine(y, np.transpose(function.gamma, order).ravel())
    if function.beta is not None and not function.rms_scaling:
        y = scale_affine(y, 1.0, np.transpose(function.beta, order).ravel())
    return back(y)


def expand_rms_normalization(build: Builder, layer: Layer, function: RMSNormalization) -> Affine:
    """Expand RMSNormalization."""
    (x,) = layer.inputs
    flat, back = along_last(x, axes_of(function.axis, len(x.shape)))
    mean = _mean_square(build, layer.name, flat)
    return back(
        build.multiply(layer.name, flat, _inverse_root(build, layer.name, mean, function.epsilon))
    )


def unit_length(build: Builder, name: str, x: Affine, axes: list[int]) -> Affine:
    """Return a value divided by its length along some axes of a sample."""
    flat, back = along_last(x, axes)
    squared = scale_affine(_mean_square(build, name, flat), float(flat.shape[-1]))
    return back(build.multiply(name, flat, _inverse_root(build, name, squared, 0.0)))


def expand_unit_normalization(build: Builder, layer: Layer, function: UnitNormalization) -> Affine:
    """Expand UnitNormalization."""
    (x,) = layer.inputs
    return unit_length(build, layer.name, x, axes_of(function.axis, len(x.shape)))


def expand_multiply(build: Builder, layer: Layer, function: Multiply) -> Affine:
    """Expand Multiply, also of gates and of squeeze-and-excitation."""
    rank = max(len(x.shape) for x in layer.inputs)
    first, *others = (ranked(x, rank) for x in layer.inputs)
    for number, other in enumerate(others, start=1):
        name = layer.name if number == 1 else f"{layer.name}_factor_{number}"
        first = build.multiply(name, first, other)
    return first


def expand_maximum(build: Builder, layer: Layer, function: Maximum | Minimum) -> Affine:
    """Expand Maximum and Minimum: max(x, y) = x + ReLU(y - x), min(x, y) = x - ReLU(x - y)."""
    sign = 1.0 if isinstance(function, Maximum) else -1.0
    rank = max(len(x.shape) for x in layer.inputs)

    def extreme(x: Affine, y: Affine) -> Affine:
        shape = np.broadcast_shapes(x.shape, y.shape)
        x, y = spread(x, shape), spread(y, shape)
        ahead = total(scale_affine(y, sign), scale_affine(x, -sign))
        more = build.layer(f"{layer.name}_ahead", ReLU(), ahead)
        return total(x, scale_affine(more, sign))

    return reduce(extreme, (ranked(x, rank) for x in layer.inputs))


def _mean_square(build: Builder, name: str, x: Affine) -> Affine:
    """Return the mean of the squares along the last axis, which has the length 1 afterwards."""
    n = x.shape[-1]
    squares = build.square(f"{name}_squares", x)
    return through(squares, Dense(x.shape, np.full((n, 1), 1.0 / n)))


def _inverse_root(build: Builder, name: str, x: Affine, epsilon: float) -> Affine:
    """Return 1 / sqrt(x + epsilon) in the range of the calibration data, scaled by a power of 4."""
    balance = build.balance(f"{name}_root/of", x)
    least = max(_BELOW * balance.least, _LEAST_LENGTH)
    power = -np.round(np.log2(balance.least) / 2) if balance.least > 0 else 0.0
    scale = 4.0**power
    function = InverseSquareRoot(epsilon * scale, least * scale)
    found = build.layer(f"{name}_root", function, scale_affine(x, scale))
    return scale_affine(found, 2.0**power)
