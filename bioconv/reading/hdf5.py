"""Reading from HDF5 files that may be damaged or hostile.

Only what is asked for by name is touched, links must be hard, data must lie in the file itself,
and nothing is allocated that the file does not have bytes for.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bioconv.errors import NetworkFileError
from bioconv.reading.config import shown
from bioconv.reading.heaps import damage

#: arrays up to this size may be stored compressed or not at all (fill value)
_SMALL = 2**20
#: larger ones may be at most this many times larger than their stored bytes
_COMPRESSION = 200
#: all arrays of one file together
_TOTAL = 2**33
#: one attribute: the architecture is one, and weights are not
_ATTRIBUTE = 2**26
#: what h5py raises on bytes that are no HDF5
_BROKEN = (OSError, KeyError, ValueError, RuntimeError, TypeError, MemoryError, OverflowError)


class Hdf5File:
    """An HDF5 file opened for careful reading; a context manager.

    Parameters
    ----------
    source : str or BytesIO
        Path or content.
    label : str
        Name in messages.

    Raises
    ------
    NetworkFileError
        If it cannot be opened, and from every method if the file is not as it must be.
    """

    def __init__(self, source: str | BytesIO, label: str) -> None:
        self.label = label
        self._read_bytes = 0
        try:
            reason = _damage(source)
            if reason is not None:
                raise self.error(f"it is damaged ({reason})")
            self._file = h5py.File(source, "r")
        except _BROKEN as error:
            if isinstance(error, NetworkFileError):
                raise
            raise self.error(f"it is damaged or truncated ({_first_line(error)})") from None

    def __enter__(self) -> Hdf5File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def error(self, reason: str) -> NetworkFileError:
        """An error about this file."""
        return NetworkFileError(
            f"{self.label}: {reason}. Get the file anew or save the model again."
        )

    def has(self, path: str) -> bool:
        """Whether ``path`` leads to a group or an array over hard links."""
        return self._item(path) is not None

    def names(self, path: str) -> list[str]:
        """Names in a group; empty if there is none."""
        item = self._item(path)
        try:
            return sorted(item) if isinstance(item, h5py.Group) else []
        except _BROKEN as error:
            raise self.error(f"group {path!r} is damaged ({_first_line(error)})") from None

    def attribute(self, path: str, name: str) -> Any:
        """A string, number or array of strings; None if absent.

        Bytes become text.
        """
        item = self._item(path)
        if item is None:
            return None
        try:
            if name not in item.attrs:
                return None
            handle = item.attrs.get_id(name)
            n_bytes = prod(handle.shape) * handle.dtype.itemsize
            if n_bytes > _ATTRIBUTE or handle.dtype.kind not in "SOUifb":
                raise self.error(f"attribute {name!r} is too large or of an unknown type")
            return _text(item.attrs[name])
        except _BROKEN as error:
            if isinstance(error, NetworkFileError):
                raise
            raise self.error(f"attribute {name!r} is damaged ({_first_line(error)})") from None

    def strings(self, path: str, name: str) -> list[str] | None:
        """A list of strings, also in Keras's chunks ``name0, name1, ...``; None if absent."""
        whole = self.attribute(path, name)
        chunks = [whole] if whole is not None else list(self._chunks(path, name))
        if not chunks:
            return None
        texts = [item for chunk in chunks for item in np.ravel(np.asarray(chunk, object)).tolist()]
        if not all(isinstance(text, str) for text in texts):
            raise self.error(f"attribute {name!r} of {path!r} is not a list of names")
        return texts

    def _chunks(self, path: str, name: str) -> Iterator[Any]:
        place = 0
        while (chunk := self.attribute(path, f"{name}{place}")) is not None:
            yield chunk
            place += 1

    def array(self, path: str) -> NDArray | None:
        """The numbers of a dataset; None if there is none."""
        item = self._item(path)
        if not isinstance(item, h5py.Dataset):
            return None
        try:
            self._check(path, item)
            return np.asarray(item[()])
        except _BROKEN as error:
            if isinstance(error, NetworkFileError):
                raise
            raise self.error(f"array {path!r} is damaged ({_first_line(error)})") from None

    def _check(self, path: str, item: h5py.Dataset) -> None:
        if item.shape is None or item.dtype.kind not in "fiub" or item.dtype.itemsize > 8:
            raise self.error(f"array {path!r} does not hold numbers but {item.dtype}")
        if item.is_virtual or item.external:
            raise self.error(f"array {path!r} points to another file, which is not followed")
        n_bytes, stored = int(item.nbytes), int(item.id.get_storage_size())
        if n_bytes > max(_SMALL, _COMPRESSION * stored):
            raise self.error(
                f"array {path!r} claims the shape {item.shape}, for which the file has only "
                f"{stored} bytes"
            )
        self._read_bytes += n_bytes
        if self._read_bytes > _TOTAL:
            raise self.error(f"its arrays hold more than {_TOTAL >> 30} GiB")

    def _item(self, path: str) -> Any:
        """Follow ``path`` from the root; soft and external links are refused."""
        item: Any = self._file
        try:
            for part in path.split("/"):
                if part in ("", "."):
                    continue
                if not isinstance(item, h5py.Group):
                    return None
                link = item.get(part, getlink=True)
                if link is None:
                    return None
                if not isinstance(link, h5py.HardLink):
                    raise self.error(f"{path!r} is a link to somewhere else, which is not followed")
                item = item[part]
        except _BROKEN as error:
            if isinstance(error, NetworkFileError):
                raise
            raise self.error(f"{shown(path)} is damaged ({_first_line(error)})") from None
        return item


def _damage(source: str | BytesIO) -> str | None:
    if isinstance(source, BytesIO):
        return damage(source.getvalue())
    with (
        Path(source).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return damage(data)


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return np.array([_text(item) for item in value.ravel()], dtype=object)
    return value


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
