"""Quantized models are read with their scales, as Keras reloads them, or refused."""

from __future__ import annotations

import zipfile

import h5py
import numpy as np
import pytest
from keras_models import randomized, samples
from later import later
from some_variants import some

from bioconv.conversion import as_graph
from bioconv.ground.errors import ReadError
from bioconv.reading import read

keras = later("keras")

L = later("keras.layers")


def quantized(mode: str):
    x = keras.Input((5,))
    y = L.Embedding(10, 8)(x)
    y = L.EinsumDense("abc,cde->abde", (5, 2, 3), bias_axes="de", activation="relu")(y)
    y = L.EinsumDense("abcd,cde->abe", (5, 5), bias_axes="e")(y)
    inner = keras.Sequential([keras.Input((25,)), L.Dense(7, activation="relu")])
    model = randomized(keras.Model(x, L.Dense(3)(inner(L.Flatten()(y)))))
    model.quantize(mode)
    return model


@pytest.mark.filterwarnings("ignore:.*quantize")
@pytest.mark.parametrize(
    "mode", ["int8", *(pytest.param(m, marks=pytest.mark.slow) for m in ("int4", "float8"))]
)
def test_quantized_models(mode, tmp_path, agree):
    model = quantized(mode)
    tokens = np.random.default_rng(0).integers(0, 10, (6, 5))
    model.save(tmp_path / "m.keras")
    graph = read(tmp_path / "m.keras")
    agree(graph, model, tokens)
    exact = as_graph(graph)  # what is converted: the same weights, inputs without rounding
    assert not any(name.endswith("rounded") for name in exact.shapes())
    expected = graph.predict(tokens)
    np.testing.assert_allclose(exact.predict(tokens), expected, atol=0.1 * np.ptp(expected))
    model.save(tmp_path / "m.h5")
    for place in (model, tmp_path / "m.h5"):
        with pytest.raises(ReadError, match="quantized"):
            read(place)


@pytest.mark.filterwarnings("ignore:.*quantize")
@pytest.mark.parametrize("sizes", some([(1, 6), (3, 1), (1, 1), (5, 2)], every=4), ids=str)
def test_packing_of_int4_before_keras_3_13(sizes, tmp_path, agree):
    """The numbers of a kernel were packed along its first axis, also if it has one row."""
    n, units = sizes
    x = keras.Input((n,))
    rows = L.EinsumDense("ab,bcd->acd", (units, 3))(x)
    model = randomized(keras.Model(x, [L.Dense(units)(x), L.Flatten()(rows)]), seed=8)
    model.quantize("int4", config=keras.quantizers.Int4QuantizationConfig(block_size=-1))
    path = tmp_path / "m.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    (tmp_path / "w.h5").write_bytes(files["model.weights.h5"])
    with h5py.File(tmp_path / "w.h5", "r+") as file:
        for name, shape in (("dense", (n, units)), ("einsum_dense", (n, units, 3))):
            group = file[f"layers/{name}/vars"]
            place = next(k for k in group if group[k].dtype == np.int8)
            n_columns = int(np.prod(shape[1:]))
            rows = np.asarray(keras.quantizers.unpack_int4(group[place][()], n_columns, axis=-1))
            packed, *_ = keras.quantizers.pack_int4(rows.reshape(shape), axis=0)
            del group[place]
            group[place] = np.asarray(packed)
    files["model.weights.h5"] = (tmp_path / "w.h5").read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    agree(read(path), model, samples(n))
