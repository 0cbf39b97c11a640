"""Currents into single neurons, against closed forms and Brian2."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv.ground.errors import ParameterError

stats = later("scipy.stats")


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


def test_parameters_that_differ_are_drawn_by_seed() -> None:
    neuron = bc.neurons.LeakyIntegrateAndFire(v_th=stats.norm(-50.0, 5.0))

    def counts(seed: int) -> list[int]:
        response = bc.stimulate(neuron, [900.0] * 6, duration=200.0, seed=seed)
        return [times.size for times in response.spike_times]

    assert len(set(counts(0))) > 2
    assert counts(0) == counts(0)
    assert counts(0) != counts(1)


def test_a_model_without_a_threshold_never_spikes() -> None:
    response = bc.stimulate(bc.neurons.Integrator(), [1.0, 2.0], duration=20.0)
    assert np.allclose(response.traces["v"][-1], [20.0, 40.0])
    assert [times.size for times in response.spike_times] == [0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"record": ("spikes",)}, "state variables .* v, i_syn.*Received: 'spikes'"),
        ({"dt": 0.0}, "dt must be a finite number of ms above 0. Received: 0.0"),
        ({"dt": -0.1}, "dt must be .* above 0. Received: -0.1"),
        ({"dt": np.nan}, "dt must be .* above 0. Received: nan"),
        ({"duration": np.inf}, "duration must be a finite number of ms. Received: inf"),
    ],
)
def test_bad_arguments_are_named(change: dict[str, Any], message: str) -> None:
    settings = {"duration": 10.0, **change}
    with pytest.raises(ParameterError, match=message):
        bc.stimulate(bc.neurons.LeakyIntegrateAndFire(), 900.0, **settings)


def test_a_solution_that_is_lost_is_said() -> None:
    with pytest.warns(RuntimeWarning, match="v of fitzhugh_nagumo.* too long"):
        response = bc.stimulate(bc.neurons.FitzHughNagumo(), [0.0, 1e6], duration=20.0)
    assert np.isfinite(response.traces["v"][:, 0]).all()
