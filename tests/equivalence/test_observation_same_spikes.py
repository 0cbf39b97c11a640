"""The observation code: the same spikes in the array simulator, in Brian2 and in NEST."""

from __future__ import annotations

import digits
import numpy as np
import pytest

import bioconv as bc
from bioconv.codes.observation.code import ObservationCode
from bioconv.codes.observation.stack import dense_graph
from bioconv.network import SpikingNetwork


def _network() -> SpikingNetwork:
    """Random weights, of which many are equal, so that spikes and crossings coincide."""
    rng = np.random.default_rng(4)
    sizes = (64, 10, 8, 10)
    weights = [
        np.round(rng.normal(0.02, 1 / np.sqrt(6 * n), (n, m)), 2)
        for n, m in zip(sizes, sizes[1:], strict=False)
    ]
    periods = [np.round(rng.uniform(0.7, 1.3, n), 1) for n in sizes[1:-1]]
    code = ObservationCode(time_unit=16.0)
    graph = dense_graph(code, weights, [*periods, np.full(10, 2.5)], (8, 8, 1))
    return bc.convert(graph, calibration=digits.train()[:50], code=code, dt=0.1)


@pytest.mark.parametrize("simulator", ["brian2", pytest.param("nest", marks=pytest.mark.slow)])
def test_same_spikes(simulator: str) -> None:
    network, x = _network(), digits.test(3)
    record = {population.name: ("spikes",) for population in network.populations}
    a, b = (
        bc.simulate(network, x, simulator=name, record=record, dtype="float64", progress=False)
        for name in ("array", simulator)
    )
    for name, raster in a.rasters.items():
        assert len(raster.step) >= 3
        for column in ("image", "step", "neuron"):
            np.testing.assert_array_equal(
                getattr(raster, column), getattr(b.rasters[name], column), err_msg=name
            )
    np.testing.assert_allclose(a.outputs["out"], b.outputs["out"], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(a.predictions(), b.predictions())
