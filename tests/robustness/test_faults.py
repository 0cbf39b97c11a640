"""Faults: processes killed while they write, full disks, two on one folder, a killed worker.

The promise: a file with its final name is whole, and a repeated command gives what an undisturbed
one gives.  Temporary files (``.NAME.*.part``) may stay behind a process that is killed, but not on
a disk that is full.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import bioconv as bc
from bioconv import models
from bioconv.ground.errors import BioconvWarning

HERE = Path(__file__).parent
KINDS = (
    *("network", "recording", "table", "program", "study", "cache"),
    *("checkpoint", "picture", "raster", "report"),
)
#: attempts of the slow run
MANY = 200
#: one that several processes write at once; a program's folder must not exist before
SHARED = tuple(kind for kind in KINDS if kind != "program")

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD and fork")


@pytest.fixture(scope="module")
def slow_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that makes writing slow."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler for the slow file system")
    library = tmp_path_factory.mktemp("slow") / "slow_files.so"
    command = [compiler, "-shared", "-fPIC", "-o", library, HERE / "slow_files.c", "-ldl"]
    subprocess.run(list(map(str, command)), check=True)
    return library


def disturbed(fault: str, kind: str, n: int, folder: Path, library: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(HERE / "writers.py"), fault, str(folder), kind, str(n), "7"],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def check(found: dict[str, Any], kind: str) -> None:
    assert not found["wrong"], "\n".join(found["wrong"])
    assert found["disturbed"] > 0  # otherwise nothing was tested
    if kind in SHARED:
        assert found["codes"] == [0, 0]
    assert found["together"]


@pytest.mark.parametrize(("fault", "kind"), [("killed", "table"), ("full", "network")])
def test_a_few_faults(fault: str, kind: str, tmp_path: Path, slow_files: Path) -> None:
    check(disturbed(fault, kind, 6, tmp_path, slow_files), kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ("killed", "full"))
def test_many_faults(fault: str, kind: str, tmp_path: Path, slow_files: Path) -> None:
    found = disturbed(fault, kind, MANY, tmp_path, slow_files)
    print(fault, kind, found["disturbed"])
    check(found, kind)


@pytest.mark.slow
def test_a_study_whose_worker_is_killed(tmp_path: Path) -> None:
    x, y = bc.load_data("digits", n_images=20)
    settings: dict[str, Any] = {"calibration": x, "neurons": ("if", "lif", "qif", "izhikevich")}
    settings |= {"durations": (60.0,), "progress": False}
    network = models.weights_path("digits_mlp")
    expected = bc.plausibility(network, x, y, folder=tmp_path / "a", workers=1, **settings)

    def kill_one() -> None:
        while not list((tmp_path / "b").glob("runs/*.json")):
            time.sleep(0.05)
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)  # type: ignore[arg-type]

    thread = threading.Thread(target=kill_one)
    thread.start()
    with pytest.warns(BioconvWarning, match="killed by signal 9"):
        found = bc.plausibility(network, x, y, folder=tmp_path / "b", workers=2, **settings)
    thread.join()
    same = {"seconds": 0, "workers": 0}
    assert [r | same for r in found.records] == [r | same for r in expected.records]
