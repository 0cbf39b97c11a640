"""Converted networks, with scheduled changes, analog input and clamps: the same spikes."""

from __future__ import annotations

import numpy as np
import pytest
from some_variants import some

import bioconv as bc
from bioconv import models
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.neurons import LeakyIntegrateAndFire


def _spikes(network: SpikingNetwork, simulator: str, steps: int) -> Recording:
    x, _ = bc.load_data("digits", n_images=3)
    record = {population.name: ("spikes",) for population in network.populations}
    return bc.simulate(network, x, simulator=simulator, steps=steps, record=record, dtype="float64")


def _assert_same(a: Recording, b: Recording) -> None:
    assert sum(int(n.sum()) for n in a.spikes_per_image.values()) > 1000
    for name, raster in a.rasters.items():
        for column in ("image", "step", "neuron"):
            np.testing.assert_array_equal(
                getattr(raster, column), getattr(b.rasters[name], column), err_msg=name
            )
    for name, classes in a.classes.items():
        np.testing.assert_array_equal(classes[:, -1], b.classes[name][:, -1])


@pytest.fixture(scope="module")
def perfect() -> SpikingNetwork:
    x, _ = bc.load_data("digits", split="train")
    return bc.convert(models.weights_path("digits_cnn"), calibration=x)


@pytest.fixture(scope="module")
def leaky() -> SpikingNetwork:
    x, _ = bc.load_data("digits", split="train")
    neuron = LeakyIntegrateAndFire(reset="value", synapse="exponential", t_ref=1.0)
    return bc.convert(models.weights_path("digits_mlp"), calibration=x, neuron=neuron, dt=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", [pytest.param("brian2", marks=pytest.mark.slow), "nest"])
def test_perfect_integrators(perfect: SpikingNetwork, simulator: str) -> None:
    _assert_same(_spikes(perfect, "array", 60), _spikes(perfect, simulator, 60))


@pytest.mark.parametrize("simulator", some(["nest", "brian2", "pynn.brian2"], every=3))
def test_leaky_neurons_on_standard_cells(leaky: SpikingNetwork, simulator: str) -> None:
    _assert_same(_spikes(leaky, "array", 240), _spikes(leaky, simulator, 240))


def test_leaky_neurons_on_neuron(leaky: SpikingNetwork) -> None:
    """NEURON integrates by backward Euler: spikes shift by a step now and then, rates do not.

    A shift changes a count by at most one at either end of an interval, so over the window each
    neuron of the first layer, whose input is constant, stays within a few per cent.
    """
    array, neuron = _spikes(leaky, "array", 240), _spikes(leaky, "neuron", 240)
    first = leaky.populations[0].name
    expected = array.spikes_per_neuron[first].astype(float)
    # Backward Euler approaches the threshold with tau_m + dt instead of tau_m: slower by at most
    # dt / tau_m = 2.5 %, and one spike an image for the end of the window.
    np.testing.assert_array_less(
        np.abs(neuron.spikes_per_neuron[first] - expected), 0.025 * expected + 3 + 1e-9
    )
    (readout,) = array.classes
    np.testing.assert_array_equal(array.classes[readout][:, -1], neuron.classes[readout][:, -1])
