"""The sigma-delta code: against Algorithm 1 written down again, closed forms and the analog net."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import affine, graph, layer, mlp, residual

import bioconv as bc
from bioconv import models
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, MaxPool, ReLU, Sigmoid
from bioconv.codes.sigma_delta.neurons import SigmaDeltaMaxGate
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.measures.diagnosis import decode
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense, identity

RNG = np.random.default_rng(0)


def convert(model: AnalogGraph, x: np.ndarray, **options: object) -> SpikingNetwork:
    return bc.convert(model, calibration=x, code=bc.SigmaDeltaCode(**options))  # type: ignore[arg-type]


def run(network: SpikingNetwork, x: np.ndarray, simulator: str = "array") -> Recording:
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    return bc.simulate(network, x, simulator=simulator, dtype="float64", record=record)


def one_layer(weights: np.ndarray, bias: float = 0.0) -> AnalogGraph:
    n, m = weights.shape
    return graph(
        layer("a", ReLU(), affine(("x", Dense((n,), weights)), bias=bias)),
        layer("out", Linear(), affine(("a", Dense((m,), np.eye(m))))),
        shape=(n,),
    )


def algorithm_1(v: np.ndarray) -> np.ndarray:
    """Signed spikes of one neuron for its potential in each step, in levels."""
    said, spikes = 0, []
    for potential in v:
        difference = max(potential, 0.0) - said
        spike = int(difference >= 1) - int(difference <= -1)
        said += spike
        spikes.append(spike)
    return np.array(spikes)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), level=st.sampled_from([0.125, 0.25, 0.5]))
def test_spikes_are_those_of_algorithm_1(seed: int, level: float) -> None:
    """One neuron, input spikes in every step, weights in quarters so that ties are common."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-4, 5, (12, 1)) / 4
    options = dict(threshold=level, normalization="none", balance=False, input="binary")
    network = convert(
        one_layer(weights, 0.25), np.ones((1, 12)), **options, input_steps=16, input_threshold=0.0
    )
    x = rng.integers(0, 17, (1, 12)) / 16
    recording = run(network, x)
    arrives = {s + 1: [] for s in range(network.n_steps)}
    for step, neuron in zip(*_raster(recording, "x_delay"), strict=True):
        arrives[step + 1].append(weights[neuron, 0])
    v = 0.25 + np.cumsum([sum(arrives.get(s, [])) for s in range(network.n_steps)])
    expected = algorithm_1(v / level)
    found = np.zeros(network.n_steps, int)
    for step, neuron in zip(*_raster(recording, "a"), strict=True):
        found[step] += 1 if neuron == 0 else -1
    np.testing.assert_array_equal(found, expected)


def _raster(recording: Recording, name: str) -> tuple[list[int], list[int]]:
    raster = recording.rasters[name]
    return raster.step.tolist(), raster.neuron.tolist()


def test_pixels_spike_once_the_brighter_the_earlier() -> None:
    """Linear intensity to delay: ceil((1 - x) T) steps; 0.2 and less stay silent."""
    x = np.array([[1.0, 0.99, 0.5, 0.21, 0.2, 0.1, 0.0, 0.75]])
    network = convert(one_layer(np.eye(8)), np.ones((1, 8)), input_steps=64)
    steps, neurons = _raster(run(network, x), "x_delay")
    expected = {n: int(np.ceil((1 - v) * 64)) for n, v in enumerate(x[0]) if v > 0.203}
    assert dict(zip(neurons, steps, strict=True)) == expected
    exact = run(network, x, "event").rasters["x_delay"]
    assert exact.time is not None
    times = dict(zip(exact.neuron.tolist(), exact.time.tolist(), strict=True))
    assert times == pytest.approx({n: 1 + (1 - x[0, n]) * 64 for n in expected})


def test_signed_samples_get_on_and_off_pixels() -> None:
    x = np.array([[0.8, -0.8, 0.1, -0.5]])
    network = convert(one_layer(np.eye(4)), np.array([[1.0, -1, 0, 0]]))
    _, neurons = _raster(run(network, x), "x_delay")
    assert sorted(neurons) == [0, 5, 7]


@pytest.mark.parametrize("simulator", ["array", "event"])
def test_error_is_below_one_level(simulator: str) -> None:
    """Hysteresis: what has been said is less than one level off, in whatever order input came."""
    weights = RNG.normal(0, 1, (10, 20))
    options = dict(threshold=0.1, normalization="none", balance=False, correction=False)
    network = convert(
        one_layer(weights, 0.1),
        np.ones((1, 10)),
        input="binary",
        input_threshold=0.0,
        settle=60,
        **options,  # type: ignore[arg-type]
    )
    x = RNG.random((10, 10)) * 0.99 + 0.01
    recording = run(network, x, simulator)
    exact = np.maximum(np.ones((10, 10)) @ weights + 0.1, 0)
    error = decode(network, recording, "a") - exact
    assert np.abs(error).max() < 0.1 + 1e-9
    assert np.abs(error).max() > 0.05
    np.testing.assert_allclose(recording.outputs["out"], exact + error, atol=1e-9)


