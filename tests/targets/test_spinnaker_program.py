"""The program for SpiNNaker on NEST, and what it says of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spinnaker_networks

import bioconv as bc
from bioconv.network import SpikingNetwork
from bioconv.targets import emit, examine


def run(folder: Path, x: np.ndarray, y: np.ndarray) -> tuple[dict[str, np.ndarray], str]:
    """Run the program in a folder on NEST; its result and what it printed."""
    np.savez(folder / "images.npz", x=x, y=y)
    done = subprocess.run(
        [
            *(sys.executable, "program/program.py", "--simulator", "nest"),
            *("--data", "images.npz", "-o", "result.npz"),
        ],
        cwd=folder,
        env={**os.environ, "PYNEST_QUIET": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(folder / "result.npz") as result:
        return dict(result), done.stdout


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("digits_mlp", {"code": bc.RateCode(input="regular", readout="count")}),
        ("digits_cnn", {}),
    ],
)
def test_the_same_program_classifies_on_nest(model: str, options: dict, tmp_path: Path) -> None:
    """Spike sources and counted spikes; currents, convolutions and potentials."""
    pytest.importorskip("nest")
    pytest.importorskip("pyNN")
    network: SpikingNetwork = spinnaker_networks.digits(model, n_steps=50, **options)
    x, y = bc.load_data("digits", split="test")
    x, y = x[:4], y[:4]
    report = examine(network, "spinnaker")
    report.emit(tmp_path / "program")
    result, printed = run(tmp_path, x, y)
    classes = result[f"{network.readouts[0].name}.classes"][:, -1]
    ours = bc.simulate(report.network, x, progress=False).predictions()
    assert "accuracy:" in printed
    assert np.sum(classes == ours) >= 3
    assert np.sum(classes == y) >= 3


def test_program_holds_the_network(tmp_path: Path) -> None:
    """Tables in PyNN's units, no word of bioconv needed, the same bytes each time."""
    network = spinnaker_networks.digits("digits_mlp")
    paths = emit(network, tmp_path / "a", "spinnaker")
    emit(network, tmp_path / "b", "spinnaker")
    text = paths[0].read_text(encoding="utf-8")
    assert paths[0].name == "program.py"
    assert "import bioconv" not in text and "from bioconv" not in text
    assert "'cell': 'IF_curr_delta'" in text and "'tau_m': 1024.0" in text
    for path in paths:
        twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert twin.read_bytes() == path.read_bytes()
    with np.load(tmp_path / "a" / "weights.npz") as weights:
        signs = {np.sign(w).min() for name, w in weights.items() if name.endswith(".weight")}
        assert signs == {-1.0}
