"""Embedding and attention as Keras computes them in a trained layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.base import Function
from bioconv.ground.errors import ParameterError
from bioconv.operators import LEAF, Array, Shape, register


@register
@dataclass(frozen=True, eq=False)
class Embedding(Function):
    """Look-up of row x of ``table``, of shape (n_tokens, features), for integer inputs x."""

    table: NDArray = field(metadata=LEAF)

    def apply(self, inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        return jnp.take(jnp.asarray(self.table), jnp.asarray(x).astype(jnp.int32), axis=0)


def _attend(scores: Array, values: Array, causal: bool) -> Array:
    """Return the mean of ``values`` (..., keys, features) weighted by the softmax of scores."""
    if causal:
        rows, columns = scores.shape[-2:]
        past = np.arange(rows)[:, None] >= np.arange(columns)
        scores = jnp.where(past, scores, -jnp.inf)
    return jax.nn.softmax(scores, axis=-1) @ values


def _n_scores(shapes: Sequence[Shape]) -> int:
    """Return the number of scores, one for each pair of a query and a key."""
    query, value, *_ = shapes
    return prod(query[:-1]) * value[-2]


def _query_value_key(inputs: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Return query, value and key from inputs in Keras's order; the key defaults to the value."""
    query, value, *rest = inputs
    return query, value, rest[0] if rest else value


@register
@dataclass(frozen=True, eq=False)
class Attention(Function):
    """Luong attention with the inputs query (rows, dim), value (columns, dim) and, optionally, key.

    Parameters
    ----------
    scale : ndarray of shape (), or None
    concat_weight : ndarray of shape (), or None
        Keras's ``concat_score_weight``, used for "concat".
    score : {"dot", "concat"}
        The score is q·k for "dot", and the sum of tanh(q + k) for "concat".
    causal : bool
    """

    scale: NDArray | None = field(default=None, metadata=LEAF)
    concat_weight: NDArray | None = field(default=None, metadata=LEAF)
    score: str = "dot"
    causal: bool = False

    def __post_init__(self) -> None:
        if self.score not in ("dot", "concat"):
            raise ParameterError(
                f'Attention: score must be "dot" or "concat". Received: {self.score!r}'
            )

    def n_within(self, shapes: Sequence[Shape]) -> int:
        return _n_scores(shapes) * (1 if self.score == "dot" else shapes[0][-1])

    def apply(self, inputs: Sequence[Array]) -> Array:
        query, value, key = _query_value_key(inputs)
        scale = 1.0 if self.scale is None else self.scale
        if self.score == "dot":
            scores = query @ jnp.swapaxes(key, -2, -1) * scale
        else:
            both = query[..., :, None, :] + key[..., None, :, :]
            weight = 1.0 if self.concat_weight is None else self.concat_weight
            scores = weight * jnp.tanh(scale * both).sum(axis=-1)
        return _attend(scores, value, self.causal)


@register
@dataclass(frozen=True, eq=False)
class AdditiveAttention(Function):
    """Bahdanau attention, whose scores are the sum of ``scale * tanh(q + k)``.

    Parameters
    ----------
    scale : ndarray, shape (dim,), or None
    causal : bool
    """

    scale: NDArray | None = field(default=None, metadata=LEAF)
    causal: bool = False

    def n_within(self, shapes: Sequence[Shape]) -> int:
        return _n_scores(shapes) * shapes[0][-1]

    def apply(self, inputs: Sequence[Array]) -> Array:
        query, value, key = _query_value_key(inputs)
        scale = 1.0 if self.scale is None else self.scale
        both = jnp.tanh(query[..., :, None, :] + key[..., None, :, :])
        return _attend((scale * both).sum(axis=-1), value, self.causal)


@register
@dataclass(frozen=True, eq=False)
class MultiHeadAttention(Function):
    """Scaled dot-product attention with several heads over sequences of shape (steps, features).

    The inputs are query, value and, optionally, key.

    Parameters
    ----------
    query_kernel, key_kernel : ndarray, shape (features, heads, key_dim)
    value_kernel : ndarray, shape (features, heads, value_dim)
    output_kernel : ndarray, shape (heads, value_dim, out_features)
    query_bias, key_bias, value_bias, output_bias : ndarray or None
        Each has the shape of its kernel without the first axis, and the last one
        ``(out_features,)``.
    causal : bool
    """

    query_kernel: NDArray = field(metadata=LEAF)
    key_kernel: NDArray = field(metadata=LEAF)
    value_kernel: NDArray = field(metadata=LEAF)
    output_kernel: NDArray = field(metadata=LEAF)
    query_bias: NDArray | None = field(default=None, metadata=LEAF)
    key_bias: NDArray | None = field(default=None, metadata=LEAF)
    value_bias: NDArray | None = field(default=None, metadata=LEAF)
    output_bias: NDArray | None = field(default=None, metadata=LEAF)
    causal: bool = False

    def n_within(self, shapes: Sequence[Shape]) -> int:
        return _n_scores(shapes) * self.query_kernel.shape[1]

    def apply(self, inputs: Sequence[Array]) -> Array:
        query, value, key = _query_value_key(inputs)
        heads = [
            _project(query, self.query_kernel, self.query_bias),
            _project(key, self.key_kernel, self.key_bias),
            _project(value, self.value_kernel, self.value_bias),
        ]
        q, k, v = heads
        scores = q @ jnp.swapaxes(k, -2, -1) / np.sqrt(self.query_kernel.shape[-1])
        mean = _attend(jnp.asarray(scores, q.dtype), v, self.causal)
        y = jnp.einsum("bhtv,hvo->bto", mean, jnp.asarray(self.output_kernel))
        return y if self.output_bias is None else y + self.output_bias


def _project(x: Array, kernel: Array, bias: Array | None) -> Array:
    """Project (batch, steps, features) to (batch, heads, steps, dim)."""
    y = jnp.einsum("btf,fhd->bhtd", x, jnp.asarray(kernel))
    return y if bias is None else y + bias[:, None, :]
