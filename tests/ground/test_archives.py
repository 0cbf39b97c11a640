"""Archives of arrays: the same as NumPy reads, or one clear error."""

from __future__ import annotations

import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bioconv.ground.archives import array_names, read_arrays
from bioconv.ground.errors import DataError

ARRAYS = {
    "x": np.arange(6.0).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "one": np.array(3, np.uint8),
    "none": np.zeros((0, 4), np.float32),
    "text": np.array(["a", "bc"]),
    "yes": np.array([True, False]),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_those_of_numpy(save, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save(path, **ARRAYS)
    found = read_arrays(path, DataError)
    assert list(found) == array_names(path, DataError) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
    assert list(read_arrays(path, DataError, ["x", "missing"])) == ["x"]
    found["x"][0] = 0  # not a view of the file


def patched(path: Path, offset: int, value: int) -> None:
    """Change two bytes in the local header and the directory entry of the first array."""
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    for place in (offset, start + offset + 2):
        data[place : place + 2] = struct.pack("<H", value)
    path.write_bytes(bytes(data))


def claim(path: Path, shape: str, data: bytes = b"") -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        text = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
        file.writestr("x.npy", text + data)


def damage(case: str, path: Path) -> None:
    np.savez_compressed(path, x=np.random.default_rng(0).normal(size=500))
    match case:
        case "unknown compression":
            patched(path, 8, 77)
        case "encrypted":
            patched(path, 6, 1)
        case "name":
            np.savez(path, x=np.zeros((2, 3)), y=np.zeros(2))
            data = path.read_bytes()
            place = data.rindex(b"y.npy")  # in the directory, not before the data
            path.write_bytes(data[:place] + b"z" + data[place + 1 :])
        case "zlib":
            data = bytearray(path.read_bytes())
            data[200:260] = b"\xff" * 60
            path.write_bytes(bytes(data))
        case "cut":
            path.write_bytes(path.read_bytes()[:500])
        case "empty":
            path.write_bytes(b"")
        case "no archive":
            with path.open("wb") as file:
                np.save(file, np.zeros(3))
        case "objects":
            np.savez(path, x=np.array([{}], object))
        case "huge":
            claim(path, "(1000000000000, 1000000000)")
        case "negative":
            claim(path, "(-3, -3)", bytes(72))
        case "longer":
            claim(path, "(3,)", bytes(72))
        case "bomb":
            claim(path, f"({2**26},)", bytes(2**29))
        case "code":
            claim(path, "__import__('os').getpid()")
        case "no numbers":
            claim(path, "('a',)")


DAMAGE = {
    "unknown compression": "compression method",
    "encrypted": "'x' is encrypted",
    "name": "'z.npy' and header b'y.npy' differ",
    "zlib": "it is damaged",
    "cut": "it is damaged, or not an .npz file",
    "empty": "it is damaged, or not an .npz file",
    "no archive": "it is damaged, or not an .npz file",
    "objects": "contains Python objects, which are never loaded",
    "huge": "claims the shape",
    "negative": "claims the shape",
    "longer": "does not have the size of its shape",
    "bomb": "'x' would unpack from",
    "code": "it is damaged",
    "no numbers": "it is damaged",
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_archives_are_refused(case: str, tmp_path: Path) -> None:
    damage(case, tmp_path / "a.npz")
    with pytest.raises(DataError, match=f"a.npz cannot be read: .*{DAMAGE[case]}.*Save it again"):
        read_arrays(tmp_path / "a.npz", DataError, advice="Save it again.")


def test_missing_archives_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_arrays(tmp_path / "a.npz", DataError)
    with pytest.raises(DataError, match="cannot be read"):
        array_names(tmp_path, DataError)


def test_a_text_of_numbers_that_are_no_characters_is_refused(tmp_path: Path) -> None:
    for order in "<>":
        codes = np.array([65, sys.maxunicode + 1], np.dtype(np.uint32).newbyteorder(order))
        np.savez(tmp_path / "a.npz", x=codes.view(np.dtype("U2").newbyteorder(order)))
        with pytest.raises(DataError, match="'x' contains numbers that stand for no character"):
            read_arrays(tmp_path / "a.npz", DataError)
    text = np.array(["\U0010ffff", ""])
    np.savez(tmp_path / "b.npz", x=text, y=np.zeros(0, "U3"))
    assert np.array_equal(read_arrays(tmp_path / "b.npz", DataError)["x"], text)
