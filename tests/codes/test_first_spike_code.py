"""The first-spike code: against closed forms, a second implementation, and Keras's classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import affine, graph, layer, mlp, residual
from some_variants import some

import bioconv as bc
from bioconv import models
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, MaxPool, ReLU, Tanh
from bioconv.codes import FirstSpikeCode, make
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.measures.premature import premature_spikes
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense, identity

RNG = np.random.default_rng(7)
THRESHOLDS = ("base", "dynamic")


def run(network: SpikingNetwork, x: np.ndarray, simulator: str = "event") -> Recording:
    record = {entry.name: ("spikes", "counts") for entry in network.populations}
    return bc.simulate(
        network, x, simulator=simulator, progress=False, dtype="float64", record=record
    )


def convert(model: Any, x: np.ndarray, **options: Any) -> SpikingNetwork:
    return bc.convert(model, calibration=x, code=FirstSpikeCode(**options))


def spike_times(recording: Recording, network: SpikingNetwork, name: str) -> np.ndarray:
    """First spike of each neuron in ms, inf for none, (n_images, n_neurons)."""
    raster = recording.rasters[name]
    times = np.full((recording.n_images, network.population(name).n_neurons), np.inf)
    exact = (raster.step + 1.0) * network.dt if raster.time is None else raster.time
    times[raster.image, raster.neuron] = exact
    return times


def two_layers() -> AnalogGraph:
    return graph(
        layer("a", ReLU(), affine(("x", Dense((3,), RNG.normal(0, 1, (3, 5)))), bias=0.3)),
        layer("out", Linear(), affine(("a", Dense((5,), RNG.normal(0, 1, (5, 2)))))),
        shape=(3,),
    )


def test_times_are_those_of_the_equations() -> None:
    """Mueller Eqs 6.1, 6.2: the crossing of the sum over the causal set, found by brute force."""
    model, x = two_layers(), RNG.uniform(0.2, 1, (30, 3))
    network = convert(model, x, unit_steps=10)
    recording = run(network, x)
    inputs = spike_times(recording, network, "x_on")
    np.testing.assert_allclose(inputs, 10.0 / (x / x.max()), rtol=1e-6)
    scale = np.broadcast_to(network.population("a").scale, 5)
    weights = np.asarray(model.layers[0].inputs[0].terms[0].operator.kernel) * x.max() / scale
    found = spike_times(recording, network, "a")
    for image in range(30):
        for neuron in range(5):
            expected = _first(inputs[image] + 1.0, weights[:, neuron], 0.3 / scale[neuron])
            expected = expected if expected <= network.n_steps else np.inf
            np.testing.assert_allclose(found[image, neuron], expected, rtol=1e-6)


def _first(arrivals: np.ndarray, weights: np.ndarray, bias: float) -> float:
    """The smallest solution of Eq 6.2 that is consistent with its causal set."""
    order = np.argsort(arrivals)
    for k in range(len(order) + 1):
        causal = order[:k]
        slope = weights[causal].sum() + bias
        end = arrivals[order[k]] if k < len(order) else np.inf
        begin = arrivals[order[k - 1]] if k else 0.0
        if slope > 0:
            time = (10.0 + (weights[causal] * arrivals[causal]).sum()) / slope
            if begin <= time < end:
                return float(time)
    return np.inf


def test_dynamic_neurons_cross_the_threshold_twice() -> None:
    """Against a membrane integrated in small steps, reset at the announcement (mueller 6.1)."""
    model, x = two_layers(), RNG.uniform(0.2, 1, (5, 3))
    network = convert(model, x, threshold="dynamic", unit_steps=10)
    recording = run(network, x)
    sources = {name: spike_times(recording, network, name) for name in ("x_on", "x_on_announced")}
    np.testing.assert_allclose(sources["x_on"], 10.0 / (x / x.max()), rtol=1e-6)
    np.testing.assert_allclose(sources["x_on_announced"], sources["x_on"] / 2, rtol=1e-6)
    scale = np.broadcast_to(network.population("a").scale, 5)
    weights = np.asarray(model.layers[0].inputs[0].terms[0].operator.kernel) * x.max() / scale
    announced, spikes = _fire_twice(sources, weights, 0.3 / scale, network.n_steps)
    for name, expected in (("a", spikes), ("a_announced", announced)):
        found = spike_times(recording, network, name)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
        fired = np.isfinite(found)
        assert fired.any()
        np.testing.assert_allclose(found[fired], expected[fired], atol=0.05)


def _fire_twice(
    sources: dict[str, np.ndarray], weights: np.ndarray, bias: np.ndarray, n_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Times of both spikes: of the base threshold, and then of that with what is missing."""
    dt, unit = 0.01, 5.0  # half of the steps of the full scale: it is crossed twice
    v = np.zeros((len(sources["x_on"]), weights.shape[1]))
    announced, spikes = np.full(v.shape, np.inf), np.full(v.shape, np.inf)
    for time in np.arange(dt, n_steps, dt):
        fired, known = (sources[name] + 1.0 <= time for name in ("x_on", "x_on_announced"))
        v += dt * (fired @ weights + bias) / unit
        missing = (known & ~fired) @ np.abs(weights)
        first = (v >= 1.0) & np.isinf(announced)
        announced[first] = time
        v[first] -= 1.0
        spikes[~np.isinf(announced) & np.isinf(spikes) & (v >= 1.0 + missing)] = time
    return announced, spikes


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_a_spike_that_is_too_early_is_counted(threshold: str) -> None:
    """A positive input first, its balance later: mueller 6.1, the drawback of the base method."""
    weights = np.array([[2.0], [-5.0]])
    model = graph(
        layer("a", ReLU(), affine(("x", Dense((2,), weights)))),
        layer("out", Linear(), affine(("a", identity((1,))))),
        shape=(2,),
    )
    x = np.array([[1.0, 0.0], [1.0, 0.45], [0.5, 1.0]])
    network = convert(model, x, threshold=threshold)
    recording = run(network, x)
    found = {entry.population: entry for entry in premature_spikes(network, recording)}
    times, inputs = (spike_times(recording, network, name) for name in ("a", "x_on"))
    # For (1, 0.45), whose activation is 0, the base method fires before the balance comes.
    assert np.isfinite(times[:, 0]).tolist() == [True, True, False]
    if threshold == "base":
        assert (found["a"].spikes, found["a"].premature, found["a"].share) == (2, 1, 0.5)
    else:  # held back until it has come
        assert found["a"].premature == 0
        assert times[1, 0] == pytest.approx(inputs[1, 1] + network.dt)


