"""Result files that are written atomically."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def write_json(path: str | Path, result: Mapping[str, Any]) -> None:
    """Write ``result`` as JSON; NumPy values become numbers and lists, paths become strings.

    Parameters
    ----------
    path : str or Path
        File in an existing folder.
    result : mapping of str
    """
    with new_file(Path(path)) as part:
        text = json.dumps(result, indent=2, default=_plain)
        part.write_text(f"{text}\n", encoding="utf-8")


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a file next to ``path`` that replaces it if the block ends without an error."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o666 & ~umask())  # mkstemp creates files that only their owner can access
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def umask() -> int:
    """Return the umask of the process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_json(path: str | Path) -> dict[str, Any] | None:
    """Return the content of a file of `write_json`; None if it is missing or damaged."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
