"""Read an HDF5 file in a separate process, and write what is asked for to standard output.

The HDF5 library crashes or runs forever on some damaged files, which does no harm in a separate
process.  This file is run by path (see `hdf5`) and not imported with the package, because it
requires only h5py.

The first line of the output is JSON that describes the file.  After that, each line of the input
is the path of a dataset (as JSON), and the answer is a line of JSON, ``{"n_bytes": ...}`` followed
by that many bytes, or ``{"error": ...}``.  The process ends with its input, also if the parent is
killed.

Only hard links are followed, data must be in the file itself, and no memory is allocated for data
that the file does not contain.  Objects that violate these rules are listed by their path in
``refused``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

#: attributes in which Keras describes a model (those of long lists are followed by a number)
WANTED = ("model_config", "keras_version", "backend", "layer_names", "weight_names")
#: groups of the root that do not affect what a model computes
SKIPPED = ("optimizer", "_optimizer")
#: size up to which arrays may be stored compressed or not at all (as a fill value)
SMALL = 2**20
#: largest ratio of size and stored bytes of larger arrays
COMPRESSION = 200
#: how h5py stores numbers of the type bfloat16, which NumPy does not have
BFLOAT16 = np.dtype("V2")
ATTRIBUTE = 2**26
#: largest total size of all string datasets of a file
TEXTS = 2**24
#: memory that may be used besides that of the arrays
OVERHEAD = 2**28
OBJECTS = 200_000
DEPTH = 64


class Contents:
    """What a file contains, without its arrays."""

    def __init__(self) -> None:
        self.groups: list[str] = []
        self.attributes: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, str] = {}
        self.arrays: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.texts: dict[str, Any] = {}
        self.n_text_bytes = 0

    def header(self) -> bytes:
        """Return one line of JSON with all contents."""
        parts = ("groups", "attributes", "refused", "arrays", "texts")
        text = json.dumps({part: getattr(self, part) for part in parts})
        return text.encode("ascii") + b"\n"


def read(file: h5py.File) -> Contents:
    """Describe a file, visiting each object once."""
    contents = Contents()
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
                contents.refused[path] = "is a link to another location, which is not followed"
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
            contents.refused[f"{name}@{key}"] = "is too large or not a string"
            continue
        found[key] = _text(item.attrs[key])
    contents.attributes[name] = found


def _text(value: Any) -> Any:
    """Return a string or a list of strings, decoding bytes."""
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
    numeric = item.dtype.kind in "fiub" or item.dtype == BFLOAT16
    if item.shape is None or not numeric or item.dtype.itemsize > 8:
        contents.refused[name] = f"contains {item.dtype} instead of numbers"
        return
    n_bytes = int(item.nbytes)
    reason = _unsound(item, n_bytes)
    if reason is not None:
        contents.refused[name] = reason
        return
    contents.arrays[name] = (item.dtype.str, item.shape)


def _unsound(item: Any, n_bytes: int) -> str | None:
    """Return why a dataset of ``n_bytes`` bytes must not be read, or None if it may be."""
    if item.is_virtual or item.external:
        return "points to another file, which is not followed"
    stored = int(item.id.get_storage_size())
    if n_bytes > max(SMALL, COMPRESSION * stored):
        return f"claims the shape {item.shape}, but has {stored} bytes"
    return None


def _texts(contents: Contents, name: str, item: Any) -> None:
    """Read a dataset that is a single string or an array of strings."""
    n_items = int(np.prod(item.shape, dtype=object))
    reason = _unsound(item, n_items * item.dtype.itemsize)
    if reason is not None:
        contents.refused[name] = reason
        return
    if n_items > OBJECTS:
        contents.refused[name] = "contains too many strings"
        return
    found: list[str] = []
    for start in _pieces(item, n_items):
        for value in np.ravel(np.asarray(item[start], object)).tolist():
            contents.n_text_bytes += len(value)
            found.append(_text(value))
        if contents.n_text_bytes > TEXTS:
            contents.refused[name] = "contains too many strings"
            return
    contents.texts[name] = found if item.shape else found[0]


def _pieces(item: Any, n_items: int) -> Iterator[Any]:
    """Yield selections of a string dataset, none of which can be much longer than `TEXTS`.

    The entries of an array of strings of variable length may all share one long string, which is
    not longer than the file.
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
    """Return the message of an exception in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def send(file: h5py.File, name: str, output: BinaryIO) -> None:
    """Write the numbers of a dataset, or the reason why they cannot be read."""
    try:
        array = np.ascontiguousarray(file[name][()])
    except Exception as error:  # noqa: BLE001 - h5py may raise anything for damaged data
        output.write(json.dumps({"error": first_line(error)}).encode() + b"\n")
    else:
        output.write(json.dumps({"n_bytes": array.nbytes}).encode() + b"\n")
        output.write(array.data.cast("B") if array.size else b"")
    output.flush()


def limit(allowed: int, seconds: int) -> None:
    """Limit memory, because damaged sizes are allocated unchecked, and the time of the processor.

    Other programs can keep a process waiting for minutes, which is no fault of the file.

    Parameters
    ----------
    allowed : int
        Bytes of all arrays that may be read.
    seconds : int
        Of the processor.
    """
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + OVERHEAD + allowed
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(path: str, allowed: int, seconds: int) -> None:
    """Describe the file at ``path``, or say why it cannot be read; then answer requests."""
    output = sys.stdout.buffer
    try:
        limit(allowed, seconds)
        file = h5py.File(path, "r", locking=False)
        header = read(file).header()
    except Exception as error:  # noqa: BLE001 - h5py may raise anything for damaged data
        output.write(json.dumps({"error": first_line(error)}).encode() + b"\n")
        return
    output.write(header)
    output.flush()
    for request in sys.stdin.buffer:
        send(file, json.loads(request), output)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
