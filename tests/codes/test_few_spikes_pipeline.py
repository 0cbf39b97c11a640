"""Streams of samples through few-spikes networks: the same as one sample at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from small_graphs import affine, graph, layer

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, MaxPool, ReLU, Sigmoid, Silu
from bioconv.codes.few_spikes.pipeline import simulate_stream, stream
from bioconv.ground.errors import ConversionError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense, conv, identity

_STEPS = {"Silu": 8, "Sigmoid": 4}
X = np.random.default_rng(3).normal(0.0, 1.0, (6, 4, 4, 2))


def _model() -> AnalogGraph:
    """ReLU, SiLU and sigmoid, a maximum, a branch around a layer, and one from the input."""
    rng = np.random.default_rng(1)
    first = conv((4, 4, 2), rng.normal(0, 0.5, (3, 3, 2, 3)), 1, "same")
    flat = conv((2, 2, 3), rng.normal(0, 0.5, (2, 2, 3, 6)), 1, "valid")
    shape = flat.out_shape
    skip = conv((4, 4, 2), rng.normal(0, 0.5, (4, 4, 2, 6)), 1, "valid")
    pool = MaxPool((2, 2), (2, 2), ((0, 0), (0, 0)))
    same = identity(shape)
    mixed = Dense(shape, rng.normal(0, 0.5, (6, 6)))
    return graph(
        layer("a", ReLU(), affine(("x", first), bias=0.2)),
        layer("pool", pool, affine(("a", identity((4, 4, 3)))), shape=(2, 2, 3)),
        layer("b", Silu(), affine(("pool", flat), ("x", skip), bias=-0.1)),
        layer("c", Sigmoid(), affine(("b", mixed), bias=0.3)),
        layer("out", Linear(), affine(("c", same), ("b", mixed), bias=0.1)),
        shape=(4, 4, 2),
    )


@cache
def _network() -> SpikingNetwork:
    code = bc.FewSpikesCode(k=6, k_of=_STEPS)
    return bc.convert(_model(), calibration=X, code=code)


@cache
def _streamed(simulator: str, n: int) -> Recording:
    return simulate_stream(_network(), X[:n], simulator=simulator, progress=False)


@cache
def _single(simulator: str, n: int) -> Recording:
    network = _network()
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    return bc.simulate(
        network, X[:n], simulator=simulator, record=record, dtype="float64", progress=False
    )


@pytest.mark.parametrize(
    ("simulator", "n"),
    [
        pytest.param("array", 2, marks=pytest.mark.slow),
        pytest.param("array", 6, marks=pytest.mark.slow),
        pytest.param("brian2", 2, marks=pytest.mark.slow),
    ],
)
def test_a_stream_says_of_each_sample_what_it_says_alone(simulator: str, n: int) -> None:
    found, expected = _streamed(simulator, n), _single(simulator, n)
    assert len(np.unique(expected.outputs["out"], axis=0)) == n
    np.testing.assert_array_equal(found.outputs["out"], expected.outputs["out"])
    np.testing.assert_array_equal(found.classes["out"], expected.classes["out"])
    np.testing.assert_array_equal(found.synaptic_operations, expected.synaptic_operations)
    for name, raster in expected.rasters.items():
        assert len(raster.step), name
        for column in ("image", "step", "neuron"):
            ours = getattr(found.rasters[name], column)
            np.testing.assert_array_equal(ours, getattr(raster, column), err_msg=name)
        np.testing.assert_array_equal(found.spikes_per_image[name], expected.spikes_per_image[name])


@pytest.mark.slow
def test_a_sample_enters_every_two_windows() -> None:
    """2K with the K of the function that has most steps; samples overlap in the network."""
    network = _network()
    streamed = stream(network, X)
    assert streamed.interval == network.code["pipeline_steps"] == 2 * max(_STEPS.values())
    assert streamed.network.n_steps == network.n_steps + 5 * 16 < 6 * network.n_steps
    raster = _streamed("array", 6).rasters["c"]
    entered = raster.step + raster.image * streamed.interval
    assert entered[raster.image == 0].max() > streamed.interval  # the second is in by then


def test_without_the_reset_of_windows_samples_disturb_each_other() -> None:
    model = graph(
        layer("a", ReLU(), affine(("x", identity((3,))))),
        layer("out", Linear(), affine(("a", identity((3,))))),
        shape=(3,),
    )
    network = bc.convert(model, calibration=np.eye(3), code=bc.FewSpikesCode(k=2))
    whole = stream(network, np.eye(3)).network
    kept = tuple(change for change in whole.changes if change.variable != "v")
    found, expected = (
        bc.simulate(entry, np.zeros((1, 1)), dtype="float64", progress=False).outputs["out"][0]
        for entry in (whole.replace(changes=kept), whole)
    )
    np.testing.assert_allclose(expected, [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(found, [1, 1, 1], atol=1e-6)


@pytest.mark.slow
def test_one_network_has_windows_of_different_length() -> None:
    network = _network()
    lengths = {p.layer: len(p.spike_values) for p in network.populations if p.model.threshold}
    assert lengths == {"a": 6, "pool": 6, "b": 8, "c": 4}
    outputs = _single("array", 6).outputs["out"]
    exact = _model().predict(X)
    assert np.abs(outputs - exact).mean() < 0.1 * np.ptp(exact)


def test_networks_of_other_codes_are_refused() -> None:
    model = graph(
        layer("a", ReLU(), affine(("x", identity((4,))))),
        layer("out", Linear(), affine(("a", identity((4,))))),
        shape=(4,),
    )
    network = bc.convert(model, calibration=np.eye(4), code=bc.RateCode())
    with pytest.raises(ConversionError, match="cannot be streamed"):
        stream(network, np.eye(4))
