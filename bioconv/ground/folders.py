"""Which folders may be replaced: those in which all files are listed as written by bioconv."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bioconv.ground.errors import BioconvError

#: file in a folder with the names of all files that bioconv wrote there
_LIST = ".bioconv-files"
#: folders that Python adds to those with programs
_ADDED = "__pycache__"


def write_list(folder: Path) -> None:
    """List all files of a folder, so that it may be replaced as long as there are no others."""
    (folder / _LIST).write_text("\n".join([*_files(folder), ""]), encoding="utf-8")


def check_free(path: Path, error: type[BioconvError], *, overwrite: bool = False) -> None:
    """Raise an error if something would be lost that bioconv did not write.

    Parameters
    ----------
    path : Path
        Place of a new folder.
    error : class of exception
    overwrite : bool
        Whether anything may be replaced.  Nevertheless the working folder, the user's home and the
        folders above them may not.

    Raises
    ------
    error
    """
    path = path.absolute()
    if not path.exists():
        return
    for place in (Path.cwd(), Path.home()):
        if overwrite and path.resolve() in (place.resolve(), *place.resolve().parents):
            raise error(f"{path} contains the folder {place}. Give another folder.")
    if overwrite:
        return
    strange = [path.name] if not path.is_dir() else _strange(path)
    if strange:
        raise error(
            f"{path} exists already, and bioconv did not write {', '.join(strange[:3])}"
            f"{' and others' if len(strange) > 3 else ''}. Choose another folder, or replace it "
            "with overwrite=True (--force on the command line)."
        )


@contextlib.contextmanager
def making_way(path: Path) -> Iterator[Callable[[], None]]:
    """Yield a function that moves what is at ``path`` out of the way; see `check_free` before.

    It is removed if the block ends without an error, otherwise it is brought back.
    """
    with tempfile.TemporaryDirectory(
        dir=path.parent, prefix=f".{path.name}.", suffix=".part", ignore_cleanup_errors=True
    ) as scratch:
        aside = Path(scratch) / path.name

        def make_way() -> None:
            if path.exists():
                shutil.move(path, aside)

        try:
            yield make_way
        except BaseException:
            if aside.exists() and not path.exists():
                shutil.move(aside, path)
            raise


def _strange(folder: Path) -> list[str]:
    """Return the files of a folder that are not listed."""
    try:
        listed = set((folder / _LIST).read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError):
        listed = set()
    return [name for name in _files(folder) if name not in listed]


def _files(folder: Path) -> list[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    kept = (path for path in found if _ADDED not in path.parts and path != Path(_LIST))
    return sorted(path.as_posix() for path in kept)
