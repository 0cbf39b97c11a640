"""Read many damaged copies of a file, and count what comes of it."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mutations import mutated, mutated_member

from bioconv.network.storage import seal

#: seconds for one file, including the start of the process
PATIENCE = 180
#: bytes that reading a small file may add to the memory of a process
MEMORY = 2**29
#: what must never happen
BAD = ("different", "traceback", "hang", "memory")


class Process:
    """The process `reader.py`, which is started again if it has ended."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.lines: queue.Queue[str] = queue.Queue()

    def ask(self, kind: str, path: Path) -> dict[str, Any]:
        """Return the answer about one file."""
        if self.process is None or self.process.poll() is not None:
            self._start()
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(json.dumps([kind, str(path)]) + "\n")
        self.process.stdin.flush()
        try:
            line = self.lines.get(timeout=PATIENCE)
        except queue.Empty:
            self.close()
            return {"outcome": "hang", "detail": f"{PATIENCE} s", "peak": 0}
        if not line:
            return {"outcome": "traceback", "detail": f"exit code {self.close()}", "peak": 0}
        return json.loads(line)

    def close(self) -> int | None:
        """End the process."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.kill()
        return process.wait()

    def _start(self) -> None:
        script = Path(__file__).with_name("reader.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._follow, args=(self.process, self.lines), daemon=True).start()

    @staticmethod
    def _follow(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")


@dataclass
class Count:
    """How often each outcome came, and the cases that must not be."""

    counts: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    def add(self, outcome: str, case: str) -> None:
        self.counts[outcome] += 1
        if outcome in BAD:
            self.bad.append(f"{outcome}: {case}")


def fuzz(process: Process, kind: str, original: Path, folder: Path, n: int, seed: int) -> Count:
    """Read ``n`` damaged copies of a file.

    Parameters
    ----------
    process : Process
    kind : str
        One of the readers; "sealed" is a network or recording whose checksum is right again
        after the damage.
    original : Path
        A sound file.
    folder : Path
        Where copies are written; those that do harm stay there.
    n, seed : int
    """
    count = Count()
    sound = process.ask(kind, original)
    assert sound["outcome"] == "read", sound
    process.ask(OTHER.get(kind, kind), original)  # everything is imported and compiled once
    before = process.ask(kind, original)["peak"]
    data = original.read_bytes()
    for number in range(n):
        random = np.random.default_rng([seed, number])
        inside = data[:2] == b"PK" and random.random() < 0.5
        changed, damage = (mutated_member if inside else mutated)(data, random)
        if changed == data:
            continue
        path = folder / f"{kind}_{seed}_{number}" / original.name
        path.parent.mkdir()
        path.write_bytes(changed)
        if kind == "sealed":
            seal(path)
        answer = process.ask(kind, path)
        case = f"{path.parent.name} ({damage}): {answer.get('detail', '')}"
        outcome = judged(kind, process, path, answer, sound)
        if answer["peak"] > before + MEMORY:
            outcome = "memory"
            before = answer["peak"]
        count.add(outcome, case)
        if outcome not in BAD:
            shutil.rmtree(path.parent)
    return count


#: reader -> reader of another program for the same files
OTHER = {
    "model": "keras_model",
    "nir": "nir_by_nir",
    "npz": "npz_by_numpy",
    "raster": "raster_by_numpy",
    "camera": "camera_by_hand",
}


def judged(
    kind: str, process: Process, path: Path, answer: dict[str, Any], sound: dict[str, Any]
) -> str:
    """Return the outcome of a case: what other programs read as well is not damaged."""
    if answer["outcome"] != "read":
        return answer["outcome"]
    if equal(answer["result"], sound["result"]):
        return "same"
    if kind == "sealed":
        return "another one"
    if kind not in OTHER:
        return "different"
    other = process.ask(OTHER[kind], path)
    if other["outcome"] != "read":
        return "only bioconv reads it"
    return "as others" if equal(answer["result"], other["result"]) else "different"


def equal(one: Any, other: Any) -> bool:
    """Whether two results are the same up to rounding."""
    if isinstance(one, str):
        return one == other
    if len(one) != len(other):
        return False
    a, b = np.array(one), np.array(other)
    scale = max(float(np.max(np.abs(b), initial=0.0)), 1e-3)
    return bool(np.all(np.abs(a - b) <= 1e-3 * scale) or np.array_equal(a, b, equal_nan=True))
