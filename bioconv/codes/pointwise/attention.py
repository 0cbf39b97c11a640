"""Attention and scalar products as functions of one variable."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import (
    AdditiveAttention,
    Attention,
    Dot,
    MultiHeadAttention,
    Tanh,
)
from bioconv.analog.graph import Affine, Layer
from bioconv.codes.common.affine import scale_affine
from bioconv.codes.pointwise.builder import Builder, Floats, spread, through, total
from bioconv.codes.pointwise.stages import softmax, unit_length
from bioconv.operators import Dense, Permute, Reshape

#: axes of (heads, rows, features) along which the sizes of factors differ: each feature of each
#: head has its own; attention has one for each head, as all keys are alike
_FEATURES, _HEADS = (0, 2), (0,)


def expand_dot(build: Builder, layer: Layer, function: Dot) -> Affine:
    """Expand Dot."""
    rows, values = [], []
    for number, (x, axis) in enumerate(zip(layer.inputs, function.axes, strict=True)):
        place = axis % (len(x.shape) + 1) - 1
        if function.normalize:
            x = unit_length(build, f"{layer.name}_{number}", x, [place])
        order = (*(a for a in range(len(x.shape)) if a != place), place)
        others = tuple(x.shape[a] for a in order[:-1])
        moved = (*others, x.shape[place])
        flat = (1, prod(others), x.shape[place])
        values.append(through(x, Permute(x.shape, order), Reshape(moved, flat)))
        rows.append(others)
    one, other = values
    found = build.contract(layer.name, one, other, _FEATURES, _FEATURES)
    return through(found, Reshape(found.shape, layer.shape))


def expand_attention(build: Builder, layer: Layer, function: Attention) -> Affine:
    """Expand Attention."""
    query, value, key = _query_value_key(layer.inputs)
    scale = 1.0 if function.scale is None else float(function.scale)
    if function.score == "concat":
        both = scale_affine(_pairs(query, key), scale)
        weight = 1.0 if function.concat_weight is None else float(function.concat_weight)
        weights = np.full(both.shape[-1], weight)
        scores = _summed(build, layer.name, both, weights)
    else:
        one, other = (through(x, Reshape(x.shape, (1, *x.shape))) for x in (query, key))
        one = scale_affine(one, scale)
        scores = build.contract(f"{layer.name}_scores", one, other, _FEATURES, _FEATURES)
    return _single_head(build, layer.name, scores, value, function.causal)


def expand_additive_attention(build: Builder, layer: Layer, function: AdditiveAttention) -> Affine:
    """Expand AdditiveAttention."""
    query, value, key = _query_value_key(layer.inputs)
    both = _pairs(query, key)
    weights = np.ones(both.shape[-1]) if function.scale is None else function.scale
    scores = _summed(build, layer.name, both, weights)
    return _single_head(build, layer.name, scores, value, function.causal)


def expand_multi_head(build: Builder, layer: Layer, function: MultiHeadAttention) -> Affine:
    """Expand MultiHeadAttention."""
    query, value, key = _query_value_key(layer.inputs)
    q = _projected(query, function.query_kernel, function.query_bias)
    k = _projected(key, function.key_kernel, function.key_bias)
    v = _projected(value, function.value_kernel, function.value_bias)
    q = scale_affine(q, function.query_kernel.shape[-1] ** -0.5)
    scores = build.contract(f"{layer.name}_scores", q, k, _FEATURES, _FEATURES)
    seen = _weighted(build, layer.name, scores, v, function.causal)
    heads, rows, size = seen.shape
    weights = np.asarray(function.output_kernel, np.float64)
    y = through(
        seen,
        Permute(seen.shape, (1, 0, 2)),
        Reshape((rows, heads, size), (rows, heads * size)),
        Dense((rows, heads * size), weights.reshape(heads * size, -1)),
    )
    return y if function.output_bias is None else scale_affine(y, 1.0, function.output_bias)


def _query_value_key(inputs: Sequence[Affine]) -> tuple[Affine, Affine, Affine]:
    query, value, *rest = inputs
    return query, value, rest[0] if rest else value


def _projected(x: Affine, kernel: NDArray, bias: NDArray | None) -> Affine:
    """Return a value of (rows, features) projected to (heads, rows, size)."""
    rows, (features, heads, size) = x.shape[0], kernel.shape
    weights = np.asarray(kernel, np.float64).reshape(features, heads * size)
    y = through(
        x,
        Dense(x.shape, weights),
        Reshape((rows, heads * size), (rows, heads, size)),
        Permute((rows, heads, size), (1, 0, 2)),
    )
    return y if bias is None else scale_affine(y, 1.0, np.asarray(bias)[:, None])


def _pairs(query: Affine, key: Affine) -> Affine:
    """Return the sum of each query and each key, shape (queries, keys, features)."""
    (rows, size), columns = query.shape, key.shape[0]
    one = through(query, Reshape(query.shape, (rows, 1, size)))
    other = through(key, Reshape(key.shape, (1, columns, size)))
    return total(*(spread(x, (rows, columns, size)) for x in (one, other)))


def _summed(build: Builder, name: str, both: Affine, weights: Floats) -> Affine:
    """Return the weighted sum of the tanh of all features, shape (1, queries, keys)."""
    found = build.layer(f"{name}_tanh", Tanh(), both)
    kernel = np.asarray(weights, np.float64)[:, None]
    rows, columns, _ = both.shape
    return through(
        found, Dense(both.shape, kernel), Reshape((rows, columns, 1), (1, rows, columns))
    )


def _single_head(build: Builder, name: str, scores: Affine, value: Affine, causal: bool) -> Affine:
    one = through(value, Reshape(value.shape, (1, *value.shape)))
    seen = _weighted(build, name, scores, one, causal)
    return through(seen, Reshape(seen.shape, seen.shape[1:]))


def _weighted(build: Builder, name: str, scores: Affine, v: Affine, causal: bool) -> Affine:
    """Return the means of v (heads, keys, size) weighted by the softmax of the scores."""
    _, rows, columns = scores.shape
    mask = np.tri(rows, columns) if causal else None
    shares = softmax(build, name, scores, mask)
    turned = through(v, Permute(v.shape, (0, 2, 1)))
    return build.contract(f"{name}_values", shares, turned, _HEADS, (0, 1))
