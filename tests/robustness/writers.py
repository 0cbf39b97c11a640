"""Kill processes at random moments while they write files; run by `test_faults`.

``python writers.py FOLDER KIND N SEED`` prints one line of JSON.  Each attempt is a fork of this
process, which has imported everything already.
"""

from __future__ import annotations

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

from sample_networks import images, recording_of, spiking_network  # noqa: E402

from bioconv.ground.cache import remembered  # noqa: E402
from bioconv.ground.errors import BioconvWarning  # noqa: E402
from bioconv.ground.files import write_json  # noqa: E402
from bioconv.ground.options import Interval  # noqa: E402
from bioconv.studies.runs import Job, run_all  # noqa: E402
from bioconv.targets import emit  # noqa: E402

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


KINDS: dict[str, Callable[[Path], None]] = {
    "network": lambda folder: NETWORK.save(folder / "net.h5"),
    "recording": lambda folder: RECORDING.save(folder / "rec.h5"),
    "table": lambda folder: write_json(folder / "table.json", {"values": list(range(1000))}),
    "program": program,
    "study": study,
    "cache": cache,
}


def contents(folder: Path) -> dict[str, bytes]:
    """All files that are not temporary."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.endswith(".part") for p in path.relative_to(folder).parts)
    }


def forked(write: Callable[[Path], None], folder: Path) -> int:
    """Write in another process and return its number."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            warnings.simplefilter("error", BioconvWarning)
            write(folder)
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(place: Path, kind: str, n: int, seed: int) -> dict[str, Any]:
    write, generator = KINDS[kind], np.random.default_rng(seed)
    (place / "undisturbed").mkdir()
    began = time.monotonic()
    if ended(forked(write, place / "undisturbed")):
        raise SystemExit("the undisturbed run failed")
    seconds = time.monotonic() - began
    expected = contents(place / "undisturbed")
    killed = wrong = 0
    for attempt in range(n):
        folder = place / f"attempt{attempt}"
        folder.mkdir()
        pid = forked(write, folder)
        time.sleep(generator.uniform(0, seconds))
        os.kill(pid, signal.SIGKILL)
        killed += ended(pid) == -signal.SIGKILL
        found = contents(folder)
        # Whatever exists is whole, and the next run completes it.
        wrong += any(expected.get(name) != content for name, content in found.items())
        wrong += ended(forked(write, folder)) != 0 or contents(folder) != expected
    both = place / "both"
    both.mkdir()
    codes = [ended(pid) for pid in [forked(write, both) for _ in range(2)]]
    together = contents(both) == expected
    return {"killed": killed, "wrong": wrong, "codes": codes, "together": together}


if __name__ == "__main__":
    place, kind, n, seed = sys.argv[1:]
    print(json.dumps(main(Path(place), kind, int(n), int(seed))))
