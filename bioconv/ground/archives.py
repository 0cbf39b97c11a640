"""The reader of ``.npz`` files, which need not be trusted."""

from __future__ import annotations

import sys
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import BioconvError

Arrays = dict[str, NDArray[Any]]

#: Exceptions of NumPy, zipfile and the decompressors for damaged data.  RuntimeError is that of an
#: entry that seems encrypted, NotImplementedError that of an unknown compression.
_DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
#: size up to which an array may be compressed by any ratio, and largest ratio of larger ones
_SMALL, _COMPRESSION = 2**28, 200
_SUFFIX = ".npy"
_PIECE = 2**20
#: flag of an entry that is encrypted
_ENCRYPTED = 1


def read_arrays(
    path: str | Path,
    error: type[BioconvError],
    names: Iterable[str] | None = None,
    *,
    advice: str = "",
) -> Arrays:
    """Read arrays of an ``.npz`` file, never objects that would have to be unpickled.

    Parameters
    ----------
    path : str or Path
    error : class of exception
        Exception for a file that cannot be read.
    names : iterable of str, optional
        Arrays that are read if the file contains them; by default all.  Of others, only the names
        are checked.
    advice : str
        What to do about a damaged file, as a sentence.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    error
        If the file is missing or damaged, or if its arrays take more memory than there is.
    """
    wanted = None if names is None else set(names)
    with _opened(path, error, advice) as archive:
        _check_names(archive)
        entries = {_name(info): info for info in archive.infolist()}
        return {
            name: _array(archive, info)
            for name, info in entries.items()
            if wanted is None or name in wanted
        }


def array_names(path: str | Path, error: type[BioconvError]) -> list[str]:
    """Return the names of the arrays of an ``.npz`` file; errors are those of `read_arrays`."""
    with _opened(path, error, "") as archive:
        return [_name(info) for info in archive.infolist()]


@contextmanager
def _opened(path: str | Path, error: type[BioconvError], advice: str) -> Iterator[zipfile.ZipFile]:
    """Open an archive, and raise ``error`` for everything that goes wrong with it."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
            return
    except MemoryError:
        reason = "its arrays take more memory than is available"
    except FileNotFoundError:
        reason = "there is no such file"
    except (PermissionError, IsADirectoryError, NotADirectoryError) as failure:
        reason = str(failure.strerror)
    except zipfile.BadZipFile as failure:
        reason = f"it is damaged, or not an .npz file ({failure})"
    except _DAMAGE as failure:
        line = (str(failure).splitlines() or [type(failure).__name__])[0]
        reason = f"it is damaged ({line:.200})"
    raise error(f"{path} cannot be read: {reason}. {advice}".rstrip())


def _check_names(archive: zipfile.ZipFile) -> None:
    """Refuse damaged names, because an array that is not found may be optional."""
    for info in archive.infolist():
        if not info.filename.endswith(_SUFFIX):
            raise ValueError(f"it contains {info.filename!r}, which is not an array")
        if info.flag_bits & _ENCRYPTED:
            raise ValueError(f"{_name(info)!r} is encrypted, or a bit of the file has changed")
        with archive.open(info):  # compares the name with that before the data
            pass


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(_SUFFIX)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """Return one array, whose size must be that of its entry."""
    name, size = repr(_name(info)), info.file_size
    if size > max(_SMALL, _COMPRESSION * info.compress_size):
        raise ValueError(f"{name} would unpack from {info.compress_size:,} to {size:,} bytes")
    with archive.open(info) as member:
        shape, fortran, dtype = _header(member)
        if dtype.hasobject:
            raise ValueError(f"{name} contains Python objects, which are never loaded")
        n_bytes = prod((dtype.itemsize, *shape))
        if min(shape, default=0) < 0 or n_bytes > size:
            raise ValueError(f"{name} claims the shape {shape}, but has {size:,} bytes")
        data = np.empty(n_bytes, np.uint8)
        place = 0
        # Reading beyond the end also makes zipfile compare the checksum.
        while piece := member.read(_PIECE):
            end = place + len(piece)
            if end > n_bytes:
                break
            data[place:end] = np.frombuffer(piece, np.uint8)
            place = end
        if piece or place < n_bytes:
            raise ValueError(f"{name} does not have the size of its shape {shape}")
    if not n_bytes:
        return np.empty(shape, dtype)
    if dtype.kind == "U" and _codes(data, dtype).max() > sys.maxunicode:
        raise ValueError(f"{name} contains numbers that stand for no character")
    return data.view(dtype).reshape(shape, order="F" if fortran else "C")


def _codes(data: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[np.uint32]:
    """Return the code points of a text in UTF-32."""
    return data.view(np.dtype(np.uint32).newbyteorder(dtype.byteorder))


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(member)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(member)
    raise ValueError(f"the version {version} of its format is unknown")
