"""The command line: every command once on digits, and every kind of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import models
from bioconv.cli import main


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "net.h5"
    model = str(models.weights_path("digits_cnn"))
    assert main(["convert", model, "--calibration", "digits", "-o", str(path), "--quiet"]) == 0
    return path


def test_convert_writes_json_and_the_same_bytes(network: Path, tmp_path: Path) -> None:
    model = str(models.weights_path("digits_cnn"))
    again, record = tmp_path / "again.h5", tmp_path / "convert.json"
    arguments = ["convert", model, "--calibration", "digits", "-o", str(again)]
    assert main([*arguments, "--json", str(record)]) == 0
    assert again.read_bytes() == network.read_bytes()
    assert json.loads(record.read_text())["n_neurons"] > 0


def test_simulate_json_has_the_promised_keys(network: Path, tmp_path: Path, capsys) -> None:
    record, result = tmp_path / "run.json", tmp_path / "run.h5"
    arguments = ["simulate", str(network), "--data", "digits", "--images", "40", "--diagnose"]
    arguments += ["--json", str(record), "-o", str(result), "--plot", str(tmp_path / "figures")]
    assert main(arguments) == 0
    summary = json.loads(record.read_text())
    assert {
        "accuracy",
        "analog_accuracy",
        "agreement",
        "n_images",
        "spikes_per_image",
        "spikes_per_neuron",
        "synaptic_operations_per_image",
        "accuracy_over_time",
        "seconds",
        "versions",
    } <= set(summary)
    assert summary["n_images"] == 40
    assert summary["agreement"] >= 0.95
    assert summary["diagnosis"]
    assert result.is_file()
    assert list((tmp_path / "figures").glob("*.png"))
    assert "accuracy" in capsys.readouterr().out


def test_quiet_prints_nothing(network: Path, capsys) -> None:
    arguments = ["simulate", str(network), "--data", "digits", "--images", "2", "--steps", "20"]
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_estimate_and_search(tmp_path: Path, capsys) -> None:
    model = str(models.weights_path("digits_cnn"))
    common = ["estimate", model, "--calibration", "digits", "--percentiles", "90", "99.9"]
    assert main([*common, "--data", "digits", "--images", "50"]) == 0
    assert "99.9" in capsys.readouterr().out
    assert main([*common, "--search", "--steps", "20"]) == 0


@pytest.mark.parametrize("target", ["brian2", "pynn"])
def test_export_writes_a_program(network: Path, tmp_path: Path, target: str) -> None:
    folder = tmp_path / target
    assert main(["export", str(network), "--to", target, "-o", str(folder)]) == 0
    assert (folder / "program.py").is_file()


def test_inspect_model_and_network(network: Path, capsys) -> None:
    assert main(["inspect", str(models.weights_path("digits_cnn"))]) == 0
    assert main(["inspect", str(network), "--data", "digits", "--images", "5"]) == 0
    assert "silent" in capsys.readouterr().out


def test_help_has_an_example(capsys) -> None:
    for command in ("convert", "simulate", "estimate", "export", "inspect", "demo"):
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        assert f"bioconv {command}" in capsys.readouterr().out.split("example:")[1]


def _bad_inputs(tmp_path: Path) -> dict[str, list[str]]:
    model = str(models.weights_path("digits_cnn"))
    text = tmp_path / "text.h5"
    text.write_text("not a network")
    nan, shape = tmp_path / "nan.npz", tmp_path / "shape.npz"
    np.savez(nan, x=np.full((2, 8, 8, 1), np.nan))
    np.savez(shape, x=np.zeros((2, 5, 5)))
    output = str(tmp_path / "net.h5")
    convert = ["convert", model, "--calibration", "digits", "-o", output]
    return {
        "no such file": ["convert", "missing.h5", "--calibration", "digits", "-o", output],
        "not a model": ["convert", str(text), "--calibration", "digits", "-o", output],
        "not a network": ["simulate", str(text), "--data", "digits"],
        "NaN": ["convert", model, "--calibration", str(nan), "-o", output],
        "shape": ["convert", model, "--calibration", str(shape), "-o", output],
        "unknown option": [*convert, "--option", "percentil=3"],
        "bad option": [*convert, "--option", "percentile=300"],
        "unknown code": [*convert, "--code", "morse"],
        "unknown neuron": [*convert, "--neuron", "giraffe"],
        "no folder": ["convert", model, "--calibration", "digits", "-o", "/nowhere/at/all.h5"],
        "bad pair": [*convert, "--option", "percentile"],
    }


@pytest.mark.parametrize(
    "case",
    [
        "no such file",
        "not a model",
        "not a network",
        "NaN",
        "shape",
        "unknown option",
        "bad option",
        "unknown code",
        "unknown neuron",
        "no folder",
        "bad pair",
    ],
)
def test_bad_input_is_a_message_and_exit_code_2(case: str, tmp_path: Path, capsys) -> None:
    before = set(tmp_path.iterdir())
    arguments = _bad_inputs(tmp_path)[case]
    inputs = set(tmp_path.iterdir()) - before
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("bioconv: ")
    assert "Traceback" not in message
    assert set(tmp_path.iterdir()) - before == inputs, "nothing half-written"
