"""Readers of dense layers."""

from __future__ import annotations

import re
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.operators import Dense, Reshape
from bioconv.reading.config import shown
from bioconv.reading.context import Context
from bioconv.reading.layers import quantized
from bioconv.reading.layers.activation import activated
from bioconv.reading.quantized import mode_of
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Tensor, broadcast_shape, linear, shifted


def dense(context: Context) -> Tensor:
    """Read Dense, which multiplies the last axis by a matrix."""
    x = context.only()
    if not x.shape:
        raise Refusal("it takes inputs with at least one axis.")
    units = context.config.integer("units")
    kernel = quantized.weight(context, "kernel", (x.shape[-1], units), 1)
    x = quantized.rounded(context, x, 1)
    x = linear(x, Dense(x.shape, kernel))
    if context.config.flag("use_bias", True):
        x = shifted(x, quantized.bias(context, (units,)))
    return activated(context, x)


def einsum_dense(context: Context) -> Tensor:
    """Read EinsumDense if it contracts the last axes of the input with the first of the kernel."""
    x = context.only()
    equation = context.config.get("equation")
    left, kernel_labels, right = _labels(equation, len(x.shape))
    n_left = len(left) - sum(label in kernel_labels for label in left)
    kept, contracted = left[:n_left], left[n_left:]
    new = kernel_labels[len(contracted) :]
    if kernel_labels[: len(contracted)] != contracted or right != kept + new or not contracted:
        raise Refusal(
            f"its equation {shown(equation)} is not a product over the last axes.",
            "Use Dense, Reshape and Permute.",
        )
    kernel = _einsum_kernel(context, x, n_left, len(new))
    x = quantized.rounded(context, x, len(contracted))
    n_in, out = prod(x.shape[n_left:]), kernel.shape[len(contracted) :]
    flat = (*x.shape[:n_left], n_in)
    x = linear(x, Reshape(x.shape, flat), Dense(flat, kernel.reshape(n_in, -1)))
    x = linear(x, Reshape(x.shape, (*x.shape[:-1], *out)))
    if context.config.get("bias_axes"):
        bias = quantized.bias(context, context.weights["bias"].shape)
        shape = (1,) * (len(x.shape) - bias.ndim) + bias.shape
        x = shifted(x, bias.reshape(shape))
        broadcast_shape([x])
    return activated(context, x)


def _einsum_kernel(context: Context, x: Tensor, n_left: int, n_new: int) -> NDArray[np.float64]:
    """Return the kernel, whose last ``n_new`` axes are those of the output."""
    n_in = len(x.shape) - n_left
    if mode_of(context.spec):
        sizes = context.config.get("output_shape")
        sizes = list(sizes) if isinstance(sizes, list | tuple) else [sizes]
        shape = (*x.shape[n_left:], *sizes[len(sizes) - n_new :])
        return quantized.weight(context, "kernel", shape, n_in)
    kernel = context.weights["kernel"]
    if kernel.shape[:n_in] != x.shape[n_left:] or kernel.ndim != n_in + n_new:
        raise Refusal(
            f"its kernel of shape {kernel.shape} does not fit its input of shape {x.shape}."
        )
    return kernel


def _labels(equation: object, rank: int) -> tuple[str, str, str]:
    """Return labels of input, kernel and output, without those of the batch."""
    match = re.fullmatch(r"(\.\.\.|\w)(\w*),(\w+)->(\.\.\.|\w)(\w*)", str(equation))
    if match is None or match[1] != match[4]:
        raise Refusal(f"its equation {shown(equation)} is not supported.")
    left, kernel, right = match[2], match[3], match[5]
    if match[1] == "...":  # the dots represent the batch and all axes without a label
        free = "".join(c for c in "0123456789" if c not in left + kernel)
        dots = free[: max(rank - len(left), 0)]
        left, right = dots + left, dots + right
    if len(left) != rank:
        raise Refusal(f"its equation {shown(equation)} does not fit {rank} axes.")
    return left, kernel, right
