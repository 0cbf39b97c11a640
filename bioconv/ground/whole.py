"""Write a file or folder whole or not at all.

The modules of exported programs use this one too, so that it requires only the standard library.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def whole(
    path: Path, *, folder: bool = False, before: Callable[[], None] | None = None
) -> Iterator[Path]:
    """Yield a temporary file or folder next to ``path`` that replaces it if the block succeeds.

    The data are on the disk before the name is changed, so that after a crash of the machine there
    is the old file or the new one; of folders, there may be none if it happens between two changes
    of names. Nothing is left of the temporary one after an error; only a process that is killed
    leaves a hidden file called ``.NAME.*.part``.

    Parameters
    ----------
    path : Path
        In an existing folder.
    folder : bool
        Whether a folder is yielded instead of an empty file.
    before : function, optional
        Called when the data are on the disk, just before the name is changed.

    Raises
    ------
    OSError
        If the disk is full, or if ``path`` cannot be written.
    """
    path = path.absolute()
    prefix = f".{path.name}."
    if folder:
        scratch = Path(tempfile.mkdtemp(".part", prefix, path.parent))
    else:
        handle, name = tempfile.mkstemp(".part", prefix, path.parent)
        os.close(handle)
        scratch = Path(name)
    try:
        yield scratch
        # Temporary files and folders are accessible only to their owner.
        scratch.chmod((0o777 if folder else 0o666) & ~_umask())
        for written in [*scratch.rglob("*"), scratch] if folder else [scratch]:
            _synchronize(written)
        if before is not None:
            before()
        scratch.replace(path)
        _synchronize(path.parent)
    finally:
        if folder:
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            scratch.unlink(missing_ok=True)


def _synchronize(path: Path) -> None:
    """Wait until a file or the entries of a folder are on the disk."""
    if path.is_dir() and os.name != "posix":
        return  # Windows has no handles of folders
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot synchronize folders; a full disk is reported for files.
        if not path.is_dir():
            raise error
    finally:
        os.close(handle)


def _umask() -> int:
    """Return the umask of the process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
