"""The few-spikes code: against closed forms, the paper's figures and the analog network."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from small_graphs import affine, graph, layer, mlp, residual

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import (
    Linear,
    MaxPool,
    Multiply,
    ReLU,
    Sigmoid,
    Silu,
    Tanh,
)
from bioconv.codes.few_spikes.neurons import FewSpikes, FewSpikesMaxGate
from bioconv.codes.few_spikes.tables import Table, relu_table
from bioconv.ground.errors import AccuracyWarning, ConversionError, ParameterError
from bioconv.measures.diagnosis import decode
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense, Place, conv, identity, scaled

RNG = np.random.default_rng(0)


def run(network: SpikingNetwork, x: np.ndarray) -> Recording:
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    return bc.simulate(network, x, dtype="float64", record=record)


def convert(model: AnalogGraph, x: np.ndarray, **options: object) -> SpikingNetwork:
    return bc.convert(model, calibration=x, code=bc.FewSpikesCode(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("initial", ["half", "zero"])
def test_every_activation_is_what_the_code_can_say(initial: str) -> None:
    """The first layer gets the sample exactly: its spikes must say `encode` of its activation."""
    model = graph(
        layer("a", ReLU(), affine(("x", Dense((5,), RNG.normal(0, 1, (5, 8)))), bias=0.1)),
        layer("out", Linear(), affine(("a", Dense((8,), np.eye(8))))),
        shape=(5,),
    )
    x = RNG.random((40, 5))
    network = convert(model, x, k=7, initial=initial)
    recording = run(network, x)
    alpha = network.population("a").scale
    exact = model.activations(x, dtype="float64")["a"]
    expected = alpha * bc.FewSpikesCode(initial=initial).encode(exact / alpha, 7)
    np.testing.assert_allclose(decode(network, recording, "a"), expected, atol=1e-12)
    np.testing.assert_allclose(recording.outputs["out"], expected, atol=1e-9)
    assert np.all(exact - expected <= alpha * 2.0**-7 * (1 + 1e-6))


@pytest.mark.parametrize("build", [mlp, pytest.param(residual, marks=pytest.mark.slow)])
def test_outputs_approach_the_analog_network(build: object) -> None:
    model = build(np.random.default_rng(3))  # type: ignore[operator]
    x = RNG.random((30, *model.inputs[0].shape))
    exact = model.predict(x, dtype="float64")
    errors = []
    for k in (4, 8, 14):
        (output,) = run(convert(model, x, k=k), x).outputs.values()
        errors.append(np.abs(output - exact).max() / np.ptp(exact))
    assert errors[0] > 4 * errors[1] > 16 * errors[2]
    assert errors[2] < 2e-3


def pooled(function: object, size: int = 2) -> AnalogGraph:
    rng = np.random.default_rng(5)
    first = conv((6, 6, 2), rng.normal(0, 0.5, (3, 3, 2, 3)), 1, "same")
    n = -(-6 // size)
    padding = ((0, n * size - 6),) * 2
    pool = MaxPool((size, size), (size, size), padding)
    return graph(
        layer("a", function, affine(("x", first), bias=-0.4)),  # type: ignore[arg-type]
        layer("pool", pool, affine(("a", identity((6, 6, 3)))), shape=(n, n, 3)),
        layer("out", Linear(), affine(("pool", identity((n, n, 3))))),
        shape=(6, 6, 2),
    )


@pytest.mark.parametrize(("function", "size"), [(ReLU(), 2), (Silu(), 4)])
def test_maximum_is_exact(function: object, size: int) -> None:
    """Largest of the values that the spikes say, signed ones and padded windows included."""
    model = pooled(function, size)
    x = RNG.normal(0, 1, (20, 6, 6, 2))
    network = convert(model, x, k=8, fit="standard")
    recording = run(network, x)
    values = decode(network, recording, "a")
    n = model.layer("pool").shape[0]
    padded = np.pad(values, ((0, 0), *((0, n * size - 6),) * 2, (0, 0)), constant_values=-np.inf)
    largest = padded.reshape(20, n, size, n, size, 3).max(axis=(2, 4))
    # the weights of the output are rounded to 2^-22 of its scale
    np.testing.assert_allclose(recording.outputs["out"], largest, atol=1e-5)
    if isinstance(function, Silu):
        assert (largest < 0).any()


@pytest.mark.parametrize("fit", ["standard", pytest.param("layer", marks=pytest.mark.slow)])
def test_other_functions(fit: str) -> None:
    rng = np.random.default_rng(1)
    model = graph(
        layer("a", Silu(), affine(("x", Dense((6,), rng.normal(0, 1, (6, 12)))))),
        layer("b", ReLU(), affine(("a", Dense((12,), rng.normal(0, 0.5, (12, 12)))))),
        layer(  # listens to two layers whose spikes are worth different things
            "out",
            Linear(),
            affine(
                ("a", Dense((12,), rng.normal(0, 0.5, (12, 3)))),
                ("b", Dense((12,), rng.normal(0, 0.5, (12, 3)))),
            ),
        ),
        shape=(6,),
    )
    x = rng.random((40, 6))
    network = convert(model, x, k=8 if fit == "layer" else 16, fit=fit)
    exact = model.predict(x)
    output = run(network, x).outputs["out"]
    assert np.abs(output - exact).mean() < 0.03 * np.ptp(exact)
    assert network.code["functions"] == "ReLU, Silu"


def _inputs_of_tables(
    monkeypatch: pytest.MonkeyPatch, model: AnalogGraph, x: np.ndarray
) -> list[np.ndarray]:
    """The inputs to which the tables of a network are fitted, which are not fitted here."""
    seen: list[np.ndarray] = []

    def remember(function: object, k: int, inputs: np.ndarray) -> Table:
        seen.append(inputs)
        return relu_table(k)

    monkeypatch.setattr("bioconv.codes.few_spikes.layers.suited_table", remember)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        convert(model, x, k=4)
    return seen


def test_layers_that_are_pooled_together_get_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (2, 2, 1)
    both = affine(("a", Place(shape, 2, 0, 2)), ("b", Place(shape, 2, 1, 2)))
    gains = {"a": 1.0, "b": 5.0, "alone": 2.0}
    hidden = [
        layer(name, Tanh(), affine(("x", scaled(identity(shape), post=np.asarray(gain)))))
        for name, gain in gains.items()
    ]
    model = graph(
        *hidden,
        layer("pool", MaxPool((2, 2), (2, 2), ((0, 0), (0, 0))), both, shape=(1, 1, 2)),
        layer("out", Linear(), affine(("pool", identity((1, 1, 2))))),
        layer("out2", Linear(), affine(("alone", scaled(identity(shape), post=np.asarray(3.0))))),
        shape=shape,
        outputs=("out", "out2"),
    )
    x = np.random.default_rng(0).random((10, *shape))
    a, b, alone = _inputs_of_tables(monkeypatch, model, x)
    assert np.array_equal(a, b)
    assert len(a) == 2 * len(alone) == 2 * x.size
    assert alone.max() < 2.01 < a.max()


def test_a_neuron_that_hears_many_layers_can_tell_their_tables_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    names = [f"h{n}" for n in range(10)]
    hidden = [
        layer(name, Tanh(), affine(("x", Dense((3,), rng.normal(0, 1, (3, 2)))))) for name in names
    ]
    sums = [(name, Dense((2,), rng.normal(0, 1, (2, 2)))) for name in names]
    model = graph(*hidden, layer("out", Linear(), affine(*sums)), shape=(3,))
    inputs = _inputs_of_tables(monkeypatch, model, rng.random((10, 3)))
    assert all(np.array_equal(inputs[0], other) for other in inputs)


def test_record_says_what_a_user_wants_to_know() -> None:
    network = convert(mlp(np.random.default_rng(0)), RNG.random((20, 6)), k=6)
    # two hidden layers, the first of which speaks at once; the output adds up two steps more
    assert network.code["latency_steps"] == network.n_steps == 2 * 6 + 2
    assert network.code["pipeline_steps"] == 12
    assert network.code["latency"] == 14.0
    assert bc.FewSpikesCode().k == 0
    assert convert(mlp(np.random.default_rng(0)), RNG.random((20, 6))).code["k"] == 10


def test_longer_runs_change_nothing() -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((5, 6))
    network = convert(model, x, k=5)
    short, long = run(network, x), bc.simulate(network, x, steps=40, dtype="float64")
    np.testing.assert_allclose(short.outputs["dense_3"], long.outputs["dense_3"], atol=1e-12)


# --- refusals -------------------------------------------------------------------------------


def test_all_wrong_options_are_reported_at_once() -> None:
    with pytest.raises(ParameterError) as error:
        bc.FewSpikesCode(
            k=25, alpha=-1, percentile=0, normalization="x", initial="y", bits=1, fit="z", k_of="q"
        )
    options = ("k must", "alpha", "percentile", "normalization", "initial", "bits", "fit", "k_of")
    for name in options:
        assert name in str(error.value)


@pytest.mark.parametrize(
    "wrong", [{"Silu": 0}, {"Silu": 21}, {"Softmax": 8}, "Silu", "Silu=x", "Silu=4 Silu=5", 7]
)
def test_wrong_steps_of_single_functions_are_refused(wrong: object) -> None:
    with pytest.raises(ParameterError, match="k_of"):
        bc.FewSpikesCode(k_of=wrong)  # type: ignore[arg-type]


def test_steps_of_single_functions_are_a_text_or_a_mapping() -> None:
    code = bc.FewSpikesCode(k_of={"Silu": 16, "Sigmoid": 12})
    assert code == bc.FewSpikesCode(k_of=code.k_of) == bc.FewSpikesCode(k_of="Sigmoid=12 Silu=16")
    assert hash(code) == hash(bc.FewSpikesCode(k_of=code.k_of))
    assert [code.steps_of(f, 10) for f in (Silu(), Sigmoid(), ReLU())] == [16, 12, 10]


def test_what_cannot_be_said_is_refused_with_the_reason() -> None:
    here = affine(("x", identity((4,))))
    product = graph(
        layer("a", ReLU(), here),
        layer("b", Sigmoid(), here),
        layer("scaled", Multiply(), affine(("a", identity((4,)))), affine(("b", identity((4,))))),
        layer("out", Linear(), affine(("scaled", identity((4,))))),
        shape=(4,),
    )
    with pytest.raises(ConversionError, match="few-spikes code.*(?s:.*)a product of layers"):
        convert(product, RNG.random((4, 4)))


def test_one_window_over_different_functions_is_refused() -> None:
    shape = (2, 2, 1)
    both = affine(
        ("a", Place(shape, 2, 0, 2)),
        ("b", Place(shape, 2, 1, 2)),
    )
    model = graph(
        layer("a", ReLU(), affine(("x", identity(shape)))),
        layer("b", Sigmoid(), affine(("x", identity(shape)))),
        layer("pool", MaxPool((2, 2), (2, 2), ((0, 0), (0, 0))), both, shape=(1, 1, 2)),
        layer("out", Linear(), affine(("pool", identity((1, 1, 2))))),
        shape=shape,
    )
    with pytest.raises(ConversionError, match="have different weights"):
        convert(model, RNG.random((4, *shape)), k=4, fit="standard")


def test_neuron_and_duration() -> None:
    model, x = mlp(np.random.default_rng(0)), RNG.random((20, 6))
    with pytest.raises(ConversionError, match="has its own neuron"):
        bc.convert(model, calibration=x, code=bc.FewSpikesCode(), neuron="lif")
    with pytest.raises(ParameterError, match="complete after 22 steps"):
        bc.convert(model, calibration=x, code=bc.FewSpikesCode(), n_steps=21)
    with pytest.raises(ParameterError, match="n_inputs must be an integer from 1 to 8"):
        FewSpikes(0)
    with pytest.raises(ParameterError, match="takes 2 to 25 sources"):
        FewSpikesMaxGate(1)
    with pytest.raises(ParameterError, match="k must be an integer from 1 to 20"):
        relu_table(0)


@pytest.mark.slow
def test_real_residual_network(shared_data: object) -> None:
    """The classes of Keras at K = 10 (here 30 images), but for images that Keras itself is not
    sure of: there the last bits decide, and they differ from processor to processor."""
    pytest.importorskip("keras")
    path = shared_data / "models" / "mlperf_ic_resnet8" / "pretrainedResnet.h5"  # type: ignore[operator]
    with np.load(shared_data / "cifar10" / "cifar10_exact_subset.npz") as file:  # type: ignore[operator]
        calibration, x = file["x_train4000"][:200] * 1.0, file["x_test1000"][:30] * 1.0
    model = bc.read(path)
    network = bc.convert(model, calibration=calibration, code=bc.FewSpikesCode())
    assert network.code["k"] == 10
    (output,) = bc.simulate(network, x).outputs.values()
    exact = model.predict(x)
    second, first = np.sort(exact, axis=1)[:, -2:].T
    sure = first - second > 0.2
    assert sure.mean() > 0.8
    same = output.argmax(axis=1) == exact.argmax(axis=1)
    assert same[sure].all()
    assert same.mean() > 0.9
