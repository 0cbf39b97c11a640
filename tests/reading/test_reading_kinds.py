"""Models that were once read wrong without a word: each kind is read as Keras does, or refused."""

from __future__ import annotations

import json
import zipfile

import h5py
import numpy as np
import pytest
from keras_models import draw, randomized, samples, sequential
from later import later
from old_keras import layer, write

from bioconv.cli import main
from bioconv.ground.errors import BioconvError, ParameterError, ReadError
from bioconv.reading import read

keras = later("keras")

L = later("keras.layers")


@pytest.mark.parametrize(
    ("thawed", "deep"),
    [
        ((0, 1, 0), True),
        pytest.param((1, 0, 1), False, marks=pytest.mark.slow),
        pytest.param((1, 0, 1), True, marks=pytest.mark.slow),
    ],
)
def test_thawed_layers_of_a_frozen_model(thawed, deep, same_everywhere):
    """Keras 3 stores a frozen model in layer order, and the others with thawed weights first."""
    base = keras.Sequential([keras.Input((4,)), *(L.Dense(4, "tanh") for _ in thawed)])
    base.trainable = False
    for item, flag in zip(base.layers, thawed, strict=True):
        item.trainable = bool(flag)
    x = keras.Input((4,))
    inner = keras.Model(x, L.BatchNormalization()(base(x))) if deep else base
    same_everywhere(randomized(keras.Model(x, L.Dense(2)(inner(x)))), samples(4))


def test_arrays_that_share_a_name(tmp_path):
    """Keras 3.0 lost one half of a Bidirectional, because both had the same name."""
    model = sequential((5, 3), L.Bidirectional(L.LSTM(2), name="both"))
    path = tmp_path / "m.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/both"]
        names = list(group.attrs["weight_names"])
        group.attrs["weight_names"] = names[:3] + names[:3]
    with pytest.raises(ReadError, match=r"one array for several.*\.keras"):
        read(path)


def test_repeated_outputs_and_inputs_as_outputs(same_everywhere):
    x = keras.Input((4,))
    hidden = L.Dense(3, activation="relu")(x)
    model = keras.Model(x, [hidden, hidden, L.Dense(2)(hidden), x, x])
    graph = same_everywhere(randomized(model), samples(4))
    assert len(set(graph.outputs)) == 5


def test_inputs_in_a_dictionary_are_ordered_by_key(tmp_path):
    named = {"b": keras.Input((3,), name="b"), "a": keras.Input((3,), name="a")}
    inner = keras.Model(named, named["b"] - 2.0 * named["a"])
    u, v = keras.Input((3,), name="u"), keras.Input((3,), name="v")
    for model in (inner, keras.Model({"v": v, "u": u}, inner({"b": v, "a": u}))):
        data = [samples(3), samples(3)[::-1].copy()]
        names = sorted(entry.name for entry in model.inputs)
        expected = model.predict(dict(zip(names, data, strict=True)), verbose=0)
        for path in (tmp_path / "m.keras", tmp_path / "m.h5"):
            model.save(path)
            np.testing.assert_allclose(read(path).predict(data), expected, atol=1e-6)


def test_models_and_layers_that_several_models_share(same_everywhere):
    """An archive contains their arrays once, in the group of only one of the models."""
    x = keras.Input((4,))
    common, plain = keras.Sequential([keras.Input((4,)), L.Dense(4, "tanh")]), L.Dense(4, "relu")
    second = keras.Model(x, [common(plain(x)), L.Dense(3)(common(x))])
    third = keras.Model(x, L.Concatenate()(second(x)))
    model = keras.Model(x, L.Dense(2)(third(plain(common(x)))))
    same_everywhere(randomized(model), samples(4))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 0.01), ("bfloat16", 0.05), ("float64", 1e-5)]
)
def test_other_precisions(policy, tolerance, tmp_path):
    """Weights are read exactly; values are not rounded to the precision of the policy."""
    model = sequential((4,), L.Dense(5, "relu", dtype=policy), L.Dense(3, dtype=policy))
    expected = np.asarray(model.predict(samples(4), verbose=0), np.float64)
    for path in (tmp_path / "m.keras", tmp_path / "m.h5"):
        model.save(path)
        found = read(path).predict(samples(4))
        np.testing.assert_allclose(found, expected, atol=tolerance * np.ptp(expected))


