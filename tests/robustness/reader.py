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

import numpy as np

import bioconv as bc
from bioconv.ground.errors import BioconvError, DataError


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


READERS = {
    "model": model,
    "keras_model": keras_model,
    "network": saved,
    "sealed": saved,
    "nir": nir_network,
    "nir_by_nir": nir_by_nir,
    "npz": arrays,
    "npz_by_numpy": arrays_by_numpy,
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
