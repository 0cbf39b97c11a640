"""Fine-tuning in spike times: for hardware, under noise, interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from spike_times import OWN, converted, deep, digits

import bioconv as bc
from bioconv.codes.first_spike_exact.reading import leads_of
from bioconv.network import SpikingNetwork
from bioconv.noise import Mismatch, SpikeJitter, WeightQuantization, disturb
from bioconv.operators import kernels
from bioconv.training import Training, evaluate, train_analog


def _simulated(network: SpikingNetwork, x: np.ndarray, seed: int = 0) -> np.ndarray:
    (found,) = bc.simulate(
        network, x, simulator="event", seed=seed, progress=False
    ).outputs.values()
    return np.asarray(found)


@pytest.mark.slow
def test_fine_tuning_recovers_from_four_bits() -> None:
    x, y = digits(1200)
    model, _ = train_analog(
        deep(np.random.default_rng(0)), x, y, options=Training(epochs=6), progress=False
    )
    network = converted(model, **OWN, zeta=0.0)
    rounding = WeightQuantization(3)
    plain = np.mean(evaluate(network, x, imperfections=[rounding]).argmax(axis=1) == y)
    options = Training(epochs=3, learning_rate=2e-4)
    done = bc.finetune(network, x, y, imperfections=[rounding], options=options, progress=False)
    tuned = np.mean(evaluate(done.network, x).argmax(axis=1) == y)
    assert tuned > plain + 0.02
    for projection in done.network.projections:
        for kernel in kernels(projection.operator):
            assert len(np.unique(np.round(kernel / np.abs(kernel).max() * 3, 4))) <= 7
    # rounding once more changes nothing but the last digits of the grid
    again = evaluate(disturb(done.network, WeightQuantization(3)), x[:50])
    np.testing.assert_allclose(again, evaluate(done.network, x[:50]), atol=1e-5)


@pytest.mark.slow
def test_jitter_and_mismatch_are_those_of_the_noise_room() -> None:
    x, y = digits(300)
    model = deep(np.random.default_rng(0))
    network = converted(model, **OWN)
    unit, exact = leads_of(network).schedule.unit, _simulated(network, x[:50])
    for imperfection in (SpikeJitter(0.2 * unit), Mismatch("weight", 0.3)):
        spread, trained = [], []
        for seed in range(4):
            chip = disturb(network, imperfection, seed=seed)
            spread.append(np.std(_simulated(chip, x[:50], seed=seed) - exact))
            found = evaluate(network, x[:50], imperfections=[imperfection], seed=seed)
            trained.append(np.std(found - exact))
        both = (np.array(spread), np.array(trained))
        error = np.sqrt(sum(np.var(values, ddof=1) / len(values) for values in both))
        assert np.mean(spread) > 0.01
        assert abs(np.mean(trained) - np.mean(spread)) < 4 * error


@pytest.mark.slow
def test_fine_tuning_under_jitter_helps() -> None:
    x, y = digits(1200)
    model, _ = train_analog(
        deep(np.random.default_rng(0)), x, y, options=Training(epochs=6), progress=False
    )
    network = converted(model, **OWN)
    jitter = SpikeJitter(0.3 * leads_of(network).schedule.unit)

    def accuracy(chip: SpikingNetwork) -> float:
        runs = [evaluate(chip, x, imperfections=[jitter], seed=k) for k in range(4)]
        return float(np.mean([np.mean(run.argmax(axis=1) == y) for run in runs]))

    options = Training(epochs=4, learning_rate=5e-4)
    done = bc.finetune(network, x, y, imperfections=[jitter], options=options, progress=False)
    assert accuracy(done.network) > accuracy(network) + 0.02


def test_an_interrupted_training_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = digits(160)
    network = converted(deep(np.random.default_rng(0)), **OWN)
    options = Training(epochs=3)
    whole = bc.finetune(network, x, y, options=options, progress=False)
    from bioconv.training import loop

    real, calls = loop._check_finite, []

    def stop(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(loop, "_check_finite", stop)
    file = tmp_path / "a.ckpt"
    with pytest.raises(KeyboardInterrupt):
        bc.finetune(network, x, y, options=options, checkpoint=file, progress=False)
    resumed = bc.finetune(network, x, y, options=options, checkpoint=file, progress=False)
    for first, second in zip(
        jax.tree.leaves(whole.network.analog), jax.tree.leaves(resumed.network.analog), strict=True
    ):
        assert np.array_equal(first, second)
