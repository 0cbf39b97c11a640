"""Corrections for known and for measured imperfections, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import digits
import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import codes, noise
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.noise import calibrate, correct_input, corrected_current, disturb

keras = later("keras")
stats = later("scipy.stats")


@pytest.fixture(scope="module")
def rate() -> SpikingNetwork:
    return bc.convert(digits.mlp(), calibration=digits.train()[:100], n_steps=200)


@pytest.mark.parametrize("sigma", [1.75, 0.88])
def test_the_corrected_current_reaches_the_same_share_of_thresholds(sigma: float) -> None:
    """Eq 5.1 of the real thresholds at the corrected current is Eq 5.1 of the wanted ones."""
    current = np.linspace(-6, 6, 121)
    wanted = stats.norm(0.0, sigma).cdf(current)
    real = stats.norm(0.3, 0.5).cdf(corrected_current(current, 0.5, 0.3, sigma))
    np.testing.assert_allclose(real, wanted, rtol=1e-12)


def test_a_population_network_with_another_spread_does_the_same() -> None:
    """Every threshold is mean + spread times what it should be: the same neurons fire."""
    network = bc.convert(
        digits.mlp(), calibration=digits.train()[:100], code=codes.make("population")
    )
    ratio, mean = 0.4, 0.25

    def real(population: bc.network.Population) -> bc.network.Population:
        value = np.asarray(population.parameters.get("v_th", np.inf))
        there = np.where(value < 1e6, value * ratio + mean, value)
        if not population.model.threshold:
            return population
        return replace(population, parameters={**population.parameters, "v_th": there})

    chip = network.replace(populations=tuple(map(real, network.populations)))
    corrected = correct_input(chip, ratio * 1.75, mean, 1.75)
    counts = [
        bc.simulate(n, digits.test(20), progress=False).spikes_per_image
        for n in (network, corrected, chip)
    ]
    for name in counts[0]:
        total = max(counts[0][name].sum(), 1)
        # thresholds that an input just meets may fall to the other side by rounding
        assert np.abs(counts[1][name] - counts[0][name]).sum() <= 1e-3 * total + 1
    off = sum(np.abs(counts[2][name] - counts[0][name]).sum() for name in counts[0])
    assert off > 0.05 * sum(c.sum() for c in counts[0].values())


def test_gates_of_max_pooling_are_no_devices() -> None:
    """Their threshold counts spikes: it stays, and so does what they get, unless they are named."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, activation="sigmoid"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    network = bc.convert(model, calibration=digits.train()[:20], code=bc.PopulationCode(n=5))
    new = [
        correct_input(network, 3.5, 0.5),
        disturb(network, noise.Mismatch("threshold", 0.5)),
        disturb(network, noise.Mismatch("v_th", 0.5)),
        disturb(network, noise.DeadNeurons(1.0)),
        disturb(network, noise.StuckNeurons(1.0)),
        disturb(network, noise.ThermalNoise(300.0, tau=10.0)),
    ]
    for found in new:
        assert found.population("pool") is network.population("pool")
        assert found.populations[0] is not network.populations[0]
    named = disturb(network, noise.DeadNeurons(1.0, populations=("pool",)))
    assert np.min(named.population("pool").parameters["v_th"]) > 1e6


def test_only_populations_get_another_input(rate: SpikingNetwork) -> None:
    with pytest.raises(ConversionError, match="input of .* cannot be corrected") as caught:
        correct_input(rate, 1.0)
    assert {problem.where for problem in caught.value.problems} >= {"dense_3"}
    with pytest.raises(ParameterError, match="sigma_real"):
        corrected_current([1.0], 0.0)


@pytest.mark.parametrize("target", ["threshold", pytest.param("gain", marks=pytest.mark.slow)])
def test_calibration_gives_back_what_mismatch_took(rate: SpikingNetwork, target: str) -> None:
    """Thresholds of perfect integrators come back to their nominal value over gain."""
    disturbed = disturb(rate, noise.Mismatch(target, 0.3, populations=("dense_3",)), seed=1)
    found = calibrate(disturbed, rate, digits.train()[:40], rounds=3)
    assert len(found.deviations) == 4
    assert found.deviations[0] > 0.15
    assert min(found.deviations) < 0.02
    active = (
        bc.simulate(rate, digits.train()[:40], progress=False).spikes_per_neuron["dense_3"] > 200
    )
    assert active.sum() > 20
    threshold = np.asarray(found.network.population("dense_3").parameters["v_th"])
    gain = np.ones(64)
    if target == "gain":
        bias = [
            np.asarray(n.population("dense_3").parameters["i_offset"]) for n in (disturbed, rate)
        ]
        gain = np.divide(*bias, out=np.ones(64), where=bias[1] != 0)
    np.testing.assert_allclose((threshold / gain)[active], 1.0, atol=0.05)


def test_what_cannot_be_calibrated_is_refused(rate: SpikingNetwork) -> None:
    early = bc.convert(
        digits.mlp(), calibration=digits.train()[:50], code=codes.make("first_spike")
    )
    with pytest.raises(ConversionError, match="cannot be calibrated"):
        calibrate(early, early, digits.train()[:2])
    with pytest.raises(ParameterError, match="without imperfections"):
        calibrate(early, rate, digits.train()[:2])
    with pytest.raises(ParameterError) as caught:
        calibrate(rate, rate, digits.train()[:2], rounds=0, damping=0.0)
    assert "rounds" in str(caught.value)
    assert "damping" in str(caught.value)