@pytest.mark.parametrize("build", [mlp, pytest.param(residual, marks=pytest.mark.slow)])
@pytest.mark.parametrize("source", ["timed", "current"])
def test_outputs_approach_the_analog_network(build: object, source: str) -> None:
    model = build(np.random.default_rng(3))  # type: ignore[operator]
    x = np.random.default_rng(4).random((20, *model.inputs[0].shape))
    exact = model.predict(x, dtype="float64")
    errors = []
    for threshold in (0.2, 0.05, 0.0125):
        network = convert(
            model, x, threshold=threshold, input=source, input_threshold=0.0, settle=400
        )
        (output,) = run(network, x, "event").outputs.values()
        errors.append(np.abs(output - exact).mean() / np.ptp(exact))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert errors[2] < 0.01


@pytest.mark.parametrize("pooling", ["gates", "inside"])
@pytest.mark.parametrize("simulator", ["array", "event"])
def test_maximum(pooling: str, simulator: str) -> None:
    """Gates give the maximum of what was said; neurons that pool are less than a level off."""
    model = graph(
        layer("a", ReLU(), affine(("x", identity((4, 4, 3))), bias=0.05)),
        layer("pool", MaxPool((2, 2)), affine(("a", identity((4, 4, 3)))), shape=(2, 2, 3)),
        layer("out", Linear(), affine(("pool", Dense((2, 2, 3), np.eye(3))))),
        shape=(4, 4, 3),
    )
    x = RNG.random((6, 4, 4, 3))
    network = convert(
        model,
        x,
        threshold=0.1,
        pooling=pooling,
        correction=False,
        input_threshold=0.0,
        input_steps=1024,
    )
    recording = run(network, x, simulator)
    output = recording.outputs["out"]
    exact = model.predict(x, dtype="float64")
    level = network.code["largest_level"]
    assert np.abs(output - exact).max() < level + 2e-3  # times of pixels are rounded
    if pooling == "gates":
        said = decode(network, recording, "a").reshape(6, 2, 2, 2, 2, 3).max(axis=(2, 4))
        np.testing.assert_allclose(output, said, atol=1e-9)
    else:
        assert "a" not in recording.spikes_per_image
        said = decode(network, recording, "pool")
        np.testing.assert_allclose(output, said, atol=1e-9)


@pytest.mark.slow
def test_steps_converge_to_exact_times() -> None:
    """Times of pixels are rounded to steps: the error falls in proportion to the step.

    Half of it is the step itself, as the value of a spike is that in the middle of its step.
    """
    weights = np.abs(RNG.normal(0, 1, (10, 4)))
    x = RNG.random((40, 10))
    errors = []
    for steps in (16, 64, 256):
        network = convert(
            one_layer(weights),
            x,
            threshold=1e-3,
            input_steps=steps,
            input_threshold=0.0,
            settle=0,
            input="timed",
            normalization="none",
            balance=False,
            correction=False,
        )
        raster = run(network, x).rasters["x_delay"]
        exact = run(network, x, "event").rasters["x_delay"]
        assert exact.time is not None
        np.testing.assert_array_equal(raster.neuron.size, exact.neuron.size)
        on_grid = np.sort((raster.step + 1.0) / steps)
        errors.append(np.abs(on_grid - np.sort(exact.time / steps)).mean())
    np.testing.assert_allclose(errors, [0.5 / 16, 0.5 / 64, 0.5 / 256], rtol=0.15)


def test_upper_limit() -> None:
    model = graph(
        layer("a", ReLU(max_value=0.5), affine(("x", identity((4,))))),
        layer("out", Linear(), affine(("a", Dense((4,), np.eye(4))))),
        shape=(4,),
    )
    x = np.array([[1.0, 0.6, 0.45, 0.3]])
    network = convert(model, x, threshold=0.01, input="current", settle=200)
    output = run(network, x).outputs["out"]
    np.testing.assert_allclose(output, [[0.5, 0.5, 0.45, 0.3]], atol=0.006)


def test_all_wrong_options_are_reported_at_once() -> None:
    with pytest.raises(ParameterError) as error:
        bc.SigmaDeltaCode(
            threshold=0,
            normalization="x",
            percentile=0,
            initial="y",
            input="z",
            pooling="both",
            readout="v",
            input_threshold=1,
            input_steps=10,
            settle=-1,
            balance=2,
            correction="no",
        )  # type: ignore[arg-type]
    for name in (
        "threshold must",
        "normalization",
        "percentile",
        "initial",
        "input must",
        "input_threshold",
        "input_steps must be one of 8, 16",
        "settle",
        "pooling",
        "readout",
        "balance",
        "correction",
    ):
        assert name in str(error.value)


