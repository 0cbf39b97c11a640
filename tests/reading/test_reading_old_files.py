"""Files as old versions of Keras wrote them mean what they meant then.

The reference is a model of today's Keras with the same weights in today's layout.
"""

from __future__ import annotations

import h5py
import keras
import numpy as np
import pytest
from old_keras import functional, layer, node, write

from bioconv.reading import read

L = keras.layers
RNG = np.random.default_rng(7)


def draw(*shape: int) -> np.ndarray:
    return RNG.normal(0.05, 1 / np.sqrt(max(np.prod(shape[:-1]), 1)), shape).astype(np.float32)


def modern(shape, *layers) -> keras.Model:
    """A Sequential with random weights and positive variances."""
    model = keras.Sequential([keras.Input(shape), *layers])
    for variable in model.weights:
        value = draw(*variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.name else value)
    return model


def samples(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(0.1, 1, (4, *shape)).astype(np.float32)


@keras.saving.register_keras_serializable("reading_tests")
def old_hard_sigmoid(x):
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


@pytest.mark.parametrize("ordering", ["th", "tf"])
def test_keras_1_convolutions(ordering, tmp_path, agree):
    """nb_filter, subsample, border_mode, dim_ordering; kernels (filters, channels, ...) for th."""
    first = ordering == "th"
    options = {"data_format": "channels_first" if first else "channels_last"}
    shape = (2, 9, 8) if first else (9, 8, 2)
    model = modern(
        shape,
        L.ZeroPadding2D(((1, 0), (2, 1)), **options),
        L.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="relu", **options),
        L.BatchNormalization(axis=1 if first else -1, epsilon=1e-5),
        L.MaxPooling2D((2, 3), strides=(1, 2), **options),
        L.Conv2D(3, 2, dilation_rate=2, use_bias=False, **options),
        L.Flatten(),  # Keras 1 flattened what it saw
        L.Dense(5, activation="hard_sigmoid"),
    )
    model.layers[-1].activation = old_hard_sigmoid
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


@pytest.mark.parametrize("legacy", [False, True])
def test_keras_1_recurrence(legacy, tmp_path, agree):
    """Twelve arrays for an LSTM (gates i, c, f, o), nine for a GRU, 4-D kernels for Conv1D."""
    model = modern(
        (11, 3),
        L.Conv1D(5, 4, strides=2, padding="same", activation="tanh"),
        L.Bidirectional(L.LSTM(4, recurrent_activation=old_hard_sigmoid, return_sequences=True)),
        L.GRU(3, recurrent_activation=old_hard_sigmoid, reset_after=False),
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
    [("sum", L.Add), ("mul", L.Multiply), ("ave", L.Average), ("max", L.Maximum)],
)
def test_keras_1_merge_in_functional_model(mode, merge, tmp_path, agree):
    x = keras.Input((6,))
    a, b = L.Dense(4, activation="relu"), L.Dense(4)
    model = keras.Model(x, L.Concatenate()([merge()([a(x), b(x)]), a(x)]))
    first, second = [draw(6, 4), draw(4)], [draw(6, 4), draw(4)]
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


def test_keras_1_sequential_that_starts_with_merge(tmp_path, agree):
    """Two Sequentials inside a Sequential; the inner layers' weights are listed flat."""
    arrays = {name: [draw(n, 4), draw(4)] for name, n in (("left", 5), ("right", 3))}
    last = [draw(8, 2), draw(2)]

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


