"""Every layer, built in Keras: in memory, as .keras and as .h5 our graph gives what Keras gives."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from bioconv.reading import read, supported_layers
from models import awkward

L = keras.layers


def randomized(model: keras.Model, seed: int = 0) -> keras.Model:
    """No weight is at its initial value: zeros and ones hide mistakes."""
    rng = np.random.default_rng(seed)
    for layer in model._flatten_layers():
        for variable in layer._trainable_variables + layer._non_trainable_variables:
            shape = tuple(variable.shape)
            if variable.name in ("moving_variance", "variance"):
                value = rng.uniform(0.5, 2.0, shape)
            elif variable.name == "count":
                continue
            else:
                fan_in = max(int(np.prod(shape[:-1])), 1)
                value = rng.normal(0.1, 1.0 / np.sqrt(fan_in), shape)
            variable.assign(value)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    return model


def single(shape: tuple[int, ...], *layers: keras.Layer) -> keras.Model:
    return randomized(keras.Sequential([keras.Input(shape), *layers]))


def samples(shape: tuple[int, ...], n: int = 3) -> np.ndarray:
    return np.random.default_rng(1).normal(0.2, 1.0, (n, *shape)).astype(np.float32)


IMAGE, SEQUENCE, VOLUME = (7, 6, 4), (9, 4), (4, 5, 4, 2)
FIRST = {"data_format": "channels_first"}

#: shape of the input, and the layers in question
SINGLE = {
    "dense": (SEQUENCE, lambda: [L.Dense(5, activation="tanh")]),
    "einsum_dense": (
        SEQUENCE,
        lambda: [
            L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", activation="relu"),
            L.EinsumDense("abcd,cde->abe", (None, 5), bias_axes="e"),
            L.EinsumDense("...x,xy->...y", (3,), activation="elu"),
        ],
    ),
    "conv1d": (
        SEQUENCE,
        lambda: [
            L.Conv1D(5, 4, strides=2, padding="same", activation="relu"),
            L.Conv1D(3, 3, padding="causal", dilation_rate=2),
        ],
    ),
    "conv2d": (
        IMAGE,
        lambda: [
            L.Conv2D(6, (4, 2), strides=(2, 1), padding="same", groups=2, activation="selu"),
            L.Conv2D(3, 2, dilation_rate=2, use_bias=False),
        ],
    ),
    "conv3d": (VOLUME, lambda: [L.Conv3D(3, 2, padding="same", activation="relu")]),
    "conv1d_transpose": (SEQUENCE, lambda: [L.Conv1DTranspose(3, 4, strides=3, padding="same")]),
    "conv2d_transpose": (
        IMAGE,
        lambda: [
            L.Conv2DTranspose(3, (3, 2), strides=2, padding="same", activation="relu"),
            L.Conv2DTranspose(2, 3, strides=(2, 3), padding="valid"),
            L.Conv2DTranspose(2, 3, dilation_rate=2),
        ],
    ),
    "output_padding": (
        IMAGE,
        lambda: [L.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1)],
    ),
    "conv3d_transpose": (VOLUME, lambda: [L.Conv3DTranspose(3, 2, strides=2)]),
    "depthwise_1d": (
        SEQUENCE,
        lambda: [L.DepthwiseConv1D(3, depth_multiplier=2, activation="relu")],
    ),
    "depthwise_2d": (
        IMAGE,
        lambda: [L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)],
    ),
    "separable_1d": (SEQUENCE, lambda: [L.SeparableConv1D(5, 3, depth_multiplier=2)]),
    "separable_2d": (
        IMAGE,
        lambda: [L.SeparableConv2D(5, 3, padding="same", strides=2, activation="relu")],
    ),
    "average_pooling": (IMAGE, lambda: [L.AveragePooling2D(3, strides=2, padding="same")]),
    "average_pooling_1d": (SEQUENCE, lambda: [L.AveragePooling1D(2)]),
    "average_pooling_3d": (VOLUME, lambda: [L.AveragePooling3D((2, 2, 1), padding="same")]),
    "max_pooling": (IMAGE, lambda: [L.MaxPooling2D((2, 3), strides=2, padding="same")]),
    "max_pooling_1d": (SEQUENCE, lambda: [L.MaxPooling1D(3, strides=1)]),
    "max_pooling_3d": (VOLUME, lambda: [L.MaxPooling3D(2)]),
    "global_average": (IMAGE, lambda: [L.GlobalAveragePooling2D(keepdims=True)]),
    "global_average_1d": (SEQUENCE, lambda: [L.GlobalAveragePooling1D()]),
    "global_average_3d": (VOLUME, lambda: [L.GlobalAveragePooling3D()]),
    "global_max": (IMAGE, lambda: [L.GlobalMaxPooling2D()]),
    "global_max_1d": (SEQUENCE, lambda: [L.GlobalMaxPooling1D(keepdims=True)]),
    "global_max_3d": (VOLUME, lambda: [L.GlobalMaxPooling3D()]),
    "batch_normalization": (
        IMAGE,
        lambda: [
            L.BatchNormalization(epsilon=0.1),
            L.Conv2D(4, 3, padding="same", activation="relu"),
            L.BatchNormalization(axis=2, scale=False),
            L.BatchNormalization(axis=1, center=False),
        ],
    ),
    "normalization": (
        IMAGE,
        lambda: [
            L.Normalization(),
            L.Normalization(axis=(1, 2)),
            L.Normalization(mean=0.5, variance=4.0, axis=None),
            L.Normalization(mean=[1.0, 2, 3, 4], variance=[1.0, 2, 3, 4]),
            L.Normalization(invert=True),
        ],
    ),
    "rescaling": (
        IMAGE,
        lambda: [L.Rescaling(1 / 255, 0.5), L.Rescaling([1.0, 2, 3, 4], [4.0, 3, 2, 1])],
    ),
    "zero_padding": (IMAGE, lambda: [L.ZeroPadding2D(((0, 2), (1, 0))), L.ZeroPadding2D((2, 1))]),
    "zero_padding_1d": (SEQUENCE, lambda: [L.ZeroPadding1D((1, 2)), L.ZeroPadding1D(2)]),
    "zero_padding_3d": (VOLUME, lambda: [L.ZeroPadding3D(((0, 1), (2, 0), (1, 1)))]),
    "cropping": (IMAGE, lambda: [L.Cropping2D(((1, 2), (3, 0)))]),
    "cropping_1d": (SEQUENCE, lambda: [L.Cropping1D((1, 2))]),
    "cropping_3d": (VOLUME, lambda: [L.Cropping3D(1)]),
    "upsampling": (IMAGE, lambda: [L.UpSampling2D((3, 2))]),
    "upsampling_1d": (SEQUENCE, lambda: [L.UpSampling1D(2)]),
    "upsampling_3d": (VOLUME, lambda: [L.UpSampling3D((2, 1, 2))]),
    "upsampling_bilinear": (IMAGE, lambda: [L.UpSampling2D((3, 2), interpolation="bilinear")]),
    "reshaping": (
        IMAGE,
        lambda: [L.Permute((3, 1, 2)), L.Reshape((-1, 8)), L.Flatten(), L.RepeatVector(3)],
    ),
    "relu_layer": (IMAGE, lambda: [L.ReLU(max_value=1.5, negative_slope=0.3, threshold=0.2)]),
    "leaky_relu": (IMAGE, lambda: [L.LeakyReLU(0.15), L.Dense(3), L.LeakyReLU()]),
    "elu_layer": (IMAGE, lambda: [L.ELU(0.7)]),
    "prelu": (IMAGE, lambda: [L.PReLU(), L.PReLU(shared_axes=[1, 2])]),
    "softmax_layer": (IMAGE, lambda: [L.Softmax(axis=2), L.Softmax(axis=[1, 3])]),
    "activation_object": (IMAGE, lambda: [L.Dense(4, activation=L.LeakyReLU(0.4))]),
    "training_only": (
        IMAGE,
        lambda: [
            L.Dropout(0.5),
            L.SpatialDropout2D(0.5),
            L.GaussianDropout(0.3),
            L.GaussianNoise(0.3),
            L.AlphaDropout(0.3),
            L.ActivityRegularization(l1=0.1),
            L.Identity(),
            L.RandomFlip(),
            L.Dense(4),
        ],
    ),
    "lstm": (SEQUENCE, lambda: [L.LSTM(5, return_sequences=True), L.LSTM(3, go_backwards=True)]),
    "gru": (
        SEQUENCE,
        lambda: [
            L.GRU(5, return_sequences=True, reset_after=False, recurrent_activation="hard_sigmoid"),
            L.GRU(3, use_bias=False),
        ],
    ),
    "simple_rnn": (SEQUENCE, lambda: [L.SimpleRNN(5, activation="relu")]),
    "bidirectional": (
        SEQUENCE,
        lambda: [
            L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="ave"),
            L.Bidirectional(L.GRU(3)),
        ],
    ),
    "time_distributed": (
        (3, *IMAGE),
        lambda: [
            L.TimeDistributed(L.Conv2D(3, 3, strides=2, padding="same", activation="relu")),
            L.TimeDistributed(L.MaxPooling2D()),
            L.TimeDistributed(L.AveragePooling2D((2, 1), strides=1)),
            L.TimeDistributed(L.BatchNormalization()),
            L.TimeDistributed(L.Flatten()),
            L.TimeDistributed(L.Dense(4, activation="relu")),
            L.TimeDistributed(L.Dropout(0.5)),
        ],
    ),
    "layer_normalization": (
        IMAGE,
        lambda: [L.LayerNormalization(axis=[1, 3]), L.LayerNormalization(scale=False)],
    ),
    "unit_normalization": (IMAGE, lambda: [L.UnitNormalization(axis=2)]),
    "masking": (SEQUENCE, lambda: [L.Masking(0.5), L.LSTM(4)]),
    "channels_first_pools": (
        (3, 8, 9),
        lambda: [
            L.ZeroPadding2D(1, **FIRST),
            L.Conv2D(4, 3, strides=2, activation="relu", **FIRST),
            L.MaxPooling2D(2, strides=1, padding="same", **FIRST),
            L.BatchNormalization(axis=1),
            L.Cropping2D(1, **FIRST),
            L.UpSampling2D(2, **FIRST),
            L.Conv2DTranspose(3, 2, strides=2, **FIRST),
            L.SeparableConv2D(3, 2, **FIRST),
            L.Flatten(**FIRST),
            L.Dense(3),
        ],
    ),
    "channels_first_global": ((3, 8), lambda: [L.GlobalMaxPooling1D(keepdims=True, **FIRST)]),
}
ACTIVATIONS = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "squareplus",
    "swish",
    "tanh",
]


@pytest.mark.parametrize("name", SINGLE)
def test_layer_equals_keras(name, same_everywhere):
    shape, layers = SINGLE[name]
    x = samples(shape)
    if name == "masking":
        x[:, 5:] = 0.5
        x[1, 2] = 0.5
    same_everywhere(single(shape, *layers()), x)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_equals_keras(activation, agree):
    model = single((6,), L.Dense(5, activation=activation), L.Activation(activation))
    agree(read(model), model, samples((6,)))


@pytest.mark.parametrize("name", awkward.names())
def test_awkward_network_equals_keras(name, same_everywhere):
    same_everywhere(awkward.build(name, seed=3), awkward.samples(name, 4))


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
    x = [samples((5, 4)), samples((5, 4))[::-1].copy(), samples((5, 1))]
    same_everywhere(randomized(model), x)


def test_operations_between_layers(same_everywhere):
    a = keras.Input((5, 4))
    b = L.Dense(4, activation="relu")(a)
    y = keras.ops.relu(2.0 * a - b / 4.0) + (1.0 - b) * a - (-b)
    model = keras.Model(a, L.Dense(3)(y + np.arange(4, dtype="float32")))
    same_everywhere(randomized(model), samples((5, 4)))


def test_attention(same_everywhere):
    a, b = keras.Input((5, 4)), keras.Input((6, 4))
    y = L.MultiHeadAttention(2, 3)(a, b)
    y = L.MultiHeadAttention(2, 3, output_shape=4)(y, value=b, key=b)
    y = L.MultiHeadAttention(2, 3, use_bias=False)(y, y, use_causal_mask=True)
    y = L.Attention(use_scale=True)([y, b])
    y = L.Attention(score_mode="concat")([y, b], use_causal_mask=False)
    y = L.AdditiveAttention()([y, b])
    same_everywhere(randomized(keras.Model([a, b], y)), [samples((5, 4)), samples((6, 4))])


@pytest.mark.parametrize("mask_zero", [False, True])
def test_embedding_and_recurrence(mask_zero, same_everywhere):
    model = single(
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
    data = samples((7, 3))
    data[:, 4:] = 0.5
    words = np.random.default_rng(0).integers(0, 5, (3, 7))
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
    sequential = keras.Sequential([keras.Input((6, 4)), inner_model("other"), L.Flatten()])
    model = randomized(keras.Model(inputs, L.Dense(3)(sequential(x))))
    graph = same_everywhere(model, samples((6, 4)))
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
    graph = same_everywhere(model, samples((6,)))
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
    model = single((4,), L.Dense(2))
    assert read(model, name="mine").name == "mine"
    assert read(model).name == model.name


def test_supported_layers_are_keras_classes():
    """Each name in the table is a class of Keras, or one of an older Keras."""
    unknown = [name for name in supported_layers() if not hasattr(L, name)]
    assert unknown == ["ThresholdedReLU"]
