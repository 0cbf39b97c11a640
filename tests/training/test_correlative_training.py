"""Training of spike patterns: the loss, its two ways to the first layer, and what is learnt."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import digits
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bioconv as bc
from bioconv.codes import CorrelativeCode
from bioconv.codes.correlative.integers import IntegerNetwork
from bioconv.encoders import make
from bioconv.ground.errors import DataError, ParameterError
from bioconv.operators import precision
from bioconv.training.correlative import (
    OPTIONS,
    Parts,
    PatternLoss,
    Trained,
    converted,
    pseudo_spike,
    start,
    train,
    train_graph,
)

CODE = CorrelativeCode(n_outputs=2)
KEY = jax.random.key(0)


def loss_of(encoder: Any, code: CorrelativeCode = CODE) -> PatternLoss:
    return PatternLoss(code, code.targets(10, encoder.n_steps), encoder.patterns)


def encoder_of(name: str, **options: Any) -> Any:
    return make(name, options).fitted(digits.train()[:200])


@pytest.mark.parametrize("name", ["cte", "ecte"])
def test_the_loss_is_that_of_the_network(name: str) -> None:
    """Eq A.13 of the outputs of the trained graph, which the encoder and all layers precede."""
    encoder, x, y = encoder_of(name, n_levels=1), digits.train()[:8], digits.train_labels()[:8]
    loss = loss_of(encoder)
    widths = (64, 12, 9, 20)
    parameters = start(CODE, widths, 3)
    with precision("float64"):
        arrays = jax.tree.map(jnp.asarray, parameters)
        levels = jnp.asarray(encoder.levels(x))
        value, (_, measures) = loss(arrays, (), levels, jnp.asarray(y), KEY)
        logits = np.asarray(loss.forward(arrays, levels, KEY)[0])
    # Eqs A.11 and A.12 in plain NumPy
    spikes, layers = encoder.dense(x).astype(float), list(zip(*parameters.values(), strict=True))
    for weights, v_th in layers[:-1]:
        potential, fired = np.zeros((8, len(v_th))), np.zeros((8, len(v_th)))
        emitted = []
        for t in range(100):
            potential = spikes[:, t] @ weights + 0.8 * potential * (1 - fired)
            fired = (potential >= v_th).astype(float)
            emitted.append(fired)
        spikes = np.stack(emitted, axis=1)
    expected = spikes @ layers[-1][0] - layers[-1][1]
    np.testing.assert_allclose(logits.swapaxes(0, 1), expected, atol=1e-9)
    chi = 1 / (1 + np.exp(-expected))
    target = loss.targets[y]
    entropy = -np.where(target, 20.0 * np.log(chi), np.log(1 - chi)).mean()
    assert float(value) == pytest.approx(entropy)
    assert 0.0 < float(measures["spikes"]) < 1.0


@pytest.mark.parametrize(
    ("name", "options", "length"),
    [
        ("cte", {"n_levels": 1}, None),
        ("cte", {"n_levels": 3, "n_neurons": 2}, None),
        ("ecte", {"n_levels": 6}, 6),
        ("ecte", {"n_levels": 6, "eta": 4}, None),
        ("ecte", {"n_levels": 3, "n_neurons": 2, "n_steps": 45}, None),
        ("cte", {"n_levels": 2, "n_steps": 41, "n_spikes": 40.5}, None),
    ],
)
def test_parts_of_patterns_give_the_input_of_dense_spikes(
    name: str, options: dict[str, Any], length: int | None
) -> None:
    """The blocks and the remaining spikes, with the gradient of their products with the weights."""
    encoder = encoder_of(name, **options)
    rng = np.random.default_rng(0)
    x, n_steps = digits.train()[:16], encoder.n_steps
    levels, goal = jnp.asarray(encoder.levels(x)), rng.normal(size=(n_steps, 16, 7))
    code = CorrelativeCode(n_outputs=2, first_step=5)
    loss = PatternLoss(code, code.targets(10, n_steps), encoder.patterns)
    assert length in (None, loss._parts.length)
    dense = encoder.dense(x).astype(float)
    with precision("float64"):
        weights = jnp.asarray(rng.normal(size=(dense.shape[2], 7)))
        found, back = jax.vjp(lambda w: loss._first(w, levels), weights)
        np.testing.assert_allclose(found.swapaxes(0, 1), dense @ np.asarray(weights), atol=1e-12)
        slope = np.einsum("btu,tbn->un", dense, goal)
        np.testing.assert_allclose(back(jnp.asarray(goal))[0], slope, atol=1e-12)


def test_segments_full_of_spikes_need_one_product() -> None:
    """An ECTE pattern has a spike in every step of a segment, if eta is its length."""
    parts = Parts.of(encoder_of("ecte", n_levels=6).patterns)
    assert (parts.length, parts.held.shape[2]) == (6, 10)  # n_levels + n_neighbours - 1
    assert parts.unit.shape[1] < 64


def test_spikes_have_a_pseudo_derivative() -> None:
    distance = jnp.linspace(-1.0, 1.0, 9)
    slope = jax.vmap(jax.grad(lambda d: pseudo_spike(d, 0.5)))(distance)
    np.testing.assert_allclose(slope, 1 - np.tanh(np.asarray(distance) / 0.5) ** 2, rtol=1e-5)
    assert np.array_equal(pseudo_spike(distance, 0.5), distance >= 0)


def test_classes_without_samples_have_outputs() -> None:
    x, y = digits.train(), digits.train_labels()
    x, y = x[y < 4][:64], y[y < 4][:64]
    options = replace(OPTIONS, epochs=1)
    settings: dict[str, Any] = {"progress": False}
    for n_classes, expected in ((None, 4), (6, 6)):
        found = train_graph(CODE, make("cte"), (5,), x, y, options, n_classes=n_classes, **settings)
        assert found.graph.layers[-1].shape == (expected,)
    for wrong in (1, 2.5, "6"):
        with pytest.raises(ParameterError, match="n_classes must be a whole number"):
            train_graph(CODE, make("cte"), (5,), x, y, n_classes=wrong, **settings)  # type: ignore[arg-type]
    with pytest.raises(DataError):
        train_graph(CODE, make("cte"), (5,), x, y, n_classes=3, **settings)


@cache
def trained(multiplication_free: bool = False) -> Trained:
    code = CorrelativeCode(multiplication_free=multiplication_free)
    options = replace(OPTIONS, epochs=5, learning_rate=5e-3)
    x, y = digits.train(), digits.train_labels()
    return train_graph(code, make("ecte"), (120,), x, y, options, progress=False)


def accuracy(found: Trained) -> float:
    return float(np.mean(found.graph.predict(digits.test()).argmax(axis=1) == digits.labels()))


@pytest.mark.slow
def test_digits_are_learnt() -> None:
    """A few dozen updates; a random guess is right in 10 %."""
    found = trained()
    assert found.history["loss"][-1] < 0.8 * found.history["loss"][0]
    assert accuracy(found) > 0.6


@pytest.mark.slow
def test_long_runs_learn_digits_well() -> None:
    """The same with integers, shifts and additions, trained with this arithmetic."""
    right = {}
    for free in (False, True):
        code = CorrelativeCode(multiplication_free=free)
        options = replace(OPTIONS, epochs=25)
        x, y = digits.train(), digits.train_labels()
        found = train_graph(code, make("ecte"), (200,), x, y, options, progress=False)
        right[free] = accuracy(found)
        if free:
            classes = IntegerNetwork.of(found.graph, 16).classes(digits.test())
            assert np.mean(classes == digits.labels()) > right[free] - 0.02
    assert min(right.values()) > 0.9
    # Of 360 images each, a difference has a standard deviation of 1.7 points.
    assert abs(right[True] - right[False]) < 0.05


def test_the_same_seed_gives_the_same_network(tmp_path: Path) -> None:
    x, y = digits.train()[:128], digits.train_labels()[:128]
    options = replace(OPTIONS, epochs=2, batch_size=32)
    settings: dict[str, Any] = {"progress": False, "checkpoint": tmp_path / "run.ckpt"}
    nets = []
    for seed, more in (
        (1, {"progress": False}),
        (1, settings),
        (1, settings),
        (2, {"progress": False}),
    ):
        code = replace(CODE, dropout=0.2)
        nets.append(train(code, make("cte"), (20,), x, y, replace(options, seed=seed), **more))
        nets[-1].save(tmp_path / f"{len(nets)}.h5")
    files = [(tmp_path / f"{n}.h5").read_bytes() for n in (1, 2, 3, 4)]
    assert files[0] == files[1] == files[2] != files[3]
    assert isinstance(nets[0], bc.SpikingNetwork)


def test_the_step_of_the_network_is_that_of_the_patterns() -> None:
    found = trained()
    slow = replace(found.encoder, interval=50.0)
    network = converted(CorrelativeCode(), replace(found, encoder=slow), digits.test(1))
    assert network.dt == 0.5
    rasters = slow.encode_each(digits.test(3))
    recording = bc.simulate(network, rasters, progress=False)
    outputs = found.graph.predict(digits.test(3))
    np.testing.assert_allclose(recording.outputs["distances"], outputs, rtol=1e-3)


def test_what_cannot_be_trained_is_refused() -> None:
    x, y = digits.train()[:64], digits.train_labels()[:64]
    for sizes in ((), (0,), (2.5,)):
        with pytest.raises(ParameterError, match="sizes must be whole numbers"):
            train(CODE, make("cte"), sizes, x, y, progress=False)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="first_step from 0"):
        train(CODE, make("cte", {"n_steps": 30}), (5,), x, y, progress=False)
    with pytest.raises(DataError):
        train(CODE, make("cte"), (5,), x, y[:5], progress=False)
    with pytest.raises(DataError, match="fewer than one batch"):
        train(CODE, make("cte"), (5,), x[:20], y[:20], progress=False)
