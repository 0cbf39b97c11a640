"""Folders for files of the user, with the standard library only, as programs include this file."""

from __future__ import annotations

import os
from pathlib import Path


def default_cache() -> Path:
    """Return the folder for results that take long to compute or to compile.

    Returns
    -------
    Path
        $BIOCONV_CACHE, or ``bioconv`` in the cache folder of the user.
    """
    fallback = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bioconv"
    return Path(os.environ.get("BIOCONV_CACHE") or fallback)
