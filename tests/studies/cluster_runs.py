"""Functions that the workers of a cluster run in tests."""

from __future__ import annotations

import os
import signal
import time
import warnings
from pathlib import Path
from typing import Any

from bioconv.ground.errors import DataWarning, ParameterError


def square(value: int, folder: str) -> dict[str, Any]:
    """Return the square of a value, and note that it was computed."""
    Path(folder, f"{value}-{os.getpid()}-{time.time_ns()}").touch()
    if value == 3:
        warnings.warn("three is few", DataWarning, stacklevel=2)
    if value == 4:
        raise ParameterError("four is wrong")
    return {"square": value**2}


def deadly(value: int, folder: str) -> dict[str, Any]:
    """Kill the worker of value 2, as long as the file ``deadly`` is there, once."""
    fatal = Path(folder, "deadly")
    if value == 2 and fatal.exists():
        fatal.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(value, folder)


def slow(value: int, folder: str) -> dict[str, Any]:
    """Take a minute after two quick runs, as long as the file ``slow`` is there."""
    if Path(folder, "slow").exists() and sum("-" in p.name for p in Path(folder).iterdir()) >= 2:
        time.sleep(60.0)
    return square(value, folder)
