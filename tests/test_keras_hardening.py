"""Fine-tuning under rounded and noisy weights: forward, gradients, files, and what it gains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import digits
import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import models
from bioconv.ground.errors import ParameterError
from bioconv.noise import WeightQuantization

keras = later("keras")


def plain() -> Any:
    return keras.models.load_model(models.weights_path("digits_cnn"), compile=False)


def rounded(model: Any, quantization: WeightQuantization) -> Any:
    """A copy whose kernels are rounded by hand."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        for variable in layer.variables:
            if variable.name == "kernel":
                variable.assign(quantization.rounded(np.asarray(variable)))
    return copy


@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
@pytest.mark.parametrize("per", ["layer", "channel"])
def test_forward_uses_rounded_weights(scheme: str, per: str) -> None:
    # Cut off alike on both sides, weights lie half-way on the affine grid: rounding decides.
    percentile = 99.0 if scheme == "symmetric" else 100.0
    model, quantization = plain(), WeightQuantization(3, scheme, per, percentile)
    found = bc.keras.harden(model, quantization).predict(digits.test(20), verbose=0)
    expected = rounded(model, quantization).predict(digits.test(20), verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(found, model.predict(digits.test(20), verbose=0), atol=1e-3)


def test_a_hardened_model_is_softened_saved_and_read(tmp_path: Path) -> None:
    model = plain()
    hardened = bc.keras.harden(model, WeightQuantization(4), noise=0.1)
    hardened.save(tmp_path / "hard.keras")
    again = keras.models.load_model(tmp_path / "hard.keras")
    np.testing.assert_allclose(
        again.predict(digits.test(5), verbose=0),
        hardened.predict(digits.test(5), verbose=0),
        atol=1e-6,
    )
    back = bc.keras.soften(again)
    for one, other in zip(back.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(
        bc.read(back).predict(digits.test(5)), model.predict(digits.test(5), verbose=0), atol=1e-4
    )


def test_gradients_go_straight_through() -> None:
    """One step of gradient descent on a quadratic loss, by hand: w - rate * x (q(w) x - y)."""
    dense = keras.layers.Dense(1, use_bias=False)
    quantization = WeightQuantization(2)
    model = keras.Sequential([keras.Input((2,)), bc.keras.HardwareAware(dense, quantization)])
    weights = np.array([[0.8], [0.3]], np.float32)
    dense.set_weights([weights])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x, y = np.array([[1.0, 2.0]], np.float32), np.array([[1.0]], np.float32)
    model.fit(x, y, epochs=1, verbose=0)
    error = x @ quantization.rounded(weights) - y
    np.testing.assert_allclose(dense.get_weights()[0], weights - 0.1 * 2 * x.T @ error, rtol=1e-5)


def test_noise_is_in_training_only_and_drawn_anew() -> None:
    layer = bc.keras.HardwareAware(keras.layers.Dense(400, use_bias=False), noise=0.2)
    x = np.ones((1, 1), np.float32)
    quiet = np.asarray(layer(x))
    np.testing.assert_array_equal(quiet, np.asarray(layer(x)))
    np.testing.assert_allclose(quiet[0], layer.layer.get_weights()[0][0], rtol=1e-6)
    ratios = [np.asarray(layer(x, training=True))[0] / quiet[0] for _ in range(2)]
    for ratio in ratios:
        assert ratio.std() == pytest.approx(0.2, rel=5 / np.sqrt(800))
    assert not np.allclose(*ratios)


def test_what_is_wrong_is_said_at_once() -> None:
    stochastic = WeightQuantization(4, rounding="stochastic")
    with pytest.raises(ParameterError) as caught:
        bc.keras.HardwareAware(keras.layers.Dense(1), stochastic, noise=-1.0)
    assert "noise" in str(caught.value)
    assert "nearest" in str(caught.value)
    with pytest.raises(ParameterError, match="quantization must be a WeightQuantization.*'x'"):
        bc.keras.harden(plain(), "x")
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)], name="inner")
    with pytest.raises(ParameterError, match="nested models: inner"):
        bc.keras.harden(keras.Sequential([keras.Input((2,)), inner, keras.layers.Dense(1)]))
    with pytest.raises(ParameterError, match="no Dense"):
        bc.keras.harden(keras.Sequential([keras.Input((2,)), keras.layers.ReLU()]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Conv1DTranspose(3, 2, name="odd"),
        lambda: keras.layers.DepthwiseConv1D(2, name="odd"),
        lambda: keras.layers.SeparableConv1D(3, 2, name="odd"),
        lambda: keras.layers.EinsumDense("abc,cde->abde", (None, 3, 2), name="odd"),
    ],
)
def test_channels_that_the_network_has_elsewhere_are_refused(make: Callable[[], Any]) -> None:
    layer = make()
    channels = WeightQuantization(3, per="channel")
    model = keras.Sequential([keras.Input((5, 4)), layer, keras.layers.Dense(2)])
    for refused in (
        lambda: bc.keras.HardwareAware(layer, channels),
        lambda: bc.keras.harden(model, channels),
    ):
        with pytest.raises(ParameterError, match='odd.*Use per="layer"'):
            refused()
    bc.keras.harden(model, WeightQuantization(3))


@pytest.mark.slow
def test_fine_tuning_makes_up_for_coarse_weights() -> None:
    """Two bits: the loss is halved at least (measured: 88 points lost, 19 after fine-tuning)."""
    model, quantization = plain(), WeightQuantization(2, per="channel")
    keras.utils.set_random_seed(0)
    hardened = bc.keras.harden(model, quantization)
    hardened.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    before = accuracy(rounded(model, quantization))
    hardened.fit(digits.train(), digits.train_labels(), epochs=10, batch_size=64, verbose=0)
    after = accuracy(rounded(bc.keras.soften(hardened), quantization))
    best = accuracy(model)
    assert best - before > 0.05
    assert best - after < 0.5 * (best - before)


def accuracy(model: Any) -> float:
    return float(
        np.mean(model.predict(digits.test(), verbose=0).argmax(axis=-1) == digits.labels())
    )