def test_refusals() -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((20, 6))
    with pytest.raises(ConversionError, match="has its own neuron"):
        bc.convert(model, calibration=x, code=bc.SigmaDeltaCode(), neuron="lif")
    with pytest.raises(ParameterError, match="the output is complete after 17 steps"):
        bc.convert(model, calibration=x, code=bc.SigmaDeltaCode(), n_steps=16)
    here = affine(("x", identity((4,))))
    sigmoid = graph(
        layer("a", Sigmoid(), here),
        layer("out", Linear(), affine(("a", Dense((4,), RNG.random((4, 4)))))),
        shape=(4,),
    )
    with pytest.raises(ConversionError, match="sigma-delta code does not support"):
        convert(sigmoid, RNG.random((4, 4)))
    with pytest.raises(ParameterError, match="takes 2 to 25 sources"):
        SigmaDeltaMaxGate(26)


@pytest.mark.parametrize("way", ["pooled", "skipping"])
def test_timed_pixels_are_weighed_alike_however_long_their_way_is(way: str) -> None:
    """Few steps of the ramp, in which one step too late is an eighth of the full scale."""
    if way == "pooled":
        model, shape = pooled(RNG), (6, 6, 2)
    else:
        wide = np.array([[1.0, 0.5, 0.25]])
        model, shape = (
            graph(
                layer("a", ReLU(), affine(("x", Dense((1,), wide)))),
                layer("b", ReLU(), affine(("a", Dense((3,), np.eye(3))))),
                layer("out", Linear(), affine(("x", Dense((1,), wide)), ("b", identity((3,))))),
                shape=(1,),
            ),
            (1,),
        )
    x = RNG.random((8, *shape))
    options = dict(threshold=1e-3, input_threshold=0.0, input_steps=8, settle=2000)
    network = convert(model, x, **options)
    assert max(p.delay_steps for p in network.projections) == (1 if way == "pooled" else 3)
    exact = np.asarray(model.predict(x, dtype="float64"))
    (found,) = run(network, x, "event").outputs.values()
    assert np.abs(found - exact).max() < 0.01 * np.abs(exact).max()


def pooled(rng: np.random.Generator) -> AnalogGraph:
    """Rectified cells of which the largest of each window goes on."""
    weights = rng.normal(0, 1, (2, 4))
    return graph(
        layer("a", ReLU(), affine(("x", identity((6, 6, 2))))),
        layer(
            "pool",
            MaxPool((2, 2), (2, 2), ((0, 0), (0, 0))),
            affine(("a", identity((6, 6, 2)))),
            shape=(3, 3, 2),
        ),
        layer("out", Linear(), affine(("pool", Dense((3, 3, 2), weights)))),
        shape=(6, 6, 2),
    )


def test_correction_knows_where_neurons_start() -> None:
    """With an even start nothing is left to correct, and nothing is made worse."""
    model, x = mlp(RNG, (6, 40, 40, 3)), RNG.random((200, 6))
    exact = np.asarray(model.predict(x, dtype="float64"))
    errors = {}
    for correction in (False, True):
        options = dict(threshold=0.2, input="current", initial="half", balance=False)
        network = convert(model, x, correction=correction, **options)
        (found,) = run(network, x, "event").outputs.values()
        errors[correction] = np.sqrt(np.mean((found - exact) ** 2))
    assert errors[True] < 1.2 * errors[False]


@pytest.mark.slow
def test_mnist(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bar: MNIST nearly as Keras with at most a quarter of a spike a neuron (here 300 images)."""
    monkeypatch.setenv("KERAS_HOME", str(shared_data / "keras"))
    calibration, _ = bc.load_data("mnist", split="train", n_images=500)
    x, y = bc.load_data("mnist", n_images=300)
    model = bc.read(models.weights_path("lenet_maxpool"))
    network = bc.convert(model, calibration=calibration, code=bc.SigmaDeltaCode())
    recording = bc.simulate(network, x)
    (output,) = recording.outputs.values()
    exact = model.predict(x)
    assert np.mean(output.argmax(axis=1) == exact.argmax(axis=1)) >= 0.99
    spikes = sum(float(n.mean()) for n in recording.spikes_per_image.values())
    n_analog = sum(int(np.prod(entry.shape)) for entry in model.layers if "pool" not in entry.name)
    assert spikes <= 0.25 * (784 + n_analog)


def test_on_and_off_cells_are_one_neuron_for_a_diagnosis() -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((20, 6))
    network = convert(model, x, threshold=0.02, settle=100, input_threshold=0.0, input_steps=256)
    first = bc.diagnose(network, run(network, x), x)[0]
    assert first.layer == "dense_1" and first.correlation is not None
    assert first.correlation > 0.99
    assert first.above_scale is not None and first.above_scale < 0.1
