"""First spikes with double-exponential responses, against Eq 3.15, the simulator, and Brian2."""

from __future__ import annotations

import numpy as np
import pytest

import bioconv as bc
from bioconv.codes import FirstSpikeExactCode
from bioconv.codes.first_spike_exact.decaying import Decay, DecayingIntegrator
from bioconv.codes.first_spike_exact.reading import leads_of
from bioconv.codes.first_spike_exact.writing import network_with
from bioconv.ground.errors import BioconvError, ParameterError
from bioconv.models import weights_path
from bioconv.network import SpikingNetwork
from bioconv.simulators.stimulation import stimulate
from bioconv.training import Training, evaluate


def converted(tau_1: float = 2.0, dt: float = 0.125, **options: object) -> SpikingNetwork:
    code = FirstSpikeExactCode(
        **{
            "slope": "identical",
            "ramp": "own",
            "normalization": "none",
            "response": "double_exponential",
            "tau_1": tau_1,
            **options,
        }
    )
    x, _ = bc.load_data("digits", split="train", n_images=300)
    return bc.convert(weights_path("digits_mlp"), calibration=x, code=code, dt=dt)


def test_the_potential_after_a_spike_is_that_of_the_thesis() -> None:
    tau_1, tau_2, dt = 2.0, 5.0, 0.001
    decay = Decay.from_published(tau_1, tau_2)
    neuron = DecayingIntegrator(t_start=dt, c_m=1.0, **decay.parameters())
    pulse = np.full((10_000, 1), 1.0 / tau_1)
    v = stimulate(neuron, pulse, duration=10.0, dt=dt).traces["v"][:, 0]
    t = np.arange(10_000) * dt
    expected = (1 - np.exp(-t / tau_1)) * np.exp(-t / tau_2)  # Eq 3.15
    # Euler's method has an error of the order of dt / tau.
    assert np.abs(v - expected).max() < 2 * dt / tau_1
    assert decay.potential(t, np) / tau_1 == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ramp", "points"), [("own", 0.01), pytest.param("previous", 0.03, marks=pytest.mark.slow)]
)
def test_little_is_lost_within_the_bound_of_the_thesis(ramp: str, points: float) -> None:
    # With "previous", the slopes alpha contribute to the curvature, too.
    x, y = bc.load_data("digits", n_images=100)
    linear = bc.simulate(converted(response="linear"), x, progress=False)
    found = bc.simulate(converted(ramp=ramp), x, progress=False)
    assert found.accuracy(y) >= linear.accuracy(y) - points
    assert found.accuracy(y) > 0.9


def test_time_constants_far_below_the_bound_cost_accuracy() -> None:
    x, y = bc.load_data("digits", n_images=100)
    assert bc.simulate(converted(tau_1=0.3), x, progress=False).accuracy(y) < 0.5


def test_leads_are_those_of_the_simulation() -> None:
    x, _ = bc.load_data("digits", n_images=60)
    network = converted(tau_1=1.0, dt=0.03125)
    simulated = next(iter(bc.simulate(network, x, progress=False).outputs.values()))
    assert evaluate(network, x) == pytest.approx(simulated, abs=0.03)


def test_writing_gives_the_network_that_was_read() -> None:
    network = converted()
    leads = leads_of(network)
    again = network_with(leads, leads.parameters(), leads.lengths())
    for old in network.populations:
        new = again.population(old.name)
        for name, value in old.parameters.items():
            assert np.asarray(new.parameters[name]) == pytest.approx(
                np.asarray(value), rel=1e-6, abs=1e-6
            )


@pytest.mark.slow
def test_finetuning_recovers_what_short_time_constants_cost() -> None:
    x, y = bc.load_data("digits", split="train", n_images=1000)
    network = converted(tau_1=0.55)
    before = np.mean(evaluate(network, x).argmax(axis=1) == y)
    options = Training(epochs=3, learning_rate=1e-3, batch_size=16, clip=1.0)
    done = bc.finetune(network, x, y, options=options, progress=False)
    after = np.mean(evaluate(done.network, x).argmax(axis=1) == y)
    assert before < 0.9
    assert after > before + 0.5 * (1 - before)


def test_gradients_are_those_of_the_crossing() -> None:
    import jax
    import jax.numpy as jnp

    decay = Decay.from_published(3.0, 7.0)
    slow, fast = -0.4, -0.7

    def crossing(slope: float) -> object:
        parts = [jnp.asarray(part) for part in (slow, fast, slope, 0.8)]
        return decay.crossing(*parts)

    value, slope = jax.value_and_grad(crossing)(1.0)
    apart = (crossing(1.01) - crossing(0.99)) / 0.02
    time = np.float64(value)
    reached = decay.potential(time, np) + slow * np.exp(-time / decay.tau_m)
    assert reached - fast * np.exp(-time / decay.tau_syn) == pytest.approx(0.8, abs=1e-5)
    assert float(slope) == pytest.approx(float(apart), rel=1e-2)


@pytest.mark.parametrize("simulator", ["brian2", pytest.param("nest", marks=pytest.mark.slow)])
def test_spikes_are_the_same_in_other_simulators(simulator: str) -> None:
    x, _ = bc.load_data("digits", n_images=3)
    network = converted()
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    options = {"record": record, "progress": False}
    ours = bc.simulate(network, x, dtype="float64", **options)
    theirs = bc.simulate(network, x, simulator=simulator, **options)
    for name, raster in ours.rasters.items():
        other = theirs.rasters[name]
        assert sorted(zip(raster.image, raster.neuron, raster.step, strict=True)) == sorted(
            zip(other.image, other.neuron, other.step, strict=True)
        )


def test_options_that_need_linear_responses_are_refused_together() -> None:
    with pytest.raises(ParameterError) as found:
        FirstSpikeExactCode(response="double_exponential", inactive="silent", threshold="falling")
    assert "inactive='silent' needs linear responses" in str(found.value)
    assert "threshold='falling' needs linear responses" in str(found.value)


def test_training_with_growing_windows_is_refused() -> None:
    x, y = bc.load_data("digits", split="train", n_images=40)
    with pytest.raises(ParameterError, match="windows cannot grow"):
        bc.finetune(converted(), x, y, gamma=10.0, progress=False)


def test_the_event_simulator_refuses_what_it_cannot_solve() -> None:
    x, _ = bc.load_data("digits", n_images=3)
    with pytest.raises(BioconvError, match="first_spike_decaying"):
        bc.simulate(converted(), x, simulator="event", progress=False)
