"""Mismatch of parameters and weights: sizes, places, shapes, against closed forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import digits
import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import codes, noise
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.network import Change, Population, Projection, SpikingNetwork
from bioconv.noise import Mismatch, disturb
from bioconv.operators import Dense

stats = later("scipy.stats")

LEAKY = bc.neurons.make("leaky_integrate_and_fire")


@pytest.fixture(scope="module")
def rate() -> SpikingNetwork:
    return bc.convert(digits.mlp(), calibration=digits.train()[:100])


@pytest.fixture(scope="module")
def leaky() -> SpikingNetwork:
    return bc.convert(digits.mlp(), calibration=digits.train()[:100], neuron=LEAKY, n_steps=100)


def wide(network: SpikingNetwork, n: int = 20_000) -> SpikingNetwork:
    """One population of many neurons, for statistics."""
    model = network.populations[0].model
    population = Population("many", (n,), model)
    return network.replace(
        populations=(*network.populations, population),
    )


def factors(network: SpikingNetwork, entry: Mismatch, name: str, rest: float) -> np.ndarray:
    """What the mismatch multiplies the distance of a parameter from ``rest`` with."""
    population = disturb(wide(network), entry, seed=7).population("many")
    nominal = population.model.parameter(name).default
    return (np.asarray(population.parameters[name]) - rest) / (nominal - rest)


@pytest.mark.parametrize(
    ("distribution", "law"),
    [
        ("normal", lambda: stats.norm(1.0, 0.1)),
        ("log_normal", lambda: stats.lognorm(np.sqrt(np.log(1.01)), scale=1.01**-0.5)),
        ("truncated", lambda: stats.truncnorm(-2, 2, 1.0, 0.1)),
    ],
)
def test_factors_follow_the_distribution(
    rate: SpikingNetwork, distribution: str, law: Callable[[], Any]
) -> None:
    """20,000 numbers: a spread 2 % off would be refused with more than 99 % probability."""
    found = factors(rate, Mismatch("threshold", 0.1, distribution), "v_th", 0.0)
    assert stats.kstest(found, law().cdf).pvalue > 1e-3
    assert found.std() == pytest.approx(law().std(), rel=0.02)
    assert found.mean() == pytest.approx(1.0, abs=4 * 0.1 / np.sqrt(len(found)))


def test_a_threshold_counts_from_the_reset_potential(leaky: SpikingNetwork) -> None:
    found = factors(leaky, Mismatch("threshold", 0.1), "v_th", -65.0)
    assert found.std() == pytest.approx(0.1, rel=0.03)
    by_name = factors(leaky, Mismatch("v_th", 0.1), "v_th", -65.0)
    assert by_name.std() == pytest.approx(0.1, rel=0.03)


def test_a_potential_moves_by_a_share_of_the_way_to_threshold(leaky: SpikingNetwork) -> None:
    population = disturb(wide(leaky), Mismatch("v_rest", 0.1), seed=7).population("many")
    moved = np.asarray(population.parameters["v_rest"]) + 65.0
    assert moved.std() == pytest.approx(0.1 * 15.0, rel=0.03)


def test_neighbours_are_alike_if_asked(rate: SpikingNetwork) -> None:
    """Correlation at a distance d under a Gaussian kernel of width l: exp(-d^2 / 4 l^2)."""
    entry = Mismatch("threshold", 0.1, correlation=0.6, correlation_length=20.0)
    found = factors(rate, entry, "v_th", 0.0)
    assert found.std() == pytest.approx(0.1, rel=0.05)
    for distance in (1, 20, 40):
        expected = 0.6 * np.exp(-((distance / 40.0) ** 2))
        got = np.corrcoef(found[:-distance], found[distance:])[0, 1]
        # about 20,000 / (2 sqrt(pi) 20) = 280 independent stretches
        assert got == pytest.approx(expected, abs=4 / np.sqrt(280))
    alone = factors(rate, Mismatch("threshold", 0.1), "v_th", 0.0)
    assert abs(np.corrcoef(alone[:-1], alone[1:])[0, 1]) < 4 / np.sqrt(len(alone))


def test_schedules_get_the_same_factors() -> None:
    network = bc.convert(
        digits.mlp(), calibration=digits.train()[:100], code=codes.make("few_spikes")
    )
    disturbed = disturb(network, Mismatch("threshold", 0.1), seed=1)
    ratios = [
        np.asarray(new.value) / old.value
        for old, new in zip(network.changes, disturbed.changes, strict=True)
        if (new.population, new.variable) == ("dense_3", "v_th")
    ]
    assert len(ratios) > 5
    for ratio in ratios:
        np.testing.assert_allclose(ratio, ratios[0], rtol=1e-12)
    same = [c for c in disturbed.changes if c.variable == "v_fall"]
    assert all(np.ndim(change.value) == 0 for change in same)


def test_more_capacitance_is_a_higher_threshold(rate: SpikingNetwork) -> None:
    """Charge adds up to q / C: C times as large is v_th times as large, in a perfect integrator."""
    factor = np.random.default_rng(0).uniform(0.7, 1.4, 64)
    name = "dense_3"
    capacitance = disturb(rate, Mismatch("capacitance", 0.2, populations=(name,)), seed=1)
    factor = np.asarray(capacitance.population(name).parameters["c_m"])
    old = rate.population(name)
    start = {"v": np.asarray(old.initial["v"]) * factor}
    parameters = {**old.parameters, "v_th": factor * 1.0}
    threshold = rate.replace(
        populations=tuple(
            p
            if p.name != name
            else Population(**{**vars(p), "parameters": parameters, "initial": start})
            for p in rate.populations
        )
    )
    counts = [
        bc.simulate(n, digits.test(20), record={name: ("counts",)}, progress=False).counts[name]
        for n in (capacitance, threshold)
    ]
    assert counts[0].sum() > 100
    # a current of float32 that meets the threshold in the last digit may be a step late
    assert np.abs(counts[0] - counts[1]).max() <= 1
    assert np.mean(counts[0] != counts[1]) < 0.02


def test_gain_scales_all_input(rate: SpikingNetwork) -> None:
    disturbed = disturb(rate, Mismatch("gain", 0.2), seed=1)
    for before, after in zip(rate.projections, disturbed.projections, strict=True):
        ratio = after.operator.matrix() / before.operator.matrix()
        columns = np.nanmean(ratio, axis=0)
        np.testing.assert_allclose(ratio, np.broadcast_to(columns, ratio.shape), rtol=1e-9)
        change = next(
            c for c in disturbed.changes if (c.population, c.variable) == (after.post, "i_offset")
        )
        old = next(
            c for c in rate.changes if (c.population, c.variable) == (after.post, "i_offset")
        )
        np.testing.assert_allclose(np.asarray(change.value) / old.value, columns, rtol=1e-9)
    new, old = (n.drives[0].operator.matrix().toarray() for n in (disturbed, rate))
    lit = np.any(old != 0, axis=1)
    ratio = np.mean(new[lit] / old[lit], axis=0)
    np.testing.assert_allclose(new, old * ratio, rtol=1e-9, atol=1e-15)
    biases = [n.population("dense_3").parameters["i_offset"] for n in (disturbed, rate)]
    np.testing.assert_allclose(biases[0], biases[1] * ratio, rtol=1e-9)
    assert ratio.std() == pytest.approx(0.2, rel=0.4)


def test_leak_and_time_constants(leaky: SpikingNetwork) -> None:
    for target in ("leak", "time_constant"):
        found = factors(leaky, Mismatch(target, 0.1), "tau_m", 0.0)
        inverse = 1.0 / found if target == "leak" else found
        assert inverse.std() == pytest.approx(0.1, rel=0.03)
    both = disturb(wide(leaky), Mismatch("time_constant", 0.1), seed=7).population("many")
    one, other = (np.asarray(both.parameters[name]) for name in ("tau_m", "tau_syn"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(len(one))


def test_refractory_periods_stay_whole_steps(leaky: SpikingNetwork) -> None:
    found = wide(leaky)
    many = Population("many", (1000,), LEAKY.model, {"t_ref": 10.0})
    network = found.replace(populations=(*found.populations[:-1], many))
    disturbed = disturb(network, Mismatch("t_ref", 0.2), seed=1)
    periods = np.asarray(disturbed.population("many").parameters["t_ref"]) / network.dt
    np.testing.assert_array_equal(periods, np.round(periods))
    assert len(np.unique(periods)) > 5
    bc.simulate(disturbed, digits.test(1), progress=False)


@pytest.mark.parametrize(
    "options", [{}, {"ramp": "own"}, {"inactive": "silent"}, {"slope": "identical"}]
)
def test_slope_is_alpha_of_the_exact_first_spike_code(options: dict[str, str]) -> None:
    """alpha + Y adds Y to the slope before and after the window opens (stanojevic Fig 2.5c)."""
    code = bc.FirstSpikeExactCode(**options)  # type: ignore[arg-type]
    network = bc.convert(digits.mlp(), calibration=digits.train()[:100], code=code)
    disturbed = disturb(network, Mismatch("slope", 0.01), seed=1)
    for name in ("dense_3", "dense_4"):
        old, new = network.population(name).parameters, disturbed.population(name).parameters
        sums = sum(p.operator.matrix().sum(axis=0) for p in network.projections_to(name))
        silent = options.get("inactive") == "silent"
        alpha = np.asarray(old["i_offset"])
        if "ramp" in options:
            alpha = np.asarray(old["i_open"]) - (sums if silent else 0.0)
        y = np.asarray(new["i_open"]) - old["i_open"]
        assert (y / alpha).std() == pytest.approx(0.01, rel=0.4)
        np.testing.assert_allclose(np.asarray(new["slope"]) - old["slope"], y, atol=1e-12)
        before = np.asarray(new["i_offset"]) - old["i_offset"]
        np.testing.assert_allclose(before, 0.0 if "ramp" in options else y, atol=1e-12)


def test_weights_of_a_shared_kernel_differ_from_place_to_place() -> None:
    network = bc.convert(digits.cnn(), calibration=digits.train()[:50])
    disturbed = disturb(network, Mismatch("weight", 0.2), seed=1)
    for before, after in zip(network.projections, disturbed.projections, strict=True):
        old, new = before.operator.matrix().tocoo(), after.operator.matrix()
        ratio = new[old.coords[0], old.coords[1]] / old.data
        assert ratio.mean() == pytest.approx(1.0, abs=4 * 0.2 / np.sqrt(len(ratio)))
        assert ratio.std() == pytest.approx(0.2, rel=4 / np.sqrt(2 * len(ratio)) + 0.01)
        assert len(np.unique(ratio)) == len(ratio)
    assert disturbed.n_synapses == network.n_synapses


def test_on_and_off_neurons_are_one_device() -> None:
    network = bc.convert(
        digits.mlp(), calibration=digits.train()[:100], code=codes.make("sigma_delta")
    )
    disturbed = disturb(network, Mismatch("threshold", 0.2), Mismatch("weight", 0.2), seed=1)
    assert np.shape(disturbed.population("dense_3").parameters["v_th"]) == (1, 64)
    found = next(p for p in disturbed.projections if p.pre == "dense_3")
    matrix = found.operator.matrix().toarray().reshape(2, 64, 2, 32)
    np.testing.assert_allclose(matrix[:, :, 0], matrix[:, :, 1], rtol=1e-12)
    np.testing.assert_allclose(matrix[0], -matrix[1], rtol=1e-12)


def test_delays_differ_from_neuron_to_neuron(rate: SpikingNetwork) -> None:
    """Synapses stay, each with the delay of its source; the mean is what it was, and later."""
    disturbed = disturb(rate, noise.DelayMismatch(2.0, limit=3.0), seed=1)
    for before in rate.projections:
        parts = [p for p in disturbed.projections if (p.pre, p.post) == (before.pre, before.post)]
        matrices = [p.operator.matrix().toarray() for p in parts]
        np.testing.assert_array_equal(sum(matrices), before.operator.matrix().toarray())
        assert len({p.delay_steps for p in parts}) == len(parts)
        rows = np.array([np.any(matrix != 0, axis=1) for matrix in matrices])
        assert rows.sum(axis=0).max() == 1
        delays = np.array([p.delay_steps for p in parts]) @ rows
        delays = delays[rows.any(axis=0)]
        assert delays.std() == pytest.approx(2.0, rel=4 / np.sqrt(2 * len(delays)))
        later = (
            disturbed.population(before.post).start_step - rate.population(before.post).start_step
        )
        first = disturbed.population(before.pre).start_step - rate.population(before.pre).start_step
        middle = before.delay_steps + later - first
        assert delays.mean() == pytest.approx(middle, abs=4 * 2.0 / np.sqrt(len(delays)))


def test_delays_come_last_and_leave_the_draws_of_others(rate: SpikingNetwork) -> None:
    delay, weight = noise.DelayMismatch(2.0), Mismatch("weight", 0.1)
    alone = disturb(rate, weight, seed=1)
    both = disturb(rate, delay, noise.TimeQuantization(2.0), weight, seed=1)
    for before in alone.projections:
        parts = [p for p in both.projections if (p.pre, p.post) == (before.pre, before.post)]
        np.testing.assert_array_equal(
            sum(p.operator.matrix().toarray() for p in parts), before.operator.matrix().toarray()
        )
        assert all(p.delay_steps % 2 == 0 for p in parts)
    applied = [entry.kind for entry in both.imperfections]
    assert applied == ["Mismatch", "DelayMismatch", "TimeQuantization"]
    clocked = disturb(rate, noise.TimeQuantization(2.0), delay, seed=1)
    assert any(p.delay_steps % 2 for p in clocked.projections)


def test_what_is_wrong_is_said_at_once(rate: SpikingNetwork) -> None:
    with pytest.raises(ParameterError) as caught:
        Mismatch("", -1.0, "uniform", correlation=2.0, correlation_length=0.0, limit=0.0)
    for word in ("target", "sigma", "distribution", "correlation", "correlation_length", "limit"):
        assert word in str(caught.value)
    with pytest.raises(ParameterError, match="DelayMismatch"):
        Mismatch("delay", 0.1)
    with pytest.raises(ParameterError, match="limit"):
        noise.DelayMismatch(0.1, limit=0.0)
    with pytest.raises(ConversionError, match="no tau_m that could vary") as refused:
        disturb(rate, Mismatch("tau_m", 0.1))
    assert {problem.where for problem in refused.value.problems} == {
        p.name for p in rate.populations
    }
    with pytest.raises(ConversionError, match="(?s)t_ref that could vary.*its t_ref is 0") as zero:
        disturb(rate, Mismatch("t_ref", 0.1))
    assert len(zero.value.problems) == len(rate.populations)
    with pytest.raises(ParameterError, match="sigma must be a number from 0 to 1e"):
        Mismatch("threshold", 1e300)
    with pytest.raises(ParameterError, match="dense_3"):
        disturb(rate, Mismatch("threshold", 0.1, populations=("nobody",)))


def test_a_neuron_out_of_reach_stays_there(rate: SpikingNetwork) -> None:
    late = [c for c in rate.changes if c.variable == "v_th"]
    assert late
    assert isinstance(late[0], Change)
    disturbed = disturb(rate, noise.LIBRARY["threshold"](0.5), seed=1)
    assert np.min(disturbed.population("dense_4").parameters["v_th"]) > 1e6
    assert isinstance(disturbed.projections[0], Projection)
    assert isinstance(disturbed.projections[0].operator, Dense)
