"""Files of Keras 1 mean what they meant then.

The reference is a model of today's Keras with the same weights in today's layout.
"""

from __future__ import annotations

import numpy as np
import pytest
from keras_models import draw, old_hard_sigmoid, samples, sequential
from later import later
from old_keras import functional, layer, node, write
from some_variants import some

from bioconv.reading import read

keras = later("keras")

L = later("keras.layers")


@pytest.mark.parametrize("ordering", ["th", "tf"])
def test_keras_1_convolutions(ordering, tmp_path, agree):
    """nb_filter, subsample, border_mode, dim_ordering; kernels (filters, channels, ...) for th."""
    first = ordering == "th"
    options = {"data_format": "channels_first" if first else "channels_last"}
    shape = (2, 9, 8) if first else (9, 8, 2)
    model = sequential(
        shape,
        L.ZeroPadding2D(((1, 0), (2, 1)), **options),
        L.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="relu", **options),
        L.BatchNormalization(axis=1 if first else -1, epsilon=1e-5),
        L.MaxPooling2D((2, 3), strides=(1, 2), **options),
        L.Conv2D(3, 2, dilation_rate=2, use_bias=False, **options),
        L.Flatten(),  # Keras 1 flattened what it saw
        L.Dense(5, activation="hard_sigmoid"),
    )
    model.layers[-1].activation = old_hard_sigmoid()
    conv, norm, second, dense = (model.layers[place].get_weights() for place in (1, 2, 4, 6))

    def stored(kernel):
        return kernel.transpose(3, 2, 0, 1) if first else kernel

    common = {"dim_ordering": ordering}
    config = [
        layer(
            "ZeroPadding2D",
            "zeropadding2d_1",
            padding=[1, 0, 2, 1],
            batch_input_shape=[None, *shape],
            **common,
        ),
        layer(
            "Convolution2D",
            "convolution2d_1",
            nb_filter=4,
            nb_row=3,
            nb_col=2,
            subsample=[2, 1],
            border_mode="same",
            init="glorot_uniform",
            activation="relu",
            W_regularizer=None,
            bias=True,
            **common,
        ),
        layer("BatchNormalization", "bn", mode=0, axis=1 if first else -1, epsilon=1e-5),
        layer(
            "MaxPooling2D",
            "maxpooling2d_1",
            pool_size=[2, 3],
            strides=[1, 2],
            border_mode="valid",
            **common,
        ),
        layer("Dropout", "dropout_1", p=0.5),
        layer(
            "AtrousConvolution2D",
            "atrous",
            nb_filter=3,
            nb_row=2,
            nb_col=2,
            subsample=[1, 1],
            border_mode="valid",
            atrous_rate=[2, 2],
            activation="linear",
            bias=False,
            **common,
        ),
        layer("Flatten", "flatten_1"),
        layer("Dense", "dense_1", output_dim=5, input_dim=None, activation="hard_sigmoid"),
    ]
    weights = {
        "zeropadding2d_1": [],
        "convolution2d_1": [("c_W", stored(conv[0])), ("c_b", conv[1])],
        "bn": [
            (f"bn_{name}", array)
            for name, array in zip(
                ("gamma", "beta", "running_mean", "running_std"), norm, strict=True
            )
        ],
        "maxpooling2d_1": [],
        "dropout_1": [],
        "atrous": [("a_W", stored(second[0]))],
        "flatten_1": [],
        "dense_1": [("dense_1_W", dense[0]), ("dense_1_b", dense[1])],
    }
    config = {"class_name": "Sequential", "config": config}
    path = write(tmp_path / "old.h5", config, weights, version="1.2.2")
    agree(read(path), model, samples(*shape))


