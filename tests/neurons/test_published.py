"""What the publications say that their neurons do, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from stepping import run

from bioconv import neurons


@pytest.mark.parametrize("t_ref", [0.0, 3.0])
def test_the_rate_of_a_perfect_integrator(t_ref):
    neuron = neurons.IntegrateAndFire("value", c_m=2.0, v_th=1.5, t_ref=t_ref)
    currents = np.array([0.05, 0.1, 0.3, 0.6])
    expected = 1e3 / (3.0 / currents + t_ref)
    np.testing.assert_allclose(run(neuron, currents, 2000.0, 0.1).rates(0), expected, rtol=0.02)


@pytest.mark.parametrize("t_ref", [0.0, 3.0])
def test_the_rate_of_a_leaky_neuron(t_ref):
    neuron = neurons.LeakyIntegrateAndFire(t_ref=t_ref)
    currents = np.array([745.0, 755.0, 1000.0, 2000.0])
    drive = currents[1:] * 20.0 / 1000.0
    expected = 1e3 / (20.0 * np.log(drive / (drive - 15.0)) + t_ref)
    found = run(neuron, currents, 3000.0, 0.1).rates(0)
    np.testing.assert_allclose(found, [0.0, *expected], rtol=0.015)


@pytest.mark.parametrize("t_ref", [0.0, 3.0])
def test_the_rate_of_a_quadratic_neuron(t_ref):
    """The closed form of the docstring; Euler gets there at first order."""
    neuron = neurons.QuadraticIntegrateAndFire(t_ref=t_ref)
    currents = np.array([15.0, 20.0, 60.0, 120.0, 300.0])
    threshold = 10.0 * (59.9 - 63.26) ** 2 / (2 * 3.48)
    s = np.sqrt(2 * 3.48 * (currents[1:] - threshold) / 10.0)
    way = np.arctan((30.0 + 59.9) / s) - np.arctan((-68.0 + 59.9) / s)
    expected = 1e3 / (t_ref + 2 * 100.0 * 3.48 / (10.0 * s) * way)
    rates = [run(neuron, currents, 2000.0, dt).rates(100.0) for dt in (0.1, 0.05)]
    assert rates[0][0] == rates[1][0] == 0
    np.testing.assert_allclose(rates[1][1:], expected, rtol=0.02)
    np.testing.assert_allclose(2 * rates[1][1:] - rates[0][1:], expected, rtol=5e-3)


def test_an_exponential_neuron_fires_from_its_threshold_current_on():
    """g_l (v_t - v_rest - delta_t) = 16.2 pA; very slowly just above it."""
    rates = run(neurons.ExponentialIntegrateAndFire(), [16.0, 16.5, 30.0], 2000.0).rates(0)
    assert rates[0] == 0 and 0 < rates[1] < 5 < rates[2]


def test_the_adaptive_exponential_neuron_of_brette_and_gerstner_adapts():
    found = run(neurons.AdaptiveExponential(), [500.0, 800.0], 600.0)
    intervals = found.intervals(1)
    assert found.counts()[0] == 0
    assert np.all(np.diff(intervals[:5]) > 0) and intervals[-1] > 2.5 * intervals[0]


def _pattern(kind, current):
    neuron = neurons.AdaptiveExponential(kind=kind)
    return run(neuron, [current], 600.0)


def test_firing_patterns_of_naud():
    tonic = _pattern("tonic", 500.0).intervals()
    assert len(tonic) > 40 and np.ptp(tonic) < 0.1 * tonic.mean()
    adapting = _pattern("adapting", 500.0).intervals()
    assert np.all(np.diff(adapting[:5]) > 0) and adapting[-1] > 4 * adapting[0]
    first = _pattern("initial_burst", 400.0).intervals()
    assert first[:2].max() < 15 < 40 < first[2:].min()
    bursts = _pattern("regular_bursting", 210.0).intervals()[-6:]
    assert bursts.max() > 10 * bursts.min() and np.ptp(bursts[::2]) < 0.1
    accelerating = _pattern("delayed_accelerating", 300.0)
    assert accelerating.times()[0] > 25 and np.all(np.diff(accelerating.intervals()) <= 0.2)
    delayed = _pattern("delayed_regular_bursting", 110.0)
    assert delayed.times()[0] > 40 and delayed.intervals().max() > 5 * delayed.intervals().min()
    assert _pattern("transient", 180.0).counts()[0] in (1, 2)
    irregular = _pattern("irregular", 160.0).intervals()[5:]
    assert len(np.unique(irregular.round(1))) > 10 and irregular.std() > 0.3 * irregular.mean()


def _type(kind, current=10.0):
    return run(neurons.Izhikevich(kind=kind), [current], 500.0)


def test_types_of_izhikevich():
    regular, fast = _type("regular_spiking").intervals(), _type("fast_spiking").intervals()
    assert regular[1] > 2 * regular[0] and np.ptp(regular[1:]) < 1
    assert np.ptp(fast[2:]) < 1 and fast.mean() < 0.25 * regular.mean()
    bursting = _type("intrinsically_bursting").intervals()
    assert bursting[:2].max() < 5 and bursting[2:].min() > 25 and np.ptp(bursting[3:]) < 1
    chattering = _type("chattering").intervals()
    inside, between = chattering[chattering < 10], chattering[chattering > 30]
    assert len(inside) + len(between) == len(chattering)
    assert len(between) >= 7 and len(inside) > 2 * len(between)
    low = _type("low_threshold_spiking")
    assert np.all(np.diff(low.intervals()[:5]) > 0)


def test_low_thresholds_and_resonance_of_izhikevich():
    """LTS fires where RS is silent, TC on release from inhibition, RZ rings."""
    assert _type("regular_spiking", 2.0).counts()[0] == 0
    assert _type("low_threshold_spiking", 2.0).counts()[0] > 0
    pulse = np.zeros((5000, 1))
    pulse[1000:3000] = -10.0
    rebound = run(neurons.Izhikevich(kind="thalamo_cortical"), pulse, 500.0).times()
    assert len(rebound) >= 2 and rebound[0] > 300
    assert run(neurons.Izhikevich(), pulse, 500.0).counts()[0] == 0
    single = np.zeros((5000, 1))
    single[1000:1050] = 2.0
    v = run(neurons.Izhikevich(kind="resonator"), single, 500.0).traces["v"][1050:, 0]
    assert v.min() < -63.0 and v[np.argmin(v) :].max() > -62.5  # damped oscillation about rest


def test_the_squid_axon_is_of_class_two():
    """Rheobase of steady firing between 6 and 7 uA/cm2, at once with some 50 Hz; v to +40 mV."""
    neuron = neurons.HodgkinHuxley()
    found = run(neuron, np.arange(560.0, 720.0, 10.0), 1000.0, 0.025)
    rates = found.rates(300.0)
    onset = int(np.argmax(rates > 0))
    assert 600 <= 560 + 10 * onset <= 660
    assert 45 < rates[onset] < 58
    assert np.all(rates[:onset] == 0) and np.all(np.diff(rates[onset:]) > 0)
    peak = found.traces["v"][:, -1].max()
    assert 35 < peak < 50


def test_the_squid_axon_is_faster_when_warm():
    """phi = 3 at 16.3 degrees: shorter spikes, higher rates."""
    rates = [
        run(neurons.HodgkinHuxley(phi=phi), [2000.0], 400.0, 0.025).rates(100.0)[0]
        for phi in (1.0, 3.0)
    ]
    assert rates[1] > 1.3 * rates[0]


def test_the_gates_have_no_singularity():
    """At 25 and 10 mV above rest the quotients of the publication are 0 / 0."""
    for name, low in (("hodgkin_huxley", -65.0), ("traub_miles", -63.0)):
        for u in (10.0, 13.0, 15.0, 25.0, 40.0):
            neuron = neurons.make(name, {"synapse": "delta"})
            start = neuron.model.state("v").initial
            start = neuron.value(start) if isinstance(start, str) else start
            assert run(neuron, [0.0], 5.0, weights={"syn": low + u - start}).finite


def test_traub_miles_fires_slowly_at_its_threshold():
    """Class 1: the rate at onset is arbitrarily low."""
    rates = run(neurons.TraubMiles(), [10.0, 22.0, 250.0, 800.0], 1500.0).rates(200.0)
    assert rates[0] == 0 and 0 < rates[1] < 8 and 40 < rates[2] < 50 < 90 < rates[3]


def test_both_classes_of_morris_lecar():
    """Class 1 sets in at 40 uA/cm2 with any rate; class 2 between 88 and 90 with 8 Hz or more."""
    first = run(neurons.MorrisLecar(), [399.0, 400.2, 405.0, 450.0], 6000.0).rates(1000.0)
    assert first[0] == 0 and 0 < first[1] < 2 < first[2] < first[3]
    second = run(neurons.MorrisLecar(kind="class_2"), [860.0, 880.0, 900.0, 950.0], 3000.0, 0.1)
    rates = second.rates(1500.0)
    assert rates[0] == rates[1] == 0 and np.all(rates[2:] > 8)


def test_morris_lecar_runs_faster_with_less_capacitance_and_faster_potassium():
    slow = neurons.MorrisLecar()
    fast = neurons.MorrisLecar(c_m=slow.value("c_m") / 10, phi=10 * slow.value("phi"))
    rate = run(slow, [600.0], 2000.0, 0.5).rates(200.0)
    assert run(fast, [600.0], 200.0, 0.05).rates(20.0) == pytest.approx(10 * rate, rel=1e-3)


def test_fitzhugh_nagumo_fires_between_two_currents():
    """Both ends of the limit cycle jump; beyond, excitation block."""
    rates = run(neurons.FitzHughNagumo(), [0.3, 0.34, 1.0, 1.4, 1.5], 500.0).rates(100.0)
    assert rates[0] == rates[4] == 0
    assert np.all(rates[1:4] > 70)


def test_hindmarsh_rose_bursts_and_then_fires_single_spikes():
    found = run(neurons.HindmarshRose(), [1.0, 2.0, 4.0], 1500.0)
    silent, bursting, tonic = (found.times(n)[found.times(n) > 500] for n in range(3))
    assert len(silent) == 0
    gaps = np.diff(bursting)
    assert gaps.max() > 3 * gaps.min() and (gaps > 60).sum() >= 4
    assert np.ptp(np.diff(tonic)) < 1.0
    chaotic = np.diff(run(neurons.HindmarshRose(), [3.25], 3000.0).times())[20:]
    assert len(np.unique(chaotic.round(1))) > 20


def test_mihalas_niebur_tonic_spiking_has_a_closed_form():
    """A leaky neuron between the resets: c_m / g_l ln(I / (I - g_l (theta - v_rest)))."""
    neuron = neurons.MihalasNiebur()
    found = run(neuron, [99.0, 110.0, 150.0, 300.0], 1000.0, 0.05)
    currents = np.array([110.0, 150.0, 300.0])
    expected = 1e3 / (20.0 * np.log(currents / (currents - 100.0)))
    np.testing.assert_allclose(found.rates(0)[1:], expected, rtol=5e-3)
    assert found.counts()[0] == 0


def test_types_of_mihalas_and_niebur():
    def of(kind, current):
        return run(neurons.MihalasNiebur(kind=kind), [current], 500.0)

    adapting = of("adapting", 200.0).intervals()
    assert np.all(np.diff(adapting) >= 0) and adapting[-1] > 1.5 * adapting[0]
    assert of("adapting", 150.0).times()[-1] < 250  # phasic
    assert of("hyperpolarization_induced_spiking", -100.0).counts()[0] >= 3
    induced = of("hyperpolarization_induced_bursting", -100.0).intervals()
    bursting = of("bursting", 200.0).intervals()
    for gaps in (induced, bursting):
        assert (gaps > 60).sum() >= 2 and (gaps < 10).sum() > 2 * (gaps > 60).sum()
    assert of("bursting", 150.0).times()[-1] < 100  # phasic
    mixed = of("mixed_mode", 200.0).intervals()
    assert mixed[:3].max() < 10 and mixed[-3:].min() > 30


def test_the_quartic_neuron_fires_regularly():
    found = run(neurons.Quartic(), [0.02, 0.2, 1.0], 1000.0)
    assert found.counts()[0] == 0
    for n in (1, 2):
        assert np.ptp(found.intervals(n)[5:]) < 0.3
    assert found.intervals(2)[0] < found.intervals(2)[-1]  # adaptation


def test_resonate_and_fire_prefers_its_own_frequency():
    """Two weak pulses fire it an eigenperiod apart, not half of one."""
    neuron = neurons.ResonateAndFire("exponential", tau_syn=0.2)
    period = 2 * np.pi / 10.0 * 20.0
    pulses = np.zeros((600, 2))
    for column, gap in enumerate((period, 1.5 * period)):
        for start in (0, round(gap / 0.1)):
            pulses[start : start + 10, column] = 17.0
    assert run(neuron, pulses, 60.0).counts().tolist() == [1, 0]


def test_resonate_and_fire_fires_steadily_above_its_threshold_current():
    """v_th (b**2 + omega**2) / omega = 10.1 lifts v to the threshold."""
    found = run(neurons.ResonateAndFire(), [8.0, 10.2], 500.0)
    assert found.rates(200.0)[0] == 0 and found.rates(200.0)[1] > 100
