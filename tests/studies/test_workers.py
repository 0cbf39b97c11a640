"""Processes of a study: they are replaced where they die, and end with their parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bioconv.ground.errors import BioconvError, BioconvWarning
from bioconv.studies.workers import DeadWorkerError, in_processes

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def double(n: int) -> int:
    return 2 * n


def die_once(folder: str, n: int) -> int:
    """Be killed in the first attempt at the run 1."""
    first = Path(folder) / "first"
    if n == 1 and not first.exists():
        first.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * n


def die(n: int) -> int:
    os._exit(7)


def sleep(folder: str, n: int) -> None:
    (Path(folder) / f"{n}.pid").write_text(str(os.getpid()))
    time.sleep(600)


def test_every_run_has_its_result() -> None:
    jobs = {f"run {n}": (n,) for n in range(5)}
    assert dict(in_processes(double, jobs, 2)) == {f"run {n}": 2 * n for n in range(5)}


@POSIX
def test_a_process_that_is_killed_is_replaced(tmp_path: Path) -> None:
    jobs = {n: (str(tmp_path), n) for n in range(3)}
    with pytest.warns(BioconvWarning, match="killed by signal 9 .* The run is repeated"):
        found = dict(in_processes(die_once, jobs, 2))
    assert found == {0: 0, 1: 2, 2: 4}


def test_a_run_that_ends_every_process_is_an_error() -> None:
    with (
        pytest.warns(BioconvWarning, match="exit code 7"),
        pytest.raises(DeadWorkerError, match="exit code 7 .* so did another"),
    ):
        list(in_processes(die, {0: (0,)}, 1))
    assert issubclass(DeadWorkerError, BioconvError)


@pytest.fixture
def study(tmp_path: Path) -> subprocess.Popen[str]:
    """A process with two workers that are asleep."""
    script = (
        "from test_workers import sleep\n"
        "from bioconv.studies.workers import in_processes\n"
        "if __name__ == '__main__':\n"
        f"    list(in_processes(sleep, {{n: ({str(tmp_path)!r}, n) for n in range(2)}}, 2))\n"
    )
    path = tmp_path / "script.py"
    path.write_text(script)
    places = [str(Path(__file__).parent), *filter(None, sys.path)]
    process = subprocess.Popen(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("*.pid"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.1)  # the names of the files exist before their content
    return process


def alive(folder: Path, seconds: float) -> list[int]:
    """The workers that have not ended after so many seconds."""
    deadline = time.monotonic() + seconds
    left = [int(path.read_text()) for path in folder.glob("*.pid")]
    while left and time.monotonic() < deadline:
        for pid in list(left):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 0)
                continue
            left.remove(pid)
        time.sleep(0.05)
    return left


@POSIX
def test_workers_end_with_a_parent_that_is_killed(
    study: subprocess.Popen[str], tmp_path: Path
) -> None:
    study.kill()
    study.communicate()
    assert alive(tmp_path, 20.0) == []


@POSIX
def test_ctrl_c_ends_all_at_once_and_workers_say_nothing(
    study: subprocess.Popen[str], tmp_path: Path
) -> None:
    began = time.monotonic()
    os.killpg(study.pid, signal.SIGINT)  # as a terminal does
    _, messages = study.communicate(timeout=60)
    assert time.monotonic() - began < 5.0
    assert messages.count("Traceback") == 1  # of the script itself
    assert alive(tmp_path, 1.0) == []
