"""Nothing outside of the chosen folder is listed or opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioconv.app.folder import DATA, MODELS, Folder
from bioconv.ground.errors import ParameterError


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    inside = tmp_path / "inside"
    (inside / "below").mkdir(parents=True)
    for name in ("a.keras", "below/b.h5", "x.npz", "notes.txt"):
        (inside / name).write_bytes(b"")
    (tmp_path / "secret.keras").write_bytes(b"")
    (inside / "link.keras").symlink_to(tmp_path / "secret.keras")
    return Folder(inside)


def test_files_are_listed_by_their_endings(folder: Folder) -> None:
    assert folder.files(MODELS) == ["a.keras", "below/b.h5"]
    assert folder.files(DATA) == ["x.npz"]
    assert folder.path_of("below/b.h5") == str(folder.path / "below" / "b.h5")


def test_a_large_folder_is_not_looked_through(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.path / ".hidden").mkdir()
    (folder.path / ".hidden" / "c.npz").write_bytes(b"")
    assert folder.files(DATA) == ["x.npz"]
    monkeypatch.setattr("bioconv.app.folder._LOOKED", 3)
    assert folder.files(MODELS) == ["a.keras"]


@pytest.mark.parametrize("name", ["../secret.keras", "link.keras", "/etc/passwd", "below", "no.h5"])
def test_others_are_refused(folder: Folder, name: str) -> None:
    with pytest.raises(ParameterError, match="Only its files can be opened"):
        folder.path_of(name)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="is not a folder"):
        Folder(tmp_path / "nowhere")
