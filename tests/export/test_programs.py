"""Exported programs: they run on their own, are the same every time, and appear whole."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bioconv as bc
from bioconv.ground.errors import ExportError, ParameterError

sys.path.append(str(Path(__file__).parents[1] / "equivalence"))
import equivalence_networks as networks  # noqa: E402

TARGETS = ("brian2", "pynn")


def start(folder: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program where importing bioconv fails, from another folder."""
    blocker = tmp_path / "blocker" / "bioconv"
    blocker.mkdir(parents=True, exist_ok=True)
    (blocker / "__init__.py").write_text("raise ImportError('not installed')\n")
    environment = {**os.environ, "PYTHONPATH": str(blocker.parent)}
    command = [sys.executable, str(folder / "program.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("brian2", ()),
        pytest.param("pynn", ("--simulator", "brian2"), marks=pytest.mark.slow),
    ],
)
def test_program_runs_without_bioconv_and_prints_the_accuracy(
    target: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    network = networks.leaky()
    files = bc.emit(network, tmp_path / "net", target=target)
    assert files[0] == tmp_path / "net" / "program.py" and all(file.is_file() for file in files)
    x = networks.samples((6,), 3)
    expected = bc.simulate(network, x, dtype="float64")
    np.savez(tmp_path / "images.npz", x=x, y=expected.predictions())
    done = start(
        tmp_path / "net",
        tmp_path,
        "--data",
        "images.npz",
        "-o",
        "result",
        "--images",
        "2",
        *options,
    )
    assert done.returncode == 0, done.stderr
    assert "image 2 of 2" in done.stdout and "accuracy: 100.00 % of 2 images" in done.stdout
    with np.load(tmp_path / "result") as result:
        np.testing.assert_array_equal(
            result["middle.spikes_per_image"], expected.spikes_per_image["middle"][:2]
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--record", "nobody=spikes"), "first: spikes, counts, v, i_syn"),
        pytest.param(("--record", "first=w"), "first=w is unknown", marks=pytest.mark.slow),
        pytest.param(
            ("--steps", "5", "--checkpoints", "9"),
            "beyond the last step. Expected at most 5",
            marks=pytest.mark.slow,
        ),
        pytest.param(("--images", "0"), "must be an integer of at least 1", marks=pytest.mark.slow),
    ],
)
def test_wrong_arguments_give_one_clear_line(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    bc.emit(networks.leaky(), tmp_path / "net")
    np.savez(tmp_path / "images.npz", x=networks.samples((6,), 1))
    done = start(tmp_path / "net", tmp_path, "--data", "images.npz", "-o", "r.npz", *arguments)
    assert done.returncode != 0 and message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_wrong_images_give_one_clear_line(tmp_path: Path) -> None:
    bc.emit(networks.leaky(), tmp_path / "net")
    np.savez(tmp_path / "images.npz", x=np.ones((2, 7)))
    done = start(tmp_path / "net", tmp_path, "--data", "images.npz", "-o", "r.npz")
    assert "images of shape (6,). Received images of shape (7,)" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_same_network_same_bytes_and_no_pickle(target: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        bc.emit(networks.branches(), tmp_path / name, target=target)
    ours = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*"))
    for path in ours:
        if (tmp_path / "one" / path).is_file():
            assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / "weights.npz") as archive:
        for name in archive.namelist():
            assert b"'descr': '|O'" not in archive.read(name)[:128]


@pytest.mark.parametrize("target", TARGETS)
def test_a_program_says_what_it_computes(target: str, tmp_path: Path) -> None:
    bc.emit(networks.leaky(), tmp_path / "net", target=target)
    text = (tmp_path / "net" / "program.py").read_text()
    assert len(text.splitlines()) <= 400
    assert "dv/dt = (v_rest - v) / tau_m + (i_offset + i_syn) / c_m : volt" in text
    assert "'v_th': -50.0" + (" * mV" if target == "brian2" else ",") in text
    tables = {
        node.targets[0].id
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert {"MODELS", "POPULATIONS", "PROJECTIONS", "DRIVES", "READOUTS"} <= tables


def test_weights_are_the_edges_of_the_operators(tmp_path: Path) -> None:
    network = networks.convolutional()
    bc.emit(network, tmp_path / "net")
    with np.load(tmp_path / "net" / "weights.npz") as arrays:
        for number, projection in enumerate(network.projections):
            operator = projection.operator
            x = np.random.default_rng(number).random((1, *operator.in_shape))
            pre, post, weight = (
                arrays[f"projection{number}_{k}"] for k in ("pre", "post", "weight")
            )
            out = np.bincount(post, x.ravel()[pre] * weight, minlength=operator.n_out)
            np.testing.assert_allclose(out, np.ravel(operator.apply(x)), rtol=1e-5, atol=1e-5)


def test_folder_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(ExportError, match="net cannot be written: no space left on device"):
        bc.emit(networks.dense(), tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["brian2", "nir"])
def test_a_second_run_replaces_what_the_first_wrote(tmp_path: Path, target: str) -> None:
    path = tmp_path / "net"
    first = bc.emit(networks.dense(), path, target)
    if path.is_dir():
        (path / "support" / "__pycache__").mkdir()
        (path / "support" / "__pycache__" / "arrays.pyc").touch()  # as the program does
    before = [file.read_bytes() for file in first]
    assert [file.read_bytes() for file in bc.emit(networks.dense(), path, target)] == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["net"]


def test_a_failure_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    files = bc.emit(networks.dense(), tmp_path / "net")
    before = [file.read_bytes() for file in files]
    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises((OSError, ExportError), match="no space"):
        bc.emit(networks.dense(), tmp_path / "net")
    assert [file.read_bytes() for file in files] == before


def test_only_what_is_asked_for_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    thesis = tmp_path / "net" / "thesis.tex"
    thesis.write_text("years of work")
    with pytest.raises(ExportError, match=r"exists already.*thesis\.tex.*overwrite=True"):
        bc.emit(networks.dense(), tmp_path / "net")
    bc.emit(networks.dense(), tmp_path / "net", overwrite=True)
    assert not thesis.exists()
    thesis.write_text("more work")
    with pytest.raises(ExportError, match=r"thesis\.tex"):
        bc.emit(networks.dense(), tmp_path / "net")
    assert thesis.read_text() == "more work"


def test_the_working_folder_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for path in (tmp_path, Path()):
        with pytest.raises(ExportError, match="contains the folder"):
            bc.emit(networks.dense(), path, overwrite=True)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "thesis.tex").write_text("years of work")
    with pytest.raises(ExportError, match="exists already"):
        bc.emit(networks.dense(), tmp_path / "net")
    assert (tmp_path / "net" / "thesis.tex").read_text() == "years of work"
    with pytest.raises(ExportError, match="does not exist"):
        bc.emit(networks.dense(), tmp_path / "missing" / "net")
    with pytest.raises(ParameterError, match="Valid: brainscales2, brian2, nir, pynn, spinnaker"):
        bc.emit(networks.dense(), tmp_path / "other", target="cobol")


@pytest.mark.parametrize(
    ("target", "options", "old", "new"),
    [
        ("brian2", (), "'v_th': -50.0 * mV,", "'v_th': -52.0 * mV,"),
        pytest.param(
            "pynn",
            ("--simulator", "brian2"),
            "'v_th': -50.0,",
            "'v_th': -52.0,",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_stranger_changes_a_parameter(
    target: str, options: tuple[str, ...], old: str, new: str, tmp_path: Path
) -> None:
    network = networks.leaky()
    bc.emit(network, tmp_path / "net", target=target)
    program = tmp_path / "net" / "program.py"
    program.write_text(program.read_text().replace(old, new))
    lower = tuple(
        replace(p, parameters={**p.parameters, "v_th": -52.0}) for p in network.populations
    )
    x = networks.samples((6,), 2)
    np.savez(tmp_path / "images.npz", x=x)
    done = start(tmp_path / "net", tmp_path, "--data", "images.npz", "-o", "r.npz", *options)
    assert done.returncode == 0, done.stderr
    expected = bc.simulate(network.replace(populations=lower), x, dtype="float64", progress=False)
    before = bc.simulate(network, x, dtype="float64", progress=False)
    with np.load(tmp_path / "r.npz") as result:
        for name in ("first", "middle"):
            found = result[f"{name}.spikes_per_neuron"]
            np.testing.assert_array_equal(found, expected.spikes_per_neuron[name])
            assert found.sum() > before.spikes_per_neuron[name].sum()
