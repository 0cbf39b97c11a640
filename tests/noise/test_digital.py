"""Rounded weights as Keras rounds them; faults, fan-in and clocks by their definitions."""

from __future__ import annotations

import digits
import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import codes, models
from bioconv.export.cells import GENERATED, cell_for
from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.network import Population, SpikingNetwork
from bioconv.noise import (
    DeadNeurons,
    DeadSynapses,
    FanIn,
    StuckNeurons,
    StuckSynapses,
    TimeQuantization,
    WeightQuantization,
    disturb,
)

keras = later("keras")

WEIGHTS = np.random.default_rng(0).normal(0.1, 1.0, (3, 3, 4, 6))


#: codes that are simulated always; the others with --runslow
QUICK = {"first_spike_exact", "rate"}
CODES = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name in codes.converting()
]


@pytest.fixture(scope="module", params=CODES)
def network(request: pytest.FixtureRequest) -> SpikingNetwork:
    return bc.convert(
        digits.mlp(), calibration=digits.train()[:100], code=codes.make(request.param)
    )


@pytest.fixture(scope="module")
def convolutional() -> SpikingNetwork:
    return bc.convert(digits.cnn(), calibration=digits.train()[:50])


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("per", ["layer", "channel"])
@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_weights_are_rounded_as_keras_rounds_them(bits: int, per: str, scheme: str) -> None:
    found = WeightQuantization(bits, scheme, per).rounded(WEIGHTS)
    axes = (0, 1, 2) if per == "channel" else None
    low, high = WEIGHTS.min(axis=axes), WEIGHTS.max(axis=axes)
    if scheme == "symmetric":
        low, high = -np.abs(WEIGHTS).max(axis=axes), np.abs(WEIGHTS).max(axis=axes)
    expected = keras.quantizers.fake_quant_with_min_max_vars(
        WEIGHTS.astype(np.float32),
        np.asarray(low, np.float32),
        np.asarray(high, np.float32),
        num_bits=bits,
        narrow_range=scheme == "symmetric",
        axis=3 if per == "channel" else None,
    )
    step = np.asarray(high - low) / (2**bits - (2 if scheme == "symmetric" else 1))
    apart = np.abs(found - np.asarray(expected)) / step
    # float32 may put a weight that lies half-way on the other side
    assert np.mean(apart < 1e-4) > 0.995
    assert apart.max() < 1.001


def test_zero_stays_zero_and_large_weights_are_cut_off() -> None:
    for scheme in ("symmetric", "affine"):
        assert np.all(WeightQuantization(4, scheme).rounded(np.zeros((3, 2))) == 0)
        some = np.array([0.0, 0.3, 2.0])
        assert WeightQuantization(4, scheme).rounded(some)[0] == 0
    cut = WeightQuantization(8, percentile=90.0).rounded(WEIGHTS)
    limit = np.percentile(np.abs(WEIGHTS), 90.0)
    assert np.abs(cut).max() == pytest.approx(limit)
    inner = np.abs(WEIGHTS) < limit
    assert np.abs(cut - WEIGHTS)[inner].max() <= limit / 127 / 2 * (1 + 1e-9)


def test_stochastic_rounding_is_right_on_average() -> None:
    entry = WeightQuantization(3, rounding="stochastic")
    weights = np.append(np.full(40_000, 0.3), 1.0)
    found = entry.rounded(weights, np.random.default_rng(1))[:-1]
    np.testing.assert_allclose(np.unique(found), [0.0, 1 / 3])
    # 0.9 of the numbers go up; standard deviation of their share: 0.3 / 200
    assert found.mean() == pytest.approx(0.3, abs=4 * 0.3 / 200 / 3)


def test_shared_kernels_stay_shared(convolutional: SpikingNetwork) -> None:
    disturbed = disturb(convolutional, WeightQuantization(3))
    for before, after in zip(convolutional.projections, disturbed.projections, strict=True):
        assert type(before.operator) is type(after.operator)
        weights = np.unique(np.round(after.operator.edges().weight, 12))
        assert len(weights) <= 2 * 3 + 1


def test_dead_neurons_never_fire_and_stuck_ones_do(network: SpikingNetwork) -> None:
    names = [p.name for p in network.populations if p.model.threshold and "v_th" in parameters(p)]
    record = {name: ("counts",) for name in names}
    dead, stuck = (
        bc.simulate(disturb(network, entry, seed=1), digits.test(10), record=record, progress=False)
        for entry in (DeadNeurons(1.0), StuckNeurons(1.0))
    )
    for name in names:
        assert not dead.counts[name].any()
    hidden = [name for name in names if name.startswith(("dense_3", "dense_4"))]
    assert hidden
    for name in hidden:
        fired = stuck.counts[name] > 0
        # a difference of exactly 0 is the one thing that never makes a sigma-delta neuron fire
        assert np.mean(fired) > (0.3 if network.code["code"] == "sigma_delta" else 0.999)


def parameters(population: Population) -> set[str]:
    return {parameter.name for parameter in population.model.parameters}


