"""The folder that the page may read: nothing outside of it is opened."""

from __future__ import annotations

import os
from pathlib import Path

from bioconv.ground.errors import ParameterError

#: endings of files that can be loaded
MODELS, DATA = (".keras", ".h5"), (".npz",)
#: most files that are listed, so that a page about a large folder stays usable
_MOST = 200
#: most files that are looked at, so that it opens at once
_LOOKED = 50_000


class Folder:
    """Files in a folder and in those below it.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    ParameterError
        If there is no such folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path).expanduser().resolve()
        if not self.path.is_dir():
            raise ParameterError(f"{str(path)!r} is not a folder. Give one that exists.")

    def files(self, endings: tuple[str, ...]) -> list[str]:
        """Return the names of files with one of these endings, relative to the folder.

        Hidden folders are left out, and so are files beyond the first 200, or beyond the folder in
        which the 50,000th file of any kind is found.
        """
        found: list[str] = []
        looked = 0
        for place, folders, names in os.walk(self.path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            paths = (Path(place, name) for name in sorted(names) if name.endswith(endings))
            found += [
                path.relative_to(self.path).as_posix()
                for path in paths
                if self._inside(path) and path.is_file()
            ]
            looked += len(names)
            if len(found) >= _MOST or looked > _LOOKED:
                break
        return sorted(found[:_MOST])

    def path_of(self, name: str) -> str:
        """Return the path of a file by its name in `files`.

        Raises
        ------
        ParameterError
            If it lies outside of the folder, also by a symbolic link, or does not exist.
        """
        path = self.path / name
        if not self._inside(path) or not path.is_file():
            raise ParameterError(
                f"there is no file {name!r} in {self.path}. Only its files can be opened."
            )
        return str(path.resolve())

    def _inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.path)
