"""Readers of attention and of normalizations by statistics of each sample."""

from __future__ import annotations

from numpy.typing import NDArray

from bioconv.analog.functions import (
    AdditiveAttention,
    Attention,
    Function,
    LayerNormalization,
    MultiHeadAttention,
    RMSNormalization,
    UnitNormalization,
)
from bioconv.operators import Reshape
from bioconv.reading.config import shown
from bioconv.reading.context import Context
from bioconv.reading.refusal import Refusal
from bioconv.reading.tensors import Tensor, along, linear, scaled, shifted


def layer_normalization(context: Context) -> Tensor:
    """Read LayerNormalization."""
    x = context.only()
    axes = _axes(context, len(x.shape))
    shape = tuple(x.shape[axis - 1] for axis in axes)
    config = context.config
    rms = config.flag("rms_scaling", False)
    center = config.flag("center", True) and not rms
    function = LayerNormalization(
        axis=axes,
        epsilon=config.number("epsilon", 1e-3),
        gamma=context.weight("gamma", shape) if rms or config.flag("scale", True) else None,
        beta=context.weight("beta", shape) if center else None,
        rms_scaling=rms,
    )
    return context.layer(function, x, shape=x.shape)


def rms_normalization(context: Context) -> Tensor:
    """Read RMSNormalization."""
    x = context.only()
    axes = _axes(context, len(x.shape))
    scale = context.weight("scale", [x.shape[axis - 1] for axis in axes])
    y = context.layer(
        RMSNormalization(axes, context.config.number("epsilon", 1e-6)), x, shape=x.shape
    )
    kept = [x.shape[axis - 1] if axis in axes else 1 for axis in range(1, len(x.shape) + 1)]
    return scaled(y, scale.reshape(kept))


def group_normalization(context: Context) -> Tensor:
    """Read GroupNormalization as a LayerNormalization of each group, then scale and shift."""
    x = context.only()
    config, axes = context.config, _axes(context, len(x.shape))
    if len(axes) != 1:
        raise Refusal("it has several axes of channels.")
    axis = axes[0] - 1
    channels = x.shape[axis]
    groups = config.integer("groups", 32, least=-1)
    groups = channels if groups == -1 else groups
    if groups < 1 or channels % groups:
        raise Refusal(f"its {channels} channels cannot be split into {groups} groups.")
    split = (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :])
    others = tuple(a + 1 for a in range(len(split)) if a != axis)
    function = LayerNormalization(axis=others, epsilon=config.number("epsilon", 1e-3))
    y = context.layer(function, linear(x, Reshape(x.shape, split)), shape=split)
    y = linear(y, Reshape(split, x.shape))
    if config.flag("scale", True):
        y = scaled(y, along(context.weight("gamma", (channels,)), len(x.shape), axis))
    if config.flag("center", True):
        y = shifted(y, along(context.weight("beta", (channels,)), len(x.shape), axis))
    return y


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
    if config.get("sliding_window") is not None:
        raise Refusal("it attends to a sliding window only.")
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
