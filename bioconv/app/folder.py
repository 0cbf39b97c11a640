"""The folder that the page may read: nothing outside of it is opened."""

from __future__ import annotations

from pathlib import Path

from bioconv.ground.errors import ParameterError

#: endings of files that can be loaded
MODELS, DATA = (".keras", ".h5"), (".npz",)
#: most files that are listed, so that a page about a large folder stays usable
_MOST = 200


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
        """Return the names of files with one of these endings, relative to the folder."""
        found = (
            path.relative_to(self.path).as_posix()
            for path in sorted(self.path.rglob("*"))
            if path.suffix in endings and self._inside(path) and path.is_file()
        )
        return [name for name, _ in zip(found, range(_MOST), strict=False)]

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
