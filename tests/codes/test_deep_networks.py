"""The default conversion of very deep networks, against Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from later import later

import bioconv as bc

keras = later("keras")


def chain(depth: int, width: int = 6) -> tuple[Any, np.ndarray]:
    """Dense layers that differ from the identity by random weights, and some inputs."""
    rng = np.random.default_rng(depth)
    x = given = keras.Input((width,))
    for _ in range(depth):
        x = keras.layers.Dense(width, activation="relu")(x)
    model = keras.Model(given, keras.layers.Dense(4)(x))
    for layer in model.layers[1:]:
        kernel = rng.normal(0, 0.05, layer.kernel.shape) + np.eye(*layer.kernel.shape)
        layer.set_weights([kernel, rng.normal(0, 0.01, layer.bias.shape)])
    return model, rng.random((40, width)).astype(np.float32)


@pytest.mark.slow
def test_more_than_a_hundred_layers_give_what_keras_gives() -> None:
    model, x = chain(110)
    network = bc.convert(model, calibration=x)
    (population,) = [p for p in network.populations if p.name == network.readouts[0].population]
    assert population.start_step == 110 * 5
    assert network.n_steps == 110 * 5 + 250
    recording = bc.simulate(network, x, progress=False)
    found = recording.outputs[network.readouts[0].name]
    exact = model.predict(x, verbose=0)
    spread = exact - exact.mean(axis=0)
    assert np.abs(found - exact).mean() < 0.1 * np.abs(spread).mean()
    assert recording.agreement(exact.argmax(axis=-1)) >= 0.9


@pytest.mark.parametrize(
    ("depth", "steps"),
    [
        (3, 500),
        pytest.param(50, 500, marks=pytest.mark.slow),
        (51, 505),
        pytest.param(110, 800, marks=pytest.mark.slow),
    ],
)
def test_duration_follows_depth_only_beyond_fifty_layers(depth: int, steps: int) -> None:
    model, x = chain(depth, width=3)
    assert bc.convert(model, calibration=x).n_steps == steps
    assert bc.convert(model, calibration=x, code=bc.RateCode(clamp=1)).n_steps == 500


def test_too_few_steps_of_the_user_are_still_refused() -> None:
    model, x = chain(20, width=3)
    with pytest.raises(ValueError, match="the output starts in step 100"):
        bc.convert(model, calibration=x, n_steps=100)
