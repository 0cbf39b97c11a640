"""Networks of several branches, inputs, outputs and models; what becomes of their layers."""

from __future__ import annotations

import numpy as np
import pytest
from keras_models import randomized, samples, sequential
from later import later
from some_variants import some

from bioconv.models import awkward
from bioconv.reading import describe, read

keras = later("keras")

L = later("keras.layers")


def test_merging_layers(same_everywhere):
    a, b = keras.Input((5, 4)), keras.Input((5, 4))
    c = keras.Input((5, 1))
    merged = [
        L.Add()([a, b, c]),
        L.Subtract()([a, b]),
        L.Average()([a, b]),
        L.Multiply()([a, c, b]),
        L.Maximum()([a, b]),
        L.Minimum()([b, a]),
        L.Concatenate(axis=1)([a, b]),
        L.Concatenate()([a, c]),
        L.Dot(axes=(2, 2))([a, b]),
        L.Dot(axes=1, normalize=True)([a, b]),
    ]
    model = keras.Model([a, b, c], [L.Dense(3, activation="relu")(y) for y in merged])
    x = [samples(5, 4), samples(5, 4)[::-1].copy(), samples(5, 1)]
    same_everywhere(randomized(model), x)


def test_operations_between_layers(same_everywhere):
    a = keras.Input((5, 4))
    b = L.Dense(4, activation="relu")(a)
    y = keras.ops.relu(2.0 * a - b / 4.0) + (1.0 - b) * a - (-b)
    model = keras.Model(a, L.Dense(3)(y + np.arange(4, dtype="float32")))
    same_everywhere(randomized(model), samples(5, 4))


def test_attention(same_everywhere):
    a, b = keras.Input((5, 4)), keras.Input((6, 4))
    y = L.MultiHeadAttention(2, 3)(a, b)
    y = L.MultiHeadAttention(2, 3, output_shape=4)(y, value=b, key=b)
    y = L.MultiHeadAttention(2, 3, use_bias=False)(y, y, use_causal_mask=True)
    y = L.Attention(use_scale=True)([y, b])
    y = L.Attention(score_mode="concat")([y, b], use_causal_mask=False)
    y = L.AdditiveAttention()([y, b])
    same_everywhere(randomized(keras.Model([a, b], y)), [samples(5, 4), samples(6, 4)])


@pytest.mark.parametrize("mask_zero", some([True, False], every=2))
def test_embedding_and_recurrence(mask_zero, same_everywhere):
    model = sequential(
        (7,),
        L.Embedding(20, 4, mask_zero=mask_zero),
        L.Dropout(0.3),
        L.Bidirectional(L.LSTM(3, return_sequences=True)),
        L.GRU(3),
    )
    x = np.random.default_rng(0).integers(1, 20, (5, 7))
    x[0, :3] = 0
    x[1, 5:] = 0
    same_everywhere(model, x)


def test_masks_in_functional_models(same_everywhere):
    """Keras 3 writes the mask as operations of its own and as an argument of each layer."""
    tokens, signal = keras.Input((7,)), keras.Input((7, 3))
    x = L.Dense(3)(L.Embedding(20, 4, mask_zero=True)(tokens))
    x = L.Add()([x, L.LSTM(3, return_sequences=True)(x)])
    y = L.Masking(0.5)(signal)
    z = L.LSTM(2)(signal, mask=keras.ops.not_equal(tokens, 3))
    model = keras.Model([tokens, signal], [L.GRU(2)(x), L.SimpleRNN(2)(y), z])
    data = samples(7, 3)
    data[:, 4:] = 0.5
    words = np.random.default_rng(0).integers(0, 5, (4, 7))
    graph = same_everywhere(randomized(model), [words, data])
    assert sum(layer.name.endswith("mask") for layer in graph.layers) >= 2