@pytest.mark.slow
def test_dead_outputs_stay_where_they_are(network: SpikingNetwork) -> None:
    output = network.readouts[0].population
    disturbed = disturb(network, DeadNeurons(1.0, populations=(output,)), seed=1)
    found = next(iter(bc.simulate(disturbed, digits.test(10), progress=False).outputs.values()))
    np.testing.assert_allclose(found, np.broadcast_to(found[:1, :1], found.shape), atol=1e-6)


def test_a_share_of_the_neurons_is_hit() -> None:
    network = bc.convert(digits.mlp(), calibration=digits.train()[:100])
    dead = [
        np.asarray(
            disturb(network, DeadNeurons(0.3), seed=seed).population("dense_3").parameters["v_th"]
        )
        > 1e6
        for seed in range(30)
    ]
    # 30 x 64 neurons: the standard deviation of the share is 0.0105
    assert np.mean(dead) == pytest.approx(0.3, abs=0.042)


def test_dead_and_stuck_synapses(convolutional: SpikingNetwork) -> None:
    dead = disturb(convolutional, DeadSynapses(0.3), seed=1)
    assert dead.n_synapses == pytest.approx(
        0.7 * convolutional.n_synapses, abs=4 * np.sqrt(0.21 * convolutional.n_synapses)
    )
    stuck = disturb(convolutional, StuckSynapses(0.3), seed=1)
    for before, after in zip(convolutional.projections, stuck.projections, strict=True):
        old, new = before.operator.matrix().toarray(), after.operator.matrix().toarray()
        changed = old != new
        n = len(before.operator.edges())
        assert changed.sum() == pytest.approx(0.3 * n, abs=4 * np.sqrt(0.21 * n) + 0.02 * n)
        np.testing.assert_array_equal(np.sign(new), np.sign(old))
        np.testing.assert_allclose(np.abs(new[changed]), np.abs(old).max())


def test_fan_in_keeps_the_strongest(convolutional: SpikingNetwork) -> None:
    disturbed = disturb(convolutional, FanIn(20))
    for before, after in zip(convolutional.projections, disturbed.projections, strict=True):
        old, new = (np.abs(p.operator.matrix().toarray()) for p in (before, after))
        kept = new > 0
        np.testing.assert_array_equal(kept.sum(axis=0), np.minimum((old > 0).sum(axis=0), 20))
        weakest = np.where(kept, old, np.inf).min(axis=0)
        assert np.all(np.where(kept, 0.0, old).max(axis=0) <= weakest)
    assert disturb(convolutional, FanIn(100_000)).projections == convolutional.projections


def test_a_coarse_clock(network: SpikingNetwork) -> None:
    fine = TimeQuantization(network.dt)
    same = disturb(network, fine)
    assert [p.delay_steps for p in same.projections] == [p.delay_steps for p in network.projections]
    coarse = TimeQuantization(3 * network.dt)
    if network.code["code"] != "rate":
        with pytest.raises(ConversionError, match="larger dt"):
            disturb(network, coarse)
        return
    rounded = disturb(network, coarse)
    assert {p.delay_steps for p in rounded.projections} == {3}
    neuron = bc.neurons.LeakyIntegrateAndFire(tau_m=20.0, tau_syn=4.0, t_ref=1.0)
    values = disturb(with_neuron(network, neuron), coarse).population("more").parameters
    assert (values["tau_m"], values["t_ref"]) == (21.0, 3.0)


def test_what_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        WeightQuantization(1, "odd", "neuron", 10.0, "up")
    for word in ("bits", "scheme", "per", "percentile", "rounding"):
        assert word in str(caught.value)
    for wrong in (lambda: DeadNeurons(1.5), lambda: FanIn(-1), lambda: TimeQuantization(-1.0)):
        with pytest.raises(ParameterError):
            wrong()
    network = with_neuron(
        bc.convert(digits.mlp(), calibration=digits.train()[:50]), bc.neurons.make("izhikevich")
    )
    with pytest.raises(ConversionError, match="stuck neurons") as refused:
        disturb(network, StuckNeurons(0.1))
    assert {problem.where for problem in refused.value.problems} == {"more"}


def with_neuron(network: SpikingNetwork, neuron: bc.neurons.Neuron) -> SpikingNetwork:
    """With a population of another neuron, alone."""
    more = Population("more", (3,), neuron.model, neuron.parameters)
    return network.replace(populations=(*network.populations, more))


@pytest.mark.slow
def test_standard_cells_do_not_take_thresholds_below_the_reset_potential() -> None:
    network = bc.convert(
        models.weights_path("digits_mlp"), calibration=digits.train()[:50], neuron="lif"
    )
    broken = disturb(network, StuckNeurons(0.5), seed=1)
    for whole, population in zip(network.populations, broken.populations, strict=True):
        assert cell_for(whole, network, "nest") != GENERATED
        if not population.model.threshold or not np.any(population.values("v_th") < -1e3):
            continue
        assert cell_for(population, broken, "nest") == GENERATED
        refused = cell_for(population, broken, "neuron")
        assert isinstance(refused, Problem)
        assert "must be above its reset potential" in refused.reason
        break
    else:
        pytest.fail("no neuron is stuck")