def test_logical_functions_of_real_values(same_everywhere):
    x = keras.Input((6,))
    y, ops = L.Dense(6, activation="relu")(x), keras.ops
    masks = [ops.logical_and(x, y), ops.logical_or(y, ops.relu(x - 1.0))]
    numbers = [ops.cast(mask, "float32") for mask in masks]
    same_everywhere(randomized(keras.Model(x, numbers)), samples(6))


def test_functions_with_options(same_everywhere):
    ops, functions = keras.ops, keras.activations
    x = keras.Input((4,))
    square = ops.reshape(x, (-1, 2, 2))
    model = keras.Model(
        x,
        [
            functions.relu(x, max_value=1.0, negative_slope=0.2, threshold=0.3),
            functions.elu(x, alpha=0.3),
            functions.gelu(x),
            ops.gelu(x),
            ops.leaky_relu(x, 0.4),
            ops.squareplus(x, b=3),
            ops.softmax(square, axis=1),
            ops.log_softmax(x),
            ops.concatenate([x, 2.0 * x], axis=1),
            ops.maximum(x, 0.3),
            ops.minimum(0.2, x),
            ops.clip(x, -0.5, 0.7),
            ops.square(x),
            ops.stack([x, x + 1.0], axis=1),
            ops.sum(square, axis=(1, 2), keepdims=True),
            ops.mean(square, axis=1),
            ops.transpose(square, (0, 2, 1)),
            ops.squeeze(ops.expand_dims(x, 1), 1),
            ops.cast(x, "float32"),
            square[:, 0, 1:],
        ],
    )
    same_everywhere(model, samples(4))


def lookalike(package: str | None):
    """A class of the user with the name of one of Keras's."""

    class ReLU(L.Layer):
        def call(self, x):
            return 3.0 * x

    return keras.saving.register_keras_serializable(package)(ReLU) if package else ReLU


def relu(x):
    """A function of the user with the name of one of Keras's."""
    return 7.0 * x


@pytest.mark.parametrize("package", [None, "reading_kinds"])
def test_classes_called_like_those_of_keras(package, tmp_path):
    model = keras.Sequential([keras.Input((4,)), lookalike(package)(), L.Dense(2)])
    model.save(tmp_path / "m.keras")
    for place in (model, tmp_path / "m.keras"):
        with pytest.raises(ReadError, match="custom class"):
            read(place)


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.Dense(4, activation=relu),
        lambda: L.Activation(relu),
        lambda: L.LSTM(2, activation=relu),
        lambda: L.TimeDistributed(L.Dense(2, activation=relu)),
        lambda: L.Dense(4, activation=lookalike(None)()),
    ],
)
def test_activations_called_like_those_of_keras(make):
    with pytest.raises(ReadError, match="custom"):
        read(keras.Sequential([keras.Input((3, 4)), make()]))


def masked(make):
    """A model that joins or changes masked sequences before it reduces them."""
    first, second = keras.Input((6,), dtype="int32"), keras.Input((6,), dtype="int32")
    signal = keras.Input((6, 4))
    a, b = (L.Embedding(5, 4, mask_zero=True)(tokens) for tokens in (first, second))
    y = L.LSTM(2)(make(a, b, signal))
    return randomized(keras.Model([first, second, signal], [y, L.Dense(1)(b), L.Dense(1)(signal)]))


