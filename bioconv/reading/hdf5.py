"""Read HDF5 files that may be damaged or hostile in another process, as plain data."""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import NetworkFileError
from bioconv.reading.heaps import damage

_WORKER = Path(__file__).with_name("hdf5_worker.py")
#: time limit in seconds for a file, and bytes per second of a slow disk
_SECONDS, _SPEED = 120, 5_000_000


class Hdf5File:
    """The groups, strings and arrays of an HDF5 file.

    Parameters
    ----------
    path : Path
    label : str
        Name in messages.
    windows : bool
        Whether names contain backslashes, as in early ``.keras`` files from Windows.

    Raises
    ------
    NetworkFileError
        If the file is damaged.  Methods raise it if the requested object is damaged.
    """

    def __init__(self, path: Path, label: str, windows: bool = False) -> None:
        self.label = label
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            reason = damage(data)
        if reason is not None:
            raise self.error(f"it is damaged or truncated ({reason})")
        header, self._data = self._read(path)
        if "error" in header:
            raise self.error(f"it is damaged or truncated ({header['error']})")
        self._groups = set(header["groups"])
        self._attributes: dict[str, dict[str, Any]] = header["attributes"]
        self._refused: dict[str, str] = header["refused"]
        self._places: dict[str, tuple[str, list[int], int]] = header["places"]
        self._texts: dict[str, Any] = header["texts"]
        if windows:
            self._groups = {_forward(key) for key in self._groups}
            self._places = {_forward(key): place for key, place in self._places.items()}
            self._texts = {_forward(key): text for key, text in self._texts.items()}

    def _read(self, path: Path) -> tuple[dict[str, Any], memoryview]:
        command = [sys.executable, "-I", str(_WORKER), str(path.resolve())]
        seconds = _SECONDS + path.stat().st_size / _SPEED
        try:
            done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise self.error(f"reading it did not finish within {seconds:.0f} s") from None
        end = done.stdout.find(b"\n")
        if done.returncode != 0 or end < 0:
            raise self.error(
                f"it is damaged: the HDF5 library failed on it (exit code {done.returncode})"
            )
        return json.loads(done.stdout[:end]), memoryview(done.stdout)[end + 1 :]

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

    def array(self, path: str) -> NDArray | None:
        """Return the numbers of a dataset, or None if it is absent.

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
        dtype, shape, start = self._places[path]
        n = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(self._data, dtype, n, start).reshape(shape)

    @cached_property
    def _inside(self) -> dict[str, list[str]]:
        """Sorted names of the members of every group, by its path."""
        inside: dict[str, list[str]] = {}
        for path in sorted({*self._groups, *self._places, *self._texts, *self._refused} - {""}):
            above, _, name = path.rpartition("/")
            inside.setdefault(above, []).append(name)
        return inside

    def children(self, path: str) -> list[str]:
        """Return the sorted names of the groups and datasets in a group, all of them readable."""
        names = self._inside.get(path, [])
        for name in names:
            self._check(f"{path}/{name}")
        return list(names)

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


def _forward(path: str) -> str:
    return path.replace("\\", "/")
