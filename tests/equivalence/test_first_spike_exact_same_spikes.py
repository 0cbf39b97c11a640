"""The exact first-spike code: the same spikes in the array simulator, in Brian2 and in NEST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from some_variants import some

import bioconv as bc
from bioconv import models
from bioconv.codes import FirstSpikeExactCode
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording


def _network(model: str, **options: Any) -> SpikingNetwork:
    x, _ = bc.load_data("digits", split="train", n_images=300)
    path = models.weights_path(model)
    shape = bc.read(path).inputs[0].shape
    return bc.convert(
        path, calibration=x.reshape(-1, *shape), code=FirstSpikeExactCode(**options, time_unit=5.0)
    )


def _pooled(**options: Any) -> SpikingNetwork:
    """Maxima and minima behind a batch normalization with factors of both signs."""
    import keras

    rng = np.random.default_rng(0)
    layers = [
        keras.layers.Input((8, 8, 1)),
        keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(10),
    ]
    model = keras.Sequential(layers)
    gamma = np.array([1.0, -0.7, 0.5, -1.2])
    model.layers[0].set_weights([rng.normal(0, 0.5, (3, 3, 1, 4)), rng.normal(0, 0.1, 4)])
    model.layers[1].set_weights([gamma, rng.normal(0, 1, 4), np.full(4, 0.2), np.ones(4)])
    model.layers[4].set_weights([rng.normal(0, 0.3, (64, 10)), rng.normal(0, 1, 10)])
    x, _ = bc.load_data("digits", split="train", n_images=300)
    return bc.convert(model, calibration=x, code=FirstSpikeExactCode(**options, time_unit=5.0))


def _assert_same(network: SpikingNetwork, simulator: str, n_images: int = 2) -> None:
    x, _ = bc.load_data("digits", n_images=n_images)
    x = x.reshape(n_images, *network.inputs[0].shape)
    record = {population.name: ("spikes",) for population in network.populations}

    def run(name: str) -> Recording:
        return bc.simulate(
            network, x, simulator=name, record=record, dtype="float64", progress=False
        )

    a, b = run("array"), run(simulator)
    assert sum(len(raster.step) for raster in a.rasters.values()) > 100
    for name, raster in a.rasters.items():
        for column in ("image", "step", "neuron"):
            np.testing.assert_array_equal(
                getattr(raster, column), getattr(b.rasters[name], column), err_msg=name
            )
        pairs = raster.image * network.population(name).n_neurons + raster.neuron
        assert len(np.unique(pairs)) == len(pairs)  # at most one spike
    np.testing.assert_allclose(a.outputs[a.readout], b.outputs[b.readout], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(a.predictions(), b.predictions())


@pytest.mark.parametrize(
    ("model", "options"),
    [
        pytest.param("digits_cnn", {}, marks=pytest.mark.slow),
        ("digits_mlp", {"slope": "identical", "ramp": "own", "inactive": "silent"}),
        pytest.param(
            "pooled",
            {"threshold": "falling", "inactive": "silent", "zeta": -0.5},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_brian2(model: str, options: dict[str, Any]) -> None:
    network = _pooled(**options) if model == "pooled" else _network(model, **options)
    _assert_same(network, "brian2")


@pytest.mark.slow
def test_nest() -> None:
    _assert_same(_pooled(), "nest")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("digits_mlp", {"slope": "identical", "ramp": "own", "inactive": "silent"}),
        ("digits_cnn", {"threshold": "falling", "zeta": -0.5}),
        ("digits_mlp", {"threshold": "constant", "inactive": "silent", "zeta": -0.6}),
    ],
)
def test_whole_family_in_nest(model: str, options: dict[str, Any]) -> None:
    _assert_same(_network(model, **options), "nest")


@pytest.mark.parametrize("simulator", some(["brian2", "nest"], every=2))
def test_a_trained_network_is_the_one_that_runs(simulator: str) -> None:
    """Training in spike times ends in the same neurons, whose spikes are the same everywhere."""
    pytest.importorskip(simulator)
    x, y = bc.load_data("digits", split="train", n_images=200)
    network = _network("digits_mlp", slope="identical", ramp="own")
    x = x.reshape(len(x), *network.inputs[0].shape)
    options = bc.training.Training(epochs=1, learning_rate=1e-3)
    done = bc.finetune(network, x, y, options=options, gamma=10.0, zeta=0.5, progress=False)
    assert done.network.n_steps != network.n_steps
    _assert_same(done.network, simulator, 4)
