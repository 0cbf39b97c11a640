"""Only the arrays that a model uses are read, and they are bounded by the size of its file."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from old_keras import layer, write

from bioconv.ground.errors import NetworkFileError
from bioconv.reading import hdf5_worker, read
from bioconv.reading.hdf5 import Hdf5File

RANDOM = np.random.default_rng(5)
KERNEL, BIAS = RANDOM.normal(size=(3, 2)), RANDOM.normal(size=2)
X = RANDOM.normal(size=(4, 3))
#: groups of Keras's archives
VARS = "layers/dense/vars"


def compressed(group: h5py.Group, name: str, array: np.ndarray, damage: bool = False) -> None:
    """Store an array in one compressed chunk, whose bytes may be damaged."""
    dataset = group.create_dataset(name, data=array, chunks=array.shape, compression="gzip")
    if damage:
        dataset.id.write_direct_chunk((0,) * array.ndim, b"\x78\x9c" + b"\xff" * 40)


def model_file(path: Path, kernel: np.ndarray = KERNEL) -> Path:
    dense = layer("Dense", "dense", units=2, batch_input_shape=[None, 3])
    model = {"class_name": "Sequential", "config": [dense]}
    return write(path, model, {"dense": [("k", kernel), ("b", BIAS)]}, version="2.2.4")


def outputs(path: Path) -> np.ndarray:
    return read(path).predict(X, dtype="float64")


@pytest.mark.parametrize("name", ["a", "z"])
def test_a_damaged_dataset_that_the_model_does_not_use_does_not_matter(
    name: str, tmp_path: Path
) -> None:
    path = model_file(tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        for place in ("model_weights/dense", "model_weights", "/"):
            compressed(file[place], name, np.ones((50, 50)), damage=True)
    np.testing.assert_allclose(outputs(path), X @ KERNEL + BIAS, rtol=1e-12)


def test_a_damaged_dataset_that_the_model_uses_is_named(tmp_path: Path) -> None:
    path = model_file(tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        del file["model_weights/dense/k"]
        compressed(file["model_weights/dense"], "k", KERNEL, damage=True)
    with pytest.raises(NetworkFileError, match=r"'model_weights/dense/k' is damaged"):
        read(path)


def archive(path: Path, unused: int = 0, kernel: np.ndarray = KERNEL) -> Path:
    """A ``.keras`` archive, compressed twice, with ``unused`` zeros that no layer uses."""
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        group = file.create_group(VARS)
        chunks = (min(len(kernel), 2**14), kernel.shape[1])
        group.create_dataset("0", data=kernel, chunks=chunks, compression="gzip")
        group["1"] = BIAS
        if unused:
            file.create_dataset("other", data=np.zeros(unused, "f4"), compression="gzip")
    shape = [None, len(kernel)]
    layers = [layer("InputLayer", "input", batch_shape=shape), layer("Dense", "dense", units=2)]
    model = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps(model))
        file.writestr("metadata.json", json.dumps({"keras_version": "3.8.0"}))
        file.writestr("model.weights.h5", data.getvalue())
    return path


def test_arrays_that_no_layer_uses_are_not_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras", unused=2**25)
    assert path.stat().st_size < 2**18
    np.testing.assert_allclose(outputs(path), X @ KERNEL + BIAS, rtol=1e-12)


def test_a_small_archive_cannot_unpack_to_large_weights(tmp_path: Path) -> None:
    # Equal chunks of a few numbers and zeros: HDF5 compresses each, and the archive the repetition.
    chunk = np.zeros((2**14, 2))
    chunk[:100] = np.random.default_rng(7).normal(size=(100, 2))
    path = archive(tmp_path / "model.keras", kernel=np.tile(chunk, (260, 1)))
    assert path.stat().st_size < 2**18
    with pytest.raises(NetworkFileError, match=r"'layers/dense/vars/0' would unpack to 68,157,440"):
        read(path)


def large_kernel(path: Path) -> Path:
    """A model whose file of 1 MB has 64 MiB of zeros for a kernel of six numbers."""
    random = np.random.default_rng(6)
    model_file(path)
    with h5py.File(path, "r+") as file:
        file["other"] = random.integers(0, 255, 2**20).astype(np.uint8)
        group = file["model_weights/dense"]
        del group["k"]
        kernel = np.zeros((2**12, 2**12), "f4")
        kernel[:32] = random.random((32, 2**12))
        group.create_dataset("k", data=kernel, compression="gzip", chunks=(2**8, 2**12))
    return path


def test_weights_that_their_layer_cannot_have_are_not_unpacked(tmp_path: Path) -> None:
    path = large_kernel(tmp_path / "model.h5")
    assert 200 * path.stat().st_size > 2**26  # it is small enough for a file of its size
    with pytest.raises(NetworkFileError, match=r"dense/k' has 16,777,216 numbers .* more than 65,"):
        read(path)


def test_the_process_that_reads_ends_with_the_file(tmp_path: Path) -> None:
    with Hdf5File(model_file(tmp_path / "model.h5"), "model.h5") as file:
        np.testing.assert_array_equal(file.array("model_weights/dense/b").read(100), BIAS)
        kernel = file.array("model_weights/dense/k")
        process = file._process
        assert process.poll() is None
    assert process.poll() is not None
    with pytest.raises(ValueError, match="was closed before"):
        kernel.read(100)


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of processes is limited on Linux")
def test_a_damaged_size_takes_no_memory(tmp_path: Path) -> None:
    path = model_file(tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        names = np.array(["k", "b"], h5py.string_dtype())
        file["model_weights/dense"].attrs["weight_names"] = names
    data = path.read_bytes()
    for heap in (n for n in range(len(data)) if data.startswith(b"GCOL", n)):
        data = data.replace(struct.pack("<IQ", 1, heap), struct.pack("<IQ", 2**31 - 1, heap))
    path.write_bytes(data)
    # A process starts as a copy of the one that starts it, which must be small itself.
    measure = (
        "import resource, subprocess, sys\n"
        "null = subprocess.DEVNULL\n"
        "subprocess.run(sys.argv[1:], stdin=null, stdout=null, check=False)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    worker = [sys.executable, "-I", hdf5_worker.__file__, str(path), str(2**26), "120"]
    done = subprocess.run(
        [sys.executable, "-I", "-c", measure, *worker], capture_output=True, check=True
    )
    assert int(done.stdout) < 2**19  # KiB
    with pytest.raises(NetworkFileError, match=r"model\.h5: "):
        read(path)


@pytest.mark.skipif(sys.platform != "linux", reason="the time of the processor is limited on Linux")
def test_a_file_is_not_refused_because_the_machine_is_busy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bioconv.reading.hdf5._SECONDS", 2)
    with Hdf5File(model_file(tmp_path / "model.h5"), "model.h5") as file:
        os.kill(file._process.pid, signal.SIGSTOP)
        threading.Timer(3, os.kill, (file._process.pid, signal.SIGCONT)).start()
        np.testing.assert_array_equal(file.array("model_weights/dense/b").read(100), BIAS)


@pytest.mark.skipif(sys.platform != "linux", reason="the time of the processor is limited on Linux")
def test_a_file_that_takes_the_processor_forever_is_refused(tmp_path: Path) -> None:
    with Hdf5File(model_file(tmp_path / "model.h5"), "model.h5") as file:
        os.kill(file._process.pid, signal.SIGXCPU)
        with pytest.raises(NetworkFileError, match="did not finish within 120 s of the processor"):
            file.array("model_weights/dense/b").read(100)
    forever = "import hdf5_worker; hdf5_worker.limit(2**26, 1)\nwhile True: pass"
    folder = Path(hdf5_worker.__file__).parent
    done = subprocess.run([sys.executable, "-c", forever], cwd=folder, check=False)
    assert done.returncode == -signal.SIGXCPU
