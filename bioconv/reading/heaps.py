"""Detect damaged heaps, which make the HDF5 library run forever.

Strings of variable length are stored in global heap collections (HDF5 file format specification,
III.E).  HDF5 2.0 iterates over their objects, and does not terminate at an object of size 0.
"""

from __future__ import annotations

import mmap
import struct

_SUPERBLOCK = b"\x89HDF\r\n\x1a\n"
#: signature, version 1 and the reserved zeros of a collection
_COLLECTION = b"GCOL\x01\0\0\0"
_HEADER = 16


def damage(data: bytes | mmap.mmap) -> str | None:
    """Return the damage that would make the HDF5 library run forever, or None if there is none.

    Parameters
    ----------
    data : bytes or mmap
        The contents of an HDF5 file.
    """
    start = data.find(_SUPERBLOCK)
    sizes = data[start + 9 : start + 15]
    if start < 0 or len(sizes) < 6:
        return "its superblock is missing"
    widths = sizes[4:6] if data[start + 8] < 2 else sizes[0:2]
    if widths != b"\x08\x08":
        return "its addresses do not have eight bytes"
    place = data.find(_COLLECTION)
    while place >= 0:
        if not _walks_to_its_end(data, place):
            return "one of its heaps is damaged"
        place = data.find(_COLLECTION, place + 1)
    return None


def _walks_to_its_end(data: bytes | mmap.mmap, place: int) -> bool:
    """Whether the objects of the collection at ``place`` fill it exactly."""
    (size,) = struct.unpack("<Q", data[place + 8 : place + _HEADER].ljust(8, b"\0"))
    end = place + size
    if size < _HEADER or end > len(data):
        return False
    place += _HEADER
    while end - place >= _HEADER:  # a shorter remainder is free space without a header
        index, _, _, length = struct.unpack("<HHIQ", data[place : place + _HEADER])
        # Object 0 is the free space, and its length includes the header.
        step = length if index == 0 else _HEADER + (length + 7) // 8 * 8
        if step < _HEADER or place + step > end:
            return False
        place += step
    return True
