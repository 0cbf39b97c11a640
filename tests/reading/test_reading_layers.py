"""Every layer, built in Keras: in memory, as .keras and as .h5 our graph gives what Keras gives."""

from __future__ import annotations

import pytest
from keras_models import randomized, samples, sequential
from later import later
from some_variants import some

from bioconv.models import awkward
from bioconv.reading import supported_layers

keras = later("keras")

L = later("keras.layers")


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


@pytest.mark.parametrize("name", some(SINGLE, every=2))
def test_layer_equals_keras(name, same_everywhere):
    shape, layers = SINGLE[name]
    x = samples(*shape)
    if name == "masking":
        x[:, 5:] = 0.5
        x[1, 2] = 0.5
    same_everywhere(sequential(shape, *layers()), x)


def test_activations_equal_keras(same_everywhere):
    """As an argument of a layer, and as a layer."""
    inputs = keras.Input((6,))
    outputs = [L.Dense(5, activation=name)(inputs) for name in ACTIVATIONS]
    outputs += [L.Activation(name)(inputs) for name in ACTIVATIONS]
    same_everywhere(randomized(keras.Model(inputs, outputs)), samples(6))


@pytest.mark.parametrize("name", some(awkward.names(), every=4))
def test_awkward_network_equals_keras(name, same_everywhere):
    same_everywhere(awkward.build(name, seed=3), awkward.samples(name, 4))


def test_supported_layers_are_keras_classes():
    """Each name in the table is a class of Keras, or one of an older Keras."""
    unknown = [name for name in supported_layers() if not hasattr(L, name)]
    of_bioconv, older = ["ClampedReLU", "FICurve"], ["ThresholdedReLU"]
    of_applications = ["CustomScaleLayer", "LayerScale"]  # of Inception-ResNet and ConvNeXt
    assert unknown == sorted([*of_bioconv, *of_applications, *older])
