"""The commands ``targets``, ``export`` and ``nir``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sample_networks import images, spiking_network

import bioconv as bc
from bioconv.cli import main


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A network file and samples with labels beside it."""
    spiking_network(changes=()).save(tmp_path / "net.h5")
    np.savez(tmp_path / "data.npz", x=images(4), y=np.arange(4) % 3)
    return tmp_path


def test_targets_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in bc.targets.TARGETS)
    assert main(["targets", "brainscales2"]) == 0
    shown = capsys.readouterr().out
    target = bc.targets.exporter("brainscales2").target
    assert target.tested in shown and target.conversion in shown
    assert "256 synapses" in shown
    assert main(["targets", "loihi"]) == 2
    assert "spinnaker" in capsys.readouterr().err


def test_a_report_needs_no_export(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["export", str(stored / "net.h5"), "--to", "nir", "--data"]
    arguments += [str(stored / "data.npz"), "--report", str(stored / "lost.txt")]
    assert main([*arguments, "--json", str(stored / "lost.json")]) == 0
    printed = capsys.readouterr().out
    assert (stored / "lost.txt").read_text().strip() in printed
    record = json.loads((stored / "lost.json").read_text())
    assert [row["network"] for row in record["measured"]] == ["unrestricted", "restricted to NIR"]
    assert record["files"] == []
    assert {p.name for p in stored.iterdir()} == {"net.h5", "data.npz", "lost.txt", "lost.json"}


def test_a_report_is_written_even_where_nothing_can_be(stored: Path) -> None:
    arguments = ["export", str(stored / "net.h5"), "--to", "brainscales2"]
    assert main([*arguments, "--report", str(stored / "why.txt")]) == 2
    assert "impossible" in (stored / "why.txt").read_text()


def test_nir_files_come_back(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, back = str(stored / "net.nir"), str(stored / "back.h5")
    assert main(["export", str(stored / "net.h5"), "--to", "nir", "-o", out]) == 0
    assert main(["nir", out, "-o", back]) == 0
    printed = capsys.readouterr()
    assert "35 neurons" in printed.out
    assert "bioconv: warning: NIR cannot represent a reset" in printed.err
    assert main(["simulate", back, "--data", str(stored / "data.npz")]) == 0
    assert main(["nir", out, "--encoder", "poisson", "--extras", "-o", back]) == 0
    read = bc.SpikingNetwork.load(back)
    assert read.inputs[0].encoder == "poisson"
    assert any("_subtraction" in population.model.name for population in read.populations)
    Path(out).write_bytes(b"not a graph")
    assert main(["nir", out, "-o", str(stored / "again.h5")]) == 2
    assert "net.nir" in capsys.readouterr().err and not (stored / "again.h5").exists()


def test_what_cannot_be_written_is_said_before_anything_is_measured(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stored / "taken").mkdir()
    (stored / "taken" / "thesis.tex").write_text("years of work")
    arguments = ["export", str(stored / "absent.h5"), "--to", "brian2"]
    assert main([*arguments, "-o", str(stored / "taken")]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*arguments, "--json", str(stored / "missing" / "out.json")]) == 2
    assert "does not exist" in capsys.readouterr().err
    network = ["export", str(stored / "net.h5"), "--to", "brainscales2", "--chips", "0"]
    assert main(network) == 2
    assert "chips must be an integer of at least 1" in capsys.readouterr().err
