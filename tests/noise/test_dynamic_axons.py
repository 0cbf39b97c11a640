"""Axons: spikes that come late, get lost, come up; and everything behind them delayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import digits
import numpy as np
import pytest
from dynamic_networks import ONE, chain, steps_of
from later import later

import bioconv as bc
from bioconv import codes, neurons, noise
from bioconv.codes import FirstSpikeExactCode
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.network import Change, Projection, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster
from bioconv.neurons.library.axon import Axon, AxonKind
from bioconv.noise.axon import AxonSettings, axons_of, settings_of, with_axons
from bioconv.noise.retiming import retimed
from bioconv.operators import identity

stats = later("scipy.stats")

#: a statistic further than this many standard errors from its mean fails: one in 1.7 million
SIGMAS = 5.0


def simulated(network: SpikingNetwork, simulator: str = "array", seed: int = 0) -> Recording:
    """One sample in float64, with all spikes."""
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    return bc.simulate(
        network, ONE, simulator=simulator, dtype="float64", record=record, seed=seed, progress=False
    )


def late_by(steps: int) -> Callable[[AxonSettings], AxonSettings]:
    """Axons whose jitter is as good as none, with a latency of so many steps of 1 ms."""
    return lambda axon: AxonSettings(sigma=1e-12, latency=float(steps))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "rate" else pytest.mark.slow)
        for name in codes.converting()
    ],
)
def test_perfect_axons_change_no_output(name: str) -> None:
    """Shift registers and countdowns alike: all does the same, only later."""
    network = bc.convert(digits.mlp(), calibration=digits.train()[:100], code=codes.make(name))
    if not axons_of(network):
        pytest.skip(f"{name} has no population that fires and projects")
    (expected,) = _outputs(network)
    steps = round(1 / network.dt)
    delayed = with_axons(network, late_by(1))
    assert delayed.n_steps > network.n_steps
    # float32 suffices: the same numbers are added up in the same order
    np.testing.assert_array_equal(_outputs(delayed)[0], expected)
    kinds = {p.model.name for p in delayed.populations if p.name in axons_of(delayed).values()}
    assert kinds <= {f"axon_slots_{2 * steps + 1}", "axon_countdown"}


def _branches() -> Any:
    """The input goes to two depths, and a layer goes around another one."""
    import keras

    image = keras.layers.Input((8, 8, 1))
    flat = keras.layers.Flatten()(image)
    first = keras.layers.Dense(12, activation="relu")(flat)
    second = keras.layers.Dense(12, activation="relu")(first)
    both = keras.layers.Add()([first, second])
    third = keras.layers.Dense(9, activation="relu")(keras.layers.Concatenate()([both, flat]))
    model = keras.Model(image, keras.layers.Dense(4)(third))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "rate",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("few_spikes", "first_spike", "phase", "sigma_delta")
        ),
    ],
)
def test_branches_of_unequal_depth(name: str) -> None:
    """Neurons with a drive of their own wait for spikes that have become late."""
    network = bc.convert(_branches(), calibration=digits.train()[:100], code=codes.make(name))
    np.testing.assert_array_equal(
        _outputs(with_axons(network, late_by(1)))[0], _outputs(network)[0]
    )


def test_a_relay_takes_one_step() -> None:
    network = bc.convert(digits.mlp(), calibration=digits.train()[:100], code=FirstSpikeExactCode())
    delayed = with_axons(network)
    assert delayed.n_steps == network.n_steps + 3  # encoder and two layers
    np.testing.assert_array_equal(_outputs(delayed)[0], _outputs(network)[0])


@pytest.mark.parametrize(
    "neuron",
    ["leaky_integrate_and_fire", pytest.param("izhikevich", marks=pytest.mark.slow)],
)
def test_perfect_axons_behind_neurons_that_fire_by_themselves(neuron: str) -> None:
    """Leaky neurons rest, Izhikevich's move to their rest: both are set back in time."""
    network = bc.convert(
        digits.mlp(), calibration=digits.train()[:100], neuron=neurons.make(neuron), n_steps=160
    )
    np.testing.assert_array_equal(
        _outputs(with_axons(network, late_by(1)))[0], _outputs(network)[0]
    )


def _outputs(network: SpikingNetwork) -> list[np.ndarray]:
    return list(bc.simulate(network, digits.test(3), progress=False).outputs.values())