@pytest.mark.parametrize("threshold", some(THRESHOLDS, every=2))
def test_grid_comes_closer_to_the_exact_times_with_smaller_steps(threshold: str) -> None:
    """Spikes lag by half a step and a delay by one: of first order in the step."""
    model, x = mlp(np.random.default_rng(0)), RNG.random((30, 6))
    medians = []
    for steps in (8, 32):
        network = convert(model, x, threshold=threshold, unit_steps=steps)
        rasters = [run(network, x, simulator) for simulator in ("array", "event")]
        grid, exact = (spike_times(r, network, "dense_2") for r in rasters)
        both = np.isfinite(grid) & np.isfinite(exact)
        assert both.sum() > 0.9 * np.isfinite(exact).sum()
        medians.append(np.median(np.abs(grid[both] - exact[both])) / steps)
    assert 0 < medians[1] < 0.4 * medians[0]


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), threshold=st.sampled_from(THRESHOLDS))
def test_at_most_one_spike(seed: int, threshold: str) -> None:
    rng = np.random.default_rng(seed)
    model, x = mlp(rng, (4, 6, 5, 3)), rng.normal(0, 1, (4, 4))
    recording = run(convert(model, x, threshold=threshold), x)
    assert max(int(counts.max()) for counts in recording.counts.values()) <= 1


