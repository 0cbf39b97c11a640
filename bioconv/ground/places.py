"""Folders for files of the user, with the standard library only, as programs include this file.

Compiled programs are run from the cache, so that nobody else may be able to put one there.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


class UnsafeFolderError(OSError):
    """Another user could place files in a folder from which programs are run."""


def default_cache() -> Path:
    """Return the folder for results that take long to compute or to compile.

    Returns
    -------
    Path
        $BIOCONV_CACHE, or ``bioconv`` in the cache folder of the user.
    """
    fallback = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bioconv"
    return Path(os.environ.get("BIOCONV_CACHE") or fallback)


def private_folder(path: Path) -> Path:
    """Return a folder that only the user can write, which is created if it is missing.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path
        Without symbolic links.

    Raises
    ------
    UnsafeFolderError
        If other users can write the folder or a folder above it.
    """
    path = path.expanduser().resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(path)
    return path


def check_private(path: Path) -> None:
    """Check that no other user but root can write a file or folder, or replace it.

    Systems without owners of files are not checked.

    Raises
    ------
    UnsafeFolderError
        The message names the file or folder and says what to do.
    """
    if not hasattr(os, "getuid"):
        return
    for place in (path, *path.parents):
        found = place.stat()
        why, advice = "", f"Correct it (chmod go-w {place}), or set"
        if found.st_uid not in (0, os.getuid()):
            why, advice = "belongs to another user", "Set"
        elif _is_open(found) and not (place != path and found.st_mode & stat.S_ISVTX):
            # In a folder with the sticky bit, such as /tmp, others cannot replace what is ours.
            why = "can be written by other users"
        if why:
            raise UnsafeFolderError(
                f"{place} {why}, who could replace compiled programs in {path} that would be run. "
                f"{advice} the environment variable BIOCONV_CACHE to a folder of your own."
            )


def _is_open(found: os.stat_result) -> bool:
    """Whether others than the owner can write; a group of the owner alone does not count."""
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and not _is_own_group(found.st_gid)


def _is_own_group(number: int) -> bool:
    """Whether a group is that of this user alone, which many systems make for each user."""
    import grp
    import pwd

    try:
        group, user = grp.getgrgid(number), pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
