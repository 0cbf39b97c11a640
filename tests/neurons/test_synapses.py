"""What one input spike does: shapes, charges and potentials in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from stepping import run

from bioconv import neurons

DT = 0.01


def _trace(synapse, variable, weights, **parameters):
    neuron = neurons.LeakyIntegrateAndFire(synapse=synapse, **parameters)
    return run(neuron, [0.0], 60.0, DT, weights=weights).traces[variable][:, 0]


@pytest.mark.parametrize(
    ("synapse", "variable", "receptor"),
    [
        ("exponential", "i_syn", "syn"),
        ("conductance", "g_exc", "exc"),
        ("conductance", "g_inh", "inh"),
    ],
)
def test_an_exponential_starts_at_the_weight_and_decays(synapse, variable, receptor):
    tau = {"exponential": "tau_syn"}.get(synapse, f"tau_syn_{receptor}")
    found = _trace(synapse, variable, {receptor: 3.0}, **{tau: 4.0})
    np.testing.assert_allclose(found, 3.0 * np.exp(-np.arange(6000) * DT / 4.0), rtol=1e-9)


@pytest.mark.parametrize(
    ("synapse", "variable", "receptor"),
    [
        ("alpha", "i_syn", "syn"),
        ("conductance_alpha", "g_exc", "exc"),
        ("conductance_alpha", "g_inh", "inh"),
    ],
)
def test_an_alpha_function_peaks_at_the_weight_after_tau(synapse, variable, receptor):
    tau = {"alpha": "tau_syn"}.get(synapse, f"tau_syn_{receptor}")
    found = _trace(synapse, variable, {receptor: 3.0}, **{tau: 4.0})
    t = np.arange(6000) * DT
    expected = 3.0 * np.e * (t / 4.0) * np.exp(-t / 4.0)
    np.testing.assert_allclose(found, expected, atol=3.0 * DT)  # exponential Euler: first order
    assert np.argmax(found) * DT == pytest.approx(4.0, abs=0.05)
    if synapse == "alpha":  # the leaky neuron integrates it exactly
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_the_potential_after_an_alpha_current_is_its_convolution_with_the_membrane():
    """w e / (c_m tau_s) times the convolution of t exp(-t / tau_s) with exp(-t / tau_m)."""
    tau_s, tau_m, c_m, t = 4.0, 20.0, 1000.0, np.arange(6000) * DT
    v = _trace("alpha", "v", {"syn": 50.0}, tau_syn=tau_s)
    q = 1 / tau_s - 1 / tau_m
    rise = np.exp(-t / tau_m) / q**2 - np.exp(-t / tau_s) * (t / q + 1 / q**2)
    np.testing.assert_allclose(v, -65.0 + 50.0 * np.e / (c_m * tau_s) * rise, rtol=0, atol=1e-9)


def test_conductances_pull_to_their_reversal_potentials():
    """A conductance that lasts: v settles at the mean of the potentials it is drawn to."""
    lasting = {"tau_syn_exc": 1e9, "tau_syn_inh": 1e9, "e_rev_inh": -90.0, "v_th": 100.0}
    neuron = neurons.LeakyIntegrateAndFire(synapse="conductance", **lasting)
    v = run(neuron, [0.0], 200.0, 0.1, weights={"exc": 10.0, "inh": 30.0}).traces["v"][-1, 0]
    leak = 1000.0 / 20.0
    assert v == pytest.approx((leak * -65.0 + 10.0 * 0.0 + 30.0 * -90.0) / (leak + 40.0), abs=1e-3)


def test_a_perfect_integrator_without_conductance_stands_still():
    neuron = neurons.IntegrateAndFire(synapse="conductance", v_rest=0.25)
    v = run(neuron, [0.0], 50.0, 0.5).traces["v"]
    np.testing.assert_array_equal(v, 0.25)


def test_standard_cells_are_named_where_pynn_has_the_equations():
    cells = {
        (name, synapse): neurons.make(name, {"synapse": synapse}).model.standard_cell
        for name in ("lif", "adex", "izhikevich", "traub")
        for synapse in ("delta", "exponential", "alpha", "conductance", "conductance_alpha")
    }
    assert {case: cell for case, cell in cells.items() if cell} == {
        ("lif", "delta"): "IF_curr_delta",
        ("lif", "exponential"): "IF_curr_exp",
        ("lif", "alpha"): "IF_curr_alpha",
        ("lif", "conductance"): "IF_cond_exp",
        ("lif", "conductance_alpha"): "IF_cond_alpha",
        ("adex", "conductance"): "EIF_cond_exp_isfa_ista",
        ("adex", "conductance_alpha"): "EIF_cond_alpha_isfa_ista",
        ("izhikevich", "delta"): "Izhikevich",
        ("traub", "conductance"): "HH_cond_exp",
    }
