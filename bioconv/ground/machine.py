"""The machine and the commit on which something was measured, for records."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from bioconv.ground.processes import n_cores


def machine() -> dict[str, Any]:
    """Return a description of the machine.

    Returns
    -------
    dict
        ``cpu``, ``cores``, ``memory_gib``, ``system`` and ``load`` (of the last minute).
    """
    names = (line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name"))
    found = next(names, "").partition(":")[2].strip()
    return {
        "cpu": found or platform.processor(),
        "cores": n_cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "load": os.getloadavg()[0],
    }


def commit_of(folder: Path) -> str:
    """Return the commit of a checkout, with "+" if files differ from it; empty if it is none."""
    commit = _git(folder, "rev-parse", "--short=12", "HEAD")
    return f"{commit}+" if commit and _git(folder, "status", "--porcelain", "-uno") else commit


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
