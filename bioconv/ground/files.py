"""Results as files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
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
    with new_file(Path(path)) as part:
        text = json.dumps(result, indent=2, default=_plain)
        part.write_text(f"{text}\n", encoding="utf-8")


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write in; it becomes ``path`` if all goes well."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o666 & ~umask())  # mkstemp makes files for their owner alone
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def umask() -> int:
    """What the user takes away from the rights of new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_json(path: str | Path) -> dict[str, Any] | None:
    """What `write_json` wrote; None if there is no such file, or it is damaged."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
