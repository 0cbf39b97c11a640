"""Results as JSON files that appear whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json(path: str | Path, result: Mapping[str, Any]) -> None:
    """Write ``result``; NumPy scalars and arrays become numbers and lists, paths become texts.

    Parameters
    ----------
    path : str or Path
        In a folder that exists.
    result : mapping of str
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2, default=_plain)
            file.write("\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_json(path: str | Path) -> dict[str, Any] | None:
    """What `write_json` wrote; None if there is no such file, or it is damaged."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
