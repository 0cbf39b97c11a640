"""Subthreshold transistors: textbook numbers, spreads, and what they do to a network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import models
from bioconv.ground.errors import ParameterError
from bioconv.network import Population, SpikingNetwork
from bioconv.noise import TemperatureShift, Transistor, TransistorMismatch, disturb
from bioconv.noise.transistor import thermal_voltage

stats = later("scipy.stats")

N = 20_000


@pytest.fixture(scope="module")
def network() -> SpikingNetwork:
    """With many leaky neurons beside it, for statistics."""
    X, _ = bc.load_data("digits", split="train")
    found = bc.convert(bc.read(models.weights_path("digits_mlp")), calibration=X[:50])
    model = bc.neurons.make("leaky_integrate_and_fire").model
    return found.replace(populations=(*found.populations, Population("many", (N,), model)))


def test_textbook_numbers() -> None:
    # 25.85 mV at 300 K; a current grows tenfold with 60 mV / kappa at room temperature
    assert thermal_voltage(300.0) == pytest.approx(25.852, abs=1e-3)
    ideal = Transistor(kappa=1.0, temperature=302.3)
    assert ideal.current(60.0) / ideal.current(0.0) == pytest.approx(10.0, rel=1e-2)
    assert Transistor(4.0, 1.0, 3.0).sigma_vt == pytest.approx(1.5)
    # a pair of 1 um x 1 um with 10 mV um: exp(0.7 * 10 / 25.85) = 1.31 at one sigma
    pair = Transistor(1.0, 1.0, 10.0)
    assert np.exp(pair.log_spread) == pytest.approx(1.311, abs=1e-3)
    law = stats.lognorm(pair.log_spread)
    assert pair.current_spread == pytest.approx(law.std() / law.mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("target", "parameter", "rest", "sign"),
    [
        ("time_constant", "tau_m", 0.0, -1),
        ("leak", "tau_m", 0.0, -1),
        ("threshold", "v_th", -65, 1),
    ],
)
def test_currents_are_log_normal(
    network: SpikingNetwork, target: str, parameter: str, rest: float, sign: int
) -> None:
    entry = TransistorMismatch(target, a_vt=10.0, populations=("many",))
    population = disturb(network, entry, seed=2).population("many")
    nominal = population.model.parameter(parameter).default
    ratio = (np.asarray(population.parameters[parameter]) - rest) / (nominal - rest)
    spread = 0.7 * 10.0 / thermal_voltage(300.0)
    logarithm = sign * np.log(ratio)
    assert stats.kstest(logarithm / spread, "norm").pvalue > 1e-3
    assert np.median(ratio) == pytest.approx(1.0, abs=5 * spread / np.sqrt(N))


def test_a_voltage_moves_by_the_threshold_voltage_itself(network: SpikingNetwork) -> None:
    entry = TransistorMismatch(
        "threshold", width=0.5, length=0.5, a_vt=5.0, swing=200.0, populations=("many",)
    )
    assert entry.amplitude == pytest.approx(10.0)
    found = np.asarray(disturb(network, entry, seed=2).population("many").parameters["v_th"])
    assert found.std() == pytest.approx(15.0 * 10.0 / 200.0, rel=0.03)


def test_temperature_changes_all_alike(network: SpikingNetwork) -> None:
    entry = TemperatureShift(10.0, "time_constant", populations=("many",))
    # by hand: (-100 + 10) / U_T(310 K) - (-100) / U_T(300 K), in units of kappa
    expected = np.exp(0.7 * (-90.0 / thermal_voltage(310.0) + 100.0 / thermal_voltage(300.0)))
    assert entry.factor == pytest.approx(expected)
    assert entry.factor > 1
    found = np.asarray(disturb(network, entry).population("many").parameters["tau_m"])
    np.testing.assert_allclose(found, 20.0 / expected * 310.0 / 300.0, rtol=1e-12)  # C U_T / I
    assert TemperatureShift(-10.0).factor < 1
    there = TemperatureShift(10.0, slope=0.0).factor
    back = TemperatureShift(-10.0, slope=0.0, temperature=310.0).factor
    assert there * back == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("target", "parameter", "power", "of_thermal"),
    [("tau_m", "tau_m", -1, 1), ("leak", "tau_m", -1, 1), ("t_ref", "t_ref", -1, 0)],
)
def test_times_are_inverse_to_the_current(
    network: SpikingNetwork, target: str, parameter: str, power: int, of_thermal: int
) -> None:
    many = replace(network.population("many"), parameters={"t_ref": 1000.0})
    network = network.replace(populations=(*network.populations[:-1], many))
    entry = TemperatureShift(10.0, target, populations=("many",))
    found = np.asarray(disturb(network, entry).population("many").parameters[parameter])
    expected = entry.factor**power * (310.0 / 300.0) ** of_thermal
    np.testing.assert_allclose(found / many.value(parameter), expected, atol=1e-3)
    drawn = [  # of a voltage, which rises with the threshold voltage, and of a current
        np.asarray(
            disturb(
                network, TransistorMismatch(target, a_vt=5.0, swing=swing, populations=("many",))
            )
            .population("many")
            .parameters[parameter]
        )
        for swing in (200.0, 0.0)
    ]
    assert np.corrcoef(*drawn)[0, 1] * (1 if target == "leak" else -1) > 0.9


def test_what_is_wrong_is_said_at_once() -> None:
    for kind in (TransistorMismatch, TemperatureShift):
        with pytest.raises(ParameterError, match="set by a current, and capacitance is not"):
            kind(target="capacitance")
    with pytest.raises(ParameterError) as caught:
        TransistorMismatch("delay", 0.0, -1.0, -1.0, 2.0, 0.0, -1.0)
    for word in ("delays", "width", "length", "a_vt", "kappa", "temperature", "swing"):
        assert word in str(caught.value)
    with pytest.raises(ParameterError, match="temperature"):
        TemperatureShift(-400.0)
    with pytest.raises(ParameterError, match="width"):
        Transistor(width=0.0)