def test_jitter_has_the_mean_of_its_latency_and_its_deviation() -> None:
    n, sigma = 2000, 2.5
    network = noise.disturb(chain(n, period=40.0, steps=70), noise.SpikeJitter(sigma))
    found = simulated(network)
    cells, axons = steps_of(found, "cells", n), steps_of(found, "cells_axon", n)
    delays = np.array([b[0] - a[0] for a, b in zip(cells, axons, strict=True)])
    expected = 2 + settings_of(network, "cells_axon").latency
    assert abs(delays.mean() - expected) < SIGMAS * sigma / np.sqrt(n)
    spread = np.hypot(sigma, 1 / np.sqrt(12))  # rounded to steps
    assert abs(delays.std() - spread) < SIGMAS * spread / np.sqrt(2 * n)
    # 1,000 of 2,000 draws, and no others, before the mean: within the same margin
    assert abs(
        np.mean(delays < expected) + np.mean(delays == expected) / 2 - 0.5
    ) < SIGMAS / np.sqrt(4 * n)


def test_no_spike_is_lost_to_jitter_at_the_highest_rate() -> None:
    """Cells that fire in every step: all spikes come, the last ones later."""
    n = 50
    network = noise.disturb(chain(n, period=1.0, steps=100), noise.SpikeJitter(2.0))
    raster = simulated(network).rasters["cells_axon"]
    per_axon = np.bincount(raster.neuron, minlength=n)
    before = np.bincount(simulated(network).rasters["cells"].neuron, minlength=n)
    waiting = 2 + 2 * 8  # steps that a spike may take, and as many in a queue
    assert np.all(before - per_axon <= waiting) and np.all(per_axon <= before)


def test_loss_and_spurious_spikes_have_their_rates() -> None:
    n, p, rate = 500, 0.2, 30.0
    lossy = simulated(noise.disturb(chain(n), noise.SpikeLoss(p)))
    sent, kept = (len(lossy.rasters[name].step) for name in ("cells", "cells_axon"))
    assert abs(kept - (1 - p) * sent) < SIGMAS * np.sqrt(p * (1 - p) * sent)
    network = noise.disturb(chain(n, period=1e6), noise.SpuriousSpikes(rate))
    found = simulated(network)
    expected = n * network.n_steps * -np.expm1(-rate * network.dt * 1e-3)
    assert not len(found.rasters["cells"].step)
    assert abs(len(found.rasters["cells_axon"].step) - expected) < SIGMAS * np.sqrt(expected)


