"""f-I curves of the library's neurons, against closed forms and single runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from some_variants import some

from bioconv import neurons
from bioconv.neurons.language.noise import with_noise
from bioconv.neurons.response.transfer import (
    Curve,
    fi_curve,
    fit_curve,
    measure_curve,
    rising_branch,
)
from bioconv.simulators.stimulation import stimulate

#: neurons whose curves take longest to measure
LONG = ("hindmarsh_rose", "fitzhugh_nagumo", "traub_miles", "hodgkin_huxley")
EVERY = [name for name in neurons.library() if name != "integrate_and_fire"]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is measured here is measured, not remembered from an earlier version."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("BIOCONV_CACHE", str(folder))
        yield folder


def step(neuron: neurons.Neuron) -> float:
    return neuron.model.dt_default or 0.1


def test_a_quadratic_neuron_has_its_closed_form() -> None:
    """Interval with s**2 = 2 delta_t (i - i_t) / g_l, see QuadraticIntegrateAndFire."""
    neuron = neurons.make("qif")
    v_rest, v_t, delta, g_l, c_m = -63.26, -59.9, 3.48, 10.0, 100.0
    threshold = g_l * (v_t - v_rest) ** 2 / (2 * delta)
    currents = threshold * np.array([0.5, 0.99, 1.2, 2.0, 5.0, 20.0])
    with np.errstate(invalid="ignore"):
        s = np.sqrt(2 * delta * (currents - threshold) / g_l)
        arc = np.arctan((30.0 - v_t) / s) - np.arctan((-68.0 - v_t) / s)
        expected = np.nan_to_num(1e3 / (2 * c_m * delta / (g_l * s) * arc))
    rates = fi_curve(neuron, currents, dt=0.005, duration=500.0, discard=100.0)
    np.testing.assert_allclose(rates, expected, rtol=5e-3)


@pytest.mark.parametrize(
    "name",
    some([n for n in EVERY if n not in LONG], every=2)
    + [pytest.param(n, marks=pytest.mark.slow) for n in EVERY if n in LONG],
)
def test_every_neuron_has_a_drive_that_is_silent_without_activation(name: str) -> None:
    """From pA by the thousand to dimensionless currents below one."""
    neuron = neurons.make(name)
    dt = step(neuron)
    curve = rising_branch(neuron, dt)
    assert curve.rates[0] == 0
    rate = min(100.0, 0.8 * curve.rates.max())
    part = rising_branch(neuron, dt, rate)
    fit = fit_curve(part, rate)
    assert fit.gain > 0
    assert 0 < fit.rms <= fit.residual
    span = part.currents[-1] - part.currents[0]
    assert -3 * span <= fit.i0 - part.currents[0] <= span
    below = fi_curve(neuron, [fit.i0 - 0.5 * fit.gain, fit.i0], dt=dt)
    np.testing.assert_array_equal(below, 0.0)


@pytest.mark.parametrize(
    "name", some(["hodgkin_huxley", "fitzhugh_nagumo", "morris_lecar"], every=3)
)
def test_a_branch_ends_before_the_depolarisation_block(name: str) -> None:
    neuron = neurons.make(name)
    curve = rising_branch(neuron, step(neuron))
    assert np.all(np.diff(np.maximum.accumulate(curve.rates)) >= 0)
    assert curve.rates[-1] >= 0.9 * curve.rates.max()
    beyond = fi_curve(neuron, [4.0 * curve.currents[-1]], dt=step(neuron))
    assert beyond[0] < 0.7 * curve.rates.max()


@pytest.mark.slow
def test_the_fit_tells_how_far_a_curve_that_jumps_is_from_a_line() -> None:
    """What it claims is what the neuron does: no drive lives within a jump."""
    neuron, a = neurons.make("hh"), np.linspace(0, 1, 41)
    fit = fit_curve(rising_branch(neuron, 0.1, 100.0), 100.0, a)
    rates = fi_curve(neuron, fit.i0 + fit.gain * a, dt=0.1, duration=1400.0, discard=400.0)
    distance = rates / 100.0 - a
    assert fit.residual > 0.2
    assert np.sqrt(np.mean(distance**2)) == pytest.approx(fit.rms, abs=0.02)


def test_noise_makes_a_curve_smooth() -> None:
    neuron = neurons.make("ml", {"kind": "class_2", "c_m": 20.0, "phi": 0.4})
    quiet = rising_branch(neuron, 0.5, 150.0)
    span = quiet.currents[-1] - quiet.currents[0]
    currents = np.linspace(quiet.currents[0] - 2 * span, quiet.currents[-1] + span, 60)
    noisy = measure_curve(with_noise(neuron, 0.6 * span), currents, dt=0.5, trials=16)
    assert fit_curve(noisy, 150.0).rms < 0.5 * fit_curve(quiet, 150.0).rms
    assert noisy.variance.max() > 0
    assert np.all(quiet.variance == 0)


def test_adaptation_is_that_of_the_spike_train() -> None:
    neuron, current = neurons.make("adex"), 1500.0
    (times,) = stimulate(neuron, current, duration=1400.0, dt=0.1).spike_times
    intervals = np.diff(times)
    curve = measure_curve(neuron, [current], dt=0.1, duration=1400.0, discard=400.0)
    ratio, time = curve.adaptation(float(curve.rates[0]))
    assert ratio == pytest.approx(intervals[-1] / intervals[0], rel=0.02)
    # rates between spikes: where the excess over the steady rate has fallen to its e-th part
    rates = 1e3 / intervals
    reached = np.interp(
        -(rates[-1] + (rates[0] - rates[-1]) / np.e), -rates, 0.5 * (times[1:] + times[:-1])
    )
    assert time == pytest.approx(reached - times[0], rel=0.4)
    flat = measure_curve(neurons.make("lif"), [2000.0], dt=0.1)
    assert flat.adaptation(100.0) == (1.0, 0.0)


def test_bursts_count_as_spikes_over_time() -> None:
    neuron = neurons.make("izhikevich", {"kind": "chattering"})
    (times,) = stimulate(neuron, 10.0, duration=1400.0, dt=0.1).spike_times
    late = times[times > 400.0 + 1e-6]
    assert np.diff(late).max() > 3 * np.diff(late).min()
    rates = fi_curve(neuron, [10.0], dt=0.1, duration=1400.0, discard=400.0)
    assert rates[0] == pytest.approx(len(late), abs=1e-9)


def test_fluctuating_input_makes_a_silent_neuron_fire() -> None:
    neuron = neurons.make("lif")
    quiet = measure_curve(neuron, [600.0], dt=0.5)
    noisy = measure_curve(
        neuron, [600.0], dt=0.5, shots=600.0, sources=[31.0, 57.0, 80.0], trials=8
    )
    assert quiet.rates[0] == 0 < noisy.rates[0]


def test_curves_are_remembered(own_cache: Path) -> None:
    neuron, currents = neurons.make("lif", {"tau_m": 17.0}), np.linspace(900.0, 2000.0, 7)
    first = measure_curve(neuron, currents, dt=0.5)
    newest = max((own_cache / "curves").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    made_up = {name: np.full(7, 12.5) for name in vars(first)}
    with newest.open("wb") as file:
        np.savez(file, **made_up)  # type: ignore[arg-type]
    assert measure_curve(neuron, currents, dt=0.5).rates[0] == 12.5
    assert isinstance(first, Curve)
    other = neurons.make("lif", {"tau_m": 17.5})
    assert measure_curve(other, currents, dt=0.5).rates[0] != 12.5
