"""The command line: every command once on digits, and every kind of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bioconv as bc
from bioconv import models
from bioconv.cli import main
from bioconv.ground.errors import ParameterError


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
    result = json.loads(record.read_text())
    assert result["n_neurons"] > 0
    assert 0.99 <= result["expected_agreement"] <= 1.0
    assert result["weakest_layer"] == "", "named only where the conversion warns"


def test_convert_says_what_to_expect_and_warns_of_a_loss(tmp_path: Path, capsys) -> None:
    model = str(models.weights_path("digits_mlp"))
    arguments = ["convert", model, "--calibration", "digits", "-o", str(tmp_path / "net.h5")]
    assert main([*arguments, "--code", "population", "--option", "n=2"]) == 0
    said = capsys.readouterr()
    assert "expected agreement with the analog network, from calibration data: " in said.out
    (warning,) = [line for line in said.err.splitlines() if "expected to agree" in line]
    assert warning.startswith("bioconv: warning: ")
    assert "loses most" in warning
    assert "More neurons per unit help" in warning


def test_simulate_json_has_the_promised_keys(network: Path, tmp_path: Path, capsys) -> None:
    record, result = tmp_path / "run.json", tmp_path / "run.h5"
    arguments = ["simulate", str(network), "--data", "digits", "--images", "40", "--diagnose"]
    arguments += ["--json", str(record), "-o", str(result), "--plot", str(tmp_path / "figures")]
    assert main([*arguments, "--format", "svg"]) == 0
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
    assert {file.suffix for file in (tmp_path / "figures").iterdir()} == {".svg"}
    assert "accuracy" in capsys.readouterr().out


def test_reports(network: Path, tmp_path: Path, capsys) -> None:
    report = tmp_path / "run.html"
    arguments = ["simulate", str(network), "--data", "digits", "--images", "3", "--steps", "40"]
    assert main([*arguments, "--first", "7", "--report", str(report)]) == 0
    text = report.read_text(encoding="utf-8")
    assert "Where accuracy is lost" in text
    assert "Sample 0 is number 7 of the data." in text
    lost = tmp_path / "lost.html"
    assert main(["export", str(network), "--to", "nir", "--report", str(lost)]) == 0
    assert "Verdict: approximated" in lost.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main([*arguments, "--report", str(tmp_path / "run.txt")]) == 2
    assert "a report is an .html file" in capsys.readouterr().err
    assert main([*arguments, "--report", str(tmp_path / "none" / "run.html")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_report_of_the_event_simulator(tmp_path: Path) -> None:
    model, path = str(models.weights_path("digits_mlp")), tmp_path / "net.h5"
    arguments = ["convert", model, "--calibration", "digits", "-o", str(path), "--quiet"]
    assert main([*arguments, "--code", "first_spike"]) == 0
    report, record = tmp_path / "run.html", tmp_path / "run.json"
    arguments = ["simulate", str(path), "--data", "digits", "--images", "3", "--json", str(record)]
    assert main([*arguments, "--simulator", "event", "--report", str(report), "--quiet"]) == 0
    assert json.loads(record.read_text())["simulator"] == "event"
    assert "simulator event" in report.read_text(encoding="utf-8")


def test_a_report_that_fails_leaves_the_result(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ParameterError("no report today.")

    monkeypatch.setattr(bc, "report", refuse)
    record = tmp_path / "run.json"
    arguments = ["simulate", str(network), "--data", "digits", "--images", "2", "--steps", "30"]
    arguments += ["--json", str(record), "--report", str(tmp_path / "run.html")]
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert "no report today" in said.err
    assert "agreement with the analog network" in said.out
    assert json.loads(record.read_text())["n_images"] == 2


def test_an_output_that_starts_later_is_no_accuracy(network: Path, tmp_path: Path, capsys) -> None:
    record = tmp_path / "run.json"
    arguments = ["simulate", str(network), "--data", "digits", "--images", "5", "--steps", "2"]
    assert main([*arguments, "--json", str(record)]) == 0
    shown, found = capsys.readouterr().out, json.loads(record.read_text())
    assert "no output for 100 % of the images after 2 steps: the output starts after" in shown
    assert " accuracy:" not in shown.replace("analog accuracy:", "")
    assert (found["accuracy"], found["agreement"], found["answered"]) == (None, None, 0.0)
    assert [share for _, share in found["accuracy_over_time"]] == [None, None]


def test_a_metric_is_measured_over_time(network: Path, tmp_path: Path, capsys) -> None:
    record, metric = tmp_path / "run.json", "sparse_categorical_crossentropy"
    arguments = ["simulate", str(network), "--data", "digits", "--images", "5", "--steps", "40"]
    arguments += ["--json", str(record), "--metric", metric, "--checkpoints", "4"]
    assert main([*arguments, "--plot", str(tmp_path / "figures")]) == 0
    assert "sparse categorical crossentropy of the analog network: 0." in capsys.readouterr().out
    found = json.loads(record.read_text())
    assert found["accuracy"] is None
    assert [step for step, _ in found["metric_over_time"]] == [10, 20, 30, 40]
    assert found["metric_over_time"][-1] == [40, found["metric"]]
    assert found["metric"] == pytest.approx(found["analog_metric"], abs=0.1)
    assert (tmp_path / "figures" / "metric.png").is_file()
    assert not (tmp_path / "figures" / "accuracy.png").exists()
    assert main([*arguments, "--metric", "map"]) == 2
    assert "two outputs, scores and boxes" in capsys.readouterr().err
    assert main([*arguments, "--decision", "largest"]) == 2
    assert "stands for classes" in capsys.readouterr().err


def test_the_decision_is_stated_and_can_be_chosen(network: Path, tmp_path: Path, capsys) -> None:
    assert main(["inspect", str(network)]) == 0
    assert "decision by " in capsys.readouterr().out
    record = tmp_path / "run.json"
    arguments = ["simulate", str(network), "--data", "digits", "--images", "5", "--json"]
    assert main([*arguments, str(record), "--decision", "largest"]) == 0
    assert json.loads(record.read_text())["decision"] == "largest output"
    assert main([*arguments, str(record), "--decision", "value:0.1"]) == 2
    assert "the network has 10 values for each sample" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [7.9, np.nan, 1007, -1])
def test_wrong_labels_are_refused(network: Path, tmp_path: Path, wrong: float, capsys) -> None:
    x, y = bc.load_data("digits", n_images=4)
    np.savez(tmp_path / "data.npz", x=x, y=np.where([0, 0, 1, 0], wrong, y))
    record = tmp_path / "run.json"
    arguments = ["simulate", str(network), "--data", str(tmp_path / "data.npz")]
    assert main([*arguments, "--json", str(record), "--steps", "30"]) == 2
    assert "labels must be" in capsys.readouterr().err
    assert not record.exists()


def test_samples_of_another_range_give_one_line(network: Path, tmp_path: Path, capsys) -> None:
    record = tmp_path / "run.json"
    arguments = ["simulate", str(network), "--data", "digits", "--images", "4", "--scale", "1"]
    assert main([*arguments, "--json", str(record), "--steps", "30"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bioconv: warning: input ")
    (text,) = json.loads(record.read_text())["warnings"]
    assert text in line


def test_quiet_prints_nothing(network: Path, capsys) -> None:
    arguments = ["simulate", str(network), "--data", "digits", "--images", "2", "--steps", "20"]
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_estimate_and_search(tmp_path: Path, capsys) -> None:
    model = str(models.weights_path("digits_cnn"))
    common = ["estimate", model, "--calibration", "digits", "--percentiles", "90", "99.9"]
    assert main([*common, "--data", "digits", "--images", "50"]) == 0
    positive = capsys.readouterr().out
    assert "99.9" in positive
    every = [*common, "--data", "digits", "--images", "50", "--option", "over=all"]
    assert main(every) == 0
    assert capsys.readouterr().out != positive
    assert main([*common, "--search", "--steps", "20"]) == 0
    metric = ["--metric", "sparse_categorical_crossentropy"]
    assert main([*common, "--data", "digits", "--images", "50", *metric]) == 0
    assert "analog metric" in capsys.readouterr().out
    assert main([*common, "--search", *metric]) == 2
    assert "--metric needs --data" in capsys.readouterr().err


def test_calibration_in_batches_gives_the_same_scales(tmp_path: Path, capsys) -> None:
    model = str(models.weights_path("digits_mlp"))
    common = ["convert", model, "--calibration", "digits", "--calibration-images", "50"]
    nets = []
    for n in ("7", "50"):
        path = tmp_path / f"{n}.h5"
        assert main([*common, "--batch", n, "-o", str(path)]) == 0
        nets.append(bc.SpikingNetwork.load(path))
    for one, other in zip(*(net.populations for net in nets), strict=True):
        np.testing.assert_allclose(one.scale, other.scale, rtol=1e-5)
    assert main([*common, "--batch", "0", "-o", str(tmp_path / "none.h5")]) == 2
    assert "batch_size must be an integer of at least 1" in capsys.readouterr().err
    assert not (tmp_path / "none.h5").exists()


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
    commands = ("convert", "simulate", "estimate", "export", "inspect", "demo")
    for command in (*commands, "neurons", "plausibility", "noise", "disturb", "robustness"):
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        assert f"bioconv {command}" in capsys.readouterr().out.split("example:")[1]


def test_disturb_writes_what_python_gives(network: Path, tmp_path: Path, capsys) -> None:
    chip, again, other = (tmp_path / f"{name}.h5" for name in ("chip", "again", "other"))
    arguments = ["disturb", str(network), "--noise", "threshold=0.1", "--noise", "weight_bits=5"]
    assert main([*arguments, "--seed", "3", "-o", str(chip)]) == 0
    assert "Mismatch(target='threshold', sigma=0.1)" in capsys.readouterr().out
    assert main([*arguments, "--seed", "3", "-o", str(again), "--quiet"]) == 0
    assert main([*arguments, "--seed", "4", "-o", str(other), "--quiet"]) == 0
    assert chip.read_bytes() == again.read_bytes() != other.read_bytes()
    wanted = (bc.noise.Mismatch("threshold", 0.1), bc.noise.WeightQuantization(5))
    bc.noise.disturb(bc.load(network), *wanted, seed=3).save(tmp_path / "python.h5")
    assert (tmp_path / "python.h5").read_bytes() == chip.read_bytes()
    twice = ["disturb", str(network), "--noise", "weight=0.1", "--noise", "weight=0.2"]
    assert main([*twice, "-o", str(chip), "--quiet"]) == 0
    applied = [entry.text for entry in bc.load(chip).imperfections]
    assert ["sigma=0.1" in applied[0], "sigma=0.2" in applied[1]] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--noise NAME=AMPLITUDE"),
        (["--noise", "gravity=1"], "no imperfection 'gravity'"),
        (["--noise", "threshold=much"], "must be a number"),
        (["--noise", "spike_loss=2"], "probability"),
        (["--profile", "abacus"], "no profile 'abacus'"),
    ],
)
def test_disturb_refuses(
    network: Path, tmp_path: Path, capsys, arguments: list[str], message: str
) -> None:
    chip = tmp_path / "chip.h5"
    assert main(["disturb", str(network), *arguments, "-o", str(chip)]) == 2
    assert message in capsys.readouterr().err
    assert not chip.exists()


def test_plausibility_writes_table_picture_and_records(tmp_path: Path, capsys) -> None:
    model, folder = str(models.weights_path("digits_mlp")), tmp_path / "study"
    arguments = ["plausibility", model, "--data", "digits", "--images", "10", "--neurons", "if,lif"]
    arguments += ["--duration", "60", "--calibration-images", "200", "--workers", "1"]
    record = tmp_path / "study.json"
    assert main([*arguments, "-o", str(folder), "--json", str(record)]) == 0
    assert "both signs (%)" in capsys.readouterr().out
    assert {row["neuron"] for row in json.loads(record.read_text())["records"]} == {"if", "lif"}
    assert {"plausibility.csv", "plausibility.json", "plausibility.png"} < {
        file.name for file in folder.iterdir()
    }


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
        "no such neuron to show": ["neurons", "giraffe"],
        "option without neuron": ["neurons", "--option", "tau_m=3"],
        "no such neuron to study": [
            *("plausibility", model, "--data", "digits", "--neurons", "lif,giraffe"),
            *("-o", str(tmp_path)),
        ],
        "no folder": ["convert", model, "--calibration", "digits", "-o", "/nowhere/at/all.h5"],
        "bad pair": [*convert, "--option", "percentile"],
        "option twice": [*convert, "--option", "percentile=9", "--option", "percentile=99"],
        "parameter twice": [
            *(*convert, "--neuron", "lif", "--parameter", "tau_m=9"),
            *("--parameter", "tau_m=10"),
        ],
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
        "no such neuron to show",
        "option without neuron",
        "no such neuron to study",
        "no folder",
        "bad pair",
        "option twice",
        "parameter twice",
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


def test_verbose_says_what_is_done_and_only_then(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["convert", str(models.weights_path("digits_cnn")), "--calibration", "digits"]
    arguments += ["--calibration-images", "50", "-o", str(tmp_path / "net.h5")]
    assert main([*arguments, "-v"]) == 0
    assert "bioconv: converting digits_cnn: done in " in capsys.readouterr().err
    assert main(arguments) == 0
    assert "done in" not in capsys.readouterr().err
