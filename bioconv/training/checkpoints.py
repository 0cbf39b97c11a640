"""Checkpoints of training runs: arrays and counters, without pickled objects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.ground.archives import read_arrays
from bioconv.ground.digests import digest_of
from bioconv.ground.errors import DataError, NetworkFileError
from bioconv.ground.files import new_file

#: version of the format, part of every fingerprint
_VERSION = 3


def fingerprint(options: Any, record: Mapping[str, Any], dtype: str, *trees: Any) -> str:
    """Return a digest of everything that a training run depends on.

    Parameters
    ----------
    options : dataclass instance
    record : mapping
        Further settings, as plain values.
    dtype : str
    *trees : trees of ndarray
        Start values and data.
    """
    return digest_of([_VERSION, options, record, dtype, trees])


class Checkpoint:
    """A file with the state of an unfinished training run.

    Parameters
    ----------
    path : Path
    fingerprint : str
        Digest of the run; a file of another run is refused.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint

    def write(self, tree: Any, counters: Mapping[str, Any]) -> None:
        """Replace the file by one with these arrays and counters.

        Raises
        ------
        DataError
            If the folder does not exist or cannot be written.
        """
        arrays = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
        state = json.dumps(dict(counters))
        header = {"fingerprint": self.fingerprint, "counters": state}
        text = json.dumps({**header, "checksum": _checksum(header, arrays)})
        named = {f"array_{k}": array for k, array in enumerate(arrays)}
        with new_file(self.path, DataError) as part, part.open("wb") as file:
            np.savez(file, header=np.frombuffer(text.encode(), np.uint8), **named)  # type: ignore[arg-type]

    def read(self, like: Any) -> tuple[Any, dict[str, Any]] | None:
        """Return the arrays and counters of the file, or None if there is none.

        Parameters
        ----------
        like : tree of arrays
            Structure, shapes and types that the arrays must have.

        Raises
        ------
        DataError
            If the file belongs to a run with other settings, start values or data.
        NetworkFileError
            If the file is damaged.
        """
        if not self.path.exists():
            return None
        leaves, structure = jax.tree.flatten(like)
        try:
            stored = read_arrays(self.path, NetworkFileError)
            header = json.loads(stored["header"].tobytes())
            checksum = header.pop("checksum")
            found = header["fingerprint"]
            arrays = [stored[f"array_{k}"] for k in range(len(stored) - 1)]
            if checksum != _checksum(header, arrays):
                raise ValueError("its checksum does not fit its content")
            counters = json.loads(header["counters"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise NetworkFileError(
                f"{self.path} is not a checkpoint, or is damaged ({error}). Delete it to start "
                "the training from the beginning."
            ) from error
        if found != self.fingerprint:
            raise DataError(
                f"{self.path} is the checkpoint of a training run with other settings, start "
                "values or data. Give another file, or delete it."
            )
        expected = [(leaf.shape, np.dtype(leaf.dtype)) for leaf in leaves]
        if [(a.shape, a.dtype) for a in arrays] != expected:
            raise NetworkFileError(f"{self.path} is damaged: its arrays do not fit. Delete it.")
        return jax.tree.unflatten(structure, [jnp.asarray(a) for a in arrays]), counters


def _checksum(header: Mapping[str, str], arrays: Sequence[NDArray]) -> str:
    return digest_of([header, arrays])
