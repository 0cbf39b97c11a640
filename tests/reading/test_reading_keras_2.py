"""Files of Keras 2 and tf.keras mean what they meant then.

The reference is a model of today's Keras with the same weights in today's layout.
"""

from __future__ import annotations

import zipfile

import h5py
import numpy as np
import pytest
from keras_models import draw, old_hard_sigmoid, samples, sequential
from later import later
from old_keras import functional, layer, node, write

from bioconv.reading import read

keras = later("keras")

L = later("keras.layers")


@pytest.mark.parametrize("first", [False, True])
def test_theano_stores_kernels_flipped(first, tmp_path, agree):
    """Keras 2: kernels are (rows, columns, channels, filters), but Theano's convolution flips."""
    options = {"data_format": "channels_first" if first else "channels_last"}
    shape = (2, 7, 6) if first else (7, 6, 2)
    model = sequential(
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
    model = sequential((6, 3), getattr(L, kind)(5))
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


def test_nested_model_of_keras_2(tmp_path, agree, rng):
    """One flat list: first what is trained, then statistics and frozen layers."""
    inner_layers = [L.Dense(4, trainable=False), L.BatchNormalization(), L.Dense(3)]
    inner = sequential((5,), *inner_layers)
    model = keras.Sequential([keras.Input((5,)), inner, L.ReLU(), L.Dense(2)])
    model.layers[-1].set_weights([draw(rng, 3, 2), draw(rng, 2)])
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


def test_nodes_of_tf_keras(tmp_path, agree, rng):
    """Nested models are counted from call 1, operations have constants and named tensors."""
    inner_dense, outer_dense = L.Dense(4, activation="relu"), L.Dense(4)
    x = keras.Input((4,))
    y = inner_dense(inner_dense(x)) + outer_dense(x)
    model = keras.Model(x, keras.ops.relu(y) * 0.5)
    kernel, bias = [draw(rng, 4, 4), draw(rng, 4)], [draw(rng, 4, 4), draw(rng, 4)]
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
    model = sequential((6, 3), L.GRU(4, recurrent_activation=old_hard_sigmoid(), reset_after=True))
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
    model = sequential((4,), L.Dense(3), L.Dense(2))
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


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_first_archives_of_tf_keras(separator, tmp_path, agree):
    """tf.keras 2.12 named the container otherwise, on Windows with backslashes."""
    model = sequential((5,), L.Dense(4, activation="hard_sigmoid"), L.Dense(3), L.Dense(2))
    model.save(tmp_path / "new.keras")
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        config = archive.read("config.json")
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        for place, item in enumerate(model.layers):
            name = f"dense_{place}" if place else "dense"
            path = separator.join(("_layer_checkpoint_dependencies", name, "vars"))
            for number, array in enumerate(item.get_weights()):
                file[f"{path}/{number}"] = array
    with zipfile.ZipFile(tmp_path / "old.keras", "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", '{"keras_version": "2.12.0"}')
        archive.write(tmp_path / "weights.h5", "model.weights.h5")
    model.layers[0].activation = old_hard_sigmoid()
    agree(read(tmp_path / "old.keras"), model, samples(5))
