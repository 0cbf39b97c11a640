"""What cannot be read is refused with every reason at once, and never with a traceback."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache

import h5py
import numpy as np
import pytest
from later import later
from old_keras import functional, layer, node, write

from bioconv.ground.errors import BioconvError, NetworkFileError, ReadError, UnsafeModelError
from bioconv.reading import read
from bioconv.reading.hdf5 import Hdf5File

keras = later("keras")

L = later("keras.layers")


@cache
def doubled():
    """A layer that Keras does not have."""

    class Doubled(L.Layer):
        def call(self, x):
            return 2 * x

    return Doubled


def dense_file(path, **changes):
    """A file with one dense layer, some of whose parts are replaced."""
    config = layer("Dense", "dense", units=2, activation="relu", batch_input_shape=[None, 3])
    config["config"].update(changes.pop("config", {}))
    kernel = changes.pop("kernel", np.ones((3, 2), np.float32))
    bias = changes.pop("bias", np.ones(2, np.float32))
    model = {"class_name": "Sequential", "config": [config]}
    model = changes.pop("model", model)
    return write(path, model, {"dense": [("k", kernel), ("b", bias)]}, version="2.2.4", **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.h5"


@pytest.mark.filterwarnings("ignore:.*lambda.*")
def test_all_problems_are_reported_at_once():
    inputs = keras.Input((6, 6, 2))
    x = L.Conv2D(3, 3, activation=lambda x: x**2, name="square")(inputs)
    x = doubled()(name="doubled")(x)
    x = L.Resizing(4, 4, name="groups")(x)
    x = L.Lambda(lambda x: x + 1, name="plus")(x)
    model = keras.Model(inputs, L.Dense(2, name="fine")(x))
    with pytest.raises(UnsafeModelError) as error:
        read(model)
    problems = {problem.where: problem for problem in error.value.problems}
    assert set(problems) == {"square", "doubled", "groups", "plus"}
    assert "never run" in problems["square"].reason
    assert "custom class" in problems["doubled"].reason
    assert problems["groups"].what == "Resizing"
    assert problems["groups"].advice
    assert all(name in str(error.value) for name in problems)


def test_custom_layers_alone_are_no_danger():
    model = keras.Sequential([keras.Input((3,)), doubled()(name="mine"), L.Dense(2)])
    with pytest.raises(ReadError, match="mine") as error:
        read(model)
    assert not isinstance(error.value, UnsafeModelError)


def test_subclassed_models_are_refused_with_a_way_out():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(2)

        def call(self, x):
            return keras.ops.relu(self.dense(x))

    net = Net()
    net(np.zeros((1, 3), np.float32))
    with pytest.raises(ReadError, match=r"keras.Model\(x, model.call\(x\)\)"):
        read(net)
    x = keras.Input((3,))
    graph = read(keras.Model(x, net.call(x)))  # the way out works
    data = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(graph.predict(data), np.asarray(net(data)), atol=1e-6)


@pytest.mark.parametrize(
    "value", [None, 3, np.zeros(3), {"class_name": "Sequential"}, "keras.layers"]
)
def test_other_objects_are_refused(value):
    value = keras.layers if isinstance(value, str) else value  # a path otherwise
    with pytest.raises(ReadError, match=r"expected a Keras model or the path"):
        read(value)


def test_unbuilt_and_variable_models_are_refused():
    with pytest.raises(ReadError, match=r"shape of its input"):
        read(keras.Sequential([L.Dense(2)]))
    inputs = keras.Input((None, None, 3))
    with pytest.raises(ReadError, match=r"not fixed.*keras.Input"):
        read(keras.Model(inputs, L.Conv2D(2, 3)(inputs)))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: [L.LSTM(2, stateful=True)], "keeps its state"),
        (lambda: [L.Bidirectional(L.LSTM(2), merge_mode=None)], "merge_mode"),
        (lambda: [L.UpSampling1D(2), L.TimeDistributed(L.UnitNormalization())], "wraps"),
        (lambda: [L.Masking(), L.GlobalAveragePooling1D()], "masked"),
        (lambda: [L.Resizing(4, 4)], "Resizing"),
    ],
)
def test_layers_that_are_refused(make, reason):
    shape = (4, 4, 3) if reason == "Resizing" else (4, 3)
    inputs = keras.Input(shape, batch_size=1)
    x = inputs
    for item in make():
        x = item(x)
    with pytest.raises(ReadError, match=reason):
        read(keras.Model(inputs, x))


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(NetworkFileError, match=r"nothing.h5: cannot be read.*Check the path"):
        read(tmp_path / "nothing.h5")
    with pytest.raises(NetworkFileError, match="folder"):
        read(str(tmp_path))
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(NetworkFileError, match=r"SavedModel.*model.save"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b'{"class_name": "Sequential"}', "JSON, but no weights"),
        (b"\x80\x04pickle", "neither HDF5"),
        (b"PK\x05\x06" + bytes(18), "no config.json|not a Keras model"),
        (b"\x89HDF\r\n\x1a\n", "damaged or truncated"),
        (b"\x89HDF\r\n\x1a\n" + bytes(3000), "damaged or truncated"),
    ],
)
def test_files_of_other_kinds(content, reason, path):
    path.write_bytes(content)
    with pytest.raises(NetworkFileError, match=reason):
        read(path)


def test_weights_without_architecture(tmp_path):
    model = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    new = tmp_path / "new.weights.h5"
    model.save_weights(new)
    old = dense_file(tmp_path / "old.h5")
    with h5py.File(old, "r+") as file:
        del file.attrs["model_config"]
    for file in (new, old):
        with pytest.raises(ReadError, match=r"weights but no architecture.*load_weights"):
            read(file)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(ReadError, match="no Keras model"):
        read(tmp_path / "other.h5")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kernel": np.full((3, 2), np.nan, np.float32)}, "dense.*kernel.*NaN"),
        ({"bias": np.array([0, np.inf], np.float32)}, "dense.*bias.*NaN"),
        ({"kernel": np.ones((2, 3), np.float32)}, r"must have the shape \(3, 2\)"),
        ({"config": {"units": 0}}, "at least 1"),
        ({"config": {"units": "many"}}, "'units' must be an integer"),
        ({"config": {"units": True}}, "'units' must be an integer"),
        ({"config": {"units": 10**30}}, "'units' must be an integer"),
        ({"config": {"use_bias": False}}, "expected the weights kernel. Received: 2"),
        ({"config": {"use_bias": "yes"}}, "true or false"),
        ({"config": {"activation": "my_activation"}}, "my_activation"),
        ({"config": {"activation": {"class_name": "__lambda__", "config": {}}}}, "never run"),
        ({"config": {"activation": ["relu"]}}, "cannot be read"),
        ({"config": {"batch_input_shape": [None, -3]}}, "be empty"),
        ({"config": {"batch_input_shape": [None, 10**7, 10**7]}}, "too large"),
        ({"config": {"batch_input_shape": "x"}}, "shape of its input"),
        ({"config": {"name": 7}}, "no usable name"),
        ({"model": {"class_name": "Sequential", "config": []}}, "no layers"),
        ({"model": {"class_name": "Sequential", "config": "x"}}, "class 'Sequential'"),
        ({"model": {"class_name": "Mine", "config": {"layers": []}}}, "class 'Mine'"),
        ({"model": [1, 2]}, "not a JSON object"),
        ({"model": {"class_name": "Sequential", "config": [7]}}, "shape of its input|class_name"),
    ],
)
def test_files_with_wrong_contents(changes, reason, path):
    with pytest.raises(BioconvError, match=reason):
        read(dense_file(path, **changes))


def graph_file(path, layers, outputs=("b",)):
    weights = {entry["name"]: [] for entry in layers}
    return write(path, functional(layers, outputs), weights, version="2.2.4")


def activation(name, *sources):
    return node(layer("Activation", name, activation="relu"), *sources)


def test_broken_graphs(path):
    start = node(layer("InputLayer", "i", batch_input_shape=[None, 4]))
    circle = [start, activation("a", "b"), activation("b", "a")]
    with pytest.raises(ReadError, match="cycle: a, b"):
        read(graph_file(path, circle))
    with pytest.raises(ReadError, match="no layer returns"):
        read(graph_file(path, [start, activation("b", "nowhere")]))
    with pytest.raises(ReadError, match="is not one of its layers"):
        read(graph_file(path, [start, activation("b", "i")], ["other"]))
    with pytest.raises(ReadError, match="two layers are called 'b'"):
        read(graph_file(path, [start, activation("b", "i"), activation("b", "i")]))
    second_output = activation("b", "i")
    second_output["inbound_nodes"][0][0][2] = 1
    with pytest.raises(ReadError, match="output 1 of 'i' is used, but is not supported"):
        read(graph_file(path, [start, second_output]))
    wrong = node(layer("Add", "b"), "i", "j")
    second = node(layer("InputLayer", "j", batch_input_shape=[None, 5]))
    with pytest.raises(ReadError, match="incompatible shapes"):
        read(graph_file(path, [start, second, wrong]))


@pytest.mark.parametrize(
    ("class_name", "config"),
    [
        ("UpSampling2D", {"size": [100_000, 100_000]}),
        ("ZeroPadding2D", {"padding": 2**30}),
        ("RepeatVector", {"n": 2**31 - 1}),
        ("Reshape", {"target_shape": [-1, 0]}),
        ("Permute", {"dims": [1, 1, 2]}),
        ("AveragePooling2D", {"pool_size": 0}),
        ("MaxPooling2D", {"pool_size": [9, 9], "strides": None}),
        ("Cropping2D", {"cropping": [[3, 3], [0, 0]]}),
        ("Softmax", {"axis": 9}),
        ("Concatenate", {"axis": 0}),
        ("ReLU", {"max_value": float("inf")}),
        ("Rescaling", {"scale": [1, 2, 3]}),
        ("Flatten", {"data_format": "sideways"}),
        ("Dot", {"axes": 1}),
        ("Merge", {"mode": "cos"}),
    ],
)
def test_absurd_settings_cost_no_memory(class_name, config, path):
    shape = [None, 6] if class_name == "RepeatVector" else [None, 4, 4, 2]
    layers = [
        node(layer("InputLayer", "i", batch_input_shape=shape)),
        node(layer(class_name, "b", **config), "i"),
    ]
    with pytest.raises(ReadError, match=rf"b \({class_name}\)"):
        read(graph_file(path, layers))


def test_merge_by_code_is_unsafe(path):
    layers = [
        node(layer("InputLayer", "i", batch_input_shape=[None, 4])),
        node(layer("Merge", "b", mode="cm9vdA==", mode_type="lambda"), "i", "i"),
    ]
    with pytest.raises(UnsafeModelError, match="never run"):
        read(graph_file(path, layers))


def test_deep_and_broken_json(path):
    dense_file(path)
    for text in ("[" * 100_000, "{" * 3, '{"class_name": 1', "[" * 400 + "]" * 400, "\xff"):
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = text
        with pytest.raises(BioconvError, match="JSON|nested too deeply"):
            read(path)


def test_hdf5_that_points_elsewhere(tmp_path, path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["k"] = np.ones((3, 2), np.float32)
    raw = tmp_path / "raw.bin"
    raw.write_bytes(bytes(24))

    def external(group):
        group["k"] = h5py.ExternalLink("secret.h5", "/k")

    def soft(group):
        group["k"] = h5py.SoftLink("/model_weights/dense/b")

    def virtual(group):
        layout = h5py.VirtualLayout((3, 2), np.float32)
        layout[:] = h5py.VirtualSource(str(secret), "k", (3, 2))
        group.create_virtual_dataset("k", layout)

    def stored_outside(group):
        group.create_dataset("k", (3, 2), np.float32, external=[(str(raw), 0, 24)])

    for change in (external, soft, virtual, stored_outside):
        dense_file(path)
        with h5py.File(path, "r+") as file:
            group = file["model_weights/dense"]
            del group["k"]
            change(group)
        with pytest.raises(NetworkFileError, match="not followed"):
            read(path)


def test_hdf5_that_claims_more_than_it_has(path):
    dense_file(path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense"]
        del group["k"]
        group.create_dataset("k", (2**20, 2**20), np.float32, chunks=(1024, 1024))
    with pytest.raises(NetworkFileError, match="claims the shape"):
        read(path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense"]
        del group["k"]
        group["k"] = "text"
    with pytest.raises(NetworkFileError, match="instead of numbers"):
        read(path)
    with h5py.File(path, "r+") as file:
        del file["model_weights/dense/k"]
    with pytest.raises(NetworkFileError, match="are missing"):
        read(path)


def one_text_many_times(path):
    """A file of 200 kB whose places for texts of variable length all lead to the same one."""
    with h5py.File(path, "w") as file:
        one = file.create_dataset("one", data=[b"x" * 100_000], dtype=h5py.string_dtype())
        many = file.create_dataset("many", data=[b"y"] * 5000, dtype=h5py.string_dtype())
        source, target = one.id.get_offset(), many.id.get_offset()
    data = bytearray(path.read_bytes())
    data[target : target + 5000 * 16] = data[source : source + 16] * 5000
    path.write_bytes(data)


def test_texts_that_unpack_to_more_than_the_file_has(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("fixed", (50,), "S1000000", compression="gzip", data=[b""] * 50)
        file["one"], file["many"], file["none"] = "node", [["a", "b"], ["c", "d"]], ""
        file.create_dataset("wide", (3, 0), "S4")
    found = Hdf5File(path, "model.h5")
    with pytest.raises(NetworkFileError, match=r"claims the shape \(50,\)"):
        found.dataset_texts("fixed")
    assert (found.dataset_text("one"), found.dataset_text("none")) == ("node", "")
    assert found.dataset_texts("many") == ["a", "b", "c", "d"] and found.dataset_texts("wide") == []
    one_text_many_times(path)
    with pytest.raises(NetworkFileError, match="too many strings"):
        Hdf5File(path, "model.h5").dataset_texts("many")


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name.replace("__", "."), data)
    return path


def test_damaged_archives(tmp_path):
    path = tmp_path / "model.keras"
    with pytest.raises(NetworkFileError, match="no config.json|not a Keras model"):
        read(archive(path, other="x"))
    with pytest.raises(ReadError, match=r"no model.weights.h5"):
        read(archive(path, config__json="{}"))
    bomb = b"\0" * 2**28
    with pytest.raises(NetworkFileError, match="would unpack"):
        read(archive(path, config__json=bomb))
    config = json.dumps({"class_name": "Sequential", "config": {"layers": []}})
    weights = {"model.weights.h5": b"no hdf5"}
    with pytest.raises(ReadError, match="no layers"):
        read(archive(path, config__json=config, **weights))
    inner = io.BytesIO()
    keras.Sequential([keras.Input((3,)), L.Dense(2)]).save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as good:
        config = good.read("config.json")
    with pytest.raises(NetworkFileError, match="damaged or truncated"):
        read(archive(path, config__json=config, **weights))
    with h5py.File(inner, "w") as file:
        file.create_group("layers/dense/vars")
    with pytest.raises(ReadError, match=r"\(Dense\): expected the weights kernel, bias"):
        read(archive(path, config__json=config, **{"model.weights.h5": inner.getvalue()}))
