"""The transformers of mueller 4.4: every ReLU spikes, the rest is analog."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import models
from bioconv.data.datasets import N_WORDS

keras = later("keras")

STAGES = {
    "vision_transformer": ["attention", "attention_norm", "forward_norm"],
    "text_transformer": ["words", "attention", "attention_norm", "forward_norm"],
}
N_SPIKING = {"vision_transformer": 50 * 64 + 64, "text_transformer": 200 * 32 + 20 + 20}


def samples(name: str, n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    if name == "vision_transformer":
        return rng.random((n, 28, 28, 1), np.float32)
    return rng.integers(0, N_WORDS["imdb_20000"], (n, 200))


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_untrained_it_converts_and_decides_as_keras(name: str) -> None:
    keras.utils.set_random_seed(0)
    model = models.build(name)
    x = samples(name, 6)
    exact = np.asarray(model.predict(x, verbose=0))
    graph = bc.read(model)
    np.testing.assert_allclose(graph.predict(x), exact, atol=1e-5)
    code = bc.RateCode(percentile=100.0, clamp=1)
    network = bc.convert(
        graph, calibration=samples(name, 24), code=code, n_steps=50, progress=False
    )
    assert [stage.name for stage in network.stages] == STAGES[name]
    outputs = {readout.population for readout in network.readouts}
    spiking = [p.n_neurons for p in network.populations if p.name not in outputs]
    assert sum(spiking) == N_SPIKING[name]
    recording = bc.simulate(network, x, progress=False)
    found = recording.outputs[network.readouts[0].name]
    assert np.abs(found - exact).max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["brian2", "nest"])
def test_ten_digits_give_the_same_spikes_and_classes(simulator: str, shared_data: Path) -> None:
    with np.load(shared_data / "keras" / "datasets" / "mnist.npz") as digits:
        train, test = (digits[name][..., None] / 255 for name in ("x_train", "x_test"))
    code = bc.RateCode(percentile=99.0, clamp=1)
    network = bc.convert(
        models.load("vision_transformer"),
        calibration=train[:200],
        code=code,
        n_steps=50,
        progress=False,
    )
    expected = bc.simulate(network, test[:10], dtype="float64", progress=False)
    found = bc.simulate(network, test[:10], simulator=simulator, progress=False)
    np.testing.assert_array_equal(found.predictions(), expected.predictions())
    for name, spikes in expected.spikes_per_image.items():
        np.testing.assert_array_equal(found.spikes_per_image[name], spikes, err_msg=name)


@pytest.mark.parametrize("name", STAGES)
def test_positions_and_classes_have_weights_of_their_own(name: str) -> None:
    """The bias of the projection is an embedding of every position, of the class token too."""
    bias = models.build(name).get_layer("positions").bias
    assert tuple(bias.shape) == ((50, 32) if name == "vision_transformer" else (200, 32))
