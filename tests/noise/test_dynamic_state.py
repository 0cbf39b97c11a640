"""Noise of membranes against closed forms; registers; drift; synapses that fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dynamic_networks import ONE, chain
from scipy import constants

import bioconv as bc
from bioconv import neurons, noise
from bioconv.ground.errors import ConversionError, ExpressionError, ParameterError
from bioconv.network import Change, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense

#: a statistic further than this many standard errors from its mean fails: one in 1.7 million
SIGMAS = 5.0
N = 1000


def traced(network: SpikingNetwork, **record: tuple[str, ...]) -> Recording:
    return bc.simulate(network, ONE, dtype="float64", record=record, progress=False)


def assert_deviation(values: np.ndarray, expected: float) -> None:
    """The standard deviation of normal values is as expected, within its error."""
    n = values.size
    assert abs(values.std() - expected) < SIGMAS * expected / np.sqrt(2 * n)


@pytest.mark.parametrize("dt", [1.0, 5.0])
def test_thermal_noise_is_k_t_over_c(dt: float) -> None:
    """Of a leaky membrane, after ten time constants, whatever the step."""
    leaky = neurons.LeakyIntegrateAndFire()  # tau_m 20 ms, 15 mV from rest to threshold
    quiet = chain(N, leaky, period=1e9, steps=round(200 / dt), dt=dt)
    quiet = quiet.replace(
        populations=(replace(quiet.populations[0], initial={}), quiet.populations[1])
    )
    found = traced(noise.disturb(quiet, noise.ThermalNoise(300.0, 0.5, swing=0.3)), cells=("v",))
    volts = np.sqrt(constants.k * 300.0 / 0.5e-12)
    distance = float(leaky.value("v_th") - leaky.value("v_rest"))  # type: ignore[operator]
    assert_deviation(found.traces["cells", "v"][0][-1], volts / 0.3 * distance)


def test_shot_noise_of_a_perfect_integrator_is_a_random_walk() -> None:
    network = noise.disturb(chain(N, period=1e9, steps=100), noise.ShotNoise(1.0, 0.5, swing=0.3))
    found = traced(network, cells=("v",)).traces["cells", "v"][0]
    for step in (24, 99):
        charge = np.sqrt(constants.e * 1e-12 * (step + 1) * 1e-3)  # of 1 pA
        assert_deviation(found[step], charge / 0.5e-12 / 0.3)


def test_white_noises_add_up_in_power() -> None:
    network = chain(3)
    thermal, shot = noise.ThermalNoise(300.0, tau=10.0), noise.ShotNoise(5.0)
    sigmas = [
        np.ravel(noise.disturb(network, *several).population("cells").parameters["sigma_membrane"])
        for several in ((thermal,), (shot,), (thermal, shot), (shot, thermal))
    ]
    np.testing.assert_allclose(sigmas[2], np.hypot(sigmas[0], sigmas[1]))
    np.testing.assert_allclose(sigmas[3], sigmas[2])
    with pytest.raises(ConversionError, match="no leak.*Set tau"):
        noise.disturb(network, noise.ThermalNoise(300.0))
    with pytest.raises(ConversionError, match="root of the sum of the squares"):
        noise.disturb(network, noise.FlickerNoise(0.1), noise.FlickerNoise(0.1))


def test_a_leaky_neuron_has_the_thermal_noise_of_its_own_leak() -> None:
    network = chain(3, neurons.LeakyIntegrateAndFire(tau_m=5.0))
    own, given = (
        noise.disturb(network, noise.ThermalNoise(300.0, tau=tau)).population("cells").parameters
        for tau in (0.0, 20.0)
    )
    np.testing.assert_array_equal(own["sigma_membrane"], given["sigma_membrane"])


@pytest.mark.parametrize(
    ("thresholds", "scale"),
    [
        ([1.0, 1e9, 3.0, -1e9], [1.0, 2.0, 3.0, 2.0]),
        ([-2.0, 1.0, 0.0, 1e9], [np.sqrt(5.0 / 3.0)] * 4),
    ],
)
def test_a_broken_neuron_does_not_change_the_scale(
    thresholds: list[float], scale: list[float]
) -> None:
    """The median of the others; of thresholds on either side of rest, the root mean square."""
    network = chain(4)
    cells, out = network.populations
    broken = replace(cells, parameters={**cells.parameters, "v_th": np.array(thresholds)})
    noisy = noise.disturb(
        network.replace(populations=(broken, out)), noise.ThermalNoise(300.0, tau=10.0)
    )
    plain = noise.disturb(network, noise.ThermalNoise(300.0, tau=10.0))
    found, one = (n.population("cells").parameters["sigma_membrane"] for n in (noisy, plain))
    np.testing.assert_allclose(found, np.asarray(one) * scale)


@pytest.mark.parametrize("method", ["euler", "exponential_euler"])
def test_flicker_noise_is_steady_from_the_first_step_and_slow(method: str) -> None:
    sigma = 0.1
    network = chain(N, period=1e9, steps=40)
    cells = network.populations[0]
    network = network.replace(
        populations=(
            replace(cells, model=replace(cells.model, method=method)),
            *network.populations[1:],
        )
    )
    flicker = noise.FlickerNoise(sigma, tau_min=2.0, tau_max=200.0)
    names = [f"flicker{k}" for k in range(len(flicker.taus))]
    assert len(names) == 3
    traces = traced(noise.disturb(network, flicker), cells=tuple(names)).traces
    total = sum(traces["cells", name][0] for name in names)
    for step in (0, 39):
        assert_deviation(total[step], sigma)
    for name, tau in zip(names, flicker.taus, strict=True):
        values = traces["cells", name][0]
        kept = np.mean(values[0] * values[10]) / np.mean(values[0] ** 2)
        expected = (1 - 1 / tau) ** 10 if method == "euler" else np.exp(-10 / tau)
        assert abs(kept - expected) < SIGMAS / np.sqrt(N)


def test_saturation_and_fixed_point() -> None:
    """Potentials stay between the rails and on the grid; what is cut does not come back."""
    step, low = 2.0**-4, -0.5
    falling = chain(4, period=-20.0, steps=60)
    network = noise.disturb(
        falling, noise.StateSaturation(low), noise.FixedPointState(step, bits=16)
    )
    v = traced(network, cells=("v",)).traces["cells", "v"][0]
    assert v.min() == low
    np.testing.assert_array_equal(v / step, np.round(v / step))
    # from 1 / 32 down by 1 / 20 is nearest to 0; from there each 1 / 20 makes 1 / 16
    np.testing.assert_array_equal(v[:3, 0], [0.0, -step, -2 * step])
    tighter = noise.disturb(network, noise.StateSaturation(-0.25, 3.0))
    assert tighter.population("cells").parameters["v_floor"] == -0.25
    narrow = noise.disturb(falling, noise.FixedPointState(step, bits=3))
    assert traced(narrow, cells=("v",)).traces["cells", "v"][0].min() == -4 * step
    with pytest.raises(ConversionError, match="one step"):
        noise.disturb(network, noise.FixedPointState(step))


def test_statements_before_the_threshold_are_checked() -> None:
    model = neurons.IntegrateAndFire().model
    with pytest.raises(ExpressionError, match="not a state variable"):
        replace(model, after="v_th = 2*mV")
    with pytest.raises(ExpressionError, match="not an assignment"):
        replace(model, after="print(v)")
    with pytest.raises(ExpressionError, match="dimension|units"):
        neurons.discretise(replace(model, name="wrong", after="v = 2"))


def test_drift_ends_at_its_share_and_keeps_what_is_scheduled() -> None:
    network = chain(2, steps=100).replace(changes=(Change(50, "cells", "v_th", 2.0),))
    drifting = noise.disturb(network, noise.Drift("threshold", 0.4, n_changes=4))
    changes = [(c.step, float(c.value)) for c in drifting.changes if c.variable == "v_th"]
    expected = {12: 1.1, 38: 1.2, 50: 2.4, 62: 2.6, 88: 2.8}  # the middles of four parts
    assert dict(changes) == pytest.approx(expected)
    once = noise.disturb(chain(2, steps=100), noise.Drift("threshold", 0.4, n_changes=1))
    assert [(c.step, c.value) for c in once.changes] == [(50, pytest.approx(1.4))]
    with pytest.raises(ConversionError, match="has no"):
        noise.disturb(network, noise.Drift("leak", 0.1))
    with pytest.raises(ConversionError, match="change its input"):
        noise.disturb(network, noise.Drift("gain", 0.1))


def test_synapses_that_fail_have_the_exact_mean_and_variance() -> None:
    """The input of one step: p W and p (1 - p) W^2 over the synapses of each neuron."""
    n, p = 30, 0.7
    weights = np.random.default_rng(0).normal(0, 1, (n, 4))
    network = noise.disturb(
        chain(n, period=1.0, synapses=Dense((n,), weights), steps=4000),
        noise.SynapticFailure(1 - p),
    )
    v = traced(network, out=("v",)).traces["out", "v"][0]
    arriving = np.diff(v, axis=0)[10:]
    mean, variance = p * weights.sum(axis=0), p * (1 - p) * (weights**2).sum(axis=0)
    m = len(arriving)
    assert np.all(np.abs(arriving.mean(axis=0) - mean) < SIGMAS * np.sqrt(variance / m))
    assert np.all(np.abs(arriving.var(axis=0) / variance - 1) < SIGMAS * np.sqrt(2 / m))


def test_a_single_synapse_fails_as_a_whole() -> None:
    network = noise.disturb(chain(50, period=1.0, steps=100), noise.SynapticFailure(0.25))
    v = traced(network, out=("v",)).traces["out", "v"][0]
    arriving = np.diff(v, axis=0)
    assert set(np.unique(arriving)) == {0.0, 1.0}
    assert abs(arriving[10:].mean() - 0.75) < SIGMAS * np.sqrt(0.25 * 0.75 / arriving[10:].size)
    again = noise.disturb(network, noise.SynapticFailure(0.5))
    assert again.projections[0].release == pytest.approx(0.375)


def test_options_are_refused_together() -> None:
    for make in (
        lambda: noise.ThermalNoise(-1.0, capacitance=0.0, swing=-1.0),
        lambda: noise.ShotNoise(-1.0),
        lambda: noise.FlickerNoise(0.1, tau_min=10.0, tau_max=1.0),
        lambda: noise.StateSaturation(1.0, -1.0),
        lambda: noise.FixedPointState(-1.0, bits=1),
        lambda: noise.Drift("", -2.0),
        lambda: noise.SynapticFailure(1.0),
    ):
        with pytest.raises(ParameterError):
            make()
    with pytest.raises(ParameterError, match="(?s)low must.*high must"):
        noise.StateSaturation(1.0, -1.0)
    with pytest.raises(ParameterError, match="amplitude of saturation.*Received: -0.5"):
        noise.LIBRARY["saturation"](-0.5)


def test_flicker_noise_of_a_soft_threshold_is_refused() -> None:
    """It stands in the equations, which the noise would not reach."""
    network = chain(2, neurons.AdaptiveExponential(synapse="delta"))
    with pytest.raises(ConversionError, match="threshold is part of its equations"):
        noise.disturb(network, noise.FlickerNoise(0.1))
