"""Few spikes, sigma-delta and populations: the same spikes in every simulator.

One small network with all that these codes build: convolution, max pooling, a leaky ReLU in two
parts, a branch around a layer, averages; samples whose values are quarters, so that ties are many.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import bioconv as bc
from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import Function, Linear, MaxPool, ReLU, Silu, Tanh
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import AveragePool, Dense, Operator, Shape, compose, conv, identity

_CODES = {
    "few_spikes": bc.FewSpikesCode(k=6),
    "population": bc.PopulationCode(n=7, placement="random"),
    "sigma_delta": bc.SigmaDeltaCode(),
    "sigma_delta_gates": bc.SigmaDeltaCode(pooling="gates", input="binary"),
}


def _layer(
    name: str, function: Function, *terms: tuple[str, Operator], bias: float, shape: Shape = ()
) -> Layer:
    out = terms[0][1].out_shape
    affine = Affine(tuple(Term(*t) for t in terms), np.full((1,) * len(out), bias), out)
    return Layer(name, function, (affine,), shape or out, (name,))


def _model(code: str) -> AnalogGraph:
    rng = np.random.default_rng(1)
    first = conv((6, 6, 2), rng.integers(-4, 5, (3, 3, 2, 4)) / 4.0, 1, "same")
    second = conv((3, 3, 4), rng.normal(0, 0.4, (3, 3, 4, 4)), 1, "same")
    mean = AveragePool((3, 3, 4), (2, 2), (1, 1), ((0, 0), (0, 0)))
    dense = Dense((2, 2, 4), rng.normal(0, 1, (4, 5)))
    middle = {"few_spikes": Silu(), "population": Tanh()}.get(code, ReLU(negative_slope=0.1))
    pool = MaxPool((2, 2), (2, 2), ((0, 0), (0, 0)))
    layers = (
        _layer("a", ReLU(), ("x", first), bias=0.25),
        _layer("pool", pool, ("a", identity((6, 6, 4))), bias=0.0, shape=(3, 3, 4)),
        _layer("b", middle, ("pool", identity((3, 3, 4))), bias=-0.2),
        _layer("c", ReLU(), ("pool", identity((3, 3, 4))), ("b", second), bias=0.1),
        _layer("out", Linear(), ("c", compose(mean, dense)), bias=0.0),
    )
    return AnalogGraph("mixed", (GraphInput("x", (6, 6, 2)),), layers, ("out",))


@cache
def _network(code: str) -> SpikingNetwork:
    calibration = np.random.default_rng(2).choice([0, 0.25, 0.5, 1.0], (100, 6, 6, 2))
    return bc.convert(_model(code), calibration=calibration, code=_CODES[code])


@cache
def _run(code: str, simulator: str) -> Recording:
    network = _network(code)
    x = np.random.default_rng(3).choice([0, 0.25, 0.5, 1.0], (3, 6, 6, 2))
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    return bc.simulate(network, x, simulator=simulator, record=record, dtype="float64")


@pytest.mark.parametrize(
    ("code", "simulator"),
    [
        pytest.param("few_spikes", "brian2", marks=pytest.mark.slow),
        pytest.param("population", "brian2", marks=pytest.mark.slow),
        pytest.param("population", "nest", marks=pytest.mark.slow),
        ("sigma_delta", "brian2"),
        pytest.param("few_spikes", "nest", marks=pytest.mark.slow),
        pytest.param("sigma_delta", "nest", marks=pytest.mark.slow),
        pytest.param("sigma_delta_gates", "brian2", marks=pytest.mark.slow),
        pytest.param("sigma_delta_gates", "nest", marks=pytest.mark.slow),
    ],
)
def test_same_spikes(code: str, simulator: str) -> None:
    array, other = _run(code, "array"), _run(code, simulator)
    assert sum(int(n.sum()) for n in array.spikes_per_image.values()) > 500
    for name, raster in array.rasters.items():
        assert len(raster.step), name
        for column in ("image", "step", "neuron"):
            found = getattr(other.rasters[name], column)
            np.testing.assert_array_equal(getattr(raster, column), found, err_msg=name)
    np.testing.assert_allclose(array.outputs["out"], other.outputs["out"], atol=1e-9)
    np.testing.assert_array_equal(array.classes["out"][:, -1], other.classes["out"][:, -1])
