"""The rate code in the array simulator, against closed forms and the analog network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_graphs import affine, graph, layer, mlp, residual
from some_variants import some

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, MaxPool, ReLU, Softmax
from bioconv.codes import RateCode
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import identity

RNG = np.random.default_rng(11)


def rectifier(n: int = 64) -> AnalogGraph:
    """One layer that is ReLU(x), and a linear output."""
    return graph(
        layer("a", ReLU(), affine(("x", identity((n,))))),
        layer("out", Linear(), affine(("a", identity((n,))))),
        shape=(n,),
    )


def run(network: SpikingNetwork, x: np.ndarray, steps: int, **settings: Any) -> Recording:
    record = {entry.name: ("counts",) for entry in network.populations}
    given = {"dtype": "float64", "record": record, "steps": steps, **settings}
    return bc.simulate(network, x, progress=False, **given)


def convert(model: AnalogGraph, x: np.ndarray, **options: Any) -> SpikingNetwork:
    chosen = {"percentile": 100, "normalization": "layer", **options}
    return bc.convert(model, calibration=x, code=RateCode(**chosen))


@pytest.mark.parametrize("initial", ["half", "zero"])
@pytest.mark.parametrize("n_steps", [1, 8, 37])
def test_first_layer_fires_as_the_code_says(initial: str, n_steps: int) -> None:
    """Mueller Eqs 4.7, 4.8, Fig 4.3, ties included."""
    ties = np.arange(17) / 16  # multiples of 1 / (2 n), which the grid of currents can hold
    x = np.concatenate([RNG.uniform(-0.5, 1, (20, 64)), np.resize(ties, (2, 64))])
    x[0, 0] = 1.0
    network = convert(rectifier(), x, initial=initial)
    counts = run(network, x, n_steps).counts["a"]
    expected = RateCode(initial=initial).encode(x, n_steps)
    np.testing.assert_array_equal(counts / n_steps, expected)


def test_reset_to_zero_fires_every_nth_step() -> None:
    """Rueckauer Eq 5: what exceeds the threshold is lost, the interval is a whole n."""
    x = RNG.uniform(0.02, 1, (5, 64))
    x[0, 0] = 1.0
    network = bc.convert(
        rectifier(),
        calibration=x,
        code=RateCode(percentile=100, normalization="layer", initial="zero"),
        neuron=bc.neurons.IntegrateAndFire(reset="value"),
    )
    counts = run(network, x, 100).counts["a"]
    np.testing.assert_array_equal(counts, 100 // np.ceil(1 / x - 1e-9))


def test_regular_input_is_the_rounded_input() -> None:
    x = RNG.uniform(0, 1, (5, 64))
    x[0, 0] = 1.0
    network = convert(rectifier(), x, input="regular", clamp=1)
    counts = run(network, x, 51).counts["a"]
    assert np.abs(counts / 50 - x).max() <= 1.5 / 50


def test_poisson_input_has_the_right_mean() -> None:
    x = np.broadcast_to(np.linspace(-1, 1, 64), (40, 64))
    network = convert(rectifier(), x, input="poisson")
    rates = run(network, x, 205, seed=1).counts["a"].mean(axis=0) / 200
    bound = 5 * np.sqrt(0.25 / (40 * 200)) + 1 / 200
    assert np.abs(rates - np.maximum(x[0], 0)).max() < bound


@pytest.mark.parametrize(
    "options",
    some([{}, {"input": "regular"}, {"clamp": 0}, {"clamp": 1}, {"max_rate": 800.0}], every=3),
)
def test_rates_follow_activations_through_branches(options: dict[str, Any]) -> None:
    model = residual(np.random.default_rng(2))
    x = RNG.random((4, 6, 6, 3))
    network = convert(model, x, **options)
    recording = run(network, x, 400)
    exact = model.activations(x)
    for name in ("stem", "inner", "sum"):
        population = network.population(name)
        counts = recording.counts[name].reshape(exact[name].shape)
        rates = counts / (400 - population.start_step) * 1000 / population.max_rate
        error = np.abs(population.scale * rates - exact[name]) / population.scale
        assert error.mean() < 0.01
        assert error.max() < 0.08


def test_a_gate_fires_as_often_as_its_fastest_source() -> None:
    model = graph(
        layer("a", ReLU(), affine(("x", identity((4, 4, 3))))),
        layer("pool", MaxPool((2, 2)), affine(("a", identity((4, 4, 3)))), shape=(2, 2, 3)),
        layer("out", Linear(), affine(("pool", identity((2, 2, 3))))),
        shape=(4, 4, 3),
    )
    x = RNG.random((6, 4, 4, 3))
    x[0, 0, 0, 0] = 1.0
    x[1] = x[1, :1, :1]  # all sources alike
    recording = run(convert(model, x), x, 61)
    before = RateCode().encode(x, 60).reshape(6, 2, 2, 2, 2, 3).max(axis=(2, 4))
    np.testing.assert_array_equal(recording.counts["pool"].reshape(6, 2, 2, 3) / 60, before)


@pytest.mark.parametrize("readout", ["potential", "count"])
def test_readouts_give_analog_units(readout: str) -> None:
    model = mlp(np.random.default_rng(0))
    x = RNG.random((30, 6))
    recording = run(convert(model, x, readout=readout), x, 1000)
    exact = model.predict(x)
    assert np.abs(recording.outputs["dense_3"] - exact).max() < 0.02 * np.ptp(exact)


def test_softmax_readout_draws_from_the_softmax() -> None:
    """Rueckauer 3.5: shares of the spikes of an external generator."""
    model = mlp(np.random.default_rng(0), last=Softmax())
    x = np.repeat(RNG.random((2, 6)), 20, axis=0)
    network = convert(model, x, readout="softmax", readout_rate=900.0, competition="mean")
    outputs = run(network, x, 1000, seed=3).outputs["dense_3"]
    exact = model.predict(x)
    for kind in (slice(0, 20), slice(20, 40)):
        assert np.abs(outputs[kind].mean(axis=0) - exact[kind][0]).max() < 0.05


def test_output_that_is_a_relu_is_never_negative() -> None:
    model = mlp(np.random.default_rng(0), last=ReLU())
    x = RNG.random((30, 6))
    exact = model.predict(x)
    assert (exact == 0).any()
    for readout in ("potential", "count"):
        outputs = run(convert(model, x, readout=readout), x, 1000).outputs["dense_3"]
        assert (outputs >= 0).all()
        assert np.abs(outputs - exact).max() < 0.03 * np.ptp(exact)


def test_spikes_do_not_depend_on_the_order_of_sums() -> None:
    """Equal weights meet the threshold exactly: the grid keeps every simulator on one side.

    A second implementation adds in volts, in another order, one term after the other.
    """
    weights = RNG.choice([-0.5, 0.25, 0.5, 1.0], (12, 12))
    from bioconv.operators import Dense

    model = graph(
        layer("a", ReLU(), affine(("x", Dense((12,), weights)), bias=0.25)),
        layer("b", ReLU(), affine(("a", Dense((12,), weights.T)))),
        layer("out", Linear(), affine(("b", identity((12,))))),
        shape=(12,),
    )
    x = RNG.choice([0.0, 0.25, 0.5, 1.0], (16, 12))
    network = convert(model, x, clamp=1)
    recording = run(network, x, 80)
    for order in range(3):
        spikes = _in_volts(network, x, 80, np.random.default_rng(order))
        for name in ("a", "b"):
            np.testing.assert_array_equal(recording.counts[name], spikes[name])


def _in_volts(
    network: SpikingNetwork, x: np.ndarray, steps: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Integrate and fire in SI units, terms of every sum shuffled and added one by one."""
    names = ("a", "b")
    drive = x @ network.drives[0].operator.matrix().toarray()
    grid = network.drives[0].grid
    currents = {"a": np.round(drive / grid) * grid, "b": np.zeros((len(x), 12))}
    bias = {n: np.asarray(network.population(n).parameters["i_offset"]) for n in names}
    weights = network.projections_to("b")[0].operator.matrix().toarray() * 1e-3
    v = {n: np.full((len(x), 12), network.population(n).initial["v"] * 1e-3) for n in names}
    later = {c.population: c for c in network.changes if c.variable == "i_offset"}
    last = np.zeros((len(x), 12), bool)
    counts = {n: np.zeros((len(x), 12), int) for n in names}
    for step in range(steps):
        fired = {}
        for n in names:
            if n in later and later[n].step == step:
                bias[n] = np.asarray(later[n].value)
            v[n] = v[n] + (currents[n] * 1e-12 + bias[n] * 1e-12) * 1e-3 / 1e-12
            if n == "b":
                for source in rng.permutation(12):
                    v[n] = v[n] + np.where(last[:, source, None], weights[source], 0.0)
            fired[n] = v[n] >= 1e-3
            v[n] = v[n] - np.where(fired[n], 1e-3, 0.0)
            counts[n] += fired[n]
        last = fired["a"]
    return counts


@pytest.mark.parametrize("synapse", ["delta", "exponential"])
def test_leaky_neurons_carry_the_rate_too(synapse: str) -> None:
    """The calibrated f-I drive of the leaky neuron: the same classes as the analog network."""
    model = mlp(np.random.default_rng(4), (6, 30, 20, 4))
    x = np.random.default_rng(5).random((60, 6))  # every channel is active for some
    neuron = bc.neurons.LeakyIntegrateAndFire(synapse=synapse)
    network = bc.convert(model, calibration=x, neuron=neuron, dt=0.5)
    outputs = run(network, x, 1200).outputs["dense_3"]
    exact = model.predict(x)
    assert np.mean(outputs.argmax(axis=1) == exact.argmax(axis=1)) >= 0.9
    assert np.abs(outputs - exact).mean() < 0.02 * np.ptp(exact)
    assert 0 < network.code["drive_residual"] < 0.2
