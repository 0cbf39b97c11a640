"""Files and folders that are written atomically."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioconv.ground.errors import BioconvError
from bioconv.ground.folders import check_free, making_way, write_list
from bioconv.ground.whole import whole


def write_json(path: str | Path, result: Mapping[str, Any]) -> None:
    """Write ``result`` as JSON; NumPy values become numbers and lists, paths become strings.

    Parameters
    ----------
    path : str or Path
        File in an existing folder.
    result : mapping of str
    """
    write_text(path, f"{json.dumps(result, indent=2, default=_plain)}\n")


def write_text(path: str | Path, text: str) -> None:
    """Write a text in UTF-8.

    Parameters
    ----------
    path : str or Path
        File in an existing folder.
    text : str
    """
    with new_file(Path(path)) as part:
        part.write_text(text, encoding="utf-8")


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
        If the parent of ``path`` is missing, if ``path`` is a folder or cannot be written, or if
        the disk is full.
    """
    path = path.absolute()
    if error is not None:
        _check_parent(path, error)
        if path.is_dir():
            raise error(f"{path} is a folder. Give the name of a file.")
    with _plainly(path, error), whole(path) as part:
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
    with (
        _plainly(path, error),
        making_way(path) as make_way,
        whole(path, folder=True, before=make_way) as scratch,
    ):
        yield scratch
        write_list(scratch)


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
        reason = failure.strerror or str(failure)
        raise error(f"{path} cannot be written: {reason}. Nothing was changed.") from failure


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
