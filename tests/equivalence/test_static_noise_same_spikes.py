"""Static imperfections are parameters and weights: the same spikes in all simulators.

Mismatch makes every threshold a number that no sum of inputs meets, so that the spikes are the
same to the last one, although simulators add up in different orders.
"""

from __future__ import annotations

import digits
import numpy as np
import pytest

import bioconv as bc
from bioconv import models, noise
from bioconv.network import SpikingNetwork

EVERYTHING = (
    noise.Mismatch("threshold", 0.1),
    noise.Mismatch("capacitance", 0.1),
    noise.Mismatch("weight", 0.1),
    noise.DeadNeurons(0.05),
    noise.DeadSynapses(0.1),
    noise.StuckSynapses(0.02),
    noise.FanIn(50),
)


def perfect() -> SpikingNetwork:
    return bc.convert(
        models.weights_path("digits_cnn"), calibration=digits.train()[:200], n_steps=60
    )


def leaky() -> SpikingNetwork:
    neuron = bc.neurons.LeakyIntegrateAndFire(t_ref=1.0)
    path = models.weights_path("digits_mlp")
    return bc.convert(path, calibration=digits.train()[:200], neuron=neuron, dt=0.5, n_steps=160)


def stuck() -> SpikingNetwork:
    """Standard cells have no threshold below the reset potential: these get their own equations."""
    return leaky()


def first_spike_exact() -> SpikingNetwork:
    code = bc.FirstSpikeExactCode(time_unit=5.0)
    return bc.convert(
        models.weights_path("digits_mlp"), calibration=digits.train()[:200], code=code
    )


@pytest.mark.parametrize(
    ("make", "simulator"),
    [
        pytest.param(perfect, "brian2", marks=pytest.mark.slow),
        pytest.param(perfect, "nest", marks=pytest.mark.slow),
        (first_spike_exact, "brian2"),
        pytest.param(first_spike_exact, "nest", marks=pytest.mark.slow),
        pytest.param(leaky, "brian2", marks=pytest.mark.slow),
        pytest.param(leaky, "nest", marks=pytest.mark.slow),
        pytest.param(stuck, "brian2", marks=pytest.mark.slow),
        pytest.param(stuck, "nest", marks=pytest.mark.slow),
    ],
)
def test_static_imperfections(make: object, simulator: str) -> None:
    assert callable(make)
    extra = {
        perfect: (noise.StuckNeurons(0.05), noise.DelayMismatch(1.0)),
        stuck: (noise.StuckNeurons(0.05),),
        leaky: (noise.Mismatch("time_constant", 0.1), noise.Mismatch("t_ref", 0.5)),
        first_spike_exact: (noise.Mismatch("slope", 0.01), noise.StuckNeurons(0.05)),
    }
    network = noise.disturb(make(), *EVERYTHING, *extra[make], seed=1)  # type: ignore[index]
    record = {population.name: ("spikes",) for population in network.populations}
    a, b = (
        bc.simulate(
            network, digits.test(3), simulator=name, record=record, dtype="float64", progress=False
        )
        for name in ("array", simulator)
    )
    assert sum(len(raster.step) for raster in a.rasters.values()) > 200
    for name, raster in a.rasters.items():
        for column in ("image", "step", "neuron"):
            np.testing.assert_array_equal(
                getattr(raster, column), getattr(b.rasters[name], column), err_msg=name
            )
    np.testing.assert_allclose(a.outputs[a.readout], b.outputs[b.readout], rtol=1e-9, atol=1e-9)
