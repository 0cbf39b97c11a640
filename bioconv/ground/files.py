"""Files and folders that are written atomically."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioconv.ground.errors import BioconvError
from bioconv.ground.folders import check_free, making_way, write_list


def write_json(path: str | Path, result: Mapping[str, Any]) -> None:
    """Write ``result`` as JSON; NumPy values become numbers and lists, paths become strings.

    Parameters
    ----------
    path : str or Path
        File in an existing folder.
    result : mapping of str
    """
    with new_file(Path(path)) as part:
        text = json.dumps(result, indent=2, default=_plain)
        part.write_text(f"{text}\n", encoding="utf-8")


def plain_json(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is read from a file that `write_json` wrote."""
    found: dict[str, Any] = json.loads(json.dumps(result, default=_plain))
    return found


@contextlib.contextmanager
def new_file(path: Path, error: type[BioconvError] | None = None) -> Iterator[Path]:
    """Yield a file next to ``path`` that replaces it if the block ends without an error.

    Parameters
    ----------
    path : Path
        An existing file is replaced when the new file is complete.
    error : class of exception, optional
        Exception that is raised instead of an `OSError`.

    Raises
    ------
    error, or OSError
        If the parent of ``path`` is missing, or if ``path`` is a folder or cannot be written.
    """
    path = path.absolute()
    if error is not None:
        _check_parent(path, error)
        if path.is_dir():
            raise error(f"{path} is a folder. Give the name of a file.")
    with _plainly(path, error), _whole(path, folder=False) as part:
        yield part


@contextlib.contextmanager
def new_folder(path: Path, error: type[BioconvError], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a folder next to ``path`` that becomes ``path`` if the block ends without an error.

    Parameters
    ----------
    path : Path
        A folder that bioconv wrote is replaced when the new one is complete.
    error : class of exception
    overwrite : bool
        Whether anything else is replaced as well.

    Raises
    ------
    error
        If the parent of ``path`` is missing, or if ``path`` is not free (see `check_free`).
    """
    path = path.absolute()
    _check_parent(path, error)
    check_free(path, error, overwrite=overwrite)
    with making_way(path) as make_way, _whole(path, folder=True) as scratch:
        yield scratch
        write_list(scratch)
        make_way()


def _check_parent(path: Path, error: type[BioconvError]) -> None:
    if not path.parent.is_dir():
        raise error(f"{path}: the folder {str(path.parent)!r} does not exist.")


@contextlib.contextmanager
def _plainly(path: Path, error: type[BioconvError] | None) -> Iterator[None]:
    """Raise ``error`` instead of an error of the operating system."""
    try:
        yield
    except OSError as failure:
        if error is None or isinstance(failure, BioconvError):
            raise
        raise error(f"{path} cannot be written: {failure}") from failure


@contextlib.contextmanager
def _whole(path: Path, *, folder: bool) -> Iterator[Path]:
    """Yield a temporary file or folder next to ``path``, which never remains afterwards."""
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
        scratch.replace(path)
    finally:
        if folder:
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            scratch.unlink(missing_ok=True)


def _umask() -> int:
    """Return the umask of the process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
