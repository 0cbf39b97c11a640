"""Folders from which compiled programs are run: nobody else can write them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bioconv.ground.places import UnsafeFolderError, check_private, private_folder

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files without owners")


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert private_folder(folder) == folder


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(UnsafeFolderError, match=r"can be written by other users.*BIOCONV_CACHE"):
        private_folder(folder)


def test_a_file_that_others_can_write_is_refused(tmp_path: Path) -> None:
    file = private_folder(tmp_path / "cache") / "model.so"
    file.touch()
    file.chmod(0o666)
    with pytest.raises(UnsafeFolderError, match=r"model\.so can be written"):
        check_private(file)


def test_a_folder_above_that_others_can_write_is_refused_unless_it_is_sticky(
    tmp_path: Path,
) -> None:
    above = tmp_path / "above"
    folder = private_folder(above / "cache")
    above.chmod(0o777)
    with pytest.raises(UnsafeFolderError, match="above can be written"):
        private_folder(folder)
    above.chmod(0o1777)
    private_folder(folder)


def test_what_belongs_to_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = private_folder(tmp_path / "cache")
    if os.getuid() == 0:
        os.chown(folder, 12345, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(UnsafeFolderError, match="belongs to another user"):
        private_folder(folder)


def test_a_link_to_such_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(UnsafeFolderError, match="open can be written"):
        private_folder(tmp_path / "link")
