"""Layers that join, wrap, attend or look up, with the options that change what they compute."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras_models import keras

FLAGS = [True, False]
_PAIR, _TOKENS = ((5, 4), (6, 4)), 7
_CELL = {"cell": ["LSTM", "GRU", "SimpleRNN"], "return_sequences": FLAGS, "use_bias": FLAGS}


@dataclass(frozen=True)
class Join:
    """A layer with its inputs and options.

    Parameters
    ----------
    shapes : tuple of tuple of int
        Shapes of one sample of the inputs.
    options : mapping of str to sequence
        Values of each option.
    call : function of (options, inputs)
        Returns the output, or a list of outputs.
    tokens : bool
        Whether inputs are numbers of rows.
    """

    shapes: tuple[tuple[int, ...], ...]
    options: Mapping[str, Sequence[Any]]
    call: Callable[[dict[str, Any], list[Any]], Any]
    tokens: bool = False


def _merge(name: str) -> Callable[[dict[str, Any], list[Any]], Any]:
    def call(options: dict[str, Any], inputs: list[Any]) -> Any:
        n = options.pop("n", len(inputs))
        return getattr(keras.layers, name)(**options)(inputs[:n])

    return call


def _dot(options: dict[str, Any], inputs: list[Any]) -> Any:
    return keras.layers.Dot(**options)(inputs)


def _attention(name: str) -> Callable[[dict[str, Any], list[Any]], Any]:
    def call(options: dict[str, Any], inputs: list[Any]) -> Any:
        how = {"use_causal_mask": options.pop("causal")}
        n = options.pop("n")
        return getattr(keras.layers, name)(**options)(inputs[:n], **how)

    return call


def _heads(options: dict[str, Any], inputs: list[Any]) -> Any:
    how = {"use_causal_mask": options.pop("causal")}
    n = options.pop("n")
    return keras.layers.MultiHeadAttention(**options)(*inputs[:n], **how)


def _einsum(options: dict[str, Any], inputs: list[Any]) -> Any:
    equation, shape, bias = options.pop("product")
    bias_axes = bias if options.pop("use_bias") else None
    layer = keras.layers.EinsumDense(equation, shape, bias_axes=bias_axes, **options)
    return layer(inputs[0])


def _cell(options: dict[str, Any]) -> Any:
    return getattr(keras.layers, options.pop("cell"))(
        3, return_sequences=options.pop("return_sequences"), use_bias=options.pop("use_bias")
    )


def _bidirectional(options: dict[str, Any], inputs: list[Any]) -> Any:
    return keras.layers.Bidirectional(_cell(options), **options)(inputs[0])


def _distributed(options: dict[str, Any], inputs: list[Any]) -> Any:
    name, arguments = options["inner"]
    return keras.layers.TimeDistributed(getattr(keras.layers, name)(**arguments))(inputs[0])


def _embedding(options: dict[str, Any], inputs: list[Any]) -> Any:
    after = options.pop("after")
    y = keras.layers.Embedding(_TOKENS, **options)(inputs[0])
    if after == "LSTM":
        return keras.layers.LSTM(3)(y)
    return y if after is None else getattr(keras.layers, after)()(y)


def _masking(options: dict[str, Any], inputs: list[Any]) -> Any:
    y = keras.layers.Masking(options["mask_value"])(keras.layers.ReLU()(inputs[0]))
    return _cell({key: options[key] for key in _CELL})(y)


def _activation(options: dict[str, Any], inputs: list[Any]) -> Any:
    return keras.layers.Activation(options["name"])(inputs[0])


def _dropout(name: str) -> Callable[[dict[str, Any], list[Any]], Any]:
    return lambda options, inputs: getattr(keras.layers, name)(**options)(inputs[0])


_INNER = [
    ("Dense", {"units": 3, "activation": "relu"}),
    ("Conv1D", {"filters": 2, "kernel_size": 2, "activation": "tanh"}),
    ("MaxPooling1D", {}),
    ("Flatten", {}),
    ("BatchNormalization", {}),
]
_ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "softmax", "log_softmax"),
    *("softplus", "softsign", "sigmoid", "log_sigmoid", "tanh", "hard_tanh", "hard_sigmoid"),
    *("silu", "swish", "hard_silu", "hard_swish", "gelu", "exponential", "mish", "squareplus"),
)
_SAME = ((5, 4), (5, 4), (5, 4))
#: name -> how it is called, with which options
JOINS: Mapping[str, Join] = {
    **{
        name: Join(_SAME, {"n": [2, 3]}, _merge(name))
        for name in ("Add", "Average", "Maximum", "Minimum", "Multiply")
    },
    "Subtract": Join(_SAME[:2], {}, _merge("Subtract")),
    "Add of other shapes": Join(((5, 4), (1, 4)), {}, _merge("Add")),
    "Multiply of other shapes": Join(((5, 4), (5, 1)), {}, _merge("Multiply")),
    "Concatenate": Join(_SAME, {"n": [2, 3], "axis": [-1, 1, 2]}, _merge("Concatenate")),
    "Dot": Join(((5, 4), (4, 5)), {"axes": [(1, 2), (2, 1)], "normalize": FLAGS}, _dot),
    "Dot of vectors": Join(((6,), (6,)), {"axes": [1], "normalize": FLAGS}, _dot),
    "Attention": Join(
        (*_PAIR, (6, 4)),
        {"use_scale": FLAGS, "score_mode": ["dot", "concat"], "causal": FLAGS, "n": [2, 3]},
        _attention("Attention"),
    ),
    "AdditiveAttention": Join(
        (*_PAIR, (6, 4)),
        {"use_scale": FLAGS, "causal": FLAGS, "n": [2, 3]},
        _attention("AdditiveAttention"),
    ),
    "MultiHeadAttention": Join(
        (*_PAIR, (6, 4)),
        {
            "num_heads": [1, 3],
            "key_dim": [2],
            "value_dim": [None, 2],  # Keras on JAX cannot compute others
            "use_bias": FLAGS,
            "output_shape": [None, 5],
            "causal": FLAGS,
            "n": [2, 3],
        },
        _heads,
    ),
    "EinsumDense": Join(
        ((5, 4),),
        {
            "product": [
                ("abc,cd->abd", (5, 3), "d"),
                ("abc,cde->abde", (5, 3, 2), "de"),
                ("abc,bcd->ad", (3,), "d"),
                ("...x,xy->...y", (3,), "y"),
                ("abc,cd->abd", (None, 3), "bd"),
            ],
            "use_bias": FLAGS,
            "activation": [None, "relu", "tanh"],
        },
        _einsum,
    ),
    "Bidirectional": Join(
        ((5, 4),),
        {**_CELL, "merge_mode": ["concat", "sum", "mul", "ave", None]},
        _bidirectional,
    ),
    "TimeDistributed": Join(((3, 6, 2),), {"inner": _INNER}, _distributed),
    "Embedding": Join(
        ((5,),),
        {
            "output_dim": [1, 4],
            "mask_zero": FLAGS,
            "after": [None, "LSTM", "Flatten"],
        },
        _embedding,
        tokens=True,
    ),
    "Masking": Join(((5, 4),), {**_CELL, "mask_value": [0.0]}, _masking),
    "Activation": Join(((5, 4),), {"name": _ACTIVATIONS}, _activation),
    "SpatialDropout1D": Join(((5, 4),), {"rate": [0.3]}, _dropout("SpatialDropout1D")),
    "SpatialDropout3D": Join(((2, 3, 3, 2),), {"rate": [0.3]}, _dropout("SpatialDropout3D")),
}


def join_models(name: str, size: int) -> Iterator[Any]:
    """Models with up to ``size`` outputs, one for each combination that Keras accepts."""
    join = JOINS[name]
    values = itertools.product(*join.options.values())
    combinations = [dict(zip(join.options, each, strict=True)) for each in values]
    order = np.random.default_rng(len(name)).permutation(len(combinations))
    outputs: list[Any] = []
    inputs = _inputs(join)
    for place in order:
        try:
            found = join.call(dict(combinations[place]), inputs)
        except (ValueError, TypeError, AttributeError):  # this Keras knows no such option
            continue
        outputs += found if isinstance(found, list | tuple) else [found]
        if len(outputs) >= size:
            yield keras.Model(inputs, outputs)
            outputs, inputs = [], _inputs(join)
    if outputs:
        yield keras.Model(inputs, outputs)


def _inputs(join: Join) -> list[Any]:
    dtype = "int32" if join.tokens else "float32"
    return [keras.Input(shape, dtype=dtype) for shape in join.shapes]


def join_samples(name: str, n: int = 4) -> list[np.ndarray]:
    """Samples for all inputs; half of the tokens are 0, and so are the ends of sequences."""
    join = JOINS[name]
    random = np.random.default_rng(9)
    if join.tokens:
        found = [random.integers(0, _TOKENS, (n, *shape)) for shape in join.shapes]
        return [np.where(random.random(x.shape) < 0.4, 0, x).astype(np.int32) for x in found]
    found = [random.normal(0.2, 1.0, (n, *shape)) for shape in join.shapes]
    if name == "Masking":
        found[0][0, 3:] = 0.0
        found[0][1, :1] = -1.0
    return [x.astype(np.float32) for x in found]
