"""The oscillation code: against Keras's arithmetic, closed forms and its own oracle."""

from __future__ import annotations

from dataclasses import replace
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
from bioconv.analog.functions import Elu, Linear, MaxPool, ReLU, Softmax
from bioconv.codes import OscillationCode, make
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.measures.premature import premature_spikes
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import AveragePool, Dense, identity

RNG = np.random.default_rng(5)
VARIANTS = ("amplitude", "duration")


def run(network: SpikingNetwork, x: np.ndarray, simulator: str = "event") -> Recording:
    record = {entry.name: ("spikes", "counts") for entry in network.populations}
    return bc.simulate(
        network, x, simulator=simulator, progress=False, dtype="float64", record=record
    )


def convert(model: Any, x: np.ndarray, **options: Any) -> SpikingNetwork:
    given = {"window_steps": 16, **options}
    return bc.convert(model, calibration=x, code=OscillationCode(**given))


def pooled() -> AnalogGraph:
    """A rectification, maxima of it, averages of these, and a dense output."""
    shape = (4, 4, 3)
    average = AveragePool((4, 2, 3), (2, 1), (2, 1), ((0, 0), (0, 0)))
    weights = RNG.normal(0, 1, (3, 3))
    return graph(
        layer("a", ReLU(), affine(("x", Dense(shape, weights)), bias=[0.1, -0.2, 0.3])),
        layer("pool", MaxPool((1, 2)), affine(("a", identity(shape))), shape=(4, 2, 3)),
        layer("b", ReLU(max_value=1.0), affine(("pool", average), bias=-0.2)),
        layer("out", Softmax(), affine(("b", Dense((2, 2, 3), RNG.normal(0, 1, (3, 4)))))),
        shape=shape,
    )


def exact_error(model: AnalogGraph, x: np.ndarray, **options: Any) -> float:
    """Largest error of the event-exact output, as a share of the largest output."""
    recording = run(convert(model, x, **options), x)
    exact = model.predict(x, dtype="float64")
    (found,) = recording.outputs.values()
    assert max(int(counts.max()) for counts in recording.counts.values()) == 1
    return float(np.abs(found - exact).max() / np.abs(exact).max())


@pytest.mark.parametrize("adaptation", VARIANTS)
@pytest.mark.parametrize(
    "options",
    [{}, {"normalization": "bound"}, {"normalization": "activation"}, {"readout": "first_spike"}],
)
def test_exact_times_give_the_analog_output(adaptation: str, options: dict[str, Any]) -> None:
    """Signed inputs, biases, branches, maxima, averages, a saturating rectification."""
    signed = RNG.normal(0, 1, (12, 6))
    assert exact_error(mlp(np.random.default_rng(0)), signed, adaptation=adaptation, **options) < (
        1e-6
    )
    x = RNG.random((6, 6, 6, 3))
    assert exact_error(residual(np.random.default_rng(0)), x, adaptation=adaptation, **options) < (
        1e-6
    )
    x = RNG.random((8, 4, 4, 3))
    assert exact_error(pooled(), x, adaptation=adaptation, **options) < 1e-6


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), adaptation=st.sampled_from(VARIANTS), dt=st.floats(0.05, 3.0))
def test_any_small_network_is_exact(seed: int, adaptation: str, dt: float) -> None:
    rng = np.random.default_rng(seed)
    model, x = mlp(rng, (5, 7, 6, 3)), rng.normal(0, 2, (4, 5))
    code = OscillationCode(window_steps=int(rng.integers(2, 50)), adaptation=adaptation)
    network = bc.convert(model, calibration=x, code=code, dt=round(dt, 3))
    exact = model.predict(x, dtype="float64")
    (found,) = run(network, x).outputs.values()
    assert np.abs(found - exact).max() <= 1e-6 * np.abs(exact).max()


