"""Convolutions of any rank: ordinary, grouped, depthwise, dilated, transposed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import (
    EXACT,
    LEAF,
    Array,
    Edges,
    Operator,
    Shape,
    last_axis_factor,
    register,
)
from bioconv.operators.windows import (
    Pairs,
    check_windows,
    keras_paddings,
    n_windows,
    outer_index,
    taps,
)

#: largest number of terms of a convolution that is computed as a sum over kernel taps
_MAX_TAPS = 49


@register
@dataclass(frozen=True, eq=False)
class Conv(Operator):
    """Convolution (cross-correlation, as in Keras) over all axes but the last.

    Parameters
    ----------
    in_shape : tuple of int
        (*spatial, channels).
    kernel : ndarray, shape (*size, channels / groups, filters)
    strides, dilation, input_dilation : tuple of int, optional
        One value per spatial axis, 1 by default.  ``input_dilation`` inserts zeros between the
        input cells, as in a transposed convolution.
    padding : tuple of (int, int), optional
        Numbers of zeros before and after the (dilated) input along each spatial axis.  Negative
        values crop the input.
    groups : int
        Number of groups of filters, each of which is connected to its own group of channels.
    """

    in_shape: Shape
    kernel: NDArray = field(metadata=LEAF)
    strides: Shape = ()
    padding: Pairs = ()
    dilation: Shape = ()
    groups: int = 1
    input_dilation: Shape = ()

    def __post_init__(self) -> None:
        rank = len(self.in_shape) - 1
        object.__setattr__(self, "in_shape", tuple(self.in_shape))
        for name in ("strides", "dilation", "input_dilation"):
            object.__setattr__(self, name, tuple(getattr(self, name)) or (1,) * rank)
        padding = tuple((int(low), int(high)) for low, high in self.padding) or ((0, 0),) * rank
        object.__setattr__(self, "padding", padding)
        if isinstance(self.kernel, np.ndarray):  # not a tracer or placeholder of JAX
            self._check()

    def _check(self) -> None:
        shape, channels = self.kernel.shape, self.in_shape[-1]
        wrong_rank = len(shape) != len(self.in_shape) + 1
        if wrong_rank or shape[-2] * self.groups != channels or shape[-1] % self.groups:
            raise ParameterError(
                f"Conv: kernel must have shape (*size, {channels} / groups, filters), filters a "
                f"multiple of groups, for inputs of shape {self.in_shape}. "
                f"Received: {shape}, groups={self.groups}"
            )
        settings = (self.strides, self.padding, self.dilation, self.input_dilation)
        check_windows("Conv", self.in_shape, shape[:-2], *settings)

    @property
    def size(self) -> Shape:
        """Spatial shape of the kernel."""
        return tuple(self.kernel.shape[:-2])

    @property
    def axes(self) -> tuple[tuple[int, int, int, tuple[int, int], int, int], ...]:
        """Arguments of `windows.taps` for each spatial axis."""
        spatial = self.in_shape[:-1]
        settings = (self.strides, self.padding, self.dilation, self.input_dilation)
        return tuple(zip(spatial, self.size, *settings, strict=True))

    @property
    def out_shape(self) -> Shape:
        return (*(n_windows(*axis) for axis in self.axes), self.kernel.shape[-1])

    def apply(self, x: Array) -> Array:
        x, kernel = jnp.asarray(x), jnp.asarray(self.kernel)
        dtype = jnp.result_type(x, kernel)
        x, kernel = x.astype(dtype), kernel.astype(dtype)
        if self._is_pointwise:
            return jnp.matmul(x, kernel.reshape(kernel.shape[-2:]), precision=EXACT)
        if self._has_few_terms:
            return self._sum_over_taps(x, kernel)
        letters = "".join(chr(ord("a") + axis) for axis in range(len(self.size)))
        return lax.conv_general_dilated(
            x,
            kernel,
            self.strides,
            self.padding,
            lhs_dilation=self.input_dilation,
            rhs_dilation=self.dilation,
            dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
            feature_group_count=self.groups,
            precision=EXACT,
        )

    @property
    def _is_pointwise(self) -> bool:
        """Whether this is a matrix on the channels, whose product is faster on a CPU."""
        settings = {*self.size, *self.strides, *self.input_dilation, self.groups}
        return settings == {1} and not any(map(any, self.padding))

    @property
    def _has_few_terms(self) -> bool:
        """Whether a sum over kernel taps is faster than XLA's convolution.

        It is three to five times faster on a CPU for depthwise convolutions and for those of images
        with one to three channels.
        """
        channels = self.in_shape[-1] // self.groups
        grouped = channels == 1 or self.groups == 1
        return grouped and channels * prod(self.size) <= _MAX_TAPS

    def _sum_over_taps(self, x: Array, kernel: Array) -> Array:
        """Compute the sum of shifted inputs times one weight per input channel of a group."""
        edges = zip(self.padding, self.input_dilation, strict=True)
        config = [(low, high, dilation - 1) for (low, high), dilation in edges]
        x = lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *config, (0, 0, 0)])
        channels = self.in_shape[-1] // self.groups
        kernel = kernel.reshape(*self.size, channels, self.groups, -1)
        total = jnp.zeros((), x.dtype)
        for tap in np.ndindex(self.size):
            windows = zip(tap, self.dilation, self.strides, self.out_shape, strict=False)
            cells = [slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, s, n in windows]
            shifted = x[(slice(None), *cells)]
            for channel in range(channels):  # one of them, or one group
                part = shifted[..., channel::channels, None]
                total = total + part * kernel[(*tap, channel)]
        return total.reshape(x.shape[0], *self.out_shape)

    def edges(self) -> Edges:
        axes = [taps(*axis) for axis in self.axes]
        rank, groups = len(axes), self.groups
        *_, n_channels, n_filters = self.kernel.shape
        n_filters //= groups
        group, channel, filter_ = np.arange(groups), np.arange(n_channels), np.arange(n_filters)
        pre = outer_index(
            [axis[0] for axis in axes] + [group, channel, np.zeros(1)],
            (*self.in_shape[:-1], groups, n_channels, 1),
        )
        post = outer_index(
            [axis[1] for axis in axes] + [group, np.zeros(1), filter_],
            (*self.out_shape[:-1], groups, 1, n_filters),
        )
        kernel = np.asarray(self.kernel, np.float64)
        kernel = kernel.reshape(*self.size, n_channels, groups, n_filters).swapaxes(rank, rank + 1)
        weight = kernel[np.ix_(*(axis[2] for axis in axes))]
        real = slice(None) if np.all(kernel) else np.flatnonzero(weight)
        return Edges(
            np.broadcast_to(pre, weight.shape).ravel()[real],
            np.broadcast_to(post, weight.shape).ravel()[real],
            weight.ravel()[real],
        )

    def absorb(self, pre: NDArray | None, post: NDArray | None) -> Conv | None:
        before = last_axis_factor(pre, self.in_shape)
        after = last_axis_factor(post, self.out_shape)
        if before is None or after is None:
            return None
        n_filters = self.kernel.shape[-1]
        by_group = np.repeat(before.reshape(self.groups, -1), n_filters // self.groups, axis=0)
        return replace(self, kernel=self.kernel * by_group.T * after)

    def map_weights(self, function: Callable[[NDArray], NDArray]) -> Conv:
        return replace(self, kernel=function(self.kernel))


def ungrouped(operator: Conv) -> NDArray[np.float64]:
    """Return the kernel of a convolution between all channels, with zeros between groups.

    Parameters
    ----------
    operator : Conv

    Returns
    -------
    ndarray of float64, shape (*size, channels, filters)
    """
    kernel, groups = np.asarray(operator.kernel, np.float64), operator.groups
    *size, within, filters = kernel.shape
    full = np.zeros((*size, groups, within, groups, filters // groups))
    every = np.arange(groups)
    split = kernel.reshape(*size, within, groups, filters // groups)
    full[..., every, :, every, :] = np.moveaxis(split, -2, 0)
    return full.reshape(*size, groups * within, filters)


def _per_axis(value: int | Sequence[int], rank: int) -> Shape:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def conv(
    in_shape: Shape,
    kernel: NDArray,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Conv:
    """Return a convolution as computed by Keras's Conv layers.

    Parameters
    ----------
    in_shape : tuple of int
        (*spatial, channels).
    kernel : ndarray, shape (*size, channels / groups, filters)
    strides, dilation : int or sequence of int
    padding : {"valid", "same", "causal"}
    groups : int

    Returns
    -------
    Conv
    """
    rank, size = len(in_shape) - 1, kernel.shape[:-2]
    strides, dilation = _per_axis(strides, rank), _per_axis(dilation, rank)
    pairs = keras_paddings(in_shape[:-1], size, strides, dilation, padding)
    return Conv(in_shape, kernel, strides, pairs, dilation, groups)


def depthwise(
    in_shape: Shape,
    kernel: NDArray,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilation: int | Sequence[int] = 1,
) -> Conv:
    """Return a depthwise convolution, in which every channel has its own filters.

    Parameters
    ----------
    in_shape : tuple of int
        (*spatial, channels).
    kernel : ndarray, shape (*size, channels, depth_multiplier)
    strides, dilation : int or sequence of int
    padding : {"valid", "same", "causal"}

    Returns
    -------
    Conv
        With as many groups as channels.
    """
    *size, channels, multiplier = kernel.shape
    flat = kernel.reshape(*size, 1, channels * multiplier)
    return conv(in_shape, flat, strides, padding, dilation, groups=channels)


def conv_transpose(
    in_shape: Shape,
    kernel: NDArray,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = 1,
) -> Conv:
    """Return a transposed convolution as computed by Keras's ConvTranspose layers.

    Parameters
    ----------
    in_shape : tuple of int
        (*spatial, channels).
    kernel : ndarray, shape (*size, filters, channels)
        In Keras's layout.
    strides, dilation : int or sequence of int
    padding : {"valid", "same"}
    output_padding : int or sequence of int, optional

    Returns
    -------
    Conv
        A convolution of the input with zeros between its cells.
    """
    rank, size = len(in_shape) - 1, kernel.shape[:-2]
    strides, dilation = _per_axis(strides, rank), _per_axis(dilation, rank)
    extra = (None,) * rank if output_padding is None else _per_axis(output_padding, rank)
    pairs = tuple(
        _transposed_padding((k - 1) * d + 1, s, padding, o)
        for k, d, s, o in zip(size, dilation, strides, extra, strict=True)
    )
    flipped = np.flip(kernel, axis=tuple(range(rank))).swapaxes(-1, -2)
    return Conv(in_shape, np.ascontiguousarray(flipped), (1,) * rank, pairs, dilation, 1, strides)


def _transposed_padding(extent: int, stride: int, mode: str, extra: int | None) -> tuple[int, int]:
    """Return the padding of the dilated input of a transposed convolution.

    For an input of n cells, a kernel of extent e and the stride s, the output has
    (n - 1) s + e + extra cells for "valid", where extra defaults to max(s - e, 0).  For "same", it
    has n s cells, or (n - 1) s + e % 2 + extra if ``extra`` is given.  If the number of zeros is
    odd, the larger half comes first.
    """
    if mode == "valid":
        extra = max(stride - extent, 0) if extra is None else extra
        return extent - 1, extent - 1 + extra
    if mode != "same":
        raise ParameterError(
            f'conv_transpose: padding must be "valid" or "same". Received: {mode!r}'
        )
    total = stride + extent - 2 if extra is None else extent + extent % 2 - 2 + extra
    before = min(total // 2 + total % 2, extent - 1)
    return before, total - before
