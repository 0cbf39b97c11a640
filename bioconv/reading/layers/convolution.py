"""Readers of ordinary, depthwise, separable and transposed convolutions in up to 3 dimensions."""

from __future__ import annotations

from collections.abc import Callable

from bioconv.operators import Operator, conv, conv_transpose, depthwise
from bioconv.reading.context import Context
from bioconv.reading.layers.activation import activated
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Tensor, linear, shifted

Reader = Callable[[Context], Tensor]
_PADDINGS = ("valid", "same")


class _Settings:
    """Arguments that all convolutions share."""

    def __init__(self, context: Context, rank: int) -> None:
        config = context.config
        self.size = config.integers("kernel_size", rank)
        self.strides = config.integers("strides", rank, 1)
        self.dilation = config.integers("dilation_rate", rank, 1)
        allowed = (*_PADDINGS, "causal") if rank == 1 else _PADDINGS
        self.padding = config.choice("padding", allowed, "valid")


def convolution(rank: int) -> Reader:
    """Return the reader of Conv1D, Conv2D or Conv3D."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        s = _Settings(context, rank)
        filters, groups = context.config.integer("filters"), context.config.integer("groups", 1)
        channels = x.shape[-1]
        if channels % groups or filters % groups:
            raise Refusal(
                f"{channels} channels and {filters} filters must be multiples of {groups} groups."
            )
        kernel = context.weight("kernel", (*s.size, channels // groups, filters))
        operator = conv(x.shape, kernel, s.strides, s.padding, s.dilation, groups)
        return _finished(context, x, filters, operator)

    return read


def transposed(rank: int) -> Reader:
    """Return the reader of Conv1DTranspose, Conv2DTranspose or Conv3DTranspose."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        s = _Settings(context, rank)
        filters = context.config.integer("filters")
        extra = None
        if context.config.get("output_padding") is not None:
            extra = context.config.integers("output_padding", rank, least=0)
        kernel = context.weight("kernel", (*s.size, filters, x.shape[-1]))
        operator = conv_transpose(x.shape, kernel, s.strides, s.padding, extra, s.dilation)
        return _finished(context, x, filters, operator)

    return read


def depthwise_convolution(rank: int) -> Reader:
    """Return the reader of DepthwiseConv1D or DepthwiseConv2D."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        operator = _depthwise(context, x, rank)
        return _finished(context, x, operator.out_shape[-1], operator)

    return read


def separable(rank: int) -> Reader:
    """Return the reader of SeparableConv1D or SeparableConv2D."""

    def read(context: Context) -> Tensor:
        x = context.channels_last(context.only(rank + 1))
        first = _depthwise(context, x, rank)
        filters, inner = context.config.integer("filters"), first.out_shape
        kernel = context.weight("pointwise_kernel", (*(1,) * rank, inner[-1], filters))
        return _finished(context, x, filters, first, conv(inner, kernel))

    return read


def _depthwise(context: Context, x: Tensor, rank: int) -> Operator:
    s = _Settings(context, rank)
    multiplier = context.config.integer("depth_multiplier", 1)
    kernel = context.weight("depthwise_kernel", (*s.size, x.shape[-1], multiplier))
    return depthwise(x.shape, kernel, s.strides, s.padding, s.dilation)


def _finished(context: Context, x: Tensor, filters: int, *operators: Operator) -> Tensor:
    """Apply operators, bias and activation."""
    x = linear(x, *operators)
    if context.config.flag("use_bias", True):
        x = shifted(x, context.weight("bias", (filters,)))
    return activated(context, context.own_format(x))