@pytest.mark.parametrize("first", [False, True])
def test_theano_stores_kernels_flipped(first, tmp_path, agree):
    """Keras 2: kernels are (rows, columns, channels, filters), but Theano's convolution flips."""
    options = {"data_format": "channels_first" if first else "channels_last"}
    shape = (2, 7, 6) if first else (7, 6, 2)
    model = modern(
        shape,
        L.Conv2D(3, (3, 2), activation="relu", **options),
        L.Conv2DTranspose(2, 2, strides=2, **options),
        L.SeparableConv2D(3, 2, **options),
        L.Flatten(**options),
        L.Dense(4),
    )
    conv, transposed, separable, _, dense = (item.get_weights() for item in model.layers)
    config = {
        "class_name": "Sequential",
        "config": [
            layer(
                "Conv2D",
                "conv",
                filters=3,
                kernel_size=[3, 2],
                activation="relu",
                batch_input_shape=[None, *shape],
                **options,
            ),
            layer(
                "Conv2DTranspose", "up", filters=2, kernel_size=[2, 2], strides=[2, 2], **options
            ),
            layer("SeparableConv2D", "sep", filters=3, kernel_size=[2, 2], **options),
            layer("Flatten", "flatten", **options),
            layer("Dense", "dense", units=4, activation="linear"),
        ],
    }
    weights = {
        "conv": [("conv/kernel:0", conv[0][::-1, ::-1]), ("conv/bias:0", conv[1])],
        "up": [("up/kernel:0", transposed[0][::-1, ::-1]), ("up/bias:0", transposed[1])],
        "sep": [(f"sep/{i}", array) for i, array in enumerate(separable)],
        "flatten": [],
        "dense": [("dense/kernel:0", dense[0]), ("dense/bias:0", dense[1])],
    }
    path = write(tmp_path / "t.h5", config, weights, version="2.0.8", backend="theano")
    agree(read(path), model, samples(*shape))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_cudnn_layers(kind, tmp_path, agree):
    """cuDNN kernels are transposed gate by gate, and there are two biases."""
    gates = {"LSTM": 4, "GRU": 3}[kind]
    model = modern((6, 3), getattr(L, kind)(5))
    kernel, recurrent, bias = model.get_weights()
    parts = np.split(kernel, gates, axis=1)
    stored = np.concatenate([part.T.reshape(3, 5) for part in parts], axis=1)
    back = np.concatenate([part.T for part in np.split(recurrent, gates, axis=1)], axis=1)
    both = bias.ravel() if kind == "GRU" else np.concatenate([0.25 * bias, 0.75 * bias])
    config = {
        "class_name": "Sequential",
        "config": [
            layer(
                f"CuDNN{kind}",
                "rnn",
                units=5,
                return_sequences=False,
                batch_input_shape=[None, 6, 3],
            )
        ],
    }
    weights = {"rnn": [("kernel:0", stored), ("recurrent:0", back), ("bias:0", both)]}
    path = write(tmp_path / "c.h5", config, weights, version="2.2.4", backend="tensorflow")
    agree(read(path), model, samples(6, 3))


def test_nested_model_of_keras_2(tmp_path, agree):
    """One flat list: first what is trained, then statistics and frozen layers."""
    inner_layers = [L.Dense(4, trainable=False), L.BatchNormalization(), L.Dense(3)]
    inner = modern((5,), *inner_layers)
    model = keras.Sequential([keras.Input((5,)), inner, L.ReLU(), L.Dense(2)])
    model.layers[-1].set_weights([draw(3, 2), draw(2)])
    frozen, norm, dense = (item.get_weights() for item in inner_layers)
    nested = functional(
        [
            node(layer("InputLayer", "input_2", batch_input_shape=[None, 5])),
            node(layer("Dense", "frozen", units=4, trainable=False), "input_2"),
            node(layer("BatchNormalization", "bn", axis=[-1]), "frozen"),
            node(layer("Dense", "d", units=3), "bn"),
        ],
        ["d"],
    )
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "sequential_1",
            "layers": [
                {**nested, "config": {**nested["config"], "name": "inner"}},
                layer("LeakyReLU", "leaky", alpha=0.0),
                layer("Dense", "last", units=2),
            ],
            "build_input_shape": [None, 5],
        },
    }
    flat = [norm[0], norm[1], *dense, *frozen, norm[2], norm[3]]
    weights = {
        "inner": [(f"w{i}", array) for i, array in enumerate(flat)],
        "leaky": [],
        "last": [(f"last/{i}", array) for i, array in enumerate(model.layers[-1].get_weights())],
    }
    path = write(tmp_path / "n.h5", config, weights, version="2.3.0-tf", backend="tensorflow")
    agree(read(path), model, samples(5))


