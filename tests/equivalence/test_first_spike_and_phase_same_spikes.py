"""First-spike and oscillation codes: the same spikes in every simulator."""

from __future__ import annotations

import numpy as np
import pytest

import bioconv as bc
from bioconv.analog import AnalogGraph, GraphInput, Layer
from bioconv.analog.functions import Function, Linear, MaxPool, ReLU
from bioconv.analog.graph import Affine, Term
from bioconv.codes import Code, FirstSpikeCode, OscillationCode
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import AveragePool, Dense, Operator, identity

SHAPE = (4, 4, 2)
X = np.random.default_rng(1).choice([-0.5, 0.0, 0.25, 0.5, 1.0], (3, *SHAPE))

CODES: dict[str, Code] = {
    "amplitude": OscillationCode(window_steps=12),
    "duration": OscillationCode(
        window_steps=16, adaptation="duration", normalization="bound", readout="first_spike"
    ),
    "base": FirstSpikeCode(unit_steps=7),
    "dynamic": FirstSpikeCode(threshold="dynamic", unit_steps=8, readout="first_spike"),
}


def _graph() -> AnalogGraph:
    """Equal weights and halves, so that sums meet thresholds: maxima, averages, a branch."""
    rng = np.random.default_rng(2)
    first = Dense(SHAPE, rng.choice([-0.5, 0.25, 1.0], (2, 2)))
    average = AveragePool((4, 2, 2), (2, 1), (2, 1), ((0, 0), (0, 0)))
    second = Dense((2, 2, 2), rng.choice([-1.0, 0.5, 1.0], (2, 2)))
    last = Dense((2, 2, 2), rng.choice([-1.0, 0.5, 1.0], (2, 3)))
    bias = np.full((1, 1, 2), 0.25)
    layers = (
        _layer("a", ReLU(), SHAPE, bias, ("x", first)),
        Layer(
            "pool", MaxPool((1, 2)), (_affine(SHAPE, 0 * bias, ("a", identity(SHAPE))),), (4, 2, 2)
        ),
        _layer("b", ReLU(), (2, 2, 2), -bias, ("pool", average)),
        _layer("c", ReLU(), (2, 2, 2), bias, ("pool", average), ("b", second)),
        _layer("out", Linear(), (2, 2, 3), np.zeros((1, 1, 1)), ("c", last)),
    )
    return AnalogGraph("small", (GraphInput("x", SHAPE),), layers, ("out",))


def _affine(shape: tuple[int, ...], bias: np.ndarray, *terms: tuple[str, Operator]) -> Affine:
    return Affine(tuple(Term(*term) for term in terms), bias, shape)


def _layer(
    name: str,
    function: Function,
    shape: tuple[int, ...],
    bias: np.ndarray,
    *terms: tuple[str, Operator],
) -> Layer:
    return Layer(name, function, (_affine(shape, bias, *terms),), shape)


@pytest.fixture(scope="module")
def simulated(request: pytest.FixtureRequest) -> tuple[SpikingNetwork, Recording]:
    network = bc.convert(_graph(), calibration=X, code=CODES[request.param])
    return network, _run(network, "array")


def _run(network: SpikingNetwork, simulator: str) -> Recording:
    record = {population.name: ("spikes",) for population in network.populations}
    return bc.simulate(
        network, X, simulator=simulator, dtype="float64", record=record, progress=False
    )


@pytest.mark.parametrize(
    ("simulated", "simulator"),
    [
        ("amplitude", "brian2"),
        *(
            pytest.param(code, "brian2", marks=pytest.mark.slow)
            for code in ("dynamic", "duration", "base")
        ),
        *(pytest.param(code, "nest", marks=pytest.mark.slow) for code in CODES),
    ],
    indirect=["simulated"],
)
def test_same_spikes(simulated: tuple[SpikingNetwork, Recording], simulator: str) -> None:
    network, array = simulated
    other = _run(network, simulator)
    assert all(len(array.rasters[name].step) for name in ("x_on", "x_off", "a", "pool", "b", "c"))
    for population, raster in array.rasters.items():
        for column in ("image", "step", "neuron"):
            np.testing.assert_array_equal(
                getattr(raster, column),
                getattr(other.rasters[population], column),
                err_msg=population,
            )
    (expected,), (found,) = array.outputs.values(), other.outputs.values()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
