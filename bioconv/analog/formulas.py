"""Formulas of the functions that analog stages compute, for the arrays of any library.

Every formula takes ``xp``, the library (`jax.numpy` or `numpy`), the arrays with the batch as first
axis, and the fields of the function of the same name in `bioconv.analog.functions`, which describe
them.  The functions call the formulas with JAX, and exported programs, which contain a copy of this
file, with NumPy; so nothing but NumPy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

Array = Any
Axes = int | tuple[int, ...]


def embedding(xp: Any, inputs: Sequence[Array], table: Array) -> Array:
    """Return row x of a table for every input x, which is cut to an integer as in Keras."""
    (x,) = inputs
    return xp.take(xp.asarray(table), xp.asarray(x).astype(np.int32), axis=0)


def multiply(xp: Any, inputs: Sequence[Array]) -> Array:
    """Return the product of all inputs."""
    return reduce(xp.multiply, same_rank(inputs))


def same_rank(inputs: Sequence[Array]) -> list[Array]:
    """Insert axes of length 1 after the batch so that all have the same rank, as Keras does."""
    rank = max(x.ndim for x in inputs)
    return [x.reshape(x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:]) for x in inputs]


def dot(xp: Any, inputs: Sequence[Array], axes: tuple[int, int], normalize: bool) -> Array:
    """Return the scalar products of two arrays along one axis of each."""
    first, second = (xp.asarray(x) for x in inputs)
    a, b = axes[0] % first.ndim, axes[1] % second.ndim
    if normalize:
        first = unit_normalization(xp, [first], a)
        second = unit_normalization(xp, [second], b)
    rows, columns = xp.moveaxis(first, a, -1), xp.moveaxis(second, b, 1)
    n, k = columns.shape[:2]
    product = rows.reshape(n, -1, k) @ columns.reshape(n, k, -1)
    shape = (*rows.shape[1:-1], *columns.shape[2:])
    return product.reshape(n, *(shape or (1,)))


def sigmoid(xp: Any, inputs: Sequence[Array]) -> Array:
    """Return 1 / (1 + exp(-x)), and 0 below -80, where it is less than 2e-35 and exp overflows."""
    (x,) = inputs
    return xp.where(xp.asarray(x) < -80.0, 0.0, 1.0 / (1.0 + xp.exp(-xp.maximum(x, -80.0))))


def softmax(xp: Any, inputs: Sequence[Array], axis: Axes) -> Array:
    """Return exp(x) divided by its sum along an axis."""
    (x,) = inputs
    powers = xp.exp(x - xp.max(xp.asarray(x), axis=axis, keepdims=True))
    return powers / xp.sum(powers, axis=axis, keepdims=True)


def unit_normalization(xp: Any, inputs: Sequence[Array], axis: Axes) -> Array:
    """Divide by the length along an axis (squared length at least 1e-12, as in Keras)."""
    (x,) = inputs
    squared = xp.sum(xp.square(x), axis=axis, keepdims=True)
    return x / xp.sqrt(xp.maximum(squared, 1e-12))


def rms_normalization(xp: Any, inputs: Sequence[Array], axis: Axes, epsilon: float) -> Array:
    """Divide by the root of the mean square along the axes."""
    (x,) = inputs
    return x / xp.sqrt(xp.mean(xp.square(x), axis=axis, keepdims=True) + epsilon)


def layer_normalization(
    xp: Any,
    inputs: Sequence[Array],
    axis: tuple[int, ...],
    epsilon: float,
    gamma: Array | None,
    beta: Array | None,
    rms_scaling: bool,
) -> Array:
    """Subtract the mean and divide by the standard deviation along the axes, scale and shift."""
    x = xp.asarray(inputs[0])
    variance = xp.var(x, axis=axis, keepdims=True)
    mean = 0.0 if rms_scaling else xp.mean(x, axis=axis, keepdims=True)
    scale = 1.0 / xp.sqrt(variance + epsilon)
    if gamma is not None:
        scale = scale * _spread(xp, gamma, axis, x.ndim)
    y = (x - mean) * scale
    return y if beta is None or rms_scaling else y + _spread(xp, beta, axis, x.ndim)


def _spread(xp: Any, weights: Array, axes: tuple[int, ...], rank: int) -> Array:
    """Return weights with an axis of length 1 for each axis that is not normalized."""
    shape = [1] * rank
    for axis, size in zip(axes, weights.shape, strict=True):
        shape[axis] = size
    return xp.reshape(weights, shape)


def max_pool(
    xp: Any,
    inputs: Sequence[Array],
    size: tuple[int, ...],
    strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
) -> Array:
    """Return the maximum over windows, along one axis after the other."""
    x = xp.asarray(inputs[0])
    for axis, (n, stride, pad) in enumerate(zip(size, strides, padding, strict=True), start=1):
        x = _max_along(xp, x, axis, n, stride, pad)
    return x


def _max_along(
    xp: Any, x: Array, axis: int, size: int, stride: int, padding: tuple[int, int]
) -> Array:
    if size == x.shape[axis] and not any(padding):
        return xp.max(x, axis=axis, keepdims=True)
    around = [(0, 0)] * x.ndim
    around[axis] = padding
    x = xp.pad(x, around, constant_values=-np.inf) if any(padding) else x
    n_windows = (x.shape[axis] - size) // stride + 1
    before, stop = (slice(None),) * axis, (n_windows - 1) * stride + 1
    cells = [x[(*before, slice(first, first + stop, stride))] for first in range(size)]
    return reduce(xp.maximum, cells)


def attention(
    xp: Any,
    inputs: Sequence[Array],
    scale: Array | None,
    concat_weight: Array | None,
    score: str,
    causal: bool,
) -> Array:
    """Return Luong attention."""
    query, value, key = _query_value_key(inputs)
    scale = 1.0 if scale is None else scale
    if score == "dot":
        scores = query @ xp.swapaxes(key, -2, -1) * scale
    else:
        both = query[..., :, None, :] + key[..., None, :, :]
        weight = 1.0 if concat_weight is None else concat_weight
        scores = weight * xp.tanh(scale * both).sum(axis=-1)
    return _attend(xp, scores, value, causal)


def additive_attention(
    xp: Any, inputs: Sequence[Array], scale: Array | None, causal: bool
) -> Array:
    """Return Bahdanau attention."""
    query, value, key = _query_value_key(inputs)
    both = xp.tanh(query[..., :, None, :] + key[..., None, :, :])
    scores = (both if scale is None else scale * both).sum(axis=-1)
    return _attend(xp, scores, value, causal)


def multi_head_attention(
    xp: Any,
    inputs: Sequence[Array],
    query_kernel: Array,
    key_kernel: Array,
    value_kernel: Array,
    output_kernel: Array,
    query_bias: Array | None,
    key_bias: Array | None,
    value_bias: Array | None,
    output_bias: Array | None,
    causal: bool,
) -> Array:
    """Return scaled dot-product attention with several heads."""
    query, value, key = _query_value_key(inputs)
    q = _project(xp, query, query_kernel, query_bias)
    k = _project(xp, key, key_kernel, key_bias)
    v = _project(xp, value, value_kernel, value_bias)
    scores = q @ xp.swapaxes(k, -2, -1) / float(query_kernel.shape[-1]) ** 0.5
    mean = _attend(xp, scores, v, causal)
    y = xp.einsum("bhtv,hvo->bto", mean, xp.asarray(output_kernel), optimize=True)
    return y if output_bias is None else y + output_bias


def _query_value_key(inputs: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Return query, value and key from inputs in Keras's order; the key defaults to the value."""
    query, value, *rest = inputs
    return query, value, rest[0] if rest else value