def test_nodes_of_tf_keras(tmp_path, agree):
    """Nested models are counted from call 1, operations have constants and named tensors."""
    inner_dense, outer_dense = L.Dense(4, activation="relu"), L.Dense(4)
    x = keras.Input((4,))
    y = inner_dense(inner_dense(x)) + outer_dense(x)
    model = keras.Model(x, keras.ops.relu(y) * 0.5)
    kernel, bias = [draw(4, 4), draw(4)], [draw(4, 4), draw(4)]
    inner_dense.set_weights(kernel)
    outer_dense.set_weights(bias)
    inner = functional(
        [
            node(layer("InputLayer", "inside", batch_input_shape=[None, 4])),
            node(layer("Dense", "dense", units=4, activation="relu"), "inside"),
        ],
        ["dense"],
        "Functional",
    )
    nested = {**inner, "config": {**inner["config"], "name": "inner"}, "name": "inner"}
    nested["inbound_nodes"] = [[["input_1", 0, 0, {}]], [["inner", 1, 0, {}]]]

    def operation(name, function, *nodes):
        return {
            "class_name": "TFOpLambda",
            "config": {"name": name, "trainable": True, "dtype": "float32", "function": function},
            "name": name,
            "inbound_nodes": list(nodes),
        }

    layers = [
        node(layer("InputLayer", "input_1", batch_input_shape=[None, 4])),
        nested,
        node(layer("Dense", "outer", units=4, activation="linear"), "input_1"),
        operation(
            "plus", "__operators__.add", ["inner", 2, 0, {"y": ["outer", 0, 0], "name": None}]
        ),
        operation("relu", "nn.relu", ["plus", 0, 0, {}]),
        operation("times", "math.multiply", ["relu", 0, 0, {"y": 0.5}]),
    ]
    weights = {
        "input_1": [],
        "inner": [("dense/kernel:0", kernel[0]), ("dense/bias:0", kernel[1])],
        "outer": [("outer/kernel:0", bias[0]), ("outer/bias:0", bias[1])],
    }
    config = functional(layers, ["times"], "Functional")
    path = write(tmp_path / "tf.h5", config, weights, version="2.11.0", backend="tensorflow")
    agree(read(path), model, samples(4))


def test_gru_with_reset_after_of_keras_2(tmp_path, agree):
    model = modern((6, 3), L.GRU(4, recurrent_activation=old_hard_sigmoid, reset_after=True))
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [
                layer(
                    "GRU",
                    "gru",
                    units=4,
                    activation="tanh",
                    recurrent_activation="hard_sigmoid",
                    reset_after=True,
                    implementation=1,
                    batch_input_shape=[None, 6, 3],
                )
            ],
        },
    }
    names = ("kernel:0", "recurrent_kernel:0", "bias:0")
    weights = {"gru": list(zip(names, model.get_weights(), strict=True))}
    path = write(tmp_path / "g.h5", config, weights, version="2.2.0", backend="tensorflow")
    agree(read(path), model, samples(6, 3))


def test_long_lists_of_names_are_stored_in_chunks(tmp_path, agree):
    """HDF5 attributes end at 64 KiB; Keras then writes weight_names0, weight_names1, ..."""
    model = modern((4,), L.Dense(3), L.Dense(2))
    names = ["d" * 40, "e" * 40]
    config = {
        "class_name": "Sequential",
        "config": [
            layer("Dense", names[0], units=3, batch_input_shape=[None, 4]),
            layer("Dense", names[1], units=2),
        ],
    }
    pairs = [list(zip(("k", "b"), item.get_weights(), strict=True)) for item in model.layers]
    path = write(tmp_path / "l.h5", config, dict(zip(names, pairs, strict=True)), version="2.2.4")
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        for place, name in enumerate(names):
            group.attrs[f"layer_names{place}"] = [name.encode()]
        del group.attrs["layer_names"]
    agree(read(path), model, samples(4))