@pytest.mark.slow
def test_every_spike_is_announced_before() -> None:
    model, x = residual(np.random.default_rng(0)), RNG.random((4, 6, 6, 3))
    network = convert(model, x, threshold="dynamic")
    for simulator in ("array", "event"):
        recording = run(network, x, simulator)
        for name in ("x_on", "stem", "inner", "sum"):
            spikes, announced = (
                spike_times(recording, network, n) for n in (name, f"{name}_announced")
            )
            fired = np.isfinite(spikes)
            assert fired.any()
            assert np.all(announced[fired] <= spikes[fired])


def test_maxima_pass_on_the_first_spike() -> None:
    model = graph(
        layer("a", ReLU(), affine(("x", identity((4, 4, 3))))),
        layer("pool", MaxPool((2, 2)), affine(("a", identity((4, 4, 3)))), shape=(2, 2, 3)),
        layer("out", Linear(), affine(("pool", identity((2, 2, 3))))),
        shape=(4, 4, 3),
    )
    x = RNG.random((5, 4, 4, 3))
    network = convert(model, x, threshold="dynamic")
    recording = run(network, x)
    before = spike_times(recording, network, "a").reshape(5, 2, 2, 2, 2, 3).min(axis=(2, 4))
    np.testing.assert_allclose(
        spike_times(recording, network, "pool").reshape(before.shape), before + network.dt
    )


def test_a_threshold_ends_firing_in_time() -> None:
    """A clamped rectification: activations below its threshold never fire."""
    model = graph(
        layer("a", ReLU(threshold=0.25), affine(("x", identity((8, 1))))),
        layer("out", Linear(), affine(("a", identity((8, 1))))),
        shape=(8, 1),
    )
    x = np.linspace(0.04, 1, 25 * 8).reshape(25, 8, 1)
    for simulator in ("array", "event"):
        network = convert(model, x, unit_steps=40)
        fired = run(network, x, simulator).counts["a"].reshape(x.shape) > 0
        assert not np.any(fired & (x < 0.2))
        # The encoder's spike comes after 1 / x, and another 1 is needed to the layer's own.
        assert np.all(fired[x > 0.5])


@pytest.mark.parametrize("simulator", ["event", "array"])
@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_a_largest_value_begins_firing_in_time(threshold: str, simulator: str) -> None:
    """What is above fires when the largest value would, what is below when it should."""
    bias = np.array([0.2, 0.4, 0.8, 1.6])
    model = graph(
        layer(
            "capped", ReLU(max_value=0.5), affine(("x", Dense((1,), np.zeros((1, 4)))), bias=bias)
        ),
        layer("out", Linear(), affine(("capped", identity((4,))))),
        shape=(1,),
    )
    x = np.ones((1, 1))
    network = convert(model, x, threshold=threshold)
    times = spike_times(run(network, x, simulator), network, "capped")[0]
    said = network.population("capped").scale * 20 * network.dt / times
    one_step = 0.0 if simulator == "event" else 0.05
    np.testing.assert_allclose(said, np.minimum(bias, 0.5), rtol=1e-6 + one_step)


def test_dead_neurons_leave_limits_to_the_others() -> None:
    """A clamped rectification, whose threshold comes within reach and goes again."""
    model = graph(
        layer("a", ReLU(max_value=0.6, threshold=0.2), affine(("x", identity((8,))))),
        layer("out", Linear(), affine(("a", identity((8,))))),
        shape=(8,),
    )
    network = convert(model, np.ones((1, 8)))
    dead = bc.noise.disturb(network, bc.noise.DeadNeurons(0.5, populations=("a",)), seed=1)
    event, grid = (run(dead, np.full((1, 8), 0.5), s).counts["a"] for s in ("event", "array"))
    assert 0 < event.sum() < 8
    np.testing.assert_array_equal(event, grid)


