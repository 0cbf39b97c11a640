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
    return {
        "cpu": of_processor("model name") or platform.processor(),
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


def of_processor(*names: str) -> str:
    """Return what Linux says of the first processor under one of some names, or an empty text."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith(names)), "").partition(":")[2].strip()