def inner_model(name: str) -> keras.Model:
    frozen = L.Dense(4, activation="relu", trainable=False)
    inputs = keras.Input((6, 4))
    x = L.BatchNormalization()(frozen(inputs))
    deepest = keras.Sequential(
        [keras.Input((6, 4)), L.BatchNormalization(), L.Dense(4)], name=f"{name}_deepest"
    )
    return keras.Model(inputs, L.Dense(4, activation="tanh")(deepest(x)), name=name)


def test_nested_and_shared_models(same_everywhere):
    inner = inner_model("inner")
    inputs = keras.Input((6, 4))
    shared = L.Dense(4, activation="relu")
    x = inner(inner(shared(shared(inputs))))
    chain = keras.Sequential([keras.Input((6, 4)), inner_model("other"), L.Flatten()])
    model = randomized(keras.Model(inputs, L.Dense(3)(chain(x))))
    graph = same_everywhere(model, samples(6, 4))
    names = set(graph.shapes())
    assert len(names) == len(graph.layers) + len(graph.inputs)
    assert any(name.startswith("inner/") for name in names)
    assert any(name.startswith("inner:2/") for name in names)


def test_outputs_are_layers(same_everywhere):
    """A linear output gets the function Linear; one behind dropout is the layer itself."""
    inputs = keras.Input((6,), name="data")
    hidden = L.Dense(5, activation="relu", name="hidden")(inputs)
    linear = L.Dense(4, name="regression")(hidden)
    model = randomized(
        keras.Model(inputs, [L.Dropout(0.1)(hidden), linear, L.Reshape((2, 2))(linear)])
    )
    graph = same_everywhere(model, samples(6))
    assert graph.outputs[:2] == ("hidden", "regression")
    assert [type(layer.function).__name__ for layer in graph.layers] == ["ReLU", "Linear", "Linear"]


def test_linear_chain_is_one_operator_between_layers():
    """Padding, convolution, normalization, pooling, addition: no layers of their own."""
    model = awkward.build("residual")
    graph = read(model)
    functions = [type(layer.function).__name__ for layer in graph.layers]
    assert functions == ["ReLU"] * 5 + ["Linear"]
    last = graph.layers[4]
    assert len(last.inputs[0].terms) == 2  # main path and shortcut meet in the addition
    members = [name for layer in graph.layers for name in layer.members]
    wanted = [layer.name for layer in model.layers if not layer.name.startswith("input")]
    assert set(members) == set(wanted)


def test_border_bias_of_normalization_before_zero_padding():
    """Stanojevic Eq 2.11: zeros of the padding are not shifted, so the bias differs there."""
    model = awkward.build("normalized_after")
    conv = read(model).layers[1]
    bias = conv.inputs[0].bias
    assert bias.shape == conv.shape
    assert not np.allclose(bias[0, 0], bias[2, 2])
    np.testing.assert_allclose(bias[1, 1], bias[2, 2])


def test_name_can_be_chosen():
    model = sequential((4,), L.Dense(2))
    assert read(model, name="mine").name == "mine"
    assert read(model).name == model.name


def test_description_lists_layers_and_what_is_done_in_them():
    inputs = keras.Input((6, 6, 2), name="image")
    x = L.Conv2D(3, 3, name="conv")(inputs)
    x = L.ReLU(name="relu")(L.BatchNormalization(name="norm")(x))
    x = L.Dense(4, activation="softmax", name="classes")(L.Flatten(name="flat")(x))
    image, hidden, classes = describe(read(randomized(keras.Model(inputs, x))))
    assert (image.function, image.shape, image.n_parameters) == ("Input", (6, 6, 2), 0)
    assert (hidden.name, hidden.function, hidden.shape) == ("relu", "ReLU", (4, 4, 3))
    assert hidden.members == ("conv", "norm", "relu")
    assert (hidden.n_values, hidden.n_parameters) == (48, 3 * 3 * 2 * 3 + 3)
    assert classes.sources == ("relu",)
    assert classes.n_parameters == 48 * 4 + 4
    assert classes.is_output and not hidden.is_output
