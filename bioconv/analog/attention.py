"""Embedding and attention as Keras computes them in a trained layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import jax.numpy as jnp
from numpy.typing import NDArray

from bioconv.analog import formulas
from bioconv.analog.base import Function
from bioconv.ground.errors import ParameterError
from bioconv.operators import LEAF, Array, Shape, register


@register
@dataclass(frozen=True, eq=False)
class Embedding(Function):
    """Look-up of row x of ``table``, of shape (n_tokens, features), for integer inputs x."""

    table: NDArray = field(metadata=LEAF)

    def apply(self, inputs: Sequence[Array]) -> Array:
        return formulas.embedding(jnp, inputs, self.table)


def _n_scores(shapes: Sequence[Shape]) -> int:
    """Return the number of scores, one for each pair of a query and a key."""
    query, value, *_ = shapes
    return prod(query[:-1]) * value[-2]


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
        return formulas.attention(
            jnp, inputs, self.scale, self.concat_weight, self.score, self.causal
        )


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
        return formulas.additive_attention(jnp, inputs, self.scale, self.causal)


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
        return formulas.multi_head_attention(
            jnp,
            inputs,
            self.query_kernel,
            self.key_kernel,
            self.value_kernel,
            self.output_kernel,
            self.query_bias,
            self.key_bias,
            self.value_bias,
            self.output_bias,
            self.causal,
        )