def test_samples_and_seeds_differ_and_repeat() -> None:
    network = noise.disturb(chain(50), noise.SpikeJitter(2.0))
    a, b, c = (simulated(network, seed=seed).rasters["cells_axon"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.step, b.step)
    assert len(a.step) != len(c.step) or not np.array_equal(a.step, c.step)


def test_imperfections_of_axons_add_up_in_any_order() -> None:
    parts = (noise.SpikeJitter(1.0), noise.SpikeLoss(0.1), noise.SpuriousSpikes(2.0))
    network = chain(5)
    for order in (parts, parts[::-1], (parts[1], parts[2], parts[0])):
        found = settings_of(noise.disturb(network, *order), "cells_axon")
        assert found.loss == pytest.approx(0.1)
        assert (found.sigma, found.rate) == (1.0, pytest.approx(2.0))
    twice = settings_of(noise.disturb(network, *parts, *parts), "cells_axon")
    assert twice.loss == pytest.approx(1 - 0.9**2)
    assert (twice.sigma, twice.rate) == (pytest.approx(np.sqrt(2)), pytest.approx(4.0))
    disturbed = noise.disturb(network, *parts)
    assert [p.name for p in disturbed.populations] == ["cells", "cells_axon", "out"]
    assert disturbed.n_steps == noise.disturb(network, *parts[::-1]).n_steps


def test_schedules_and_parameters_that_are_moments_move() -> None:
    code = FirstSpikeExactCode()
    network = bc.convert(digits.mlp(), calibration=digits.train()[:100], code=code)
    delayed = with_axons(network)
    first, second = (
        name
        for name in network.topological_order()
        if network.population(name).model.name.startswith("first_spike_exact_fire")
    )
    for name, steps in ((first, 1), (second, 2)):
        before, after = network.population(name), delayed.population(name)
        for parameter in ("t_start", "t_open", "t_close"):
            moved = np.subtract(after.parameters[parameter], before.parameters[parameter])
            np.testing.assert_array_equal(moved, steps * network.dt)
        assert after.start_step == before.start_step + steps
    stepped = chain(3).replace(changes=(Change(7, "out", "i_offset", 1.0),))
    assert [c.step for c in retimed(stepped, {"cells": 4}).changes] == [11]


def test_what_cannot_be_delayed_or_jittered_is_refused() -> None:
    loop = chain(2)
    back = Projection("out", "cells", identity((2,)), "syn")
    with pytest.raises(ConversionError, match="one after the other.*recurrent"):
        with_axons(loop.replace(projections=(*loop.projections, back)))
    with pytest.raises(ConversionError, match="the maximum is 65"):
        noise.disturb(chain(2), noise.SpikeJitter(50.0))
    model = neurons.Integrator().model
    timed = replace(model, equations="dv/dt = i_offset * int(t > 5*ms) / c_m : volt")
    clocked = chain(2)
    populations = (clocked.populations[0], replace(clocked.populations[1], model=timed))
    with pytest.raises(ConversionError, match="none of its parameters is declared as a moment"):
        with_axons(clocked.replace(populations=populations))
    for make in (
        lambda: noise.SpikeLoss(1.5),
        lambda: noise.SpuriousSpikes(-1.0),
        lambda: noise.SpikeJitter(-1.0, reach=0.0),
        lambda: Axon(AxonKind(slots=4)),
        lambda: Axon(AxonKind(slots=3, countdown=True)),
    ):
        with pytest.raises(ParameterError):
            make()


class TestEvents:
    """The same without time steps."""

    @pytest.fixture(scope="class")
    def network(self) -> SpikingNetwork:
        return bc.convert(
            digits.mlp(), calibration=digits.train()[:100], code=FirstSpikeExactCode()
        )

    def run(self, network: SpikingNetwork, n: int = 40, **options: Any) -> Recording:
        record = {p.name: ("spikes",) for p in network.populations}
        return bc.simulate(
            network,
            digits.test(n),
            simulator="event",
            record=record,
            dtype="float64",
            progress=False,
            **options,
        )

    def test_perfect_axons_change_no_output(self, network: SpikingNetwork) -> None:
        (a,), (b,) = (self.run(e).outputs.values() for e in (network, with_axons(network)))
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)

    def test_jitter_is_normal(self, network: SpikingNetwork) -> None:
        """Kolmogorov-Smirnov over all errors of the encoder's axons."""
        sigma = 0.3 * network.dt
        jittered = noise.disturb(network, noise.SpikeJitter(sigma, reach=8.0))
        name, axon = _first_axons(jittered)
        found = self.run(jittered)
        before, after = found.rasters[name], found.rasters[axon]
        order, other = (np.lexsort((r.neuron, r.image)) for r in (before, after))
        delays = _times(after)[other] - _times(before)[order]
        mean = 2 * network.dt + settings_of(jittered, axon).latency
        assert len(delays) == 40 * 64
        assert stats.kstest((delays - mean) / sigma, "norm").pvalue > 1e-6

    def test_loss(self, network: SpikingNetwork) -> None:
        lossy = noise.disturb(network, noise.SpikeLoss(0.1))
        found = self.run(lossy)
        before, after = (len(found.rasters[name].step) for name in _first_axons(lossy))
        assert abs(after - 0.9 * before) < SIGMAS * np.sqrt(0.09 * before)

    @pytest.mark.slow
    def test_results_do_not_depend_on_the_batch(self, network: SpikingNetwork) -> None:
        noisy = noise.disturb(network, noise.SpikeJitter(0.5), noise.SpikeLoss(0.1))
        (a,), (b,) = (self.run(noisy, 5, batch_size=size).outputs.values() for size in (5, 2))
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)

    def test_late_and_lost_spikes_are_solved_as_event_by_event(
        self, network: SpikingNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The quotient for all neurons at once, against every neuron spike by spike."""
        from bioconv.codes.first_spike_exact import solver

        noisy = noise.disturb(network, noise.SpikeJitter(1.0), noise.SpikeLoss(0.02))
        fast, quick = self.run(noisy, 10), solver._crossed_anyhow
        monkeypatch.setattr(
            solver,
            "_crossed_anyhow",
            lambda *given: (quick(*given)[0], np.ones_like(quick(*given)[0], bool)),
        )
        slow = self.run(noisy, 10)
        for name, raster in fast.rasters.items():
            np.testing.assert_array_equal(raster.neuron, slow.rasters[name].neuron)
            np.testing.assert_allclose(_times(raster), _times(slow.rasters[name]), atol=1e-9)

    @pytest.mark.parametrize("code", ["first_spike", "first_spike_exact", "sigma_delta"])
    def test_thresholds_that_drift_are_refused(self, code: str) -> None:
        network = bc.convert(digits.mlp(), calibration=digits.train()[:100], code=codes.make(code))
        for n_changes in (1, 20):
            drift = noise.Drift("threshold", 0.2, n_changes=n_changes)
            with pytest.raises(ParameterError, match="v_th of population .* changes"):
                self.run(noise.disturb(network, drift))

    def test_currents_that_change_are_refused(self) -> None:
        network = bc.convert(
            digits.mlp(), calibration=digits.train()[:100], code=codes.make("sigma_delta")
        )
        with pytest.raises(ParameterError, match="of population .* changes"):
            self.run(with_axons(network))


def _first_axons(network: SpikingNetwork) -> tuple[str, str]:
    """The first population that has axons, and these."""
    return next(iter(axons_of(network).items()))


def _times(raster: Raster) -> np.ndarray:
    assert raster.time is not None
    return raster.time
