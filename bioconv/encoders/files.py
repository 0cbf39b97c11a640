"""Event files of cameras: N-MNIST ``.bin`` and Prophesee ``.dat``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioconv.encoders.raster import Shape, SpikeRaster
from bioconv.ground.errors import DataError

#: largest file that is read, in bytes
LARGEST = 2**30
#: pixels of the ATIS camera that recorded N-MNIST, after cropping
_N_MNIST = (34, 34)
#: row of an N-MNIST event that stands for an overflow of the clock, and ticks of an overflow
_OVERFLOW_ROW, _OVERFLOW = 240, 2**13
_MOST_PIXELS = 2**14
_HEADER = 2**16

#: formats that other tools convert
_OTHERS: Mapping[str, str] = MappingProxyType(
    {
        ".aedat4": "read it with iniVation's dv-processing (pip install dv-processing)",
        ".aedat": "read it with tonic or jAER (pip install tonic)",
        ".raw": "convert it with metavision_file_to_dat of Prophesee's Metavision SDK",
    }
)


class _Events(NamedTuple):
    """Events of a file: columns, rows, ON or OFF, times in microseconds; and the pixels."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    on: NDArray[np.bool_]
    t: NDArray[np.int64]
    pixels: Shape | None


def read_events(
    path: str | Path,
    *,
    pixels: Shape | None = None,
    first: float = 0.0,
    duration: float | None = None,
) -> SpikeRaster:
    """Read the events of a camera.

    Parameters
    ----------
    path : str or Path
        ``.bin``: N-MNIST or N-Caltech101 (Orchard et al. 2015), 40 bits an event.  ``.dat``:
        Prophesee, events of changes (CD), 64 bits an event after a header of text.
    pixels : tuple of int, optional
        Rows and columns; by default those of the header, those of N-MNIST, or what the events need.
    first : float
        Time in ms of the first event that is read; times are counted from there.
    duration : float, optional
        ms; by default up to the last event.

    Returns
    -------
    SpikeRaster
        With units of the shape (2, rows, columns), ON first.

    Raises
    ------
    DataError
        If the file is missing, larger than 1 GiB, of another format or damaged.
    """
    path = Path(path)
    if path.suffix in _OTHERS:
        raise DataError(f"{path}: {path.suffix} is not read: {_OTHERS[path.suffix]}.")
    if path.suffix not in _READERS:
        valid = ", ".join(_READERS)
        raise DataError(f"{path}: files of events end with {valid}. Received: {path.suffix!r}.")
    return _raster(path, _READERS[path.suffix](path, _contents(path)), pixels, first, duration)


def _contents(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise DataError(
                f"{path} has {size:,} bytes; at most {LARGEST:,} are read. Cut the recording first."
            )
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _bin(path: Path, data: bytes) -> _Events:
    """Read 40 bits an event: x, y, and 1 bit of polarity before 23 bits of time."""
    if len(data) % 5:
        raise DataError(f"{path} is damaged: {len(data):,} bytes are not whole events of 5 bytes.")
    rows = np.frombuffer(data, np.uint8).reshape(-1, 5).astype(np.int64)
    x, y, high, middle, low = rows.T
    overflow = y == _OVERFLOW_ROW
    t = ((high & 127) << 16) + (middle << 8) + low + _OVERFLOW * np.cumsum(overflow)
    real = ~overflow
    events = _Events(x[real], y[real], (high >> 7 == 1)[real], t[real], None)
    fits = not real.any() or (events.x.max() < _N_MNIST[1] and events.y.max() < _N_MNIST[0])
    return events._replace(pixels=_N_MNIST if fits else None)


def _dat(path: Path, data: bytes) -> _Events:
    """Read 64 bits an event: time, and 14 bits of x, 14 of y, 4 of polarity."""
    start, pixels = _dat_header(data)
    kind, size = data[start : start + 2] if start and len(data) >= start + 2 else (0, 8)
    start += 2 if start else 0
    if kind not in (0, 12) or size != 8:
        raise DataError(
            f"{path}: expected changes of pixels (CD, type 0 or 12, 8 bytes). "
            f"Received: type {kind}, {size} bytes."
        )
    if (len(data) - start) % 8:
        raise DataError(f"{path} is damaged: its events are not whole ones of 8 bytes.")
    rows = np.frombuffer(data, "<u4", offset=start).reshape(-1, 2).astype(np.int64)
    t, word = rows.T
    return _Events(word & 0x3FFF, (word >> 14) & 0x3FFF, word >> 28 > 0, t, pixels)


def _dat_header(data: bytes) -> tuple[int, Shape | None]:
    """Return the length of the lines of text, and the rows and columns that they state."""
    start = 0
    while data[start : start + 1] == b"%" and start < _HEADER:
        end = data.find(b"\n", start, _HEADER)
        if end < 0:
            break
        start = end + 1
    text = data[:start].decode("ascii", "replace")
    found = [
        re.search(rf"^%\s*{name}\s+(\d{{1,5}})\s*$", text, re.MULTILINE | re.IGNORECASE)
        for name in ("height", "width")
    ]
    height, width = (int(match[1]) if match else 0 for match in found)
    return start, (height, width) if height and width else None


def _raster(
    path: Path, events: _Events, pixels: Shape | None, first: float, duration: float | None
) -> SpikeRaster:
    size = pixels or events.pixels
    if size is None:
        size = (int(events.y.max(initial=0)) + 1, int(events.x.max(initial=0)) + 1)
    if len(size) != 2 or not all(1 <= n <= _MOST_PIXELS for n in size):
        raise DataError(f"pixels must be rows and columns, 1 to {_MOST_PIXELS}. Received: {size}.")
    if events.x.max(initial=0) >= size[1] or events.y.max(initial=0) >= size[0]:
        raise DataError(
            f"{path} has events outside of {size[0]} rows and {size[1]} columns: up to row "
            f"{events.y.max()}, column {events.x.max()}. Give the right pixels."
        )
    time = events.t * 1e-3 - first
    kept = time >= 0
    if duration is None:
        duration = float(time.max(initial=0.0)) or 1.0
    kept &= time <= duration
    unit = np.where(events.on, 0, size[0] * size[1]) + events.y * size[1] + events.x
    return SpikeRaster(unit[kept], time[kept], (2, *size), duration)


_READERS: Mapping[str, Callable[[Path, bytes], _Events]] = MappingProxyType(
    {".bin": _bin, ".dat": _dat}
)