def test_first_output_spike_tells_the_class() -> None:
    model, x = mlp(np.random.default_rng(1)), RNG.random((40, 6))
    network = convert(model, x, readout="first_spike")
    recording = run(network, x)
    times = spike_times(recording, network, "dense_3")
    (classes,) = recording.classes.values()
    spiked = np.isfinite(times).any(axis=1)
    np.testing.assert_array_equal(classes[spiked, -1], times.argmin(axis=1)[spiked])
    assert np.all(classes[~spiked, -1] == -1)


def test_oracle_is_what_an_encoder_does() -> None:
    x = RNG.random((4, 20)).astype(np.float32)
    model = graph(layer("out", Linear(), affine(("x", identity((20,))))), shape=(20,))
    code = FirstSpikeCode(unit_steps=16)
    network = bc.convert(model, calibration=x, code=code, n_steps=64)
    times = spike_times(run(network, x, "array"), network, "x_on")
    np.testing.assert_allclose(16 / times, code.encode(x / x.max(), 64))


def test_the_command_line_knows_the_names() -> None:
    assert make("first_spike", {"unit_steps": 5}) == FirstSpikeCode(unit_steps=5)
    assert make("first_spike_dynamic", {"missing": 0.5}) == FirstSpikeCode("dynamic", missing=0.5)
    with pytest.raises(ParameterError, match="has no option 'threshold'"):
        make("first_spike_dynamic", {"threshold": "base"})


def test_all_wrong_options_are_named() -> None:
    with pytest.raises(ParameterError) as caught:
        FirstSpikeCode(threshold="low", unit_steps=0, missing=-1.0, readout="count")
    text = str(caught.value)
    assert "threshold must be one of base, dynamic. Received: 'low'." in text
    assert "unit_steps must be an integer of at least 1. Received: 0." in text
    assert "missing must be a number of at least 0. Received: -1.0." in text
    assert "readout must be one of level, first_spike. Received: 'count'." in text


def test_what_cannot_be_is_refused_with_the_reason() -> None:
    model = graph(
        layer("a", Tanh(), affine(("x", identity((3,))))),
        layer("out", Linear(), affine(("a", Dense((3,), RNG.random((3, 3)))))),
        shape=(3,),
    )
    with pytest.raises(ConversionError, match="The first_spike code does not support 1 layer"):
        convert(model, RNG.random((4, 3)))
    with pytest.raises(ConversionError, match="has its own neuron"):
        neuron = bc.neurons.LeakyIntegrateAndFire()
        bc.convert(
            two_layers(), calibration=RNG.random((4, 3)), code=FirstSpikeCode(), neuron=neuron
        )
    with pytest.raises(ParameterError, match="n_steps = 20 is too short: .* after 20 steps"):
        bc.convert(two_layers(), calibration=RNG.random((4, 3)), code=FirstSpikeCode(), n_steps=20)


def test_premature_spikes_need_the_record() -> None:
    model, x = two_layers(), RNG.random((4, 3))
    network = convert(model, x)
    recording = bc.simulate(network, x, simulator="event", progress=False)
    with pytest.raises(ParameterError, match="the spikes of a, x_on were not recorded"):
        premature_spikes(network, recording)


@pytest.mark.slow
@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_lenet5_keeps_most_of_keras(threshold: str, shared_data: Path) -> None:
    """Mueller Table 6.1: base loses 3.85 points, dynamic 1.77 points."""
    x, _ = bc.load_data("mnist", split="train", n_images=500)
    test, _ = bc.load_data("mnist", n_images=16)
    network = convert(models.weights_path("lenet_5layer"), x, threshold=threshold)
    recording = run(network, test)
    exact = network.analog.predict(test)
    assert recording.agreement(exact.argmax(axis=1)) >= 0.9
    assert 500 < sum(float(n.mean()) for n in recording.spikes_per_image.values()) < 8000
