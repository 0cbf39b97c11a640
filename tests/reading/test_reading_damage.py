"""Damaged bytes of real models: an error that says so, or a graph, never anything else."""

from __future__ import annotations

import time

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from later import later

from bioconv.analog import AnalogGraph
from bioconv.ground.errors import BioconvError, NetworkFileError, UnsafeModelError
from bioconv.reading import read

keras = later("keras")

L = later("keras.layers")


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, bytes]:
    """The bytes of one small model as .h5 and as .keras."""
    folder = tmp_path_factory.mktemp("originals")
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, activation="relu"), L.Dense(2)])
    found = {}
    for suffix in (".h5", ".keras"):
        model.save(folder / f"model{suffix}")
        found[suffix] = (folder / f"model{suffix}").read_bytes()
    return found


@st.composite
def damages(draw):
    """A place and a kind of damage, as shares of the file's length."""
    kind = draw(st.sampled_from(["cut", "byte", "bytes", "zeros", "lost"]))
    places = draw(st.lists(st.floats(0, 0.999), min_size=1, max_size=20))
    return kind, places, draw(st.integers(0, 255)), draw(st.integers(1, 3000))


def damaged(data: bytes, damage) -> bytes:
    kind, places, value, length = damage
    changed = bytearray(data)
    first = int(places[0] * len(data))
    if kind == "cut":
        return data[:first]
    if kind == "lost":
        return data[:first] + data[first + length :]
    if kind == "zeros":
        changed[first : first + length] = bytes(len(changed[first : first + length]))
        return bytes(changed)
    for place in places if kind == "bytes" else places[:1]:
        changed[int(place * len(data))] = value
    return bytes(changed)


def check(path) -> None:
    """A graph or one of our own errors with one clear first line."""
    try:
        graph = read(path)
    except BioconvError as error:
        assert str(error).splitlines()[0].startswith(path.name)
    else:
        assert isinstance(graph, AnalogGraph)


quiet = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    "derandomize": True,
}


@settings(max_examples=40, **quiet)
@given(damage=damages(), suffix=st.sampled_from([".h5", ".keras"]))
def test_damaged_file_gives_error_or_graph(damage, suffix, originals, tmp_path):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(damaged(originals[suffix], damage))
    check(path)


@pytest.mark.slow
@settings(max_examples=1500, **quiet)
@given(
    damage=damages(),
    name=st.sampled_from(
        [
            "niposin_iris_mlp/iris_model.h5",
            "precise_wakeword_gru/tng-computer.net",
            "mlperf_kws_dscnn/kws_ref_model_rebuilt.keras",
        ]
    ),
)
def test_damaged_real_models(damage, name, shared_data, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(damaged((shared_data / "models" / name).read_bytes(), damage))
    check(path)


def test_heap_on_which_the_library_never_ends(originals, tmp_path):
    """HDF5 2.0 walks for ever over objects of size 0; this must be seen before."""
    data = bytearray(originals[".h5"])
    heap = data.index(b"GCOL")
    data[heap + 16 : heap + 400] = bytes(384)
    path = tmp_path / "model.h5"
    path.write_bytes(data)
    start = time.monotonic()
    with pytest.raises(NetworkFileError, match="heaps is damaged"):
        read(path)
    assert time.monotonic() - start < 5


def test_file_on_which_the_library_crashes(originals, tmp_path, monkeypatch):
    """A crash ends the reading process, not this one."""
    worker = tmp_path / "worker.py"
    worker.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setattr("bioconv.reading.hdf5._WORKER", worker)
    path = tmp_path / "model.h5"
    path.write_bytes(originals[".h5"])
    with pytest.raises(NetworkFileError, match="library failed"):
        read(path)


def test_groups_in_a_circle(originals, tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(originals[".h5"])
    with h5py.File(path, "r+") as file:
        file["model_weights/dense/again"] = file["model_weights"]
    assert isinstance(read(path), AnalogGraph)


@pytest.mark.filterwarnings("ignore:.*lambda.*")
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_code_in_files_is_never_run(suffix, tmp_path):
    """A Lambda and an activation that would leave a trace on disk."""
    trace = tmp_path / "trace"
    text = str(trace)
    inputs = keras.Input((3,))
    x = L.Lambda(lambda x: (__import__("pathlib").Path(text).touch(), x)[1])(inputs)
    x = L.Dense(2, activation=lambda x: (__import__("pathlib").Path(text).touch(), x)[1])(x)
    model = keras.Model(inputs, x)
    model.save(tmp_path / f"model{suffix}")
    trace.unlink(missing_ok=True)
    model(np.zeros((1, 3), np.float32))
    assert trace.exists()  # the code does what it says when it runs
    trace.unlink()
    for source in (tmp_path / f"model{suffix}", model):
        with pytest.raises(UnsafeModelError) as error:
            read(source)
        assert len(error.value.problems) == 2
        assert not trace.exists()
