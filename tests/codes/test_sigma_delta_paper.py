"""The set-up of Yousefzadeh et al. 2019: Algorithm 1 spike by spike, and counted output spikes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import affine, graph, layer, mlp

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import ReLU, Softmax
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense

LEVEL = 0.5
PAPER = bc.SigmaDeltaCode(
    threshold=LEVEL, normalization="none", balance=False, input="binary", readout="spikes"
)


class Neurons:
    """Neurons of Algorithm 1, written down from the paper; the threshold is ``LEVEL``."""

    def __init__(self, weights: np.ndarray, bias: np.ndarray) -> None:
        self.weights = weights / LEVEL
        self.v = bias / LEVEL  # Eq 2
        self.q = np.zeros(len(bias))

    def receive(self, source: int, sign: int) -> np.ndarray:
        """The signed spikes of all neurons after one incoming spike (Eq 3)."""
        self.v = self.v + self.weights[source] * sign
        difference = np.maximum(self.v, 0) - self.q
        spikes = (difference >= 1).astype(int) - (difference <= -1)
        self.q = self.q + spikes
        return spikes


def two_layers(rng: np.random.Generator) -> tuple[AnalogGraph, list[np.ndarray]]:
    """Six pixels, five rectified neurons, three outputs; weights in sixteenths below a level."""
    weights = [rng.integers(-7, 8, shape) / 16 for shape in ((6, 5), (5, 3))]
    bias = [rng.integers(-3, 8, n) / 16 for n in (5, 3)]
    model = graph(
        layer("a", ReLU(), affine(("x", Dense((6,), weights[0])), bias=bias[0])),
        layer("out", Softmax(), affine(("a", Dense((5,), weights[1])), bias=bias[1])),
        shape=(6,),
    )
    return model, [weights[0], bias[0], weights[1], bias[1]]


def run(network: SpikingNetwork, x: np.ndarray, simulator: str = "event") -> Recording:
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    return bc.simulate(
        network, x, simulator=simulator, dtype="float64", record=record, progress=False
    )


def signed(recording: Recording, name: str, n: int) -> list[tuple[float, int, int]]:
    """Time, neuron and sign of each spike of ON and OFF cells, in order."""
    raster = recording.rasters[name]
    assert raster.time is not None
    found = zip(raster.time.tolist(), raster.neuron.tolist(), strict=True)
    return sorted((round(t, 6), k % n, 1 if k < n else -1) for t, k in found)


def arrival(pixel: float) -> float:
    """When the spike of a pixel arrives: linear intensity to delay, and a step on the way."""
    return round(float(1 + (1 - pixel) * PAPER.input_steps + 1), 6)


@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_every_spike_is_that_of_algorithm_1(seed: int) -> None:
    """Pixels come one by one; what they make the first layer say arrives at the second at once."""
    rng = np.random.default_rng(seed)
    model, (w0, b0, w1, b1) = two_layers(rng)
    x = rng.permutation(np.linspace(0.05, 0.95, 6))[None]
    network = bc.convert(model, calibration=np.ones((1, 6)), code=PAPER)
    recording = run(network, x)
    first, expected = Neurons(w0, b0), []
    arrived = np.zeros(5)
    for pixel in np.argsort(-x[0]):
        if x[0, pixel] <= network.code["effective_input_threshold"]:
            continue
        time = arrival(x[0, pixel])
        spikes = first.receive(pixel, 1)
        arrived += spikes
        expected += [(time, k, int(spikes[k])) for k in np.flatnonzero(spikes)]
    assert signed(recording, "a", 5) == sorted(expected)
    # What the outputs said is less than a level from what has arrived there.
    potential = np.maximum(b1 + arrived @ w1 * LEVEL, 0)
    counts = np.bincount(recording.rasters["out"].neuron, minlength=6)
    said = counts[:3] - counts[3:]
    assert np.all(np.abs(said - potential / LEVEL) < 1)
    assert recording.predictions()[0] == np.argmax(said)


@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_output_spikes_are_counted_with_their_sign(seed: int) -> None:
    """A network of outputs alone, whose neurons are those of Algorithm 1 to the last spike."""
    rng = np.random.default_rng(seed)
    weights, bias = rng.integers(-7, 8, (12, 4)) / 16, rng.integers(-3, 8, 4) / 16
    model = graph(
        layer("out", Softmax(), affine(("x", Dense((12,), weights)), bias=bias)), shape=(12,)
    )
    x = rng.permutation(np.linspace(0.25, 1.0, 12))[None]
    recording = run(bc.convert(model, calibration=np.ones((1, 12)), code=PAPER), x)
    neurons, counts, expected = Neurons(weights, bias), np.zeros(4), []
    for pixel in np.argsort(-x[0]):
        spikes = neurons.receive(pixel, 1)
        counts += spikes
        time = arrival(x[0, pixel])
        expected += [(time, k, int(spikes[k])) for k in np.flatnonzero(spikes)]
    assert signed(recording, "out", 4) == sorted(expected)
    scores = np.exp(LEVEL * counts)
    np.testing.assert_allclose(recording.outputs["out"][0], scores / scores.sum(), atol=1e-9)
    assert recording.predictions()[0] == np.argmax(counts)


@pytest.mark.parametrize("simulator", ["array", "event"])
@pytest.mark.parametrize("normalization", ["none", "layer"])
def test_counted_outputs_approach_the_rectified_ones(simulator: str, normalization: str) -> None:
    model = mlp(np.random.default_rng(6))
    x = np.random.default_rng(4).random((20, *model.inputs[0].shape))
    exact = np.maximum(model.predict(x, dtype="float64"), 0)
    errors = []
    for threshold in (0.1, 0.025):
        code = bc.SigmaDeltaCode(
            threshold=threshold,
            normalization=normalization,
            balance=False,
            readout="spikes",
            input_threshold=0.0,
            input_steps=256,
            settle=200,
        )
        (output,) = run(bc.convert(model, calibration=x, code=code), x, simulator).outputs.values()
        errors.append(np.abs(output - exact).mean() / np.ptp(exact))
        assert np.all(output >= 0)
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] < 0.02
    assert np.any(exact > 0)
