"""Processes that bioconv starts end with it, also if it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bioconv.ground.processes import ending_with_us

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems only for pools")

COMMAND = """
import subprocess, sys
from bioconv.ground.processes import ending_with_us
child = subprocess.Popen(ending_with_us([sys.executable, "-c", "import time; time.sleep(60)"]))
print(child.pid, flush=True)
child.wait()
"""
POOL = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from bioconv.ground.processes import end_with_parent
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        if BUSY:
            pool.submit(time.sleep, 60)
        time.sleep(60)
"""


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def check(script: Path) -> None:
    """Kill a script, and wait for the end of the process whose number it has printed."""
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        end = time.monotonic() + 20
        while alive(child) and time.monotonic() < end:
            time.sleep(0.05)
        survived = alive(child)
        if survived:
            os.kill(child, signal.SIGKILL)
    assert not survived


def test_a_command_ends_with_its_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(COMMAND, encoding="utf-8")
    check(script)


@pytest.mark.parametrize("busy", ["True", "False"])
def test_a_worker_ends_with_its_killed_parent(busy: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(POOL.replace("BUSY", busy), encoding="utf-8")
    check(script)


def test_a_command_keeps_its_arguments_output_and_exit_code() -> None:
    code = "import sys; print(sys.argv[1:]); sys.exit(7)"
    command = ending_with_us([sys.executable, "-c", code, "a b", "-c"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "['a b', '-c']\n")