@pytest.mark.parametrize("adaptation", VARIANTS)
def test_one_spike_for_each_positive_activation(adaptation: str) -> None:
    model, x = residual(np.random.default_rng(1)), RNG.random((5, 6, 6, 3))
    network = convert(model, x, adaptation=adaptation)
    recording, exact = run(network, x), model.activations(x, dtype="float64")
    for name in ("stem", "inner", "sum"):
        clear = np.abs(exact[name].reshape(5, -1)) > 1e-6
        positive = exact[name].reshape(5, -1) > 0
        np.testing.assert_array_equal((recording.counts[name] > 0)[clear], positive[clear])
    assert sum(entry.premature for entry in premature_spikes(network, recording)) == 0


@pytest.mark.parametrize("adaptation", VARIANTS)
@pytest.mark.parametrize("steps", [4, 15])
def test_grid_rounds_as_the_oracle_says(adaptation: str, steps: int) -> None:
    """An encoder's spike stands for the multiple of 1 / steps that is nearest to the sample."""
    shape = (8, 8, 1)
    model = graph(
        layer("a", ReLU(), affine(("x", identity(shape)))),
        layer("out", Linear(), affine(("a", identity(shape)))),
        shape=shape,
    )
    ties = np.resize(np.arange(33) / 32, (1, *shape))
    x = np.concatenate([RNG.uniform(0, 1, (6, *shape)), ties])
    x[0, 0, 0] = 1.0
    code = OscillationCode(window_steps=steps, adaptation=adaptation, normalization="activation")
    network = bc.convert(model, calibration=x, code=code)
    recording = run(network, x, "array")
    rounded = code.encode(x.reshape(7, -1), steps)
    for name in ("x_on", "a"):
        population, raster = network.population(name), recording.rasters[name]
        found = np.zeros(rounded.shape)
        worth = population.spike_values[raster.step - population.start_step]
        found[raster.image, raster.neuron] = worth
        np.testing.assert_allclose(found, rounded, atol=1e-12)
    (output,) = recording.outputs.values()
    np.testing.assert_allclose(output.reshape(7, -1), rounded, atol=1e-6)


@pytest.mark.parametrize("adaptation", some(VARIANTS, every=2))
def test_error_falls_with_the_step(adaptation: str) -> None:
    """Rounding to the nearest of n times: the error is of first order in the step."""
    model, x = mlp(np.random.default_rng(3)), RNG.random((40, 6))
    exact = model.predict(x, dtype="float64")
    errors = []
    for steps in (16, 64):
        recording = run(convert(model, x, window_steps=steps, adaptation=adaptation), x, "array")
        (found,) = recording.outputs.values()
        errors.append(float(np.sqrt(np.mean((found - exact) ** 2))))
    order = np.log2(errors[0] / errors[1]) / 2
    assert 0.7 < order < 1.3


@pytest.mark.slow
def test_variants_say_the_same() -> None:
    model, x = mlp(np.random.default_rng(2)), RNG.random((8, 6))
    rasters = [
        run(convert(model, x, adaptation=a), x, "array").rasters["dense_2"] for a in VARIANTS
    ]
    for column in ("image", "step", "neuron"):
        np.testing.assert_array_equal(*(getattr(raster, column) for raster in rasters))


def test_without_headroom_neurons_fire_while_they_listen() -> None:
    """Why the normalisation is needed: at the scale of the activations potentials overshoot."""
    weights = np.array([[2.0], [-1.9]])
    model = graph(
        layer("a", ReLU(), affine(("x", Dense((2,), weights)))),
        layer("out", Linear(), affine(("a", identity((1,))))),
        shape=(2,),
    )
    x = np.array([[1.0, 0.9], [0.9, 1.0], [1.0, 0.8]])
    for simulator in ("array", "event"):
        held = convert(model, x, normalization="activation")
        (found,) = run(held, x, simulator).outputs.values()
        assert np.abs(found - model.predict(x)).max() < 0.04
        free = held.replace(
            populations=tuple(
                _with_threshold(entry) if entry.name == "a" else entry for entry in held.populations
            )
        )
        early = premature_spikes(free, run(free, x, simulator))
        assert {entry.population: entry.premature for entry in early}["a"] == 2


def _with_threshold(population: Population) -> Population:
    return replace(population, parameters={**population.parameters, "v_th": 1.0})


