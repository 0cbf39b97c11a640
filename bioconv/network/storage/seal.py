"""The envelope of a file: a header with a checksum.

The first 512 bytes are an HDF5 user block, which every HDF5 reader skips.  It contains a magic line
and the SHA-256 of all following bytes, so that a damaged or truncated file is recognized before the
HDF5 library reads it (crafted bytes can crash that library).  The checksum is not a signature: it
detects damage, but does not identify the author of the file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from bioconv.ground.errors import NetworkFileError

USER_BLOCK = 512
_MAGIC = b"bioconv file\n"
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def seal(path: str | Path) -> None:
    """Write the header with the checksum of the data that follow it.

    This is required only after a bioconv file was changed with another program.

    Parameters
    ----------
    path : str or Path
        An HDF5 file with a user block of 512 bytes.
    """
    digest = _digest(Path(path))
    text = _MAGIC + b"HDF5 begins after 512 bytes; sha256 of everything after them:\n" + digest
    with Path(path).open("r+b") as file:
        file.write(text.ljust(USER_BLOCK, b"\n"))


def is_network_file(path: str | Path) -> bool:
    """Whether ``path`` is a file with the header of bioconv, intact or not."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def check_seal(path: Path) -> None:
    """Raise an error unless the file is an undamaged bioconv file.

    Raises
    ------
    NetworkFileError
        If the file is missing, a folder, empty, of another kind, truncated or damaged.
    """
    if not path.exists():
        raise NetworkFileError(f"{path}: there is no such file.")
    if not path.is_file():
        raise NetworkFileError(f"{path} is not a regular file.")
    try:
        with path.open("rb") as file:
            header = file.read(USER_BLOCK)
        digest = _digest(path)
    except OSError as error:
        raise NetworkFileError(f"{path} cannot be read: {error}") from error
    if not header.startswith(_MAGIC):
        raise NetworkFileError(f"{path} {_kind(header)}")
    if digest not in header:
        raise NetworkFileError(
            f"{path} is damaged or was changed after bioconv wrote it: its checksum is wrong. "
            "Copy or convert it again."
        )


def _kind(header: bytes) -> str:
    if not header:
        return "is empty."
    if header.startswith(_HDF5_SIGNATURE):
        return "is an HDF5 file, but not a bioconv file. Convert a Keras model first."
    return "is not a bioconv file."


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(USER_BLOCK)
        return hashlib.file_digest(file, "sha256").hexdigest().encode()
