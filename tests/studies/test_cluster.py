"""Studies on a Dask cluster: the same records as here, whatever is lost on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cluster_runs
import pytest

from bioconv.ground.errors import BioconvError, DataWarning, ParameterError, SimulatorMissingError
from bioconv.ground.options import Interval
from bioconv.studies.runs import Job, run_all

SCHEMA = {"square": Interval(0, whole=True), "workers": Interval(1, whole=True)}
Runner = Callable[..., dict[int, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """Run squares of some values, and return the results without warnings."""
    (tmp_path / "done").mkdir()
    (tmp_path / "records").mkdir()

    def found(work: Callable[..., Any], workers: Any, n: int = 6) -> dict[int, Any]:
        jobs = {
            k: Job(tmp_path / "records" / f"{k}.json", (k, str(tmp_path / "done")))
            for k in range(n)
        }
        results = run_all(work, jobs, SCHEMA, verb="test", workers=workers, progress=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(results)

    return found


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two worker processes, and a client of their scheduler."""
    distributed = pytest.importorskip("distributed")
    local = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    with local, distributed.Client(local) as client:
        yield client


def _computed(folder: Path) -> list[int]:
    return sorted(int(p.name.split("-")[0]) for p in folder.iterdir() if "-" in p.name)


def test_wrong_workers_are_refused(run: Runner) -> None:
    for wrong in (0, -2, True):
        with pytest.raises(ParameterError, match=r"workers must be .* Received: "):
            run(cluster_runs.square, wrong)


def test_a_missing_package_is_named(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SimulatorMissingError, match=r"pip install \"bioconv\[distributed\]\""):
        run(cluster_runs.square, "tcp://127.0.0.1:1")


@pytest.mark.slow
def test_an_address_without_scheduler_is_refused(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("bioconv.studies.cluster._TIMEOUT", 1.0)
    with pytest.raises(ParameterError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        run(cluster_runs.square, "tcp://127.0.0.1:1")


@pytest.mark.slow
def test_records_are_those_of_this_process(run: Runner, cluster: Any, tmp_path: Path) -> None:
    with pytest.warns(DataWarning, match="three is few"):
        jobs = {3: Job(tmp_path / "three.json", (3, str(tmp_path / "done")))}
        dict(run_all(cluster_runs.square, jobs, SCHEMA, verb="t", workers=cluster, progress=False))
    there = run(cluster_runs.square, cluster)
    assert there[4] == "four is wrong"
    records = {p.name: p.read_bytes() for p in (tmp_path / "records").iterdir()}
    assert len(records) == 5
    for path in (tmp_path / "records").iterdir():
        path.unlink()
    assert run(cluster_runs.square, 1) == there
    assert {p.name: p.read_bytes() for p in (tmp_path / "records").iterdir()} == records


@pytest.mark.slow
def test_runs_of_a_lost_worker_are_repeated(run: Runner, cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "done" / "deadly").touch()
    found = run(cluster_runs.deadly, cluster)
    assert not (tmp_path / "done" / "deadly").exists()
    assert {k: v["square"] for k, v in found.items() if k != 4} == {0: 0, 1: 1, 2: 4, 3: 9, 5: 25}


@pytest.mark.slow
def test_a_killed_scheduler_loses_no_finished_run(run: Runner, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    done = tmp_path / "done"
    (done / "slow").touch()
    here = [sys.executable, "-m"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def start(*command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*here, *command], env=environment, cwd=tmp_path, **quiet)

    def address() -> str:
        file = tmp_path / "scheduler.json"
        distributed = pytest.importorskip("distributed")
        with distributed.Client(scheduler_file=str(file), timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
            return str(client.scheduler.address)

    def both() -> list[subprocess.Popen[bytes]]:
        (tmp_path / "scheduler.json").unlink(missing_ok=True)
        file = ["--scheduler-file", "scheduler.json"]
        return [
            start("distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", *file),
            start(
                "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard",
                "--death-timeout", "60", *file,
            ),
        ]  # fmt: skip

    running = both()
    try:
        reached = address()
        jobs = {k: Job(tmp_path / "records" / f"{k}.json", (k, str(done))) for k in range(4)}
        results = run_all(
            cluster_runs.slow, jobs, SCHEMA, verb="test", workers=reached, progress=False
        )
        first = [next(results)[0], next(results)[0]]
        running[0].send_signal(signal.SIGKILL)
        with pytest.raises(BioconvError, match=r"scheduler was lost. Finished runs are kept"):
            next(results)
        (done / "slow").unlink()
        running += both()
        found = run(cluster_runs.slow, address(), 4)
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert {k: v["square"] for k, v in found.items()} == {0: 0, 1: 1, 2: 4, 3: 9}
    assert [_computed(done).count(value) for value in first] == [1, 1]
