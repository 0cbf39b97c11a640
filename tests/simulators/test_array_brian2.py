"""The array simulator in float64 spikes like Brian2, neuron by neuron and step by step."""

import numpy as np
import pytest
from array_networks import chain, default_neurons, run_in_brian2
from some_variants import some

from bioconv.simulators import simulate

STEPS = 80


def spikes_of(recording, name, image):
    raster = recording.rasters[name]
    of_image = raster.image == image
    return raster.step[of_image], raster.neuron[of_image]


@pytest.mark.parametrize("index", some(range(len(default_neurons())), every=2))
def test_same_spikes_as_brian2(index):
    neuron = default_neurons()[index]
    net = chain(neuron, seed=4, delays=((1, 1), (2, 5))[index % 2])
    gap = float(neuron.value("v_th")) - float(neuron.value("v_reset"))
    low = 0.06 if "tau_m" in neuron.model.names else 0.0
    drive = low + np.random.default_rng(2).random((3, 6)) * 0.3
    x = drive * gap * float(neuron.value("c_m"))
    record = dict.fromkeys("abc", ("spikes",))
    recording = simulate(net, x, steps=STEPS, record=record, dtype="float64", progress=False)
    for name, (steps, indices) in run_in_brian2(net, x[1], STEPS).items():
        order = np.lexsort((indices, steps))
        found = spikes_of(recording, name, 1)
        assert len(found[0]) > 10
        np.testing.assert_array_equal(found[0], steps[order])
        np.testing.assert_array_equal(found[1], indices[order])
