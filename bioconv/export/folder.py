"""A folder that appears whole or not at all."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from bioconv.ground.errors import ExportError
from bioconv.ground.files import new_file, umask

#: package of the modules that every program carries with it
SUPPORT = "bioconv.export.support"


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder beside ``target`` to write in; it becomes ``target`` if all goes well.

    Raises
    ------
    ExportError
        ``target`` exists and is not an empty folder, or its parent is missing.
    """
    target = _in_folder(target)
    check_free(target)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield scratch
        scratch.chmod(0o777 & ~umask())  # mkdtemp makes folders for their owner alone
        scratch.replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def check_free(target: Path) -> None:
    """Complain about a folder with something in it, which is never overwritten.

    Raises
    ------
    ExportError
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target} exists already. Choose another folder, or remove it first.")


@contextlib.contextmanager
def new_exported_file(target: Path) -> Iterator[Path]:
    """A file beside ``target`` to write in; it becomes ``target`` if all goes well.

    Raises
    ------
    ExportError
        ``target`` exists and is a folder, or its parent is missing.
    """
    target = _in_folder(target)
    if target.is_dir():
        raise ExportError(f"{target} is a folder. Choose the name of a file.")
    with new_file(target) as part:
        yield part


def _in_folder(target: Path) -> Path:
    target = target.absolute()
    if not target.parent.is_dir():
        raise ExportError(f"{target}: the folder {str(target.parent)!r} does not exist.")
    return target


def copy_support(names: tuple[str, ...], folder: Path, package: str = SUPPORT) -> None:
    """Copy modules of a support package into the package ``support`` of a program.

    Parameters
    ----------
    names : tuple of str
        File names.
    folder : Path
        Of the program.
    package : str
        The package that they are in.  Imports from it, and from the package that all programs
        share, become imports within ``support``, as bioconv need not be installed there.
    """
    target = folder / "support"
    target.mkdir(exist_ok=True)
    if package == SUPPORT:
        names = ("__init__.py", *names)
    for name in names:
        text = _read(package, name)
        for origin in {package, SUPPORT}:
            text = text.replace(f"from {origin}.", "from .").replace(f"from {origin} ", "from . ")
        (target / name).write_text(text, encoding="utf-8")


def template(name: str, section: str, package: str = "bioconv.export.templates") -> str:
    """The program text called ``name``, of a package of templates, with ``section`` as tables."""
    text = io.StringIO(_read(package, name))
    lines = text.readlines()
    start, end = lines.index("# <network>\n"), lines.index("# </network>\n")
    return "".join([*lines[: start + 1], section, *lines[end:]])


def _read(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")
