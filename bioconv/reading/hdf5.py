"""Read HDF5 files that may be damaged or hostile in another process, as plain data."""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import NetworkFileError
from bioconv.ground.processes import ending_with_us, output_of
from bioconv.reading.heaps import damage

_WORKER = Path(__file__).with_name("hdf5_worker.py")
#: seconds of the processor in which a small file must be read, and bytes per second of a slow disk
_SECONDS, _SPEED = 120, 5_000_000
#: largest ratio of the time for a file or an array, which other programs may take, and that limit
_PATIENCE = 10
#: signal that ends a process whose time of the processor is over (Linux)
_TOO_LONG = 24
#: total size of all arrays that may be read from any file
_ALWAYS = 2**26
#: largest ratio of the total size of all arrays that are read and the size of the file
_COMPRESSION = 200


class Hdf5File:
    """The groups, strings and arrays of an HDF5 file.

    Only those arrays are read that are asked for, so that others neither take memory nor matter if
    they are damaged, and only if they are not larger than their layer can need.  Use it in a
    ``with`` statement, which ends the process that reads.

    Parameters
    ----------
    path : Path
    label : str
        Name in messages.
    windows : bool
        Whether names contain backslashes, as in early ``.keras`` files from Windows.
    n_bytes : int, optional
        Size of the file that the user gave, if this one was unpacked from it.  The arrays that are
        read may have at most 200 times this size, or 64 MiB if that is more.

    Raises
    ------
    NetworkFileError
        If the file is damaged.  Methods raise it if the requested object is damaged.
    """

    def __init__(
        self, path: Path, label: str, windows: bool = False, n_bytes: int | None = None
    ) -> None:
        self.label = label
        size = path.stat().st_size
        if not size:
            raise self.error("it is empty")
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            reason = damage(data)
        if reason is not None:
            raise self.error(f"it is damaged or truncated ({reason})")
        self._seconds = _SECONDS + size // _SPEED
        self._allowed = max(_ALWAYS, _COMPRESSION * (size if n_bytes is None else n_bytes))
        limits = (str(self._allowed), str(self._seconds))
        self._process = subprocess.Popen(
            ending_with_us([sys.executable, "-I", _WORKER, path.resolve(), *limits]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._end = weakref.finalize(self, _end, self._process)
        try:
            self._describe(self._line(), windows)
        except BaseException:
            self.close()
            raise

    def _describe(self, header: Mapping[str, Any], windows: bool) -> None:
        if "error" in header:
            raise self.error(f"it is damaged or truncated ({header['error']})")
        self._attributes: dict[str, dict[str, Any]] = header["attributes"]
        self._refused: dict[str, str] = header["refused"]
        forward = _forward if windows else str
        self._groups = {forward(key) for key in header["groups"]}
        self._texts = {forward(key): text for key, text in header["texts"].items()}
        #: path -> path in the file, data type, shape
        self._places = {forward(key): (key, *place) for key, place in header["arrays"].items()}
        #: path -> size of an array that has been read
        self._taken: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process that reads; no array can be read afterwards."""
        self._end()

    def _line(self) -> dict[str, Any]:
        """Return the next line of the process."""
        answer = self._timed(output_of(self._process).readline)
        if not answer.endswith(b"\n"):
            raise self.error(_failure(self._process.wait(), self._seconds))
        return json.loads(answer)

    def _timed(self, work: Any) -> bytes:
        """Return what ``work`` reads from the process, which is ended if it takes too long."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        seconds = _PATIENCE * self._seconds
        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            found = work()
        finally:
            timer.cancel()
        if late.is_set():
            raise self.error(f"reading it did not finish within {seconds} s")
        return found

    def error(self, reason: str) -> NetworkFileError:
        """Return an error about this file."""
        advice = "Obtain the file again, or save the model again."
        return NetworkFileError(f"{self.label}: {reason}. {advice}")

    def _check(self, path: str) -> None:
        """Refuse a path to, or inside of, an object that was refused."""
        parts = path.split("/")
        for n in range(1, len(parts) + 1):
            reason = self._refused.get("/".join(parts[:n]))
            if reason is not None:
                raise self.error(f"{path!r} {reason}")

    def has(self, path: str) -> bool:
        """Whether there is a group at ``path``, or below it."""
        return any(group == path or group.startswith(f"{path}/") for group in self._groups)

    def text(self, path: str, name: str) -> str | None:
        """Return an attribute that is a single string, or None if it is absent."""
        value = self._attribute(path, name)
        return value if isinstance(value, str) else None

    def texts(self, path: str, name: str) -> list[str] | None:
        """Return an attribute that is a list of strings, or None if it is absent.

        The list may also be split into Keras's chunks ``name0, name1, ...``.
        """
        value = self._attribute(path, name)
        if value is not None:
            return self._list(path, name, value)
        found: list[str] = []
        place = 0
        while (chunk := self._attribute(path, f"{name}{place}")) is not None:
            found += self._list(path, name, chunk)
            place += 1
        return found if place else None

    def _attribute(self, path: str, name: str) -> Any:
        self._check(path)
        reason = self._refused.get(f"{path}@{name}")
        if reason is not None:
            raise self.error(f"attribute {name!r} {reason}")
        return self._attributes.get(path, {}).get(name)

    def _list(self, path: str, name: str, value: Any) -> list[str]:
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            raise self.error(f"attribute {name!r} of {path!r} is not a list of names")
        return items

    def array(self, path: str) -> StoredArray | None:
        """Return a dataset of numbers, which have not been read yet, or None if it is absent.

        Raises
        ------
        NetworkFileError
            If it contains text, or if it cannot be read.
        """
        path = "/".join(part for part in path.split("/") if part)
        self._check(path)
        if path in self._texts:
            raise self.error(f"{path!r} contains text instead of numbers")
        if path not in self._places:
            return None
        _, dtype, shape = self._places[path]
        return StoredArray(self, path, np.dtype(dtype), tuple(shape))

    def numbers(self, array: StoredArray) -> NDArray:
        """Return the numbers of a dataset; see `StoredArray.read`."""
        n_bytes = array.size * array.dtype.itemsize
        self._take(array.path, n_bytes)
        data = self._request(array.path, self._places[array.path][0], n_bytes)
        return np.frombuffer(data, array.dtype).reshape(array.shape)

    def _take(self, path: str, n_bytes: int) -> None:
        """Count an array that is read, and refuse one that is too large together with the others.

        The zip archive around a file and the file itself can both be compressed, so that a small
        file could fill the memory.
        """
        self._taken[path] = n_bytes
        total = sum(self._taken.values())
        if total > self._allowed:
            raise self.error(
                f"its arrays up to {path!r} would unpack to {total:,} bytes, which is more than "
                f"the {self._allowed:,} that a file of its size may contain"
            )

    def _request(self, path: str, key: str, n_bytes: int) -> bytes:
        process = self._process
        if process.stdin is None or process.stdin.closed:
            raise ValueError(f"{self.label} was closed before {path!r} was read.")
        try:
            process.stdin.write(json.dumps(key).encode("ascii") + b"\n")
            process.stdin.flush()
        except BrokenPipeError:  # it has crashed, which the missing answer says
            pass
        answer = self._line()
        if "error" in answer:
            raise self.error(f"{path!r} is damaged ({answer['error']})")
        data = self._timed(lambda: output_of(process).read(answer["n_bytes"]))
        if len(data) != n_bytes:
            raise self.error(
                f"{path!r} is damaged (it has {len(data):,} bytes, its shape {n_bytes:,})"
            )
        return data

    @cached_property
    def _inside(self) -> dict[str, list[str]]:
        """Sorted names of the members of every group, by its path."""
        inside: dict[str, list[str]] = {}
        for path in sorted({*self._groups, *self._places, *self._texts, *self._refused} - {""}):
            above, _, name = path.rpartition("/")
            inside.setdefault(above, []).append(name)
        return inside

    def children(self, path: str) -> list[str]:
        """Return the sorted names of the groups and datasets in a group, readable or not."""
        return list(self._inside.get(path, []))

    def dataset_text(self, path: str) -> str | None:
        """Return a dataset that is a single string, or None if it is absent."""
        self._check(path)
        value = self._texts.get(path)
        return value if isinstance(value, str) else None

    def dataset_texts(self, path: str) -> list[str] | None:
        """Return a dataset that is an array of strings as a flat list, or None if it is absent."""
        self._check(path)
        value = self._texts.get(path)
        return value if isinstance(value, list) else None


@dataclass(frozen=True, eq=False)
class StoredArray:
    """A dataset of numbers that is read when it is needed.

    Parameters
    ----------
    file : Hdf5File
    path : str
    dtype : numpy.dtype
    shape : tuple of int
    """

    file: Hdf5File
    path: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    def read(self, most: int) -> NDArray:
        """Return the numbers.

        Parameters
        ----------
        most : int
            Largest number of weights that the layer can have.

        Raises
        ------
        NetworkFileError
            If there are more, or if they cannot be read.
        """
        if self.size > most:
            raise self.file.error(
                f"{self.path!r} has {self.size:,} numbers (shape {self.shape}), but its layer has "
                f"no weight of more than {most:,}"
            )
        return self.file.numbers(self)


def _forward(path: str) -> str:
    return path.replace("\\", "/")


def _failure(code: int, seconds: int) -> str:
    """Return why a process has ended without an answer."""
    if code == -_TOO_LONG:
        return f"reading it did not finish within {seconds} s of the processor"
    return f"it is damaged: the HDF5 library failed on it (exit code {code})"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    # Waits for the process and closes its pipes.
    process.communicate()
