"""The recipes and the command line that runs them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from later import later

from bioconv import models
from bioconv.data import datasets
from bioconv.ground import keras_engine
from bioconv.models import training
from bioconv.models.__main__ import main
from bioconv.models.network import Recipe

keras = later("keras")


def test_training_writes_weights_and_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One command trains, writes both files and says what was reached."""
    status = main(["train", "digits_mlp", "--epochs", "3", "--seed", "1", "-o", str(tmp_path)])
    assert status == 0
    assert "1437 samples of digits, accuracy 0." in capsys.readouterr().out
    weights = tmp_path / "weights" / "digits_mlp.keras"
    card = json.loads((tmp_path / "cards" / "digits_mlp.json").read_text(encoding="utf-8"))
    assert card["weights"]["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert card["recipe"]["epochs"] == 3
    assert card["seed"] == 1
    assert set(card) == set(models.card("digits_mlp"))
    model = keras.models.load_model(weights)
    _, (x, y) = datasets.scaled("digits")
    accuracy = np.mean(model.predict(x, verbose=0).argmax(axis=1) == y)
    assert accuracy == pytest.approx(card["score"]["test"], abs=1e-5)
    assert accuracy > 0.7


def test_seed_decides_training(tmp_path: Path) -> None:
    """The same seed trains the same weights."""
    network = models.network("regression_mlp")
    trained = []
    for directory, seed in (("first", 0), ("again", 0), ("other", 1)):
        training.train(network, tmp_path / directory, seed=seed, epochs=1)
        file = tmp_path / directory / "weights" / "regression_mlp.keras"
        trained.append(keras.models.load_model(file).get_weights())
    np.testing.assert_array_equal(trained[0][0], trained[1][0])
    assert not np.array_equal(trained[0][0], trained[2][0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet8", "resnet18", "resnet20"])
def test_residual_networks_train_on_part_of_cifar10(
    name: str, tmp_path: Path, shared_data: Path
) -> None:
    """The recipes for CIFAR-10 run on a file, and the card says that it was one."""
    card = training.train(
        models.network(name), tmp_path, epochs=1, data_path=shared_data / "cifar10"
    )
    assert card["data"]["n_train"] == (3600 if name == "resnet18" else 4000)  # 10 % held out
    assert "file" in card["data"]["from"]


@pytest.mark.parametrize(
    ("name", "epochs", "drops"),
    [
        ("resnet18", 150, (50, 100)),
        ("resnet34", 250, (100, 175)),
        ("resnet50", 350, (150, 250)),
        ("resnet101", 450, (200, 325)),
    ],
)
def test_learning_rates_fall_as_in_the_thesis(
    name: str, epochs: int, drops: tuple[int, int]
) -> None:
    """Mueller 4.2.1: 50 + 100 n epochs, and a tenth after 50 n and 25 + 75 n of them."""
    recipe = models.network(name).recipe
    assert recipe.epochs == epochs
    n_batches = 45_000 // recipe.batch_size
    rate = training._optimizer(recipe, n_batches)._learning_rate
    for place, drop in enumerate(drops):
        before, after = (float(rate((drop + d) * n_batches)) for d in (-0.1, 0.1))
        assert before == pytest.approx(0.1 * 0.1**place)
        assert after == pytest.approx(0.1 * before)


def test_last_samples_are_held_out() -> None:
    """The first 45,000 of 50,000 images of mueller 4.2, or the same share of fewer."""
    x = np.arange(50.0)
    (kept, y), test = training._without_held_out(
        ((x, x), (x, x)), models.network("resnet18").recipe
    )
    assert kept.tolist() == y.tolist() == list(range(45))
    assert len(test[0]) == 50


def test_missing_data_are_an_error_of_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: a message on the standard error and status 1."""
    assert main(["train", "resnet8", "--data", str(tmp_path), "-o", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: No data of cifar10")


def test_list_and_card(capsys: pytest.CaptureFixture[str]) -> None:
    """Every network is listed; a card is printed as JSON."""
    assert main(["list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(models.names())
    assert main(["card", "lenet5"]) == 0
    assert json.loads(capsys.readouterr().out) == models.card("lenet5")


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_help_has_an_example(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The help shows a command that can be typed."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 0
    assert "python -m models train" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["train", "lenet6"], ["train", "lenet5", "--epochs", "0"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    """Unknown names and impossible numbers end with status 2, before anything is trained."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_batches_use_each_sample_once_an_epoch() -> None:
    """An epoch is a permutation, less an incomplete batch; the next epoch is another one."""
    x = np.arange(10.0)[:, np.newaxis]
    stream = training.batches(x, np.arange(10), Recipe("sine", 1, batch_size=4), seed=0)
    drawn = [next(stream) for _ in range(4)]
    first, second = (np.concatenate([y for _, y in drawn[i : i + 2]]) for i in (0, 2))
    assert len(set(first.tolist())) == len(set(second.tolist())) == 8
    assert not np.array_equal(first, second)
    assert all((x_batch[:, 0] == y_batch).all() for x_batch, y_batch in drawn)


def test_augmentation_moves_and_mirrors() -> None:
    """Every augmented image is one of the 3 × 3 × 2 shifted and mirrored ones, and all occur."""
    rng = np.random.default_rng(0)
    image = rng.random((5, 4, 2))
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    crops = [padded[i : i + 5, j : j + 4] for i in range(3) for j in range(3)]
    expected = {crop.tobytes() for crop in crops} | {crop[:, ::-1].tobytes() for crop in crops}
    stream = training.batches(
        np.repeat(image[np.newaxis], 400, axis=0),
        np.zeros(400),
        Recipe("cifar10", 1, batch_size=400, shift=1, flip=True),
        seed=0,
    )
    assert {sample.tobytes() for sample in next(stream)[0]} == expected


@pytest.mark.parametrize(
    ("variable", "configured", "expected"),
    [
        (None, None, "jax"),
        (None, '{"backend": "tensorflow"}', "jax"),
        (None, '{"backend": "torch"}', None),
        (None, "not JSON", "jax"),
        ("numpy", None, "numpy"),
    ],
)
def test_engine_of_the_user_is_respected(
    variable: str | None,
    configured: str | None,
    expected: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """JAX is chosen only where the user has chosen nothing that can work."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", variable or "")
    if variable is None:
        monkeypatch.delenv("KERAS_BACKEND")
    if configured is not None:
        (tmp_path / "keras.json").write_text(configured, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(importlib, "import_module", lambda name: name)
    assert keras_engine.import_keras() == "keras"
    assert os.environ.get("KERAS_BACKEND") == expected