def test_outputs_are_known_with_the_first_spike() -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((10, 6))
    network = convert(model, x, window_steps=64, readout="first_spike")
    recording = run(network, x, "array")
    (classes,) = recording.classes.values()
    exact = model.predict(x).argmax(axis=1)
    first = (classes >= 0).argmax(axis=1)
    assert np.all(classes[np.arange(10), first] == exact)
    assert recording.checkpoints[first].mean() < network.n_steps - 32


def test_record_says_how_long_it_takes() -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((10, 6))
    network = bc.convert(model, calibration=x, code=OscillationCode(window_steps=20), dt=0.5)
    assert network.code["latency_steps"] == network.n_steps == 1 + 3 * 21
    assert network.code["latency_ms"] == 32.0
    assert network.code["bias_neurons"] == 3
    assert network.n_neurons == 6 + 12 + 9 + 4 + 3


def test_the_command_line_knows_the_name() -> None:
    assert make("phase", {"adaptation": "duration"}) == OscillationCode(adaptation="duration")


def test_all_wrong_options_are_named() -> None:
    with pytest.raises(ParameterError) as caught:
        OscillationCode(window_steps=1, adaptation="late", normalization="max", readout="count")
    text = str(caught.value)
    assert "window_steps must be an integer of at least 2. Received: 1." in text
    assert "adaptation must be one of amplitude, duration. Received: 'late'." in text
    assert "normalization must be one of peak, bound, activation. Received: 'max'." in text
    assert "readout must be one of level, first_spike. Received: 'count'." in text


def test_what_cannot_be_is_refused_with_the_reason() -> None:
    model = graph(
        layer("a", Elu(), affine(("x", identity((3,))))),
        layer("b", ReLU(threshold=0.5), affine(("a", identity((3,))))),
        layer("out", Linear(), affine(("b", identity((3,))))),
        shape=(3,),
    )
    with pytest.raises(ConversionError, match="The phase code does not support 2 layer"):
        convert(model, RNG.random((4, 3)))
    x = RNG.random((4, 6))
    with pytest.raises(ConversionError, match="has its own neuron"):
        neuron = bc.neurons.LeakyIntegrateAndFire()
        bc.convert(mlp(RNG), calibration=x, code=OscillationCode(), neuron=neuron)
    with pytest.raises(ParameterError, match="n_steps = 40 is too short: .* after 388 steps"):
        bc.convert(mlp(RNG), calibration=x, code=OscillationCode(), n_steps=40)


def test_digits_agree_with_keras() -> None:
    x, _ = bc.load_data("digits", split="train")
    test, _ = bc.load_data("digits", n_images=60)
    network = convert(models.weights_path("digits_cnn"), x)
    recording = run(network, test)
    exact = network.analog.predict(test)
    assert recording.agreement(exact.argmax(axis=1)) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("adaptation", VARIANTS)
def test_lenet5_agrees_with_keras(adaptation: str, shared_data: Path) -> None:
    _lenet5(adaptation, 200)


@pytest.mark.slow
@pytest.mark.parametrize("adaptation", VARIANTS)
def test_lenet5_agrees_with_keras_on_all_images(adaptation: str, shared_data: Path) -> None:
    _lenet5(adaptation, 10_000)


def _lenet5(adaptation: str, n_images: int) -> None:
    x, _ = bc.load_data("mnist", split="train", n_images=1000)
    test, _ = bc.load_data("mnist", n_images=n_images)
    model = models.load("lenet5")
    code = OscillationCode(adaptation=adaptation)
    network = bc.convert(model, calibration=x, code=code)
    record = {entry.name: ("counts",) for entry in network.populations}
    recording = bc.simulate(network, test, simulator="event", progress=False, record=record)
    exact = model.predict(test, verbose=0)
    assert recording.agreement(exact.argmax(axis=1)) == 1.0
    exact = network.analog.activations(test[:200], dtype="float64")
    for population in network.populations:
        assert recording.counts[population.name].max(initial=0) <= 1
        if population.layer:
            fired = recording.counts[population.name][:200] > 0
            positive = exact[population.layer].reshape(len(fired), -1) > 0
            assert not np.any(fired & ~positive)
