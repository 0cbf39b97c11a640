"""Record of a measurement, with its results and a description of the machine."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioconv.ground.files import write_text
from bioconv.ground.machine import machine
from bioconv.reports.networks import versions


def peak_memory_mib() -> float:
    """Return the largest resident memory of this process so far in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fastest(
    function: Callable[[], Any],
    repeats: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return the seconds of the fastest of several calls, which other load affects least."""
    best = float("inf")
    for _ in range(repeats):
        start = clock()
        function()
        best = min(best, clock() - start)
    return best


def write(path: Path, name: str, results: Any) -> None:
    """Append one record to ``path`` (JSON lines), which is written whole or not at all."""
    record = {
        "benchmark": name,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "versions": versions(),
        "peak_memory_mib": round(peak_memory_mib(), 1),
        "results": results,
    }
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    write_text(path, f"{before}{json.dumps(record)}\n")
