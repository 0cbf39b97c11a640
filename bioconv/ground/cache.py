"""Disk cache of small arrays and records that take long to compute, addressed by content.

The location of an entry is the digest of everything that it depends on, so that an entry is never
out of date.  Entries that are damaged or cannot be written are recomputed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.archives import read_arrays
from bioconv.ground.digests import digest_of
from bioconv.ground.errors import DataError
from bioconv.ground.files import new_file, plain_json, write_json
from bioconv.ground.places import check_private, default_cache, private_folder

Arrays = dict[str, NDArray[np.float64]]
Record = dict[str, Any]


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


def remembered_record(
    kind: str, key: Mapping[str, Any], compute: Callable[[], Mapping[str, Any]]
) -> Record:
    """Return a record of texts, numbers and lists from the cache, or compute and store it.

    Records may say what is compiled.  Hence they are kept only where nobody else can write.

    Parameters
    ----------
    kind : str
        Name of a subfolder.
    key : mapping of str to object
        Everything that the record depends on; see `digest_of` for the values.
    compute : function that returns a mapping of str

    Returns
    -------
    dict of str
        As JSON gives it back: with lists in place of tuples.
    """
    try:
        path = private_folder(default_cache() / kind) / f"{digest_of(key)}.json"
        if path.is_file():
            check_private(path)
    except OSError:
        return plain_json(compute())
    with suppress(OSError, ValueError):  # missing, or damaged
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and found.get("digest") == digest_of(found.get("record")):
            return cast(Record, found["record"])
    record = plain_json(compute())
    with suppress(OSError):
        write_json(path, {"record": record, "digest": digest_of(record)})
    return record


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
