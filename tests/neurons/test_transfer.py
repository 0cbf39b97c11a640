"""f-I curves and charges against closed forms and simulations."""

import jax
import numpy as np
import pytest

from bioconv import neurons
from bioconv.ground.errors import ParameterError
from bioconv.neurons.language.update import update_of
from bioconv.neurons.response.transfer import charge, fi_curve, fit_drive


def test_a_perfect_integrator_is_a_straight_line():
    neuron = neurons.IntegrateAndFire(c_m=2.0, v_th=1.5)
    currents = np.array([-1.0, 0.0, 0.3, 0.75, 1.5, 3.0])
    expected = np.maximum(currents, 0) / (2.0 * 1.5) * 1e3
    np.testing.assert_allclose(fi_curve(neuron, currents, dt=1.0), expected, atol=1e-9)


def test_a_leaky_neuron_has_its_closed_form():
    """Interval of whole steps: the first at or after tau_m ln(R I / (R I - (v_th - v_rest)))."""
    neuron, dt = neurons.LeakyIntegrateAndFire(t_ref=3.0), 0.5
    currents = np.array([100.0, 740.0, 800.0, 1300.0, 2900.0, 9000.0])
    drive = currents * 20.0 / 1000.0
    with np.errstate(divide="ignore", invalid="ignore"):
        interval = 20.0 * np.log(drive / (drive - 15.0))
    expected = np.where(drive > 15, 1e3 / (np.ceil(interval / dt) * dt + 3.0), 0.0)
    np.testing.assert_allclose(fi_curve(neuron, currents, dt=dt), expected, rtol=1e-9)


def test_the_drive_of_a_perfect_integrator_is_in_closed_form():
    fit = fit_drive(neurons.IntegrateAndFire(c_m=2.0, v_th=3.0, v_reset=1.0), 200.0, 1.0)
    assert (fit.i0, fit.gain, fit.residual) == (0.0, pytest.approx(0.2 * 2.0 * 2.0), 0.0)


@pytest.mark.parametrize(
    "neuron",
    [
        neurons.LeakyIntegrateAndFire(),
        neurons.LeakyIntegrateAndFire("subtraction", "delta", t_ref=2.0),
        neurons.IntegrateAndFire("value"),
    ],
    ids=lambda neuron: neuron.model.name,
)
def test_the_fitted_drive_gives_the_rates_it_claims(neuron):
    activations = np.linspace(0.1, 1, 19)
    fit = fit_drive(neuron, 100.0, 0.1, activations)
    rates = fi_curve(neuron, fit.i0 + fit.gain * activations, dt=0.1, duration=3000.0)
    distance = np.abs(rates / 100.0 - activations)
    assert fit.residual < 0.2
    assert distance.max() == pytest.approx(fit.residual, abs=0.01)


def test_no_straight_line_is_closer():
    """Any other drive near by has a larger sum of squares."""
    neuron, a = neurons.LeakyIntegrateAndFire(), np.linspace(0, 1, 101)
    fit = fit_drive(neuron, 100.0, 0.1)

    def error(i0, gain):
        rates = fi_curve(neuron, i0 + gain * a, dt=0.1, duration=4000.0)
        return np.sum((rates / 100.0 - a) ** 2)

    best = error(fit.i0, fit.gain)
    for i0, gain in ((0.9, 1.0), (1.1, 1.0), (1.0, 0.9), (1.0, 1.1)):
        assert error(fit.i0 * i0, fit.gain * gain) > best


def test_rates_out_of_reach_are_refused():
    with pytest.raises(ParameterError, match="fires at most"):
        fit_drive(neurons.LeakyIntegrateAndFire(t_ref=10.0), 200.0, 1.0)
    with pytest.raises(ParameterError, match="no f-I curve"):
        fi_curve(neurons.MaxGate(2), [1.0], dt=1.0)


@pytest.mark.parametrize(
    "neuron",
    [
        neurons.IntegrateAndFire(c_m=3.0),
        neurons.IntegrateAndFire(synapse="exponential", c_m=3.0, tau_syn=4.0),
        neurons.LeakyIntegrateAndFire(synapse="delta", tau_m=1e6),
        neurons.LeakyIntegrateAndFire(tau_m=1e6),
        neurons.LeakyIntegrateAndFire(synapse="alpha", tau_m=1e6, tau_syn=4.0),
        neurons.IntegrateAndFire(synapse="alpha", c_m=3.0, tau_syn=4.0),
        neurons.QuadraticIntegrateAndFire(synapse="alpha", g_l=0.0),
        neurons.TraubMiles(synapse="alpha", g_l=1e-6, g_na=0.0, g_k=0.0),
    ],
    ids=lambda neuron: neuron.model.name,
)
def test_the_charge_of_a_spike_is_what_the_membrane_takes_up(neuron):
    """c_m times the change of v that one spike of weight 1 causes in the end."""
    model, dt = neuron.model, 0.5
    update = update_of(model)
    parameters = {p.name: neuron.value(p.name) for p in model.parameters}
    with jax.enable_x64(True):
        values = {**update.constants(parameters, dt), "t": 0.0}
        rest = -65.0
        state = {s.name: np.array([rest if s.name == "v" else 0.0]) for s in model.states}
        state = update.deliver(state, {model.receptors[0].variable: 1.0}, None)
        for _ in range(200):
            state = update.integrate(state, values, None)
        gained = float(neuron.value("c_m")) * (float(state["v"][0]) - rest)
    assert gained == pytest.approx(charge(neuron, "syn", dt), rel=2e-4)
