"""Currents into single neurons, against closed forms and Brian2."""

from __future__ import annotations

import numpy as np
import pytest

import bioconv as bc
from bioconv.errors import ParameterError


def test_leaky_potential_is_the_closed_form() -> None:
    neuron = bc.neurons.LeakyIntegrateAndFire(v_rest=0.0, v_reset=0.0, v_th=1e3, c_m=100.0)
    response = bc.stimulate(neuron, [10.0, 20.0], duration=50.0, dt=0.5)
    # v = i tau / c (1 - exp(-t / tau)) with tau = 20 ms
    exact = np.outer(1 - np.exp(-response.time / 20.0), [2.0, 4.0])
    assert np.allclose(response.traces["v"], exact, atol=1e-12)
    assert [times.size for times in response.spike_times] == [0, 0]


def test_interval_of_a_leaky_neuron_is_the_closed_form() -> None:
    neuron = bc.neurons.LeakyIntegrateAndFire(v_rest=0.0, v_reset=0.0, v_th=15.0, c_m=1000.0)
    current = 1500.0
    (times,) = bc.stimulate(neuron, current, duration=200.0, dt=0.01).spike_times
    exact = 20.0 * np.log(current / (current - 750.0))
    assert np.diff(times) == pytest.approx(exact, abs=0.011)


def test_waveform_reaches_every_simulator_alike() -> None:
    neuron = bc.neurons.HodgkinHuxley()
    current = np.zeros((400, 2))
    current[40:200, 0], current[100:160, 1] = 1000.0, 2000.0
    settings = {"duration": 20.0, "dt": 0.05, "record": ("v", "h")}
    array, brian2 = (
        bc.stimulate(neuron, current, simulator=name, **settings) for name in ("array", "brian2")
    )
    assert sum(times.size for times in array.spike_times) > 1
    for one, other in zip(array.spike_times, brian2.spike_times, strict=True):
        assert np.array_equal(one, other)
    for name in ("v", "h"):
        assert np.allclose(array.traces[name], brian2.traces[name], rtol=1e-9, atol=1e-9)


def test_a_wrong_number_of_rows_is_said() -> None:
    with pytest.raises(ParameterError, match="100 rows"):
        bc.stimulate(bc.neurons.IntegrateAndFire(), np.zeros((7, 1)), duration=10.0, dt=0.1)
