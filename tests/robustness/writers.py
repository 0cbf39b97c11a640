"""Disturb processes while they write files; run by `test_faults` with `slow_files.c` loaded.

``python writers.py FAULT FOLDER KIND N SEED`` prints one line of JSON.  FAULT is ``killed``, at
random moments, or ``full``, a disk that is full after random numbers of bytes.  Each attempt is a
fork of this process, which has imported everything already.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PLACES = Path(__file__).parents[1], Path(__file__).parents[1] / "studies"
sys.path[:0] = map(str, PLACES)

from matplotlib.figure import Figure  # noqa: E402
from sample_networks import images, recording_of, spiking_network  # noqa: E402

from bioconv.encoders import SpikeRaster, save_raster  # noqa: E402
from bioconv.ground.cache import remembered  # noqa: E402
from bioconv.ground.errors import BioconvError, BioconvWarning  # noqa: E402
from bioconv.ground.files import write_json  # noqa: E402
from bioconv.ground.options import Interval  # noqa: E402
from bioconv.plots.style import save  # noqa: E402
from bioconv.reports.html import report  # noqa: E402
from bioconv.studies.runs import Job, run_all  # noqa: E402
from bioconv.targets import emit  # noqa: E402
from bioconv.training.checkpoints import Checkpoint  # noqa: E402

NETWORK = spiking_network()
RECORDING = recording_of(NETWORK, images(20))


def work(n: int) -> dict[str, Any]:
    return {"accuracy": n / 10, "text": "x" * 2000}


def study(folder: Path) -> None:
    jobs = {n: Job(folder / f"run{n}.json", (n,)) for n in range(6)}
    schema = {"accuracy": Interval(0, 1)}
    found = dict(run_all(work, jobs, schema, verb="study", workers=1, progress=False))
    if {n: {key: record[key] for key in work(n)} for n, record in found.items()} != {
        n: work(n) for n in jobs
    }:
        raise AssertionError(found)


def cache(folder: Path) -> None:
    os.environ["BIOCONV_CACHE"] = str(folder)
    for n in range(4):
        arrays = remembered("kind", {"n": n}, ("a",), lambda n=n: {"a": np.full(500, float(n))})
        if not np.array_equal(arrays["a"], np.full(500, float(n))):
            raise AssertionError(arrays)


def program(folder: Path) -> None:
    if not (folder / "program").exists():
        emit(NETWORK, folder / "program", "brian2")


def checkpoint(folder: Path) -> None:
    file = Checkpoint(folder / "run.checkpoint", "run")
    for _ in range(3):
        file.write({"w": np.arange(500.0)}, {"epoch": 1})


def picture(folder: Path) -> None:
    figure = Figure()
    figure.subplots().plot(np.arange(50) ** 2)
    save(figure, folder / "figure.png")


def raster(folder: Path) -> None:
    times = np.linspace(0, 9, 3000)
    save_raster(folder / "raster.npz", SpikeRaster(np.arange(3000) % 7, times, (7,), 10.0))


KINDS: dict[str, Callable[[Path], None]] = {
    "network": lambda folder: NETWORK.save(folder / "net.h5"),
    "recording": lambda folder: RECORDING.save(folder / "rec.h5"),
    "table": lambda folder: write_json(folder / "table.json", {"values": list(range(1000))}),
    "program": program,
    "study": study,
    "cache": cache,
    "checkpoint": checkpoint,
    "picture": picture,
    "raster": raster,
    "report": lambda folder: report(NETWORK, folder / "report.html"),
}
#: exit code of a process that was told what was wrong
TOLD = 3


def contents(folder: Path) -> dict[str, bytes]:
    """All files that are not temporary."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.endswith(".part") for p in path.relative_to(folder).parts)
    }


def everything(folder: Path) -> dict[str, bytes]:
    """All files."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def forked(write: Callable[[Path], object], folder: Path, room: int = -1) -> int:
    """Write in another process and return its number; ``room`` bytes fit on the disk."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            warnings.simplefilter("error", BioconvWarning)
            if room >= 0:
                ctypes.CDLL(None).set_room(ctypes.c_long(room))
            write(folder)
            code = 0
        except (BioconvError, BioconvWarning, OSError):
            code = TOLD
            if room < 0:
                traceback.print_exc()
        except Exception:
            traceback.print_exc()
        finally:
            gc.collect()  # what libraries do when their objects end belongs to the test
            os._exit(code)
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def whole(found: dict[str, bytes], expected: dict[str, bytes]) -> bool:
    """Whether all files are what an undisturbed run writes."""
    return all(expected.get(name) == content for name, content in found.items())


def repeated(write: Callable[[Path], object], folder: Path, expected: dict[str, bytes]) -> bool:
    """Whether the next run completes what a disturbed one left."""
    return ended(forked(write, folder)) == 0 and contents(folder) == expected


class Fault:
    """A way in which a run is disturbed; counts how often it was, and what was wrong then."""

    def __init__(self, kind: str, place: Path, seed: int) -> None:
        self.write, self.place = KINDS[kind], place
        self.random = np.random.default_rng(seed)
        (place / "undisturbed").mkdir()
        began = time.monotonic()
        if ended(forked(self.write, place / "undisturbed")):
            raise SystemExit("the undisturbed run failed")
        self.seconds = time.monotonic() - began
        self.expected = contents(place / "undisturbed")
        self.disturbed, self.wrong = 0, list[str]()

    def attempt(self, number: int) -> None:
        """Disturb one run."""
        raise NotImplementedError

    def note(self, number: int, what: str, wrong: bool) -> None:
        """Keep what was wrong in an attempt."""
        if wrong:
            self.wrong.append(f"attempt {number}: {what}")


class Killed(Fault):
    """Killed at random moments."""

    def attempt(self, number: int) -> None:
        folder = self.place / f"attempt{number}"
        folder.mkdir()
        pid = forked(self.write, folder)
        time.sleep(self.random.uniform(0, self.seconds))
        os.kill(pid, signal.SIGKILL)
        self.disturbed += ended(pid) == -signal.SIGKILL
        self.note(number, "half a file", not whole(contents(folder), self.expected))
        self.note(number, "not completed", not repeated(self.write, folder, self.expected))


class Full(Fault):
    """A disk that is full after a random number of bytes."""

    def attempt(self, number: int) -> None:
        folder = self.place / f"attempt{number}"
        folder.mkdir()
        size = sum(map(len, self.expected.values()))
        code = ended(forked(self.write, folder, int(self.random.uniform(0, 1.1 * size))))
        self.disturbed += code == TOLD
        self.note(number, f"exit code {code}", code not in (0, TOLD))
        self.note(number, "something is left", not whole(everything(folder), self.expected))
        self.note(number, "not completed", not repeated(self.write, folder, self.expected))


FAULTS = {"killed": Killed, "full": Full}


def main(fault: str, place: Path, kind: str, n: int, seed: int) -> dict[str, Any]:
    tried = FAULTS[fault](kind, place, seed)
    for number in range(n):
        tried.attempt(number)
    both = place / "both"
    both.mkdir()
    codes = [ended(pid) for pid in [forked(tried.write, both) for _ in range(2)]]
    together = contents(both) == tried.expected
    found = {"disturbed": tried.disturbed, "wrong": tried.wrong}
    return found | {"codes": codes, "together": together}


if __name__ == "__main__":
    fault, place, kind, n, seed = sys.argv[1:]
    print(json.dumps(main(fault, Path(place), kind, int(n), int(seed))))
