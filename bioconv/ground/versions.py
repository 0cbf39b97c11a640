"""Versions of installed packages, each of which is looked up once."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def version(name: str) -> str:
    """Return the version of a package, for which its whole description is parsed.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If it is not installed.
    """
    return metadata.version(name)
