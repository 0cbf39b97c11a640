"""Names of the weights of each layer, in the order in which Keras stores them.

Each name is a path: ``cell/kernel`` is the array ``kernel`` of the sublayer ``cell``.  The order is
that of ``layer.get_weights()``, with arrays that are not trained at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bioconv.reading.config import Config
from bioconv.reading.spec import LayerSpec

Names = tuple[str, ...]
Array = NDArray[np.float64]


def trained(spec: LayerSpec) -> Names:
    """Return the paths of the trainable weights."""
    if spec.kind == "TimeDistributed" and isinstance(spec.inner, LayerSpec):
        return tuple(f"layer/{name}" for name in trained(spec.inner))
    if spec.kind == "Bidirectional" and isinstance(spec.inner, LayerSpec):
        names = trained(spec.inner)
        return tuple(
            f"{way}/{name}" for way in ("forward_layer", "backward_layer") for name in names
        )
    return _TRAINED.get(spec.kind, _none)(spec.config)


def untrained(spec: LayerSpec) -> Names:
    """Return the paths of the other weights, which are statistics."""
    if spec.kind == "TimeDistributed" and isinstance(spec.inner, LayerSpec):
        return tuple(f"layer/{name}" for name in untrained(spec.inner))
    if spec.kind == "BatchNormalization":
        renorm = spec.config.flag("renorm", False)
        moving = ("moving_mean", "moving_variance")
        return (*moving, "moving_stddev", "renorm_mean", "renorm_stddev") if renorm else moving
    if spec.kind == "Normalization" and spec.config.get("mean") is None:
        return ("mean", "variance", "count")
    return ()


def optional(spec: LayerSpec) -> Names:
    """Return those paths of `untrained` that some versions do not store."""
    return ("count",) if spec.kind == "Normalization" else ()


def adaptation(spec: LayerSpec) -> Names:
    """Return the paths of the low-rank factors that LoRA adds to a layer's first weight.

    Archives contain the merged weight instead, and other files and models the factors.
    """
    if not spec.config.get("lora_rank"):
        return ()
    (name, *_) = trained(spec)
    return (f"lora_{name}_a", f"lora_{name}_b")


def merged(spec: LayerSpec, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Return the weights of a layer with the product of the factors added to its first one."""
    factors = adaptation(spec)
    found = {name: array for name, array in weights.items() if name not in factors}
    if len(found) < len(weights):
        rank = spec.config.integer("lora_rank")
        share = spec.config.number("lora_alpha", rank) / rank
        name, (a, b) = trained(spec)[0], (weights[factor] for factor in factors)
        found[name] = found[name] + share * (a @ b)
    return found


def _none(config: Config) -> Names:
    return ()


def _kernel(config: Config) -> Names:
    return ("kernel", *_if(config, "use_bias", "bias"))


def _depthwise(config: Config) -> Names:
    return ("depthwise_kernel", *_if(config, "use_bias", "bias"))


def _separable(config: Config) -> Names:
    return ("depthwise_kernel", "pointwise_kernel", *_if(config, "use_bias", "bias"))


def _batch_normalization(config: Config) -> Names:
    return (*_if(config, "scale", "gamma"), *_if(config, "center", "beta"))


def _layer_normalization(config: Config) -> Names:
    if config.flag("rms_scaling", False):
        return ("gamma",)
    return _batch_normalization(config)


def _recurrent(config: Config) -> Names:
    return ("cell/kernel", "cell/recurrent_kernel", *_if(config, "use_bias", "cell/bias"))


def _attention_heads(config: Config) -> Names:
    parts = ("query_dense", "key_dense", "value_dense", "output_dense")
    return tuple(f"{part}/{name}" for part in parts for name in _kernel(config))


def _prelu(config: Config) -> Names:
    return ("alpha",)


def _embedding(config: Config) -> Names:
    return ("embeddings",)


def _attention(config: Config) -> Names:
    concat = config.get("score_mode") == "concat"
    scale = ("scale",) if config.flag("use_scale", False) else ()
    return (*scale, "concat_score_weight") if concat else scale


def _additive_attention(config: Config) -> Names:
    return _if(config, "use_scale", "scale")


def _if(config: Config, flag: str, name: str) -> Names:
    return (name,) if config.flag(flag, True) else ()


_TRAINED: Mapping[str, Callable[[Config], Names]] = {
    "Dense": _kernel,
    "EinsumDense": lambda config: ("kernel", *(("bias",) if config.get("bias_axes") else ())),
    **{f"Conv{rank}D": _kernel for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _kernel for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": _depthwise for rank in (1, 2)},
    **{f"SeparableConv{rank}D": _separable for rank in (1, 2)},
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": lambda config: ("scale",),
    "LayerScale": lambda config: ("gamma",),
    "GroupNormalization": _batch_normalization,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "SimpleRNN": _recurrent,
    "PReLU": _prelu,
    "Embedding": _embedding,
    "MultiHeadAttention": _attention_heads,
    "Attention": _attention,
    "AdditiveAttention": _additive_attention,
}
