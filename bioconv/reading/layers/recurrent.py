"""Readers of recurrent layers and of the layers that wrap others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import (
    GRU,
    LSTM,
    Bidirectional,
    Linear,
    MaxPool,
    Multiply,
    NotEqual,
    Recurrent,
    SimpleRNN,
)
from bioconv.analog.functions import Embedding as EmbeddingFunction
from bioconv.operators import Broadcast, Permute, Reshape
from bioconv.reading.config import Config
from bioconv.reading.context import Context
from bioconv.reading.layers import quantized
from bioconv.reading.layers.activation import function_of
from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import LayerSpec
from bioconv.reading.tensors import Tensor, linear, with_mask

_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def recurrent(context: Context) -> Tensor:
    """Read LSTM, GRU and SimpleRNN."""
    x = context.only(2)
    function = _function(context.spec, context, "", x.shape[-1])
    return _applied(context, function, x)


def bidirectional(context: Context) -> Tensor:
    """Read Bidirectional, in which equal layers process a sequence forwards and backwards."""
    x = context.only(2)
    inner = context.spec.inner
    if not isinstance(inner, LayerSpec) or inner.kind not in _GATES:
        raise Refusal("it wraps a layer other than LSTM, GRU or SimpleRNN.")
    _check_twin(inner, context.config.get("backward_layer"))
    merge = context.config.choice("merge_mode", ("concat", "sum", "ave", "mul"), "concat")
    # Keras forces zero_output_for_mask for both.
    settings = {**inner.config, "zero_output_for_mask": inner.config.get("return_sequences", False)}
    ahead = _function(_with(inner, settings), context, "forward_layer/", x.shape[-1])
    settings["go_backwards"] = not ahead.go_backwards
    back = _function(_with(inner, settings), context, "backward_layer/", x.shape[-1])
    return _applied(context, Bidirectional(ahead, back, merge), x)


def _with(spec: LayerSpec, settings: Mapping[str, Any]) -> LayerSpec:
    return replace(spec, config=Config(settings))


def _applied(context: Context, function: Any, x: Tensor) -> Tensor:
    inputs = [x] if x.mask is None else [x, x.mask]
    shape = function.out_shape([tensor.shape for tensor in inputs])
    y = context.layer(function, *inputs, shape=shape)
    return with_mask(y, x.mask) if len(shape) == 2 else y


def _check_twin(inner: LayerSpec, other: Any) -> None:
    """Refuse a separate backward layer that differs from the forward one."""
    config = other.get("config") if isinstance(other, Mapping) else None
    if not isinstance(config, Mapping):
        return
    keys = ("units", "activation", "recurrent_activation", "use_bias", "return_sequences")
    different = [k for k in keys if k in config and config[k] != inner.config.get(k, config[k])]
    allowed = "keras2_hard_sigmoid"  # what the forward layer's argument was upgraded to
    different = [k for k in different if inner.config.get(k) != allowed]
    if different:
        raise Refusal(
            f"its backward layer differs from the forward layer in {', '.join(different)}."
        )


def _function(spec: LayerSpec, context: Context, prefix: str, features: int) -> Recurrent:
    """Return the function of a recurrent layer whose weight paths begin with ``prefix``."""
    config, gates = spec.config, _GATES[spec.kind]
    for key, reason in (
        ("stateful", "keeps its state between batches"),
        ("return_state", "returns its state"),
    ):
        if config.flag(key, False):
            raise Refusal(f"it {reason}.", f"Build it with {key}=False.")
    units = config.integer("units")
    width = gates * units
    kernel = context.weight(f"{prefix}cell/kernel", (features, width))
    matrix = context.weight(f"{prefix}cell/recurrent_kernel", (units, width))
    after = spec.kind == "GRU" and config.flag("reset_after", True)
    bias = None
    if config.flag("use_bias", True):
        bias = context.weight(f"{prefix}cell/bias", (2, width) if after else (width,))
    common: dict[str, Any] = {
        "kernel": kernel,
        "recurrent_kernel": matrix,
        "bias": bias,
        "activation": function_of(config.get("activation", "tanh")) or Linear(),
        "return_sequences": config.flag("return_sequences", False),
        "go_backwards": config.flag("go_backwards", False),
        "zero_output_for_mask": config.flag("zero_output_for_mask", False),
    }
    if spec.kind == "SimpleRNN":
        return SimpleRNN(**common)
    gate = function_of(config.get("recurrent_activation", "sigmoid")) or Linear()
    if spec.kind == "LSTM":
        return LSTM(**common, recurrent_activation=gate)
    return GRU(**common, recurrent_activation=gate, reset_after=after)


def embedding(context: Context) -> Tensor:
    """Read Embedding, which looks up a row for every token; token 0 may be masked."""
    x = context.only()
    n = (context.config.integer("input_dim"), context.config.integer("output_dim"))
    table = EmbeddingFunction(quantized.weight(context, "embeddings", n, 1))
    y = context.layer(table, x, shape=(*x.shape, n[1]))
    if not context.config.flag("mask_zero", False):
        return y
    return with_mask(y, context.layer(NotEqual(0.0), x, shape=x.shape, suffix="/mask"))


def masking(context: Context) -> Tensor:
    """Read Masking, which masks and sets to 0 the steps in which all features have one value."""
    x = context.only(2)
    value = NotEqual(context.config.number("mask_value", 0.0))
    differs = context.layer(value, x, shape=x.shape, suffix="/differs")
    mask = any_feature(context, differs, "/mask")
    steps = x.shape[:1]
    column = linear(mask, Reshape(steps, (*steps, 1)), Broadcast((*steps, 1), x.shape))
    return with_mask(context.layer(Multiply(), x, column, shape=x.shape), mask)


def any_feature(context: Context, x: Tensor, suffix: str = "") -> Tensor:
    """Return 1 for every step in which any feature is 1, as a maximum over features."""
    steps, features = x.shape
    across = linear(x, Permute(x.shape, (1, 0)))
    y = context.layer(MaxPool((features,)), across, shape=(1, steps), suffix=suffix)
    return linear(y, Reshape((1, steps), (steps,)))


#: classes that act on the last axis or on every element, for which time is an additional axis
_ANY_RANK = (
    "Activation",
    "Dense",
    "Dropout",
    "ELU",
    "LeakyReLU",
    "ReLU",
    "ThresholdedReLU",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "Rescaling",
)
#: classes for which time is an additional spatial axis with a kernel of size 1
_RAISED = {
    f"{kind}{rank}D": f"{kind}{rank + 1}D"
    for kind in ("Conv", "MaxPooling", "AveragePooling")
    for rank in (1, 2)
}
_PER_AXIS = {"kernel_size": 1, "strides": 1, "dilation_rate": 1, "pool_size": 2}


def time_distributed(context: Context) -> tuple[str, Context]:
    """Return the class that is equivalent to a TimeDistributed, and its settings.

    Returns
    -------
    kind : str
    context : Context
    """
    x, inner = context.only(), context.spec.inner
    if not isinstance(inner, LayerSpec) or len(x.shape) < 2:
        raise Refusal("it wraps a model, or its input has no time axis.")
    weights = {key.removeprefix("layer/"): value for key, value in context.weights.items()}
    kind, config = inner.kind, dict(inner.config)
    if kind in _RAISED and config.get("data_format") != "channels_first":
        config, weights = _with_time(kind, inner.config, weights)
        kind = _RAISED[kind]
    elif kind == "BatchNormalization" and config.get("axis", -1) in (-1, len(x.shape) - 1):
        config["axis"] = -1
    elif kind == "Flatten" and config.get("data_format") != "channels_first":
        kind = "Reshape"
        config["target_shape"] = (x.shape[0], int(np.prod(x.shape[1:])))
    elif kind not in _ANY_RANK:
        raise Refusal(f"it wraps {inner.kind}, for which there is no reader.")
    spec = replace(inner, kind=kind, config=Config(config))
    return kind, replace(context, spec=spec, weights=weights)


def _with_time(
    kind: str, config: Config, weights: Mapping[str, NDArray]
) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return settings and kernel of a convolution or pooling with time as its first axis."""
    rank = int(kind[-2])
    new = dict(config)
    for key, default in _PER_AXIS.items():
        if config.get(key) is not None:
            new[key] = (1, *config.integers(key, rank, default))
    kernels = {key: value[None] if key == "kernel" else value for key, value in weights.items()}
    return new, kernels