def _attend(xp: Any, scores: Array, values: Array, causal: bool) -> Array:
    """Return the mean of ``values`` (..., keys, features) weighted by the softmax of scores."""
    if causal:
        rows, columns = scores.shape[-2:]
        past = np.arange(rows)[:, None] >= np.arange(columns)
        scores = xp.where(past, scores, -np.inf)
    return softmax(xp, [scores], axis=-1) @ values


def _project(xp: Any, x: Array, kernel: Array, bias: Array | None) -> Array:
    """Project (batch, steps, features) to (batch, heads, steps, dim)."""
    y = xp.einsum("btf,fhd->bhtd", x, xp.asarray(kernel), optimize=True)
    return y if bias is None else y + bias[:, None, :]


#: class name of a function -> its formula
FORMULAS: Mapping[str, Callable[..., Array]] = {
    "AdditiveAttention": additive_attention,
    "Attention": attention,
    "Dot": dot,
    "Embedding": embedding,
    "LayerNormalization": layer_normalization,
    "MaxPool": max_pool,
    "MultiHeadAttention": multi_head_attention,
    "Multiply": multiply,
    "RMSNormalization": rms_normalization,
    "Sigmoid": sigmoid,
    "Softmax": softmax,
    "UnitNormalization": unit_normalization,
}
