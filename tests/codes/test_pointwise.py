"""Stages made of functions of one variable give what Keras gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from later import later
from small_graphs import affine, graph, layer

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import (
    Elementwise,
    Exponential,
    InverseSquareRoot,
    Linear,
    Logarithm,
    Multiply,
    RectifiedSquare,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from bioconv.codes.pointwise import expand, expanded_for
from bioconv.codes.pointwise.builder import Balance
from bioconv.operators import Dense, Reshape, identity

keras = later("keras")
layers = later("keras.layers")

#: float32 of Keras against float64
ATOL = 2e-5


def sequence(*made: Callable[[object], object], shape: tuple[int, ...] = (5, 6)) -> keras.Model:
    x = entry = keras.Input(shape)
    for make in made:
        x = make(x)
    return keras.Model(entry, x)


def randomized(model: keras.Model) -> keras.Model:
    """Return a model whose trained scales, shifts and biases are not ones and zeros."""
    rng = np.random.default_rng(4)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


def attended(causal: bool = False) -> keras.Model:
    entry = keras.Input((5, 6))
    other = layers.Dense(4)(entry)
    x = layers.MultiHeadAttention(2, 3)(entry, other, use_causal_mask=causal)
    return keras.Model(entry, x)


def luong(make: Callable[[], object], causal: bool = False) -> keras.Model:
    entry = keras.Input((5, 6))
    query, value, key = (layers.Dense(4)(entry) for _ in range(3))
    return keras.Model(entry, make()([query, value, key], use_causal_mask=causal))


def combined(make: Callable[[], object]) -> keras.Model:
    entry = keras.Input((5, 6))
    return keras.Model(entry, make()([layers.Dense(4)(entry), layers.Dense(4)(entry)]))


def multiplied() -> keras.Model:
    """Three factors, of which one is the same for all features."""
    entry = keras.Input((5, 6))
    one, two, three = (layers.Dense(n)(entry) for n in (1, 4, 4))
    return keras.Model(entry, layers.Multiply()([one, two, three]))


def squeezed() -> keras.Model:
    entry = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, activation="relu")(entry)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(4, 1, activation="sigmoid")(layers.Conv2D(2, 1, activation="relu")(gate))
    return keras.Model(entry, layers.Multiply()([x, gate]))


MODELS: dict[str, Callable[[], keras.Model]] = {
    "multi_head": attended,
    "multi_head_causal": lambda: attended(causal=True),
    "attention": lambda: luong(lambda: layers.Attention(use_scale=True), causal=True),
    "attention_concat": lambda: luong(lambda: layers.Attention(score_mode="concat")),
    "additive": lambda: luong(lambda: layers.AdditiveAttention()),
    "layer_normalization": lambda: sequence(layers.LayerNormalization()),
    "two_axes": lambda: sequence(layers.LayerNormalization(axis=(1, 2))),
    "first_axis": lambda: sequence(layers.LayerNormalization(axis=1)),
    "rms": lambda: sequence(layers.RMSNormalization()),
    "unit": lambda: sequence(layers.UnitNormalization()),
    "softmax": lambda: sequence(layers.Softmax(axis=1), layers.Dense(3)),
    "log_softmax": lambda: sequence(layers.Activation("log_softmax"), layers.Dense(3)),
    "multiply": lambda: combined(layers.Multiply),
    "three_factors": multiplied,
    "maximum": lambda: combined(layers.Maximum),
    "minimum": lambda: combined(layers.Minimum),
    "dot": lambda: combined(lambda: layers.Dot(2, normalize=True)),
    "dot_1": lambda: combined(lambda: layers.Dot(1)),
    "squeeze_and_excitation": squeezed,
}

POINTWISE = (
    Exponential,
    InverseSquareRoot,
    Linear,
    Logarithm,
    ReLU,
    RectifiedSquare,
    Sigmoid,
    Tanh,
)


#: those of the default run
QUICK = {"multi_head_causal", "layer_normalization", "three_factors", "maximum"}
CASES = [
    pytest.param(
        name,
        balanced,
        marks=() if balanced and name in QUICK else pytest.mark.slow,
        id=f"{name}-{'balanced' if balanced else 'neutral'}",
    )
    for name in MODELS
    for balanced in (False, True)
]


@pytest.mark.parametrize(("name", "balanced"), CASES)
def test_expanded_networks_equal_keras(name: str, balanced: bool) -> None:
    keras.utils.set_random_seed(2)
    model = randomized(MODELS[name]())
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, *model.input_shape[1:])).astype(np.float32)
    read = bc.read(model)
    (entry,) = read.inputs
    found = expanded_for(read, {entry.name: x}) if balanced else expand(read)
    assert all(isinstance(one.function, POINTWISE) for one in found.layers)
    assert all(one.function.pointwise for one in found.layers)
    exact = np.asarray(model.predict(x, verbose=0))
    result = found.predict(x, dtype="float64")
    np.testing.assert_allclose(result, exact, atol=ATOL * max(1.0, np.abs(exact).max()))


def product(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> AnalogGraph:
    rng = np.random.default_rng(1)
    both = []
    for number, shape in enumerate(shapes):
        dense = Dense((4,), rng.normal(size=(4, int(np.prod(shape)))))
        both.append(layer(f"f{number}", Tanh(), affine(("x", dense))))
    inputs = [
        affine((one.name, Reshape(one.shape, shape)))
        for one, shape in zip(both, shapes, strict=True)
    ]
    whole = np.broadcast_shapes(*shapes)
    return graph(*both, layer("product", Multiply(), *inputs, shape=whole), shape=(4,))


@settings(max_examples=15, deadline=None)
@given(
    centre=st.floats(-3, 3),
    deviation=st.floats(1e-3, 1e3),
    shapes=st.sampled_from(
        [((3, 2), (3, 2)), ((3, 2), (2,)), ((2, 1, 3), (1, 2, 1)), ((3,), (1,))]
    ),
)
def test_products_are_exact_for_any_balance(
    centre: float, deviation: float, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    model = product(shapes)
    balance = Balance(np.full((), centre), np.full((), deviation), 0.0)
    found = expand(model, {"product/left": balance, "product/right": balance})
    x = np.random.default_rng(2).normal(size=(7, 4))
    expected = model.predict(x, dtype="float64")
    np.testing.assert_allclose(found.predict(x, dtype="float64"), expected, atol=1e-8)


def test_a_softmax_takes_no_logarithm_near_zero() -> None:
    """The sum of exponentials of the distances from the largest value is at least 1."""
    rng = np.random.default_rng(0)
    model = graph(
        layer("shares", Softmax(), affine(("x", identity((7, 30))))),
        layer("out", Linear(), affine(("shares", Dense((7, 30), rng.normal(size=(30, 2)))))),
        shape=(7, 30),
    )
    found = expand(model)
    inner = replace(found.layer("shares_log"), name="sum", function=Linear())
    probed = replace(found, layers=(*found.layers, inner))
    sums = probed.activations(rng.normal(0, 50, (20, 7, 30)), ["sum"], dtype="float64")["sum"]
    assert sums.min() > 1 - 1e-9 and 1.5 < sums.max() < 30


def test_balanced_arguments_are_small_and_of_equal_size() -> None:
    """Factors of 0.01 and 100 around 5 give squares of arguments of about 1."""
    x = np.random.default_rng(0).normal(size=(64, 3))
    one = affine(("x", Dense((3,), 0.01 * np.eye(3))), bias=5.0)
    other = affine(("x", Dense((3,), 100.0 * np.eye(3)[::-1])))
    model = graph(layer("product", Multiply(), one, other, shape=(3,)), shape=(3,))
    found = expanded_for(model, {"x": x})
    squares = found.activations(x, ["product"])["product"]
    np.testing.assert_allclose(squares, model.predict(x), rtol=1e-4)
    (inner,) = [one for one in found.layers if isinstance(one.function, RectifiedSquare)]
    arguments = np.sqrt(found.activations(x, [inner.name])[inner.name])
    # half of the arguments are negative
    assert 0.6 < np.sqrt(np.mean(arguments**2)) < 1.5


def test_other_layers_stay_as_they_are() -> None:
    model = graph(layer("a", ReLU(), affine(("x", identity((3,))))), shape=(3,))
    assert expanded_for(model, {"x": np.ones((2, 3))}).layers == model.layers
    assert isinstance(model.layers[0].function, Elementwise)
