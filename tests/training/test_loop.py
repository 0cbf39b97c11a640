"""The training loop against closed forms, and runs that are interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bioconv.ground.errors import DataError, NetworkFileError, ParameterError, TrainingError
from bioconv.training import Training, fit, loop

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
TRUE = np.array([1.0, -2.0, 0.5], np.float32)
Y = X @ TRUE


def _squares(
    parameters: Any, state: Any, x: Any, y: Any, key: Any
) -> tuple[Any, tuple[Any, Mapping[str, Any]]]:
    """Least squares with noise on the targets; the state counts the updates."""
    noise = 1e-3 * jax.random.normal(key, y.shape)
    loss = jnp.mean((x @ parameters["w"] - y - noise) ** 2)
    return loss, ({"n": state["n"] + 1}, {"largest": jnp.max(jnp.abs(parameters["w"]))})


def _fit(options: Training, **more: Any) -> loop.Fitted:
    start = {"w": np.zeros(3, np.float32)}
    return fit(_squares, start, {"n": np.zeros((), np.int32)}, X, Y, options, **more)


def test_least_squares_finds_the_solution() -> None:
    fitted = _fit(Training(epochs=60, learning_rate=0.05), progress=False)
    np.testing.assert_allclose(fitted.parameters["w"], TRUE, atol=2e-3)
    assert fitted.state["n"] == 60 * 7  # four samples of each epoch do not fill a batch
    assert fitted.history["loss"].shape == fitted.history["largest"].shape == (60,)
    assert fitted.history["loss"][-1] < 1e-3 * fitted.history["loss"][0]


def test_one_step_of_gradient_descent_is_the_closed_form() -> None:
    options = Training(epochs=1, batch_size=60, learning_rate=0.1, optimizer="sgd")
    fitted = _fit(options, progress=False, dtype="float64")
    np.testing.assert_allclose(fitted.parameters["w"], 0.2 * X.T @ Y / 60, atol=1e-4)


def test_the_learning_rate_decays_as_declared() -> None:
    rate = Training(learning_rate=0.1, decay=0.5, decay_steps=10, optimizer="sgd")
    step = rate.transformation()
    memory = step.init(jnp.zeros(()))
    seen = []
    for _ in range(21):
        change, memory = step.update(jnp.ones(()), memory)
        seen.append(-float(change))
    np.testing.assert_allclose([seen[0], seen[10], seen[20]], [0.1, 0.05, 0.025], rtol=1e-6)


def test_the_seed_decides_everything() -> None:
    runs = [_fit(Training(epochs=2, seed=seed), progress=False) for seed in (1, 1, 2)]
    weights = [run.parameters["w"].tobytes() for run in runs]
    assert weights[0] == weights[1] != weights[2]


def test_an_interrupted_run_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Training(epochs=5, seed=3)
    whole = _fit(options, progress=False)
    monkeypatch.setattr(loop, "_CHUNK", 2)
    monkeypatch.setattr(loop, "_INTERVAL", 0.0)
    check, count = loop._check_finite, iter(range(100))

    def interrupt(*arguments: Any) -> None:
        if next(count) == 6:  # within the second epoch
            raise KeyboardInterrupt
        check(*arguments)

    monkeypatch.setattr(loop, "_check_finite", interrupt)
    file = tmp_path / "run.ckpt"
    with pytest.raises(KeyboardInterrupt):
        _fit(options, progress=False, checkpoint=file)
    resumed = _fit(options, progress=False, checkpoint=file)
    assert resumed.parameters["w"].tobytes() == whole.parameters["w"].tobytes()
    assert resumed.state["n"] == whole.state["n"]
    np.testing.assert_allclose(resumed.history["loss"], whole.history["loss"], rtol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.ckpt"]


def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.ckpt"
    _fit(Training(epochs=1), progress=False, checkpoint=file)
    with pytest.raises(DataError, match="other settings, start values or data"):
        _fit(Training(epochs=2), progress=False, checkpoint=file)
    with np.load(file) as found:
        arrays = dict(found)
    np.savez(tmp_path / "other.npz", **arrays | {"array_0": arrays["array_0"] + 1})
    (tmp_path / "other.npz").replace(file)
    with pytest.raises(NetworkFileError, match="its checksum does not fit its content"):
        _fit(Training(epochs=1), progress=False, checkpoint=file)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(NetworkFileError, match="not a checkpoint, or is damaged"):
        _fit(Training(epochs=1), progress=False, checkpoint=file)


def test_divergence_is_reported() -> None:
    options = Training(epochs=50, learning_rate=1e20, optimizer="sgd")
    with pytest.raises(TrainingError, match="no longer finite in epoch .* smaller learning_rate"):
        _fit(options, progress=False)


def test_too_few_samples_and_wrong_options_are_refused() -> None:
    with pytest.raises(DataError, match="60 training samples, fewer than one batch of 64"):
        _fit(Training(batch_size=64), progress=False)
    with pytest.raises(ParameterError, match="(?s)epochs must be .*learning_rate must be"):
        Training(epochs=0, learning_rate=-1.0)
