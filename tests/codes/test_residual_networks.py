"""The residual networks of mueller 4.2 with random weights: read, converted, run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later
from numpy.typing import NDArray

import bioconv as bc
from bioconv import models
from bioconv.ground.errors import ExportError
from bioconv.measures import decode
from bioconv.models._residual import build_imagenet_resnet

keras = later("keras")


def images(n: int) -> NDArray[np.float32]:
    """Smooth random images."""
    coarse = np.random.default_rng(0).random((n, 8, 8, 3))
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.float32)


def settled(model: Any, x: NDArray) -> Any:
    """The model with the batch statistics of some images, as if it had been trained on them."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(x, training=True)
    return model


def check_rates(
    network: bc.SpikingNetwork,
    recording: bc.Recording,
    x: NDArray,
    least: float,
    n_layers: int | None = None,
) -> None:
    """The rates of the first layers, or of all, follow the activations of the analog network."""
    exact = network.analog.activations(x)
    carried = [p.layer for p in network.populations if p.layer and p.model.threshold]
    assert len(carried) > 5
    for name in carried[:n_layers]:
        found, wanted = decode(network, recording, name).ravel(), exact[name].ravel()
        assert np.corrcoef(found, wanted)[0, 1] > least, name


def counted(network: bc.SpikingNetwork) -> dict[str, tuple[str]]:
    """What has to be recorded to decode every layer."""
    return {p.name: (p.decoded_from,) for p in network.populations}


@pytest.mark.slow
def test_a_small_one_of_bottlenecks_gives_what_keras_gives() -> None:
    x = images(6)
    model = settled(build_imagenet_resnet("small", (1, 1), bottleneck=True, filters=2), x)
    network = bc.convert(model, calibration=x)
    assert len(network.populations) == 8  # the stem, three in each block, and the output
    recording = bc.simulate(network, x, steps=300, record=counted(network), progress=False)
    exact = model.predict(x, verbose=0)
    assert np.abs(recording.outputs[recording.readout] - exact).max() < 0.02
    check_rates(network, recording, x, 0.99)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n_neurons", "n_layers"),
    [
        ("resnet18", 278_538, 18),
        ("resnet34", 483_338, 34),
        ("resnet50", 1_470_474, 50),
        ("resnet101", 2_306_058, 101),
    ],
)
def test_those_of_the_thesis_convert(name: str, n_neurons: int, n_layers: int) -> None:
    x = images(8)
    model = settled(models.build(name), x)
    graph = bc.read(model)
    np.testing.assert_allclose(graph.predict(x[:2]), model.predict(x[:2], verbose=0), atol=1e-4)
    network = bc.convert(graph, calibration=x)
    assert network.n_neurons == n_neurons
    assert len(network.populations) == n_layers
    recording = bc.simulate(network, x[:1], steps=3, progress=False)
    assert recording.spikes_per_image[network.populations[0].name].sum() > 0


@pytest.mark.slow
def test_a_hundred_and_one_layers_run() -> None:
    """Rates follow the activations of the first 16 layers, and most of the last ones fire.

    What spikes round adds up over layers of random weights: after 400 steps, the correlation is
    about 0.94 in the 25th population and 0.1 in the last hidden ones.
    """
    keras.utils.set_random_seed(0)
    x = images(16)
    model = settled(models.build("resnet101"), x)
    network = bc.convert(model, calibration=x, code=bc.RateCode(clamp=1))
    recording = bc.simulate(network, x[:1], steps=400, record=counted(network), progress=False)
    check_rates(network, recording, x[:1], 0.9, 16)
    spiking = [p.name for p in network.populations if p.model.threshold]
    active = [recording.spikes_per_image[name].sum() > 0 for name in spiking]
    assert np.mean(active[-10:]) >= 0.5


@pytest.mark.slow
def test_a_hundred_and_one_layers_are_refused_where_synapses_are_listed(tmp_path: Path) -> None:
    """NIR would need matrices for the scaled convolutions of a network of this size."""
    x = images(16)
    code = bc.RateCode(readout="count", clamp=0, initial="zero", max_rate=200)
    network = bc.convert(settled(models.build("resnet101"), x), calibration=x, code=code)
    with pytest.raises(ExportError, match=r"as a matrix it has 1,073,741,824 weights"):
        bc.emit(network, tmp_path / "resnet101.nir", target="nir")
    assert not list(tmp_path.iterdir())
