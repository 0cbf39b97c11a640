"""Disk cache of small arrays that take long to compute, addressed by content.

The location of an entry is the digest of everything that it depends on, so that an entry is never
out of date.  Entries that are damaged or cannot be written are recomputed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.archives import read_arrays
from bioconv.ground.digests import digest_of
from bioconv.ground.errors import DataError
from bioconv.ground.files import new_file
from bioconv.ground.places import default_cache

Arrays = dict[str, NDArray[np.float64]]


def remembered(
    kind: str,
    key: Mapping[str, Any],
    names: tuple[str, ...],
    compute: Callable[[], Mapping[str, NDArray]],
) -> Arrays:
    """Return arrays from the cache, or compute and store them.

    Parameters
    ----------
    kind : str
        Name of a subfolder.
    key : mapping of str to object
        Everything that the arrays depend on; see `digest_of` for the values.
    names : tuple of str
        Names of the arrays.
    compute : function that returns a mapping of str to ndarray

    Returns
    -------
    dict of str to ndarray of float64
    """
    path = default_cache() / kind / f"{digest_of(key)}.npz"
    found = _read(path, names)
    if found is not None:
        return found
    arrays = {name: np.asarray(value, np.float64) for name, value in compute().items()}
    with suppress(OSError):  # a home folder that is not writable
        _write(path, arrays)
    return arrays


def _read(path: Path, names: tuple[str, ...]) -> Arrays | None:
    """Return the arrays of a file; None if it is missing or damaged."""
    try:
        arrays = read_arrays(path, DataError, names)
    except DataError:
        return None
    whole = arrays.keys() == set(names) and all(a.dtype == np.float64 for a in arrays.values())
    return arrays if whole else None


def _write(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