MASKED = {
    "add_mixed": lambda a, b, s: L.Add()([a, s]),
    "add_both": lambda a, b, s: L.Add()([a, b]),
    "multiply_mixed": lambda a, b, s: L.Multiply()([s, a]),
    "multiply_both": lambda a, b, s: L.Multiply()([a, b]),
    "maximum_mixed": lambda a, b, s: L.Maximum()([a, s]),
    "maximum_both": lambda a, b, s: L.Maximum()([a, b]),
    "concatenate_mixed": lambda a, b, s: L.Concatenate()([a, s]),
    "concatenate_both": lambda a, b, s: L.Concatenate()([a, b]),
    "concatenate_time": lambda a, b, s: L.Concatenate(axis=1)([a, s]),
    "einsum": lambda a, b, s: L.EinsumDense("abc,cd->abd", (6, 4))(a),
    "reshape": lambda a, b, s: L.Reshape((6, 4))(a),
    "permute": lambda a, b, s: L.Permute((1, 2))(a),
    "permuted": lambda a, b, s: L.Permute((2, 1))(a),
    "cropping": lambda a, b, s: L.Cropping1D(0)(a),
    "cropped": lambda a, b, s: L.Cropping1D((1, 0))(a),
}
FAST = ("add_mixed", "multiply_both", "permute")


@pytest.mark.parametrize(
    "name", [pytest.param(k, marks=() if k in FAST else pytest.mark.slow) for k in MASKED]
)
def test_masks_as_keras_passes_them_on(name, same_everywhere):
    rng = np.random.default_rng(0)
    words = [rng.integers(0, 3, (5, 6)) for _ in range(2)]
    same_everywhere(masked(MASKED[name]), [*words, samples(6, 4, n=5)])


@pytest.mark.parametrize(
    ("key", "value"), [("usd_bias", False), ("units2", 3), ("kernfl_initializer", None)]
)
@pytest.mark.parametrize("version", ["2.0.4", "3.5.0"])
def test_keys_that_keras_does_not_write(key, value, version, tmp_path, rng):
    settings = {"units": 2, "activation": "tanh", "batch_input_shape": [None, 3]}
    weights = {"d": [("k", draw(rng, 3, 2)), ("b", draw(rng, 2))]}
    path = tmp_path / "m.h5"
    for config in (settings, {**settings, key: value}):
        model = {"class_name": "Sequential", "config": [layer("Dense", "d", **config)]}
        write(path, model, weights, version=version)
        if key not in config:
            read(path)
            continue
        with pytest.raises(ReadError, match=rf"d \(Dense\).*does not write.*'{key}'"):
            read(path)


def test_low_rank_adaptation_and_bfloat16(same_everywhere, tmp_path):
    model = sequential((6, 4), L.Dense(5), L.Conv1D(4, 3))
    for item in model.layers:
        item.enable_lora(2, lora_alpha=3)
    model = randomized(model, seed=1)
    x = samples(6, 4)
    expected = model.predict(x, verbose=0)
    for suffix in (".keras", ".h5"):
        model.save(tmp_path / f"m{suffix}")
        found = read(tmp_path / f"m{suffix}").predict(x)
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.ptp(expected))
    np.testing.assert_allclose(read(model).predict(x), expected, atol=1e-5 * np.ptp(expected))
    small = sequential((4,), L.Dense(3, dtype="bfloat16"))
    small.save(tmp_path / "b.keras")
    kernel = np.asarray(small.get_weights()[0], np.float64)
    found = read(tmp_path / "b.keras").predict(np.eye(4)) - read(small).predict(np.zeros((4, 4)))
    np.testing.assert_allclose(found, kernel, atol=1e-6)


def test_augmentation_in_a_functional_model(same_everywhere):
    x = keras.Input((6, 6, 3))
    y = L.RandomContrast(0.3)(L.RandomZoom(0.2)(L.RandomFlip()(x)))
    same_everywhere(randomized(keras.Model(x, L.Dense(2)(y))), samples(6, 6, 3))


def test_scales_of_keras_applications(same_everywhere):
    from keras.src.applications.convnext import LayerScale
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

    x = keras.Input((4,))
    y = LayerScale(0.1, 4)(CustomScaleLayer(0.3)([x, L.Dense(4)(x)]))
    same_everywhere(randomized(keras.Model(x, y)), samples(4))


