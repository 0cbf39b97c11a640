"""The commands train and finetune on digits, and their refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bioconv as bc
from bioconv import models
from bioconv.cli import main

QUICK = ["--data", "digits", "--images", "160", "--epochs", "1", "--quiet"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("training") / "net.h5"
    options = [*("--option", "slope=identical"), *("--option", "ramp=own")]
    model = str(models.weights_path("digits_mlp"))
    code = ["--code", "first_spike_exact", *options]
    arguments = ["convert", model, "--calibration", "digits", *code, "-o", str(path), "--quiet"]
    assert main(arguments) == 0
    return path


def test_train_writes_the_spiking_and_the_keras_network(tmp_path: Path) -> None:
    model, record = str(models.weights_path("digits_mlp")), tmp_path / "record.json"
    files = []
    for name in ("a", "b"):
        output, keras = tmp_path / f"{name}.h5", tmp_path / f"{name}.keras"
        arguments = ["train", model, *QUICK, "--test", "digits", "--learning-rate", "1e-4"]
        more = ["-o", str(output), "--keras", str(keras), "--json", str(record), "--seed", "3"]
        assert main([*arguments, *more]) == 0
        files.append(output.read_bytes())
    assert files[0] == files[1]
    found = json.loads(record.read_text())
    assert found["accuracy"] > 0.9
    assert len(found["epochs"]) == 1
    x, y = bc.load_data("digits")
    trained, again = bc.load(tmp_path / "a.h5"), bc.read(tmp_path / "a.keras")
    assert isinstance(trained, bc.SpikingNetwork)
    flat = x.reshape(len(x), *again.inputs[0].shape)
    np.testing.assert_allclose(again.predict(flat), trained.analog.predict(flat), atol=1e-5)
    assert np.mean(again.predict(flat).argmax(axis=1) == y) == found["accuracy"]


@pytest.mark.slow
def test_finetune_rounds_the_weights(network: Path, tmp_path: Path, capsys) -> None:
    output = tmp_path / "tuned.h5"
    arguments = ["finetune", str(network), "--data", "digits", "--images", "160", "--epochs", "1"]
    more = ["--noise", "weight_bits=3", "--test", "digits", "-o", str(output)]
    assert main([*arguments, *more]) == 0
    assert "before" in capsys.readouterr().out
    tuned = bc.load(output)
    assert isinstance(tuned, bc.SpikingNetwork)
    for projection in tuned.projections:
        weights = projection.operator.edges().weight
        assert 2 < len(np.unique(np.round(weights, 6))) <= 6  # zeros are no synapses


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--noise", "threshold=0.1"], "does not support these imperfections"),
        (["--noise", "giraffe=1"], "no imperfection 'giraffe'"),
        (["--slope", "constant"], "does not describe"),
        (["--batch", "1000"], "fewer than one batch"),
        (["--epochs", "0"], "epochs must be"),
        (["--checkpoint", "/nowhere/at/all.ckpt"], "does not exist"),
    ],
    ids=["imperfection", "unknown", "slope", "batch", "epochs", "folder"],
)
def test_bad_input_is_a_message(
    arguments: list[str], message: str, network: Path, tmp_path: Path, capsys
) -> None:
    output = tmp_path / "tuned.h5"
    assert main(["finetune", str(network), *QUICK, *arguments, "-o", str(output)]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_networks_of_patterns_are_trained_from_scratch(tmp_path: Path, capsys) -> None:
    output, record = tmp_path / "patterns.h5", tmp_path / "record.json"
    arguments = ["train", "--code", "correlative", "--layers", "30", "--encoder", "cte"]
    arguments += ["--encoder-option", "n_levels=2", "--option", "n_outputs=2", "--batch", "32"]
    arguments += ["--option", "omega=10", *QUICK, "--test", "digits", "--json", str(record)]
    assert main([*arguments, "-o", str(output)]) == 0
    found = json.loads(record.read_text())
    assert 0.0 <= found["accuracy"] <= 1.0 and len(found["epochs"]) == 1
    network = bc.load(output)
    assert isinstance(network, bc.SpikingNetwork)
    assert [p.n_neurons for p in network.populations] == [30, 20]
    x, y = bc.load_data("digits")
    assert np.mean(network.analog.predict(x).argmax(axis=1) == y) == found["accuracy"]
    # The file contains all that the network needs: it takes samples.
    assert main(["simulate", str(output), "--data", "digits", "--images", "5"]) == 0
    assert "accuracy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "needs a MODEL for the code first_spike_exact"),
        (["--layers", "5"], "--layers is for the code correlative"),
        (["--code", "correlative", "--keras", "a.keras"], "is for the code first_spike_exact"),
        (["--code", "correlative", "--encoder", "count"], "needs an encoder with spike patterns"),
        (["--code", "correlative", "--encoder", "cde"], "there is no encoder"),
        (["--code", "correlative", "--layers", "0"], "sizes must be whole numbers"),
        (["--code", "correlative", "--encoder-option", "n_levels=50"], "Eq A.33"),
    ],
    ids=["model", "layers", "keras", "pulses", "unknown", "sizes", "levels"],
)
def test_wrong_patterns_are_a_message(
    arguments: list[str], message: str, tmp_path: Path, capsys
) -> None:
    assert main(["train", *arguments, *QUICK, "-o", str(tmp_path / "net.h5")]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
