"""``bioconv encode`` and ``bioconv encoders``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bioconv import encoders
from bioconv.cli import main


@pytest.fixture
def signal(tmp_path: Path) -> Path:
    path = tmp_path / "wave.npz"
    np.savez(path, x=np.sin(np.arange(200) / 9))
    return path


def test_a_signal_is_encoded_drawn_and_decoded(signal: Path, tmp_path: Path, capsys) -> None:
    output, record = tmp_path / "spikes.npz", tmp_path / "run.json"
    arguments = ["encode", str(signal), "--encoder", "step_forward", "--option", "threshold=0.2"]
    arguments += ["--option", "interval=2", "-o", str(output), "--json", str(record)]
    assert main([*arguments, "--plot", str(tmp_path / "figures")]) == 0
    assert "largest error: 0.2 (theory: 0.2" in capsys.readouterr().out.replace("0.1999", "0.2")
    result = json.loads(record.read_text())
    assert result["duration_ms"] == 400.0 and result["shape"] == [2]
    assert result["largest_error"] <= result["bound"] == pytest.approx(0.2, rel=1e-4)
    assert len(list((tmp_path / "figures").glob("*.png"))) == 2
    raster, encoder = encoders.load(output)
    assert raster.n_spikes == result["n_spikes"]
    x = np.load(signal)["x"]
    assert np.abs(encoder.decode(raster) - x).max() == pytest.approx(result["largest_error"])


def test_the_seed_decides_random_spikes(signal: Path, tmp_path: Path) -> None:
    def run(seed: int) -> bytes:
        output = tmp_path / "spikes.npz"
        arguments = ["encode", str(signal), "--encoder", "population", "--option", "n_neurons=5"]
        assert main([*arguments, "--seed", str(seed), "-o", str(output), "--quiet"]) == 0
        return output.read_bytes()

    assert run(1) == run(1) != run(2)


def test_events_become_a_raster(tmp_path: Path, capsys) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes([3, 4, 0x80, 3, 232]))
    assert main(["encode", str(path), "-o", str(tmp_path / "out.npz")]) == 0
    assert "1 spikes of 2,312 units (2, 34, 34) in 1 ms" in capsys.readouterr().out
    assert encoders.load_raster(tmp_path / "out.npz").n_spikes == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--encoder", "bens"], "there is no encoder 'bens'"),
        (["--encoder", "bsa", "--option", "taps=3"], "has no option 'taps'"),
        (["--encoder", "count", "--option", "n_spikes=0"], "n_spikes must be an integer"),
        (["--encoder", "count", "--samples", "0"], "--samples must be at least 1"),
        ([], "is a signal: choose an encoder"),
        (["--encoder", "count", "-o", "missing/spikes.npz"], "does not exist"),
    ],
)
def test_wrong_arguments_exit_with_2(
    signal: Path, tmp_path: Path, capsys, arguments: list[str], message: str
) -> None:
    before = set(tmp_path.iterdir())
    assert main(["encode", str(signal), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before


def test_encoders_are_listed_and_shown(tmp_path: Path, capsys) -> None:
    record = tmp_path / "list.json"
    assert main(["encoders", "--json", str(record)]) == 0
    shown = capsys.readouterr().out
    rows = json.loads(record.read_text())["encoders"]
    assert [row["encoder"] for row in rows] == list(encoders.library())
    assert all(row["encoder"] in shown and row["law"] in shown for row in rows)
    assert main(["encoders", "bsa"]) == 0
    shown = capsys.readouterr().out
    assert "Can carry a conversion: no" in shown and "schrauwen2003" in shown
    assert main(["encoders", "nothing"]) == 2
