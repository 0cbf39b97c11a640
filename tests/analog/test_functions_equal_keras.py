"""Every function equals the Keras layer or activation it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from later import later
from some_variants import some

from bioconv.analog import functions as f
from bioconv.ground.errors import ParameterError
from bioconv.operators import keras_paddings

keras = later("keras")

L = later("keras.layers")
RNG = np.random.default_rng(0)


def samples(*shape: int) -> np.ndarray:
    return RNG.normal(0, 2, size=shape).astype(np.float32)


def check(function: f.Function, layer: Callable[..., Any], *inputs: np.ndarray) -> None:
    expected = np.asarray(layer(inputs[0] if len(inputs) == 1 else list(inputs)))
    result = np.asarray(function.apply(inputs))
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-6)
    shapes = [x.shape[1:] for x in inputs]
    assert function.out_shape(shapes) == expected.shape[1:]


def weights(layer: keras.Layer, *inputs: np.ndarray) -> list[np.ndarray]:
    """Weights of the layer after it was called, replaced by random ones."""
    layer(inputs[0] if len(inputs) == 1 else list(inputs))
    layer.set_weights([RNG.normal(0, 0.5, w.shape) for w in layer.get_weights()])
    return layer.get_weights()


@pytest.mark.parametrize(
    ("function", "activation"),
    [
        (f.Linear(), "linear"),
        (f.ReLU(), "relu"),
        (f.ReLU(max_value=6.0), "relu6"),
        (f.ReLU(negative_slope=0.2), "leaky_relu"),
        (f.Softmax(), "softmax"),
        (f.LogSoftmax(), "log_softmax"),
        (f.Sigmoid(), "sigmoid"),
        (f.LogSigmoid(), "log_sigmoid"),
        (f.Tanh(), "tanh"),
        (f.HardSigmoid(), "hard_sigmoid"),
        (f.HardTanh(), "hard_tanh"),
        (f.Elu(), "elu"),
        (f.Celu(), "celu"),
        (f.Selu(), "selu"),
        (f.Softplus(), "softplus"),
        (f.Softsign(), "softsign"),
        (f.Silu(), "silu"),
        (f.HardSilu(), "hard_silu"),
        (f.Gelu(), "gelu"),
        (f.Exponential(), "exponential"),
        (f.Mish(), "mish"),
        (f.Squareplus(), "squareplus"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_activations(function: f.Function, activation: str) -> None:
    x = samples(4, 5, 6)
    check(function, keras.activations.get(activation), x)
    check(function, keras.activations.get(activation), 4 * x)


@pytest.mark.parametrize(
    ("function", "layer"),
    [
        (f.ReLU(0.1, 2.0, 0.5), lambda: L.ReLU(negative_slope=0.1, max_value=2.0, threshold=0.5)),
        (f.ReLU(threshold=1.0), lambda: L.ReLU(threshold=1.0)),
        (f.ReLU(negative_slope=0.3), lambda: L.LeakyReLU(0.3)),
        (f.Elu(0.5), lambda: L.ELU(0.5)),
        (f.Softmax(1), lambda: L.Softmax(axis=1)),
        (f.Softmax((1, 2)), lambda: L.Softmax(axis=(1, 2))),
        (f.Gelu(approximate=True), lambda: partial(keras.activations.gelu, approximate=True)),
        (f.RMSNormalization(epsilon=0.2), lambda: L.RMSNormalization(epsilon=0.2)),
        (f.UnitNormalization(), lambda: L.UnitNormalization()),
        (f.UnitNormalization((1, 2)), lambda: L.UnitNormalization(axis=(1, 2))),
    ],
)
def test_layers_without_weights(
    function: f.Function, layer: Callable[[], Callable[..., Any]]
) -> None:
    x = samples(4, 5, 6)
    x[0, :2] = [[0.5], [1.0]]  # exactly on thresholds
    x[1] = 0
    check(function, layer(), x)


def test_hard_sigmoid_of_keras_1_and_2() -> None:
    x = np.array([[-3.0, -2.5, -1.0, 0.0, 1.0, 2.5, 3.0]])
    expected = [[0, 0, 0.3, 0.5, 0.7, 1, 1]]
    np.testing.assert_allclose(f.HardSigmoid(0.2, 0.5).apply([x]), expected, atol=1e-7)


def test_prelu_with_shared_axes() -> None:
    x = samples(3, 4, 5, 2)
    layer = L.PReLU(shared_axes=[1, 2])
    check(f.PReLU(*weights(layer, x)), layer, x)


@pytest.mark.parametrize("axis", [(-1,), (1, 2), (1,)])
@pytest.mark.parametrize("affine", [True, False])
def test_layer_normalization(axis: tuple[int, ...], affine: bool) -> None:
    x = samples(3, 4, 5)
    layer = L.LayerNormalization(axis=list(axis), epsilon=1e-2, center=affine, scale=affine)
    check(f.LayerNormalization(axis, 1e-2, *weights(layer, x)), layer, x)


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling")
def test_layer_normalization_by_the_variance_alone() -> None:
    x = samples(3, 4, 5)
    layer = L.LayerNormalization(rms_scaling=True)
    (gamma, *_) = weights(layer, x)
    check(f.LayerNormalization((-1,), 1e-3, gamma, rms_scaling=True), layer, x)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"), [((2, 2), (2, 2)), ((3, 2), (2, 1)), ((1, 4), (3, 3))]
)
def test_max_pooling(size: tuple[int, int], strides: tuple[int, int], padding: str) -> None:
    x = samples(2, 7, 6, 3) - 10  # zero padding would win
    pairs = keras_paddings(x.shape[1:3], size, strides, (1, 1), padding)
    check(f.MaxPool(size, strides, pairs), L.MaxPooling2D(size, strides, padding), x)


def test_max_pooling_1d_and_global() -> None:
    x = samples(2, 7, 3)
    check(f.MaxPool((2,)), L.MaxPooling1D(2), x)
    check(f.MaxPool((7,)), L.GlobalMaxPooling1D(keepdims=True), x)


@pytest.mark.parametrize(
    ("function", "layer"),
    [(f.Multiply(), "Multiply"), (f.Maximum(), "Maximum"), (f.Minimum(), "Minimum")],
)
@pytest.mark.parametrize("shapes", [[(4, 5)] * 3, [(4, 5), (1, 5)], [(4, 5), (5,)]])
def test_combining(function: f.Function, layer: str, shapes: Sequence[tuple[int, ...]]) -> None:
    check(function, getattr(L, layer)(), *(samples(2, *shape) for shape in shapes))


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "axes"),
    [
        ((5,), (5,), (1, 1)),
        ((3, 5), (4, 5), (2, 2)),
        ((3, 5), (5, 4), (-1, 1)),
        ((3, 5), (3,), (1, 1)),
    ],
)
def test_dot(
    first: tuple[int, ...], second: tuple[int, ...], axes: tuple[int, int], normalize: bool
) -> None:
    layer = L.Dot(axes=axes, normalize=normalize)
    check(f.Dot(axes, normalize), layer, samples(2, *first), samples(2, *second))


def test_embedding_and_its_mask() -> None:
    x = RNG.integers(0, 9, (3, 7))
    layer = L.Embedding(9, 4, mask_zero=True)
    (table,) = weights(layer, x)
    for ids in (x, x.astype(np.float32)):
        np.testing.assert_array_equal(f.Embedding(table).apply([ids]), layer(x))
        np.testing.assert_array_equal(f.NotEqual().apply([ids]), layer.compute_mask(x))


HARD = f.HardSigmoid(0.2, 0.5)


def hard_sigmoid_of_keras_2(x: Any) -> Any:
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


RECURRENT = {
    "simple": (f.SimpleRNN, "SimpleRNN", {}, {}),
    "simple relu": (f.SimpleRNN, "SimpleRNN", {"activation": f.ReLU()}, {"activation": "relu"}),
    "lstm": (f.LSTM, "LSTM", {}, {}),
    "lstm of keras 2": (
        f.LSTM,
        "LSTM",
        {"activation": f.Softsign(), "recurrent_activation": HARD},
        {"activation": "softsign", "recurrent_activation": hard_sigmoid_of_keras_2},
    ),
    "gru": (f.GRU, "GRU", {}, {}),
    "gru of keras 1": (
        f.GRU,
        "GRU",
        {"reset_after": False, "recurrent_activation": HARD},
        {"reset_after": False, "recurrent_activation": hard_sigmoid_of_keras_2},
    ),
}


@pytest.mark.parametrize("name", some(RECURRENT, every=2))
@pytest.mark.parametrize(
    ("bias", "order"),
    [
        (True, {}),
        (False, {"return_sequences": True}),
        (False, {"go_backwards": True}),
        (True, {"return_sequences": True, "go_backwards": True}),
    ],
    ids=["last", "sequence", "backwards", "sequence backwards"],
)
def test_recurrent(name: str, bias: bool, order: dict[str, bool]) -> None:
    ours, theirs, our_options, options = RECURRENT[name]
    x = samples(3, 6, 4)
    layer = getattr(L, theirs)(5, use_bias=bias, **options, **order)
    check(ours(*weights(layer, x), **our_options, **order), layer, x)


MASK = np.array([[0, 0, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 1, 1, 0, 1]], bool)


@pytest.mark.parametrize("name", ["simple", "lstm", "gru"])
@pytest.mark.parametrize(
    ("sequence", "zero", "backwards"),
    [(True, True, False), (True, False, True), (False, True, True), (False, False, False)],
)
def test_recurrent_with_a_mask(name: str, sequence: bool, zero: bool, backwards: bool) -> None:
    ours, theirs, *_ = RECURRENT[name]
    x = samples(3, 6, 4)
    order = {
        "return_sequences": sequence,
        "zero_output_for_mask": zero,
        "go_backwards": backwards,
    }
    layer = getattr(L, theirs)(5, **order)
    function = ours(*weights(layer, x), **order)
    expected = np.asarray(layer(x, mask=MASK))
    result = function.apply([x, MASK.astype(np.float32)])
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    ("merge", "sequence"), [("concat", True), ("sum", False), ("ave", True), ("mul", False)]
)
def test_bidirectional(merge: str, sequence: bool) -> None:
    x = samples(3, 6, 4)
    layer = L.Bidirectional(L.LSTM(5, return_sequences=sequence), merge_mode=merge)
    all_weights = weights(layer, x)
    forward = f.LSTM(*all_weights[:3], return_sequences=sequence)
    backward = f.LSTM(*all_weights[3:], return_sequences=sequence, go_backwards=True)
    function = f.Bidirectional(forward, backward, merge)
    check(function, layer, x)
    masked = np.asarray(layer(x, mask=MASK))
    zero = layer.forward_layer.zero_output_for_mask
    assert zero == layer.backward_layer.zero_output_for_mask
    both = [
        f.LSTM(*w, return_sequences=sequence, go_backwards=back, zero_output_for_mask=zero)
        for w, back in ((all_weights[:3], False), (all_weights[3:], True))
    ]
    result = f.Bidirectional(*both, merge).apply([x, MASK.astype(np.float32)])
    np.testing.assert_allclose(result, masked, rtol=2e-5, atol=2e-6)


def test_an_unknown_merge_is_refused() -> None:
    with pytest.raises(ParameterError, match="'max'"):
        f.Bidirectional(f.Linear(), f.Linear(), "max")


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("causal", [True, False])
def test_attention(with_key: bool, causal: bool) -> None:
    inputs = [samples(2, 5, 4), samples(2, 6, 4), samples(2, 6, 4)][: 3 if with_key else 2]

    def run(layer: keras.Layer) -> Callable[..., Any]:
        return lambda x: layer(x, use_causal_mask=causal)

    layer = L.Attention()
    check(f.Attention(causal=causal), run(layer), *inputs)
    layer = L.Attention(use_scale=True, score_mode="concat")
    scale, weight = weights(layer, *inputs)
    check(f.Attention(scale, weight, "concat", causal), run(layer), *inputs)
    layer = L.AdditiveAttention()
    check(f.AdditiveAttention(*weights(layer, *inputs), causal), run(layer), *inputs)


@pytest.mark.parametrize(("bias", "causal"), [(True, False), (False, True)])
@pytest.mark.parametrize(("value_dim", "dropout"), [(3, 0.0), (5, 0.1)])
def test_multi_head_attention(bias: bool, causal: bool, value_dim: int, dropout: float) -> None:
    """With dropout, Keras takes its own formula, without it jax.nn.dot_product_attention."""
    query, value, key = samples(2, 5, 4), samples(2, 6, 3), samples(2, 6, 4)
    layer = L.MultiHeadAttention(
        2, key_dim=3, value_dim=value_dim, output_shape=7, use_bias=bias, dropout=dropout
    )
    layer(query, value, key)
    layer.set_weights([RNG.normal(size=w.shape) for w in layer.get_weights()])
    parts = layer.get_weights()  # query, key, value, output, each kernel then bias
    kernels, biases = (parts[::2], parts[1::2]) if bias else (parts, [None] * 4)
    function = f.MultiHeadAttention(*kernels, *biases, causal)
    check(function, lambda x: layer(*x, use_causal_mask=causal), query, value, key)


def test_every_function_is_in_the_table() -> None:
    def below(cls: type) -> set[type]:
        return {cls} | {sub for direct in cls.__subclasses__() for sub in below(direct)}

    concrete = {cls for cls in below(f.Function) if not getattr(cls, "__abstractmethods__", None)}
    ours = {cls for cls in concrete if cls.__module__.startswith("bioconv.analog")}
    assert set(f.FUNCTIONS.values()) == ours


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"Dot cannot take inputs of shape \[\(3,\), \(4,\)\]"):
        f.Dot((1, 1)).out_shape([(3,), (4,)])
