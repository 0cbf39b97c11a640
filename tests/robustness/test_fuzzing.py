"""Damaged files are refused, or read as what they are: 3,600 in the slow run."""

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
from bioconv.studies.records import write_record
from bioconv.training.checkpoints import Checkpoint

keras = later("keras")
L = later("keras.layers")

#: damaged copies of each file in the default and in the slow run
FEW, MANY = 8, 300
FILES = (
    *("cnn.h5", "cnn.keras", "rnn.h5", "rnn.keras", "network", "recording", "nir", "npz"),
    *("raster", "camera", "record", "checkpoint"),
)


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
    found |= {
        "network": ("sealed", folder / "net.h5"),
        "recording": ("sealed", folder / "recording.h5"),
        "nir": ("nir", folder / "net.nir"),
        "npz": ("npz", folder / "data.npz"),
    }
    return found | {kind: (kind, path) for kind, path in others(folder, rng).items()}


def others(folder: Path, rng: np.random.Generator) -> dict[str, Path]:
    """Spikes of an encoder, events of a camera, a record of a study, a checkpoint."""
    encoder = bc.encoders.make("phase", {"interval": 10.0, "low": 0.0, "high": 1.0})
    bc.encoders.save_raster(folder / "raster.npz", encoder.encode(rng.random((3, 4))), encoder)
    events = rng.integers(0, 30, (40, 5), np.uint8)
    events[7, 1] = 240  # the clock of the camera overflows
    (folder / "camera.bin").write_bytes(events.tobytes())
    write_record(folder / "key.json", {"accuracy": 0.5, "text": "as it was", "values": [1, 2.5]})
    tree = {"w": rng.random((20, 3)), "n": np.arange(3, dtype=np.int32)}
    Checkpoint(folder / "run.checkpoint", "run").write(tree, {"epoch": 3, "sums": {"loss": 0.5}})
    names = {"raster": "raster.npz", "camera": "camera.bin"}
    names |= {"record": "key.json", "checkpoint": "run.checkpoint"}
    return {kind: folder / name for kind, name in names.items()}


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