def test_inputs_of_free_size(tmp_path, agree, capsys):
    x = keras.Input((None, None, 1), name="image")
    y = L.GlobalAveragePooling2D()(L.Conv2D(4, 3, activation="relu")(x))
    model = randomized(keras.Model(x, L.Dense(3)(y)))
    path = tmp_path / "m.keras"
    model.save(path)
    for shape in ((9, 8, 1), [(9, 8, 1)], {"image": (9, 8, 1)}):
        agree(read(path, input_shape=shape), model, samples(9, 8, 1))
    with pytest.raises(ReadError, match="--input-shape"):
        read(path)
    with pytest.raises(ReadError, match=r"\(9, 8, 2\) does not fit"):
        read(path, input_shape=(9, 8, 2))
    for wrong in ("9", (0, 8, 1), ((9, 8, 1), (3,)), {"other": (9, 8, 1)}, (True, 8, 1)):
        with pytest.raises(ParameterError, match="input_shape"):
            read(path, input_shape=wrong)
    main(["inspect", str(path), "--input-shape", "9", "8", "1"])
    assert "9, 8, 1" in capsys.readouterr().out


def test_attention_in_archives_of_tf_keras(tmp_path, agree):
    """The layers inside of a MultiHeadAttention have underlined names in archives of tf.keras."""
    x = keras.Input((5, 4))
    model = randomized(keras.Model(x, L.MultiHeadAttention(2, 3)(x, x)))
    path, weights = tmp_path / "m.keras", tmp_path / "w.h5"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        config, metadata = archive.read("config.json"), archive.read("metadata.json")
        weights.write_bytes(archive.read("model.weights.h5"))
    with h5py.File(weights, "r+") as file:
        group = file["layers/multi_head_attention"]
        for name in ("query_dense", "key_dense", "value_dense", "output_dense"):
            group.move(name, f"_{name}")
    with zipfile.ZipFile(tmp_path / "old.keras", "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", metadata)
        archive.write(weights, "model.weights.h5")
    agree(read(tmp_path / "old.keras"), model, samples(5, 4))


def test_masks_without_a_value_in_files_of_keras_3_0(tmp_path, agree):
    """Keras 3.0 writes one mask for each input of an attention layer, all of them null."""
    a, b = keras.Input((5, 4)), keras.Input((6, 4))
    model = keras.Model([a, b], L.Attention()([a, b]))
    path = tmp_path / "m.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        node = config["config"]["layers"][-1]["inbound_nodes"][0]
        node["kwargs"] = {"training": False, "mask": [None, None]}
        file.attrs["model_config"] = json.dumps(config)
    agree(read(path), model, [samples(5, 4), samples(6, 4)])


def test_a_new_axis_is_refused(tmp_path):
    """None in an index inserts an axis, and is no slice of all values."""
    x = keras.Input((4, 5))
    model = keras.Model(x, L.Flatten()(x[:, :, None] + x[:, None]))
    path = tmp_path / "m.keras"
    model.save(path)
    with pytest.raises(ReadError, match="inserts an axis by None"):
        read(path)


def test_masks_are_compared_in_time_that_does_not_double(same_everywhere):
    """Each diamond has two paths to its beginning."""
    x = keras.Input((5,), dtype="int32")
    y = L.Embedding(7, 3, mask_zero=True)(x)
    for _ in range(12):
        y = L.Multiply()([y, y])
    tokens = np.array([[1, 2, 3, 0, 0], [3, 1, 0, 0, 0]], np.int32)
    same_everywhere(randomized(keras.Model(x, L.LSTM(2)(y))), tokens)


def test_sums_that_double_are_refused(tmp_path):
    x = keras.Input((2,))
    y = x
    for _ in range(20):
        y = L.Add()([y, y])
    path = tmp_path / "m.keras"
    keras.Model(x, y).save(path)
    with pytest.raises(ReadError, match="is the sum of"):
        read(path)


def test_empty_weights_in_an_archive(tmp_path):
    path, broken = tmp_path / "m.keras", tmp_path / "broken.keras"
    sequential((3,), L.Dense(2)).save(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"" if name.endswith(".h5") else old.read(name))
    with pytest.raises(BioconvError, match="it is empty"):
        read(broken)
