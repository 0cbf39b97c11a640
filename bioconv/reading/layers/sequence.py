"""Readers of attention and of normalizations by statistics of each sample."""

from __future__ import annotations

from numpy.typing import NDArray

from bioconv.analog.functions import (
    AdditiveAttention,
    Attention,
    Function,
    LayerNormalization,
    MultiHeadAttention,
    UnitNormalization,
)
from bioconv.reading.config import shown
from bioconv.reading.context import Context
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Tensor


def layer_normalization(context: Context) -> Tensor:
    """Read LayerNormalization."""
    x = context.only()
    axes = _axes(context, len(x.shape))
    shape = tuple(x.shape[axis - 1] for axis in axes)
    config = context.config
    function = LayerNormalization(
        axis=axes,
        epsilon=config.number("epsilon", 1e-3),
        gamma=context.weight("gamma", shape) if config.flag("scale", True) else None,
        beta=context.weight("beta", shape) if config.flag("center", True) else None,
        rms_scaling=config.flag("rms_scaling", False),
    )
    return context.layer(function, x, shape=x.shape)


def unit_normalization(context: Context) -> Tensor:
    """Read UnitNormalization."""
    x = context.only()
    return context.layer(UnitNormalization(_axes(context, len(x.shape))), x, shape=x.shape)


def _axes(context: Context, rank: int) -> tuple[int, ...]:
    """Return the normalized axes in ascending order, where the batch is axis 0."""
    value = context.config.get("axis", -1)
    axes = value if isinstance(value, list | tuple) else [value]
    for axis in axes:
        if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis <= rank:
            raise Refusal(
                f"its axis is {shown(value)}, but the input has {rank} axes and the batch axis."
            )
    positive = tuple(sorted(axis % (rank + 1) for axis in axes))
    if not positive or positive[0] == 0:
        raise Refusal("it normalizes along the batch axis.")
    return positive


def _query_value_key(context: Context) -> list[Tensor]:
    """Return the inputs in Keras's order, some of which may be named arguments."""
    named = [context.kwargs[key] for key in ("query", "value", "key") if key in context.kwargs]
    tensors = [value for value in (*context.args, *named) if isinstance(value, Tensor)]
    if len(tensors) not in (2, 3) or any(len(tensor.shape) != 2 for tensor in tensors):
        shapes = [tensor.shape for tensor in tensors]
        raise Refusal(f"it takes query, value and key as sequences. Received: shapes {shapes}.")
    return tensors


def _attended(context: Context, function: Function) -> Tensor:
    tensors = _query_value_key(context)
    shape = function.out_shape([tensor.shape for tensor in tensors])
    return context.layer(function, *tensors, shape=shape)


def _causal(context: Context) -> bool:
    return bool(context.kwargs.get("use_causal_mask")) or context.config.flag("causal", False)


def attention(context: Context) -> Tensor:
    """Read Attention (Luong)."""
    score = context.config.choice("score_mode", ("dot", "concat"), "dot")
    scale, concat = context.weights.get("scale"), context.weights.get("concat_score_weight")
    return _attended(context, Attention(scale, concat, score, _causal(context)))


def additive_attention(context: Context) -> Tensor:
    """Read AdditiveAttention (Bahdanau)."""
    return _attended(context, AdditiveAttention(context.weights.get("scale"), _causal(context)))


def multi_head_attention(context: Context) -> Tensor:
    """Read MultiHeadAttention over sequences."""
    config = context.config
    if config.get("attention_axes") not in (None, [1], (1,), 1) or config.get("use_gate"):
        raise Refusal("it attends along axes other than time, or uses gates.")
    query, value, *rest = _query_value_key(context)
    key = rest[0] if rest else value
    heads, dim = config.integer("num_heads"), config.integer("key_dim")
    value_dim = config.integer("value_dim") if config.get("value_dim") is not None else dim
    n_out = query.shape[-1]
    if config.get("output_shape") is not None:
        n_out = config.integer("output_shape")
    shapes = {
        "query": (query.shape[-1], heads, dim),
        "key": (key.shape[-1], heads, dim),
        "value": (value.shape[-1], heads, value_dim),
        "output": (heads, value_dim, n_out),
    }
    arrays: dict[str, NDArray] = {}
    for part, shape in shapes.items():
        arrays[f"{part}_kernel"] = context.weight(f"{part}_dense/kernel", shape)
        if config.flag("use_bias", True):
            bias_shape = shape[2:] if part == "output" else shape[1:]
            arrays[f"{part}_bias"] = context.weight(f"{part}_dense/bias", bias_shape)
    return _attended(context, MultiHeadAttention(**arrays, causal=_causal(context)))
