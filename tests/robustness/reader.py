"""A process that reads damaged files, one after the other, and says what came of it.

Each line of the input is a kind and a path (JSON); each line of the output is a result (JSON).
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

import bioconv as bc
from bioconv.ground.digests import digest_of
from bioconv.ground.errors import BioconvError, DataError
from bioconv.ground.options import Interval
from bioconv.studies.records import read_record
from bioconv.training.checkpoints import Checkpoint


def model(path: Path) -> list[float]:
    """Outputs of a model for fixed samples."""
    graph = bc.read(path)
    return outputs(graph.predict(samples(graph.inputs[0].shape), dtype="float64"))


def samples(shape: tuple[int, ...]) -> np.ndarray:
    if np.prod(shape) > 2**16:
        raise DataError("a shape of its own")
    return np.random.default_rng(0).random((2, *shape))


def outputs(found: Any) -> list[float]:
    arrays = list(found.values()) if isinstance(found, dict) else [found]
    return [float(value) for array in arrays for value in np.ravel(array)]


def keras_model(path: Path) -> list[float]:
    """Outputs of a model that Keras reads, for the same samples."""
    import keras

    loaded = keras.saving.load_model(path, compile=False)
    shape = tuple(loaded.inputs[0].shape[1:])
    return outputs(np.asarray(loaded(samples(shape).astype(np.float32))))


def saved(path: Path) -> str:
    """Digest of a network or a recording as it would be written again."""
    return stored(bc.load(path))


def stored(value: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.h5"
        value.save(copy)
        return hashlib.sha256(copy.read_bytes()).hexdigest()


def nir_network(path: Path) -> str:
    """Digest of the network of a NIR file."""
    return stored(bc.read_nir(path, dt=1.0, n_steps=10, unit="s", name="net"))


def nir_by_nir(path: Path) -> str:
    """Digest of the network of a NIR file that the package ``nir`` has read and written again."""
    import nir

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.nir"
        nir.write(str(copy), nir.read(path, type_check=False))
        return nir_network(copy)


def arrays(path: Path) -> str:
    """Digest of the samples and labels of an .npz file."""
    x, y = bc.load_data(path)
    return hashlib.sha256(repr([x.shape, x.tobytes(), y]).encode()).hexdigest()


def arrays_by_numpy(path: Path) -> str:
    """Digest of the samples and labels of an .npz file that NumPy has read and written again."""
    with tempfile.TemporaryDirectory() as folder, np.load(path, allow_pickle=False) as found:
        np.savez(Path(folder) / "copy.npz", **{name: found[name] for name in found})
        return arrays(Path(folder) / "copy.npz")


def raster(path: Path) -> str:
    """Digest of the spikes and the decoded signal of a file of an encoder."""
    spikes, encoder = bc.encoders.load(path)
    found = [spikes.unit, spikes.time, spikes.shape, spikes.duration, encoder.decode(spikes)]
    return digest_of(found)


def raster_by_numpy(path: Path) -> str:
    """Digest of a file of an encoder that NumPy has read and written again."""
    with tempfile.TemporaryDirectory() as folder, np.load(path, allow_pickle=False) as found:
        np.savez(Path(folder) / "copy.npz", **{name: found[name] for name in found})
        return raster(Path(folder) / "copy.npz")


def camera(path: Path) -> str:
    """Digest of the events of a camera."""
    spikes = bc.encoders.read_events(path)
    where = np.unravel_index(spikes.unit, spikes.shape)
    microseconds = np.rint(1000 * spikes.time).astype(int)
    return digest_of(sorted(zip(*(part.tolist() for part in (*where, microseconds)), strict=True)))


def camera_by_hand(path: Path) -> str:
    """Digest of the events of an N-MNIST file, each decoded by itself."""
    data, rows, passed = path.read_bytes(), [], 0
    for x, y, high, middle, low in (data[k : k + 5] for k in range(0, len(data) - 4, 5)):
        passed += y == 240
        if y != 240:
            time = 2**13 * passed + ((high & 127) << 16 | middle << 8 | low)
            rows.append((int(not high >> 7), y, x, time))
    return digest_of(sorted(rows))


def record(path: Path) -> str:
    """Digest of the record of a run."""
    found = read_record(path, {"accuracy": Interval(0, 1)})
    if found is None:
        raise DataError("not used")
    return digest_of(found)


def checkpoint(path: Path) -> str:
    """Digest of the state of a training run."""
    found = Checkpoint(path, "run").read({"w": np.zeros((20, 3)), "n": np.zeros(3, np.int32)})
    assert found is not None
    tree, counters = found
    return digest_of([jax.tree.map(np.asarray, tree), counters])


READERS = {
    "model": model,
    "keras_model": keras_model,
    "network": saved,
    "sealed": saved,
    "nir": nir_network,
    "nir_by_nir": nir_by_nir,
    "npz": arrays,
    "npz_by_numpy": arrays_by_numpy,
    "raster": raster,
    "raster_by_numpy": raster_by_numpy,
    "camera": camera,
    "camera_by_hand": camera_by_hand,
    "record": record,
    "checkpoint": checkpoint,
}


def attempt(kind: str, path: Path) -> dict[str, Any]:
    """Read a file and describe the result."""
    try:
        return {"outcome": "read", "result": READERS[kind](path)}
    except BioconvError as error:
        return {"outcome": "refused", "detail": str(error)[:300]}
    except Exception as error:  # noqa: BLE001 - this is what is counted
        return {"outcome": "traceback", "detail": f"{type(error).__name__}: {error}"[:300]}


def peak() -> int:
    """Return the largest memory of this process and of those that it has started, in bytes."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return 1024 * max(resource.getrusage(each).ru_maxrss for each in who)


def main() -> None:
    """Answer until the input ends."""
    warnings.simplefilter("ignore")
    # Whatever libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        kind, path = json.loads(line)
        answer = attempt(kind, Path(path)) | {"peak": peak()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