@pytest.mark.parametrize("legacy", some([True, False], every=2))
def test_keras_1_recurrence(legacy, tmp_path, agree):
    """Twelve arrays for an LSTM (gates i, c, f, o), nine for a GRU, 4-D kernels for Conv1D."""
    model = sequential(
        (11, 3),
        L.Conv1D(5, 4, strides=2, padding="same", activation="tanh"),
        L.Bidirectional(L.LSTM(4, recurrent_activation=old_hard_sigmoid(), return_sequences=True)),
        L.GRU(3, recurrent_activation=old_hard_sigmoid(), reset_after=False),
        L.Dense(2, use_bias=False),
    )
    conv, lstm, gru, dense = (item.get_weights() for item in model.layers)

    def gates(arrays, order):
        """One W, U, b for each gate, in the old order."""
        parts = [np.split(array, len(order), axis=-1) for array in arrays]
        return [(f"w{g}{p}", part[g]) for g in order for p, part in enumerate(parts)]

    def renamed(pairs, prefix):
        return [(prefix + name, array) for name, array in pairs]

    # today's order is i, f, c, o; Keras 1 stored i, c, f, o
    ahead, back = gates(lstm[:3], (0, 2, 1, 3)), gates(lstm[3:], (0, 2, 1, 3))
    kernel = conv[0][:, None]
    if legacy:  # before Keras 1.2: (filters, channels, length, 1)
        kernel = kernel.transpose(3, 2, 0, 1)
    inner = layer(
        "LSTM",
        "lstm_1",
        output_dim=4,
        activation="tanh",
        inner_activation="hard_sigmoid",
        return_sequences=True,
        go_backwards=False,
        stateful=False,
        inner_init="orthogonal",
        consume_less="cpu",
    )
    config = {
        "class_name": "Sequential",
        "config": [
            layer(
                "Convolution1D",
                "convolution1d_1",
                nb_filter=5,
                filter_length=4,
                subsample_length=2,
                border_mode="same",
                activation="tanh",
                bias=True,
                input_dim=3,
                input_length=11,
            ),
            layer("Bidirectional", "bidirectional_1", merge_mode="concat", layer=inner),
            layer("GRU", "gru_1", output_dim=3, activation="tanh", return_sequences=False),
            layer("Dense", "dense_1", output_dim=2, activation="linear", bias=False),
        ],
    }
    weights = {
        "convolution1d_1": [("W", kernel), ("b", conv[1])],
        "bidirectional_1": renamed(ahead, "f") + renamed(back, "b"),
        "gru_1": gates(gru, (0, 1, 2)),
        "dense_1": [("W", dense[0])],
    }
    version = None if legacy else "1.2.0"
    path = write(tmp_path / "old.h5", config, weights, version=version)
    agree(read(path), model, samples(11, 3))


@pytest.mark.parametrize(
    ("mode", "merge"),
    [("sum", "Add"), ("mul", "Multiply"), ("ave", "Average"), ("max", "Maximum")],
)
def test_keras_1_merge_in_functional_model(mode, merge, tmp_path, agree, rng):
    x = keras.Input((6,))
    a, b = L.Dense(4, activation="relu"), L.Dense(4)
    model = keras.Model(x, L.Concatenate()([getattr(L, merge)()([a(x), b(x)]), a(x)]))
    first, second = [draw(rng, 6, 4), draw(rng, 4)], [draw(rng, 6, 4), draw(rng, 4)]
    a.set_weights(first)
    b.set_weights(second)
    config = functional(
        [
            node(layer("InputLayer", "input_1", batch_input_shape=[None, 6])),
            node(layer("Dense", "a", output_dim=4, activation="relu"), "input_1"),
            node(layer("Dense", "b", output_dim=4, activation="linear"), "input_1"),
            node(layer("Merge", "m", mode=mode, mode_type="raw", concat_axis=-1), "a", "b"),
            node(layer("Merge", "c", mode="concat", mode_type="raw", concat_axis=1), "m", "a"),
        ],
        ["c"],
    )
    weights = {
        "input_1": [],
        "a": [("a_W", first[0]), ("a_b", first[1])],
        "b": [("b_W", second[0]), ("b_b", second[1])],
        "m": [],
        "c": [],
    }
    agree(read(write(tmp_path / "m.h5", config, weights, version="1.1.1")), model, samples(6))


def test_keras_1_sequential_that_starts_with_merge(tmp_path, agree, rng):
    """Two Sequentials inside a Sequential; the inner layers' weights are listed flat."""
    arrays = {name: [draw(rng, n, 4), draw(rng, 4)] for name, n in (("left", 5), ("right", 3))}
    last = [draw(rng, 8, 2), draw(rng, 2)]

    def branch(name, n):
        dense = layer("Dense", name, output_dim=4, activation="relu", batch_input_shape=[None, n])
        return {"class_name": "Sequential", "config": [dense], "name": f"seq_{name}"}

    merge = layer(
        "Merge",
        "merge_1",
        mode="concat",
        mode_type="raw",
        concat_axis=-1,
        layers=[branch("left", 5), branch("right", 3)],
    )
    config = {
        "class_name": "Sequential",
        "config": [merge, layer("Dense", "last", output_dim=2, activation="linear")],
    }
    weights = {
        name: [(f"{name}_W", pair[0]), (f"{name}_b", pair[1])]
        for name, pair in {**arrays, "last": last}.items()
    }
    graph = read(write(tmp_path / "m.h5", config, weights, version="1.0.8"))
    x, y = keras.Input((5,)), keras.Input((3,))
    layers = [L.Dense(4, activation="relu"), L.Dense(4, activation="relu"), L.Dense(2)]
    model = keras.Model([x, y], layers[2](L.Concatenate()([layers[0](x), layers[1](y)])))
    for item, values in zip(layers, (*arrays.values(), last), strict=True):
        item.set_weights(values)
    agree(graph, model, [samples(5), samples(3)])
