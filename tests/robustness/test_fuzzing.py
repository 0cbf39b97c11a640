"""Damaged files are refused, or read as what they are: 2,400 in the slow run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fuzzing import Process, fuzz
from later import later
from small_graphs import mlp
from some_variants import some

import bioconv as bc

keras = later("keras")
L = later("keras.layers")

#: damaged copies of each file in the default and in the slow run
FEW, MANY = 8, 300
FILES = ("cnn.h5", "cnn.keras", "rnn.h5", "rnn.keras", "network", "recording", "nir", "npz")


def convolutional() -> object:
    layers = [keras.Input((6, 6, 2)), L.Conv2D(3, 3, padding="same"), L.BatchNormalization()]
    layers += [L.ReLU(max_value=6.0), L.MaxPooling2D(), L.Flatten(), L.Dense(4, "softmax")]
    return keras.Sequential(layers)


def recurrent() -> object:
    x = keras.Input((5, 3))
    y = L.LSTM(4)(x)
    return keras.Model(x, L.Dense(2)(L.Add()([y, L.GlobalAveragePooling1D()(L.Dense(4)(x))])))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """A small sound file of each sort, with its reader."""
    folder = tmp_path_factory.mktemp("originals")
    found = {}
    keras.utils.set_random_seed(1)
    for name, model in (("cnn", convolutional()), ("rnn", recurrent())):
        for suffix in ("h5", "keras"):
            path = folder / f"{name}.{suffix}"
            model.save(path)  # type: ignore[attr-defined]
            found[path.name] = ("model", path)
    rng = np.random.default_rng(2)
    network = bc.convert(mlp(rng), calibration=rng.random((9, 6)), code=bc.codes.RateCode())
    network.save(folder / "net.h5")
    recording = bc.simulate(network, rng.random((2, 6)), steps=20, progress=False)
    recording.save(folder / "recording.h5")
    bc.emit(network, folder / "net.nir", target="nir")
    np.savez_compressed(folder / "data.npz", x=rng.random((9, 4)), y=np.arange(9))
    files = ("net.h5", "recording.h5", "net.nir", "data.npz")
    kinds = ("sealed", "sealed", "nir", "npz")
    names = ("network", "recording", "nir", "npz")
    return found | {n: (k, folder / f) for n, k, f in zip(names, kinds, files, strict=True)}


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    """The process that reads."""
    made = Process()
    yield made
    made.close()


def check(process: Process, found: tuple[str, Path], folder: Path, n: int, seed: int) -> None:
    kind, original = found
    count = fuzz(process, kind, original, folder, n, seed)
    print(original.name, dict(count.counts))
    assert not count.bad, "\n".join([str(dict(count.counts)), *count.bad])


@pytest.mark.parametrize("name", some(FILES, every=2))
def test_a_few_damaged_files(name, originals, process: Process, tmp_path: Path) -> None:
    check(process, originals[name], tmp_path, FEW, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_many_damaged_files(name, originals, process: Process, tmp_path: Path) -> None:
    check(process, originals[name], tmp_path, MANY, seed=2)


def test_a_damaged_checksum_is_noticed(originals, process: Process, tmp_path: Path) -> None:
    for name in ("network", "recording"):
        count = fuzz(process, "network", originals[name][1], tmp_path, FEW, seed=3)
        assert set(count.counts) <= {"refused", "same"}
