"""Read an HDF5 file in a process of its own, and write what is in it to standard output.

The HDF5 library crashes or runs forever on some damaged files; here that harms nobody.  This
file is run by path (see `hdf5`), never imported with the package: it needs h5py only.

Output: one line of JSON, then the bytes of all arrays one after the other.  Only hard links are
followed, data must lie in the file itself, and nothing is allocated that the file has no bytes
for; what breaks these rules is listed under its path in ``refused``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

#: attributes in which Keras keeps what a model is (long lists have a number behind)
WANTED = ("model_config", "keras_version", "backend", "layer_names", "weight_names")
#: groups of the root that say nothing about what a model computes
SKIPPED = ("optimizer", "_optimizer")
#: arrays up to this size may be stored compressed or not at all (fill value)
SMALL = 2**20
#: larger ones may be at most this many times larger than their stored bytes
COMPRESSION = 200
#: all arrays of one file together
TOTAL = 2**33
ATTRIBUTE = 2**26
#: bytes of all datasets of texts of one file together
TEXTS = 2**24
OBJECTS = 200_000
DEPTH = 64


class Contents:
    """What has been found so far."""

    def __init__(self) -> None:
        self.groups: list[str] = []
        self.attributes: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, str] = {}
        self.places: dict[str, tuple[str, tuple[int, ...], int]] = {}
        self.texts: dict[str, Any] = {}
        self.arrays: list[np.ndarray] = []
        self.n_bytes = 0
        self.n_text_bytes = 0

    def header(self) -> bytes:
        """One line of JSON that describes everything."""
        parts = ("groups", "attributes", "refused", "places", "texts")
        text = json.dumps({part: getattr(self, part) for part in parts})
        return text.encode("ascii") + b"\n"


def read(path: str) -> Contents:
    """Walk through a file, each object once."""
    contents = Contents()
    with h5py.File(path, "r") as file:
        waiting: list[tuple[str, Any, int]] = [("", file, 0)]
        seen: set[int] = set()
        while waiting:
            name, item, depth = waiting.pop()
            address = h5py.h5o.get_info(item.id).addr
            if address in seen and name:
                continue
            seen.add(address)
            if len(seen) > OBJECTS or depth > DEPTH:
                raise ValueError("it has too many or too deeply nested objects")
            if isinstance(item, h5py.Dataset):
                _guarded(contents, name, lambda c, n, i=item: _array(c, n, i))
                continue
            contents.groups.append(name)
            _guarded(contents, name, lambda c, n, i=item: _attributes(c, n, i))
            waiting += [(*child, depth + 1) for child in _children(contents, name, item)]
    return contents


def _guarded(contents: Contents, name: str, work: Any) -> None:
    try:
        work(contents, name)
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, MemoryError) as error:
        contents.refused[name] = f"is damaged ({first_line(error)})"


def _children(contents: Contents, name: str, group: Any) -> list[tuple[str, Any]]:
    children = []
    try:
        keys = list(group)
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        contents.refused[name] = f"is damaged ({first_line(error)})"
        return []
    for key in keys:
        path = f"{name}/{key}" if name else key
        if not name and key.startswith(SKIPPED):
            continue
        try:
            if isinstance(group.get(key, getlink=True), h5py.HardLink):
                children.append((path, group[key]))
            else:
                contents.refused[path] = "is a link to somewhere else, which is not followed"
        except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
            contents.refused[path] = f"is damaged ({first_line(error)})"
    return children


def _attributes(contents: Contents, name: str, item: Any) -> None:
    found: dict[str, Any] = {}
    for key in item.attrs:
        if not key.rstrip("0123456789").endswith(WANTED) or len(key) > 40:
            continue
        handle = item.attrs.get_id(key)
        n_bytes = int(np.prod(handle.shape, dtype=object)) * handle.dtype.itemsize
        if n_bytes == 0:  # an empty list of names, which h5py stores as numbers
            found[key] = []
            continue
        if n_bytes > ATTRIBUTE or handle.dtype.kind not in "SOU":
            contents.refused[f"{name}@{key}"] = "is too large or no text"
            continue
        found[key] = _text(item.attrs[key])
    contents.attributes[name] = found


def _text(value: Any) -> Any:
    """Text, or a list of texts; bytes are decoded."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_text(item) for item in value.ravel().tolist()]
    if isinstance(value, str):
        return value
    return None


def _array(contents: Contents, name: str, item: Any) -> None:
    kind = h5py.check_string_dtype(item.dtype)
    if kind is not None and item.shape is not None:
        _texts(contents, name, item)
        return
    if item.shape is None or item.dtype.kind not in "fiub" or item.dtype.itemsize > 8:
        contents.refused[name] = f"does not hold numbers but {item.dtype}"
        return
    n_bytes = int(item.nbytes)
    reason = _unsound(item, n_bytes)
    if reason is not None:
        contents.refused[name] = reason
        return
    contents.n_bytes += n_bytes
    if contents.n_bytes > TOTAL:
        raise ValueError(f"the arrays hold more than {TOTAL >> 30} GiB")
    array = np.ascontiguousarray(item[()])
    contents.places[name] = (array.dtype.str, item.shape, contents.n_bytes - n_bytes)
    contents.arrays.append(array)


def _unsound(item: Any, n_bytes: int) -> str | None:
    """Why a dataset of so many bytes must not be read; None if it may."""
    if item.is_virtual or item.external:
        return "points to another file, which is not followed"
    stored = int(item.id.get_storage_size())
    if n_bytes > max(SMALL, COMPRESSION * stored):
        return f"claims the shape {item.shape}, but has {stored} bytes"
    return None


def _texts(contents: Contents, name: str, item: Any) -> None:
    """A dataset that is one text, or an array of texts."""
    n_items = int(np.prod(item.shape, dtype=object))
    reason = _unsound(item, n_items * item.dtype.itemsize)
    if reason is not None:
        contents.refused[name] = reason
        return
    if n_items > OBJECTS:
        contents.refused[name] = "holds too many texts"
        return
    found: list[str] = []
    for start in _pieces(item, n_items):
        for value in np.ravel(np.asarray(item[start], object)).tolist():
            contents.n_text_bytes += len(value)
            found.append(_text(value))
        if contents.n_text_bytes > TEXTS:
            contents.refused[name] = "holds too many texts"
            return
    contents.texts[name] = found if item.shape else found[0]


def _pieces(item: Any, n_items: int) -> Iterator[Any]:
    """Selections of a dataset of texts, none of which can be much longer than `TEXTS`.

    The places of an array of texts of variable length may all share one long text, which is not
    longer than the file.
    """
    if not item.shape:
        yield ()
    elif n_items:
        kind = h5py.check_string_dtype(item.dtype)
        longest = kind.length or item.file.id.get_filesize()
        step = max(1, TEXTS // longest)
        for row in np.ndindex(*item.shape[:-1]):
            for start in range(0, item.shape[-1], step):
                yield (*row, slice(start, start + step))


def first_line(error: BaseException) -> str:
    """What an exception says, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def main(path: str) -> None:
    """Write the contents of ``path``, or a line that says why it cannot be read."""
    try:
        contents = read(path)
    except Exception as error:  # noqa: BLE001 - whatever h5py makes of broken bytes
        sys.stdout.buffer.write(json.dumps({"error": first_line(error)}).encode() + b"\n")
        return
    sys.stdout.buffer.write(contents.header())
    for array in contents.arrays:
        sys.stdout.buffer.write(array.data.cast("B") if array.size else b"")


if __name__ == "__main__":
    main(sys.argv[1])
