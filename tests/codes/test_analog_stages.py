"""Every ReLU spikes and the rest stays analog: outputs approach those of Keras."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv.analog.functions import AdditiveAttention, Attention, Tanh
from bioconv.ground.errors import (
    ConversionError,
    DataError,
    ExportError,
    ParameterError,
)
from bioconv.network.stages import STAGE_FUNCTIONS
from bioconv.reports.networks import describe_stages
from bioconv.simulators.array.stages import widths_of

keras = later("keras")
layers = later("keras.layers")
RNG = np.random.default_rng(0)


def normalized() -> keras.Model:
    given = keras.Input((8,))
    x = layers.Dense(12, "relu", name="first")(given)
    x = layers.LayerNormalization(name="norm")(x)
    return keras.Model(given, layers.Dense(4)(layers.Dense(10, "relu", name="last_relu")(x)))


def transformer() -> keras.Model:
    given = keras.Input((5, 6))
    x = layers.Dense(8, "relu")(given)
    seen = layers.MultiHeadAttention(2, 4, name="look")(x, x)
    x = layers.LayerNormalization(name="norm_1")(layers.Add()([x, seen]))
    more = layers.Dense(8)(layers.Dense(16, "relu")(x))
    x = layers.LayerNormalization(name="norm_2")(layers.Add()([x, more]))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(given, layers.Dense(3, "softmax")(layers.Dense(8, "relu")(x)))


def squeezed() -> keras.Model:
    given = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, activation="relu")(given)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(2, 1, activation="relu")(gate)
    gate = layers.Conv2D(4, 1, activation="sigmoid", name="gate")(gate)
    x = layers.Multiply(name="scaled")([x, gate])
    x = layers.Conv2D(3, 3, activation="relu")(x)
    return keras.Model(given, layers.Dense(4)(layers.Flatten()(x)))


def gated() -> keras.Model:
    given = keras.Input((8,))
    x = layers.Dense(12, "relu")(given)
    gate = layers.Dense(10, "sigmoid", name="gate")(x)
    x = layers.Multiply(name="product")([layers.Dense(10, "relu")(x), gate])
    return keras.Model(given, layers.Dense(4)(x))


def matched() -> keras.Model:
    """Products of matrices, a hidden softmax, and the largest value of each feature."""
    given = keras.Input((5, 6))
    x = layers.Dense(8, "relu")(given)
    scores = layers.Softmax(name="shares")(layers.Dot(2, name="scores")([x, x]))
    x = layers.Dot((2, 1), name="mixed")([scores, x])
    x = layers.GlobalMaxPooling1D(name="largest")(x)
    return keras.Model(given, layers.Dense(3)(layers.Dense(8, "relu")(x)))


def tokens() -> keras.Model:
    given = keras.Input((7,), dtype="int32")
    x = layers.Embedding(20, 6, name="words")(given)
    x = layers.Dense(8, "relu")(x)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.Dense(8, "relu")(layers.GlobalAveragePooling1D()(x))
    return keras.Model(given, layers.Dense(2)(x))


MODELS: dict[str, tuple[Callable[[], keras.Model], list[str]]] = {
    "normalization": (normalized, ["norm"]),
    "transformer": (transformer, ["look", "norm_1", "norm_2"]),
    "squeeze_and_excitation": (squeezed, ["gate", "scaled"]),
    "gate": (gated, ["gate", "product"]),
    "matrix_product": (matched, ["scores", "shares", "mixed", "largest"]),
    "embedding": (tokens, ["words", "norm"]),
}


#: targets whose programs compute stages
WITH_STAGES = {"brian2", "pynn"}
#: the start of the potential at the release from the clamp
SET = ("last_relu", "v")
#: those of the default run
QUICK = {"transformer", "embedding"}
QUICKEST = ("brian2", "transformer")


def samples(model: keras.Model, n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    shape = (n, *model.inputs[0].shape[1:])
    if model.inputs[0].dtype == "int32":
        return rng.integers(0, 20, shape)
    return rng.normal(size=shape).astype(np.float32)


@cache
def converted(name: str, **options: object) -> tuple[keras.Model, bc.SpikingNetwork, np.ndarray]:
    keras.utils.set_random_seed(1)
    model = MODELS[name][0]()
    code = bc.RateCode(percentile=100.0, **options)  # type: ignore[arg-type]
    network = bc.convert(model, calibration=samples(model, 200), code=code, progress=False)
    return model, network, samples(model, 12)


def error(model: keras.Model, network: bc.SpikingNetwork, x: np.ndarray, steps: int) -> float:
    exact = np.asarray(model.predict(x, verbose=0))
    recording = bc.simulate(network, x, steps=steps, progress=False)
    found = recording.outputs[network.readouts[0].name]
    return float(np.abs(found - exact).mean() / np.ptp(exact))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow, id=n) for n in MODELS],
)
def test_the_error_shrinks_with_the_steps(name: str) -> None:
    """Errors of quantisation fall with the steps: ten times as many leave a quarter at most."""
    model, network, x = converted(name)
    assert [stage.name for stage in network.stages] == MODELS[name][1]
    short, long = (error(model, network, x, steps) for steps in (60, 600))
    assert long < short / 4 and long < 4e-3


def test_the_mean_input_is_the_function_of_the_mean_rates() -> None:
    """Keras applies the last layers to the rates that were recorded up to the step before."""
    model, network, x = converted("normalization")
    first, last = (network.population(name) for name in ("first", "last_relu"))
    record = {"first": ("spikes",), "last_relu": ("counts", "v")}
    for steps in (20, 51):
        recording = bc.simulate(
            network, x, steps=steps, record=record, dtype="float64", progress=False
        )
        raster, counts = recording.rasters["first"], np.zeros((len(x), first.n_neurons))
        known = (raster.step >= first.start_step) & (raster.step < steps - 1)
        np.add.at(counts, (raster.image[known], raster.neuron[known]), 1.0)
        rates = counts / (steps - 1 - first.start_step) / (first.max_rate * network.dt / 1000.0)
        normal = model.get_layer("norm")((rates * first.scale).astype(np.float32))
        weights, bias = model.get_layer("last_relu").get_weights()
        wanted = np.asarray(normal) @ weights + bias
        # What a neuron has received is its potential and what its spikes removed, 1 mV each.
        (start,) = [c.value for c in network.changes if (c.population, c.variable) == SET]
        removed = recording.counts["last_relu"]
        received = recording.traces["last_relu", "v"][:, -1] - np.asarray(start) + removed
        mean = received / (steps - last.start_step) * last.scale
        np.testing.assert_allclose(mean, wanted, atol=3e-6)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"clamp": 0}, {"input": "regular"}, {"readout": "count"}])
def test_other_options_approach_keras_too(options: dict[str, object]) -> None:
    model, network, x = converted("transformer", **options)
    tolerance = 0.03 if options.get("readout") else 5e-3
    if not options.get("readout"):
        assert error(model, network, x, 600) < tolerance
    else:
        recording = bc.simulate(network, x, steps=600, progress=False)
        exact = np.asarray(model.predict(x, verbose=0))
        found = recording.outputs[network.readouts[0].name]
        assert np.abs(found - exact).max() < tolerance


def test_tokens_are_numbers_for_every_kind_of_input() -> None:
    model, network, x = converted("embedding", input="poisson")
    assert [entry.encoder for entry in network.inputs] == ["current"]
    assert error(model, network, x, 400) < 5e-3


def test_steps_do_not_depend_on_chunks_or_batches() -> None:
    _, network, x = converted("transformer")
    whole = bc.simulate(network, x, steps=20, dtype="float64", progress=False)
    name = network.readouts[0].name
    for options in ({"chunk_bytes": 200_000}, {"batch_size": 5, "chunk_bytes": 1}):
        parts = bc.simulate(network, x, steps=20, dtype="float64", progress=False, **options)
        np.testing.assert_allclose(parts.outputs[name], whole.outputs[name], atol=1e-9)
        for population in network.populations:
            np.testing.assert_array_equal(
                parts.spikes_per_image[population.name], whole.spikes_per_image[population.name]
            )


def test_operations_of_stages_are_counted_in_every_step() -> None:
    _, network, x = converted("embedding")
    recording = bc.simulate(network, x, steps=10, progress=False)
    # Once: 7 tokens, and a layer from 6 to 8 features of their constant rows in the table.
    # In every step: 7 x 8 rates, and a layer from the means of their normalized values to 8.
    once, each = 7 + 7 * 6 * 8, 7 * 8 + 7 * 8 * 8
    assert bc.measures.work_of(network, recording).inputs == once + 10 * each


def test_stages_are_stored_and_shown(tmp_path: Path) -> None:
    _, network, x = converted("transformer")
    network.save(tmp_path / "net.h5")
    again = bc.SpikingNetwork.load(tmp_path / "net.h5")
    one, other = (bc.simulate(n, x, steps=30, progress=False) for n in (network, again))
    name = network.readouts[0].name
    np.testing.assert_array_equal(one.outputs[name], other.outputs[name])
    (line,) = describe_stages(again)
    assert line.startswith("3 of 6 layers spike; analog: look (MultiHeadAttention), norm_1")
    rows = bc.inspect(again, x)
    shown = [row["neuron"] for row in rows if not row["neurons"]]
    assert shown == ["none: MultiHeadAttention", *["none: LayerNormalization"] * 2]
    assert "3 analog stages" in repr(again)


def check_spikes(network: bc.SpikingNetwork, x: np.ndarray, simulator: str, steps: int) -> None:
    """Check that a simulator gives every spike of the array simulator, and its outputs."""
    record = {population.name: ("spikes",) for population in network.firing}
    options = {"steps": steps, "record": record, "progress": False}
    expected = bc.simulate(network, x, dtype="float64", **options)
    found = bc.simulate(network, x, simulator=simulator, **options)
    for name in record:
        one, other = (
            np.stack([r.image, r.step, r.neuron])
            for r in (expected.rasters[name], found.rasters[name])
        )
        assert one.shape[1] > 0
        np.testing.assert_array_equal(
            other[:, np.lexsort(other[::-1])], one[:, np.lexsort(one[::-1])], err_msg=name
        )
    output = network.readouts[0].name
    np.testing.assert_allclose(
        found.outputs[output], expected.outputs[output], rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize(
    ("simulator", "name"),
    [
        pytest.param(
            s,
            n,
            marks=() if (s, n) == ("brian2", "transformer") else pytest.mark.slow,
            id=f"{s}-{n}",
        )
        for s in ("brian2", "nest")
        for n in MODELS
    ],
)
def test_brian2_and_nest_give_the_spikes_of_the_array_simulator(simulator: str, name: str) -> None:
    """Stages compute the same in NumPy as in JAX, and their currents lie on the same grid."""
    _, network, x = converted(name)
    check_spikes(network, x[:2], simulator, 50)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"clamp": 0}, {"input": "regular"}, {"readout": "count"}])
def test_so_they_do_with_other_options(options: dict[str, object]) -> None:
    _, network, x = converted("transformer", **options)
    check_spikes(network, x[:2], "brian2", 50)


def test_every_part_without_stages_refuses_with_the_reason(tmp_path: Path) -> None:
    _, network, x = converted("gate")
    with pytest.raises(ParameterError, match=r"gate.*analog"):
        bc.simulate(network, x, simulator="event", progress=False)
    for simulator in ("neuron", "pynn.brian2"):
        with pytest.raises(ExportError, match=r"analog stages \(gate.*does not report between"):
            bc.simulate(network, x, simulator=simulator, progress=False)
    with pytest.raises(ParameterError, match=r"cpp_standalone.*analog stages.*gate"):
        bc.simulate(network, x, simulator="brian2", codegen="cpp_standalone", progress=False)
    with pytest.raises(ParameterError, match="it has analog stages"):
        bc.simulate(network, x, engine="events", progress=False)
    with pytest.raises(ParameterError, match="neurons and synapses only.*without such layers"):
        bc.noise.disturb(network, bc.noise.Mismatch("threshold", 0.1))
    for target in set(bc.targets.TARGETS) - WITH_STAGES:
        report = bc.examine(network, target)
        assert str(report.verdict) == "impossible" and "analog stage" in str(report)
        with pytest.raises(ExportError, match="analog stage"):
            bc.emit(network, tmp_path / target, target)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", sorted(WITH_STAGES))
def test_programs_contain_the_formulas_and_run_alone(target: str, tmp_path: Path) -> None:
    _, network, x = converted("transformer")
    assert str(bc.examine(network, target).verdict) == "exact"
    bc.emit(network, tmp_path / "net", target)
    text = (tmp_path / "net" / "program.py").read_text()
    assert "'function': 'MultiHeadAttention'" in text and "'causal': False" in text
    if target == "pynn":  # run by another test, in NEST
        return
    np.savez(tmp_path / "images.npz", x=x[:1])
    code = (
        "import runpy, sys; sys.modules['bioconv'] = sys.modules['jax'] = None; "
        "sys.path[0] = 'net'; runpy.run_path('net/program.py', run_name='__main__')"
    )
    arguments = ["--data", "images.npz", "-o", "result.npz", "--steps", "30"]
    command = [sys.executable, "-c", code, *arguments]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    expected = bc.simulate(network, x[:1], steps=30, dtype="float64", progress=False)
    with np.load(tmp_path / "result.npz") as result:
        for name, spikes in expected.spikes_per_neuron.items():
            np.testing.assert_array_equal(result[f"{name}.spikes_per_neuron"], spikes)
    refused = [*command[:-2], "--standalone", "compiled"]
    done = subprocess.run(refused, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 2 and "computed in Python, not in C++" in done.stderr


def test_neurons_that_do_not_sum_are_refused() -> None:
    model, _, _ = converted("gate")
    with pytest.raises(ConversionError, match=r"product \(Multiply\).*perfect integrators"):
        bc.convert(model, calibration=samples(model, 50), neuron="lif", progress=False)


@pytest.mark.parametrize("code", ["few_spikes", "first_spike_exact", "phase"])
def test_other_codes_say_which_one_keeps_stages(code: str) -> None:
    model, _, _ = converted("gate")
    reason = r"product \(Multiply\).*RateCode\(\) leaves it analog"
    with pytest.raises(ConversionError, match=reason):
        bc.convert(model, calibration=samples(model, 50), code=bc.codes.make(code), progress=False)


def test_tokens_without_a_row_are_refused() -> None:
    _, network, x = converted("embedding")
    with pytest.raises(DataError, match="largest token is 20"):
        bc.simulate(network, np.where(x == 3, 20, x), progress=False)


def test_invalid_stages_are_refused() -> None:
    _, network, _ = converted("gate")
    first, second = network.stages
    wrong = {
        "does not have": (replace(first, layer="nothing"), second),
        "no earlier stage": (second, first),
        "arguments of shape": (replace(first, inputs=second.inputs), second),
        "occurs twice": (replace(first, name="product"), second),
    }
    for reason, stages in wrong.items():
        with pytest.raises(ConversionError) as caught:
            network.replace(stages=stages)
        assert reason in str(caught.value)
    layer = network.analog.layer("gate")
    graph = replace(
        network.analog,
        layers=tuple(
            replace(one, function=Tanh()) if one is layer else one for one in network.analog.layers
        ),
    )
    with pytest.raises(ConversionError, match="cannot compute the function Tanh"):
        network.replace(analog=graph)
    assert Tanh not in STAGE_FUNCTIONS


def test_memory_counts_the_scores_of_attention() -> None:
    shapes = [(200, 8), (200, 8)]
    assert AdditiveAttention().n_within(shapes) == 200 * 200 * 8
    assert Attention().n_within(shapes) == 200 * 200
    network = converted("transformer")[1]
    widths = zip(network.stages, widths_of(network), strict=True)
    (look,) = [n for stage, n in widths if "look" in stage.name]
    assert look == 3 * (3 * 5 * 8 + 2 * 5 * 5)
