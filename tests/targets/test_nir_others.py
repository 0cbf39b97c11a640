"""What others wrote reads NIR files of bioconv, and comes to the same classes: Spyx."""

from __future__ import annotations

from pathlib import Path

import nir
import numpy as np
import pytest
from later import later
from numpy.typing import NDArray

import bioconv as bc
from bioconv import models
from bioconv.network import SpikingNetwork

keras = later("keras")

N_STEPS, N_IMAGES = 300, 40


def digits(name: str) -> tuple[SpikingNetwork, NDArray, NDArray]:
    """A network of digits with low rates, images, labels."""
    model = keras.models.load_model(models.weights_path(name))
    x, y = bc.load_data("digits", split="test")
    x = x.reshape(len(x), *model.input_shape[1:])
    code = bc.RateCode(readout="count", clamp=0, initial="zero", max_rate=200)
    return bc.convert(model, calibration=x, code=code, n_steps=N_STEPS), x[:N_IMAGES], y[:N_IMAGES]


def spyx_counts(graph: nir.NIRGraph, x: NDArray) -> NDArray:
    """Output spikes of the graph in Spyx for images that are the same in every step."""
    steps = np.broadcast_to(x.astype(np.float32), (N_STEPS, *x.shape))
    spyx_nir = pytest.importorskip("spyx.nir", reason="pip install spyx")
    _, spikes = spyx_nir.from_nir(graph, steps, dt=1e-3)
    return np.asarray(spikes).sum(axis=0)


def in_spyx_order(graph: nir.NIRGraph) -> nir.NIRGraph:
    """Spyx 1.0 flattens with the channels last and takes weights as if they had come first."""
    for name, node in graph.nodes.items():
        if isinstance(node, nir.Flatten):
            channels, *space = (int(n) for n in node.input_type["input"])
            (after,) = (graph.nodes[post] for pre, post in graph.edges if pre == name)
            ordered = after.weight.reshape(-1, channels, *space)
            after.weight = np.moveaxis(ordered, 1, -1).reshape(after.weight.shape)
    return graph


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits_mlp", pytest.param("digits_cnn", marks=pytest.mark.slow)])
def test_spyx_finds_the_same_classes(name: str, tmp_path: Path) -> None:
    network, x, y = digits(name)
    report = bc.examine(network, "nir", x, y, progress=False)
    free, restricted = report.measured
    assert free.accuracy is not None and restricted.accuracy is not None
    assert restricted.accuracy >= free.accuracy - 0.03
    with pytest.warns(UserWarning, match="metadata"):
        report.emit(tmp_path / "digits.nir")
    back = bc.simulate(bc.read_nir(tmp_path / "digits.nir"), x, progress=False)
    assert np.mean(back.predictions() == y) == pytest.approx(restricted.accuracy, abs=0.03)
    graph = in_spyx_order(nir.read(tmp_path / "digits.nir"))
    found = spyx_counts(graph, x)
    out = network.populations[-1].name
    ours = bc.simulate(network, x, record={out: ("counts",)}, progress=False)
    # It fires a step later, and resets by subtraction as the network that was exported.
    assert np.abs(found - ours.counts[out]).max() <= 2
    agreed = found.argmax(axis=1) == ours.predictions()
    top = np.sort(ours.counts[out], axis=1)
    assert np.all(agreed | (top[:, -1] - top[:, -2] <= 2))
    assert agreed.mean() > 0.9 and np.mean(found.argmax(axis=1) == y) > 0.9
