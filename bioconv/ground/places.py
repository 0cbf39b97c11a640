"""Where files of this user are kept.  Needs only the standard library: programs carry it along."""

from __future__ import annotations

import os
from pathlib import Path


def default_cache() -> Path:
    """Folder of what takes long to compute or to compile.

    Returns
    -------
    Path
        $BIOCONV_CACHE, or ``bioconv`` in the user's cache folder.
    """
    fallback = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bioconv"
    return Path(os.environ.get("BIOCONV_CACHE") or fallback)
