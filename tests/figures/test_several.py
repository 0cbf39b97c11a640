"""Several figures at once give what they give one after the other, and nothing runs twice."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bioconv.ground.errors import BioconvWarning, ParameterError
from bioconv.paper_figures import frame, several
from bioconv.paper_figures.__main__ import main

QUICK = frame.Context(quick=True, progress=False)
#: figures whose short runs take less than a second
NAMES = ["mueller_fig_4_3", "mueller_fig_2_5"]
#: what differs from run to run: the duration, and the load of the machine
_VARYING = ("seconds", "machine")


def ran(folder: Path, workers: Any) -> dict[str, Any]:
    return {r["name"]: r for r in several.run_all(NAMES, folder, QUICK, workers=workers)}


def same(one: Path, other: Path) -> bool:
    """Whether arrays are the same bytes, and records the same besides their durations."""
    for name in NAMES:
        if (one / f"{name}.npz").read_bytes() != (other / f"{name}.npz").read_bytes():
            return False
        records = [json.loads((place / f"{name}.json").read_text()) for place in (one, other)]
        if records[0] | dict.fromkeys(_VARYING) != records[1] | dict.fromkeys(_VARYING):
            return False
    return True


@pytest.mark.slow
def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    here, there = ran(tmp_path / "here", None), ran(tmp_path / "there", 2)
    assert here.keys() == there.keys() == set(NAMES)
    assert same(tmp_path / "here", tmp_path / "there")


@pytest.mark.slow
def test_workers_of_a_cluster_give_the_same(tmp_path: Path) -> None:
    """One of them is killed while it works, so that its figure is run again by the other."""
    distributed = pytest.importorskip("distributed")
    ran(tmp_path / "here", None)
    local = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    with local, distributed.Client(local) as client:
        pids = list(client.run(os.getpid).values())

        def kill_one() -> None:
            time.sleep(1.0)
            os.kill(pids[0], signal.SIGKILL)

        thread = threading.Thread(target=kill_one)
        thread.start()
        ran(tmp_path / "there", client)
        thread.join()
    assert same(tmp_path / "here", tmp_path / "there")


@pytest.mark.slow
def test_figures_of_a_killed_process_are_run_again(tmp_path: Path) -> None:
    import multiprocessing

    def kill_one() -> None:
        while not (children := multiprocessing.active_children()):
            time.sleep(0.01)
        os.kill(children[0].pid, signal.SIGKILL)  # type: ignore[arg-type]

    thread = threading.Thread(target=kill_one)
    thread.start()
    with pytest.warns(BioconvWarning, match="killed by signal 9"):
        found = ran(tmp_path, 1)
    thread.join()
    assert found.keys() == set(NAMES)


def test_what_is_missing(tmp_path: Path) -> None:
    assert several.missing(NAMES, tmp_path, QUICK) == NAMES
    name = NAMES[0]
    frame.run(name, tmp_path, QUICK)
    assert several.missing(NAMES, tmp_path, QUICK) == NAMES[1:]
    for other in (
        frame.Context(),
        frame.Context(quick=True, seed=1),
        frame.Context(True, images=9),
    ):
        assert several.missing(NAMES, tmp_path, other) == NAMES
    record = json.loads((tmp_path / f"{name}.json").read_text())
    (tmp_path / f"{name}.json").write_text(json.dumps(record | {"code": "another"}))
    assert several.missing(NAMES, tmp_path, QUICK) == NAMES
    (tmp_path / f"{name}.json").write_text("[")
    assert several.missing(NAMES, tmp_path, QUICK) == NAMES


def test_only_missing_figures_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(frame, "names", lambda: NAMES[:1])
    command = ["all", "--quick", "--missing", "-o", str(tmp_path)]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith(NAMES[0])
    assert main(command) == 0
    assert capsys.readouterr().out == ""


def test_wrong_places_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["all", "--quick", "--workers", "0", "-o", str(tmp_path)]) == 2
    assert "--workers must be at least 1. Received: 0." in capsys.readouterr().err
    with pytest.raises(ParameterError, match="no figure 'none'"):
        list(several.run_all(["none"], tmp_path, QUICK))
