"""Files in Keras's folder: the arrays of Keras, without Keras."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from later import later

from bioconv.data import datasets
from bioconv.data.stored import stored

keras = later("keras")

FILES = {"mnist": "mnist.npz", "fashion_mnist": "fashion-mnist"}


@pytest.fixture
def kept(shared_data: Path) -> Path:
    """The folder of the datasets that Keras has downloaded."""
    return shared_data / "keras" / "datasets"


@pytest.mark.parametrize("name", FILES)
def test_images_are_those_of_keras(name: str, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(kept.parent))
    expected = getattr(keras.datasets, name).load_data()
    for split, pair in zip(("train", "test"), expected, strict=True):
        found = stored(name, split, kept)
        assert found is not None
        for array, wanted in zip(found, pair, strict=True):
            assert array.dtype == wanted.dtype
            np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "cut", "empty", "other"])
def test_damaged_files_are_left_to_keras(
    name: str, damage: str, kept: Path, tmp_path: Path
) -> None:
    """Keras, which knows the hashes of the files, downloads them again."""
    copied = tmp_path / FILES[name]
    (shutil.copytree if (kept / FILES[name]).is_dir() else shutil.copy)(kept / FILES[name], copied)
    for file in [copied] if copied.is_file() else sorted(copied.iterdir()):
        file.chmod(0o600)
        if damage == "missing":
            file.unlink()
        elif damage == "cut":
            os.truncate(file, file.stat().st_size // 2)
        elif damage == "empty":
            file.write_bytes(gzip.compress(b""))
        else:
            file.write_bytes(gzip.compress(b"\0\0\x08\1" + struct.pack(">I", 3) + b"abc"))
    assert stored(name, "test", tmp_path) is None


def write_batch(path: Path, labels: list[int]) -> np.ndarray:
    """Write a file as CIFAR-10 has them, the pickle of a dictionary by Python 2.

    Python 3 writes bytes and texts in another way, so that it is put together here.
    """
    n = len(labels)
    pixels = np.random.default_rng(n).integers(0, 256, (n, 3072), dtype=np.uint8)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        + b"(K\x01M"
        + struct.pack("<H", n)
        + b"M\x00\x0c\x86cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
        + b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<i", pixels.nbytes)
        + pixels.tobytes()
        + b"tb"
    )
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    names = b"](" + b"".join(b"U\x05a.png" for _ in labels) + b"e"
    entries = {b"batch_label": b"U\x06batch1", b"labels": numbers, b"data": array}
    entries[b"filenames"] = names
    pairs = b"".join(b"U" + bytes([len(key)]) + key + value for key, value in entries.items())
    path.write_bytes(b"\x80\x02}(" + pairs + b"u.")
    return pixels.reshape(n, 3, 32, 32)


def test_cifar10_is_read_as_by_keras(tmp_path: Path) -> None:
    """Keras reads the same files, and puts the channels last when it has all of them."""
    from keras.src.datasets.cifar import load_batch

    folder = tmp_path / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    expected = []
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"], 1):
        labels = [(number + i) % 10 for i in range(256 + number)]
        pixels = write_batch(folder / name, labels)
        images, found = load_batch(folder / name)
        np.testing.assert_array_equal(images, pixels)
        assert found == labels
        expected.append((images.transpose(0, 2, 3, 1), np.array(found, np.uint8)))
    train, test = (stored("cifar10", split, tmp_path) for split in ("train", "test"))
    assert train is not None
    assert test is not None
    for found, parts in ((train, expected[:5]), (test, expected[5:])):
        for array, of_parts in zip(found, zip(*parts, strict=True), strict=True):
            assert array.dtype == np.uint8
            np.testing.assert_array_equal(array, np.concatenate(of_parts))


def test_cifar10_runs_no_code_of_a_file(tmp_path: Path) -> None:
    """A pickle that would write a file is read, finds nothing, and writes nothing."""
    folder = tmp_path / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    ran = tmp_path / "ran"
    (folder / "test_batch").write_bytes(f"cos\nmkdir\n(V{ran}\ntR.".encode())
    assert stored("cifar10", "test", tmp_path) is None
    assert not ran.exists()


def test_one_part_is_the_same_as_of_both(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(kept.parent))
    both = datasets.load("mnist")
    for split, pair in zip(("train", "test"), both, strict=True):
        for array, wanted in zip(datasets.part("mnist", split), pair, strict=True):
            np.testing.assert_array_equal(array, wanted)


def test_data_on_this_machine_need_neither_keras_nor_jax(shared_data: Path, tmp_path: Path) -> None:
    """Digits are split by scikit-learn once, and kept."""
    code = (
        "import sys, bioconv as bc\n"
        "for name in ('mnist', 'fashion_mnist', 'digits'):\n"
        "    bc.load_data(name, n_images=2)\n"
        "print(*sorted({'keras', 'jax', 'sklearn'} & set(sys.modules)))\n"
    )
    environment = {
        **os.environ,
        "KERAS_HOME": str(shared_data / "keras"),
        "BIOCONV_CACHE": str(tmp_path),
    }
    heavy = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        heavy.append(done.stdout.split())
    assert heavy == [["sklearn"], []]
