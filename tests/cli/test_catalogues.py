"""Commands that list neurons, codes and imperfections, and show one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import bioconv as bc
from bioconv.cli import main
from bioconv.simulators import SIMULATORS


def test_neurons_lists_shows_and_draws(tmp_path: Path, capsys) -> None:
    assert main(["neurons"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in bc.neurons.library())
    record, folder = tmp_path / "lif.json", tmp_path / "figures"
    arguments = ["neurons", "lif", "--option", "tau_m=10", "--option", "synapse=delta"]
    assert main([*arguments, "--plot", str(folder), "--json", str(record)]) == 0
    shown = capsys.readouterr().out
    assert "dv/dt = (v_rest - v) / tau_m" in shown
    assert "Membrane time constant" in shown
    found = json.loads(record.read_text())
    tau = next(row for row in found["parameters"] if row["name"] == "tau_m")
    assert (tau["value"], tau["unit"]) == (10.0, "ms")
    assert {row["simulator"] for row in found["simulators"]} == set(SIMULATORS)
    assert sorted(file.name for file in folder.iterdir()) == ["fi_curve.png", "traces.png"]


def test_noise_lists_and_shows(tmp_path: Path, capsys) -> None:
    assert main(["noise"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in (*bc.noise.LIBRARY, *bc.noise.PROFILES))
    record = tmp_path / "noise.json"
    assert main(["noise", "jitter", "--json", str(record)]) == 0
    assert "Stanojevic 2023" in capsys.readouterr().out
    assert json.loads(record.read_text())["python"] == "SpikeJitter"
    assert main(["noise", "dynap_se"]) == 0
    assert "doi:" in capsys.readouterr().out
    assert main(["noise", "nothing"]) == 2
    assert "Valid names: " in capsys.readouterr().err


def test_codes_lists_and_shows(tmp_path: Path, capsys) -> None:
    assert main(["codes"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in bc.codes.library())
    record = tmp_path / "code.json"
    assert main(["codes", "first_spike_dynamic", "--json", str(record)]) == 0
    assert "FirstSpikeCode" in capsys.readouterr().out
    options = json.loads(record.read_text())["options"]
    assert "threshold" not in {row["option"] for row in options}  # the name has decided it
    assert {"option": "unit_steps", "default": 20} in options
    assert main(["codes", "nothing"]) == 2
    assert "there is no code 'nothing'. Valid: correlative, few_spikes" in capsys.readouterr().err


def test_listing_the_codes_loads_nothing_large() -> None:
    program = (
        "import sys; from bioconv.cli import main; main(['codes']); "
        "large = {'jax', 'scipy', 'keras', 'brian2', 'matplotlib'} & set(sys.modules); "
        "sys.exit(str(large) if large else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
