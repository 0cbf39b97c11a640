"""Rules that replace two neighbouring operators by fewer or cheaper ones.

A rule takes two operators in sequence and returns their replacement, or None if it does not
apply.  The map stays the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bioconv.operators.base import Operator
from bioconv.operators.chain import Chain
from bioconv.operators.conv import Conv
from bioconv.operators.dense import Dense
from bioconv.operators.pool import AveragePool
from bioconv.operators.scale import Scale
from bioconv.operators.selection import (
    Broadcast,
    Crop,
    Pad,
    Permute,
    Place,
    Reshape,
    Upsample,
    WindowCell,
)
from bioconv.operators.windows import Pairs

Rule = Callable[[Operator, Operator], "tuple[Operator, ...] | None"]


def is_identity(operator: Operator) -> bool:
    """Whether the operator is an identity according to its settings."""
    match operator:
        case Reshape() | Pad() | Crop() | Upsample() | Place() | Broadcast():
            return operator.in_shape == operator.out_shape
        case Permute(axes=axes):
            return axes == tuple(range(len(axes)))
        case AveragePool() | WindowCell():
            trivial = {*operator.size, *operator.strides} == {1}
            return trivial and operator.in_shape == operator.out_shape and not _any(operator)
        case Scale(factor=factor):
            return bool(np.all(np.asarray(factor) == 1))
        case Chain(operators=operators):
            return all(is_identity(part) for part in operators)
        case _:
            return False


def _any(operator: AveragePool | WindowCell) -> bool:
    return any(value for pair in operator.padding for value in pair)


def _net(inner: Pairs, outer: Pairs, sign: int = 1) -> Pairs:
    """Return the sum (or difference) of two settings with a pair for each axis."""
    pairs = zip(inner, outer, strict=True)
    return tuple((a[0] + sign * b[0], a[1] + sign * b[1]) for a, b in pairs)


def reshapes(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    """Reshape, Reshape -> Reshape."""
    if isinstance(first, Reshape) and isinstance(second, Reshape):
        return (Reshape(first.in_shape, second.new_shape),)
    return None


def permutations(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    """Permute, Permute -> Permute."""
    if isinstance(first, Permute) and isinstance(second, Permute):
        return (Permute(first.in_shape, tuple(first.axes[axis] for axis in second.axes)),)
    return None


def paddings(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    """Pad, Pad -> Pad;  Crop, Crop -> Crop;  Pad, Crop -> the remainder of both."""
    if isinstance(first, Pad | Place) and isinstance(second, Pad | Place):
        return (Pad(first.in_shape, _net(first.padding, second.padding)),)
    if isinstance(first, Crop) and isinstance(second, Crop):
        return (Crop(first.in_shape, _net(first.cropping, second.cropping)),)
    if isinstance(first, Pad | Place) and isinstance(second, Crop):
        left = _net(first.padding, second.cropping, sign=-1)
        cropping = tuple((max(-a, 0), max(-b, 0)) for a, b in left)
        kept = [n - sum(pair) for n, pair in zip(first.in_shape, cropping, strict=True)]
        if min(kept) <= 0:
            return None  # only padding remains
        crop = Crop(first.in_shape, cropping)
        return crop, Pad(crop.out_shape, tuple((max(a, 0), max(b, 0)) for a, b in left))
    return None


def pad_conv(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    """Pad, Conv -> Conv with more padding (zeros of a dilated input lie further apart)."""
    if not isinstance(first, Pad | Place) or not isinstance(second, Conv):
        return None
    if first.padding[-1] != (0, 0):
        return None
    dilated = tuple(
        (low * d, high * d)
        for (low, high), d in zip(first.padding, second.input_dilation, strict=False)
    )
    padding = _net(second.padding, dilated)
    return (replace(second, in_shape=first.in_shape, padding=padding),)


def crop_conv(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    """Crop, Conv -> Conv with negative padding, where the convolution adds no zeros itself."""
    if not isinstance(first, Crop) or not isinstance(second, Conv):
        return None
    spatial = first.cropping[:-1]
    clash = any(
        cut and zeros > 0
        for cuts, pads in zip(spatial, second.padding, strict=True)
        for cut, zeros in zip(cuts, pads, strict=True)
    )
    if clash or first.cropping[-1] != (0, 0):
        return None
    dilated = tuple(
        (a * d, b * d) for (a, b), d in zip(spatial, second.input_dilation, strict=True)
    )
    padding = _net(second.padding, dilated, sign=-1)
    return (replace(second, in_shape=first.in_shape, padding=padding),)


def conv_crop(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    """Conv, Crop -> Conv that computes only the remaining cells."""
    if not isinstance(first, Conv) or not isinstance(second, Crop):
        return None
    low, high = second.cropping[-1]
    if first.groups > 1 and (low or high):
        return None
    strided = tuple(
        (a * s, b * s) for (a, b), s in zip(second.cropping, first.strides, strict=False)
    )
    kernel = first.kernel[..., low : first.kernel.shape[-1] - high]
    return (replace(first, kernel=kernel, padding=_net(first.padding, strided, sign=-1)),)


def place_weights(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    """Place on the channels, Conv or Dense -> Conv or Dense with a slice of the kernel."""
    if not isinstance(first, Place) or first.axis != len(first.in_shape) - 1:
        return None
    used = slice(first.offset, first.offset + first.in_shape[-1])
    if isinstance(second, Conv) and second.groups == 1:
        return (replace(second, in_shape=first.in_shape, kernel=second.kernel[..., used, :]),)
    if isinstance(second, Dense):
        return (Dense(first.in_shape, second.kernel[used]),)
    return None


def products(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    """Dense, Dense -> one Dense, if this does not take more multiplications."""
    if not isinstance(first, Dense) or not isinstance(second, Dense):
        return None
    (a, b), c = first.kernel.shape, second.kernel.shape[1]
    return (Dense(first.in_shape, first.kernel @ second.kernel),) if a * c <= b * (a + c) else None


RULES: tuple[Rule, ...] = (
    reshapes,
    permutations,
    place_weights,
    pad_conv,
    crop_conv,
    conv_crop,
    paddings,
    products,
)
