"""Few spikes compute products, attention and normalizations, so that nothing is analog."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from later import later
from small_graphs import affine, graph, layer

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, Multiply, ReLU
from bioconv.codes.few_spikes.pipeline import simulate_stream
from bioconv.ground.errors import AccuracyWarning, ConversionError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.network.storage import load_network, save_network
from bioconv.operators import Dense

keras = later("keras")
layers = later("keras.layers")


def gated() -> AnalogGraph:
    """A product of rectified activations and their gates."""
    rng = np.random.default_rng(3)
    return graph(
        layer("a", ReLU(), affine(("x", Dense((4,), rng.normal(size=(4, 6)))), bias=0.3)),
        layer("gate", ReLU(), affine(("a", Dense((6,), rng.normal(size=(6, 6)))))),
        layer(
            "product",
            Multiply(),
            affine(("a", Dense((6,), np.eye(6)))),
            affine(("gate", Dense((6,), np.eye(6)))),
        ),
        layer("out", Linear(), affine(("product", Dense((6,), rng.normal(size=(6, 3)))))),
        shape=(4,),
    )


def attending() -> keras.Model:
    keras.utils.set_random_seed(1)
    entry = keras.Input((3, 4))
    x = layers.Dense(4, "relu")(entry)
    x = layers.MultiHeadAttention(1, 2, name="look")(x, x)
    return keras.Model(entry, layers.Dense(3)(layers.Flatten()(x)))


def normalizing() -> keras.Model:
    keras.utils.set_random_seed(2)
    entry = keras.Input((6,))
    x = layers.LayerNormalization(name="norm")(layers.Dense(8, "relu")(entry))
    return keras.Model(entry, layers.Dense(3)(layers.Dense(6, "relu")(x)))


def convert(model: object, x: np.ndarray, k: int, **options: object) -> SpikingNetwork:
    code = bc.FewSpikesCode(k=k, analog="none", **options)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        return bc.convert(model, calibration=x, code=code, progress=False)


@cache
def of_gates(k: int, pieces: int = 0) -> SpikingNetwork:
    return convert(gated(), np.random.default_rng(0).normal(size=(200, 4)), k, pieces=pieces)


def error(network: SpikingNetwork, x: np.ndarray, exact: np.ndarray) -> float:
    """Root mean square error of the output, as a share of its standard deviation."""
    (found,) = bc.simulate(network, x, dtype="float64", progress=False).outputs.values()
    return float(np.sqrt(np.mean(np.square(found - exact))) / exact.std())


@pytest.mark.slow
def test_products_are_computed_by_spikes() -> None:
    x = np.random.default_rng(1).normal(size=(60, 4))
    exact = np.asarray(gated().predict(x))
    few, many = (error(of_gates(k), x, exact) for k in (4, 12))
    assert many < few / 2 and many < 0.1
    network = of_gates(12)
    assert not network.stages and network.code["analog"] == "none"
    assert "RectifiedSquare" in str(network.code["functions"])
    name, found = str(network.code["function_errors"]).split()
    assert name == "RectifiedSquare" and 0 < float(found) < 0.2
    # a layer and its gates, the squares, and the output: every layer fires for K steps
    assert network.code["latency_steps"] == 3 * 12 + 2


def test_pieces_without_functions_that_they_make_are_refused() -> None:
    with pytest.raises(ParameterError, match='pieces requires analog="none". Received: 8'):
        bc.FewSpikesCode(pieces=8)


def test_several_neurons_are_more_accurate_than_one_with_a_table() -> None:
    x = np.random.default_rng(0).normal(size=(200, 4))  # those of the calibration
    exact = np.asarray(gated().predict(x))
    table, lines = (error(of_gates(12, pieces), x, exact) for pieces in (0, 8))
    assert lines < table / 2.5 and lines < 0.03
    network = of_gates(12, 8)
    name, found = str(network.code["function_errors"]).split()
    assert name == "RectifiedSquare" and 0 < float(found) < 0.04
    assert "RectifiedSquare" not in str(network.code["functions"])
    assert network.n_neurons - of_gates(12).n_neurons == 7 * 4 * 6  # four squares for each product
    assert network.code["latency_steps"] == 3 * 12 + 2
    assert of_gates(0, 8).code["k"] == 16


@pytest.mark.slow
def test_several_neurons_have_the_same_spikes_in_brian2() -> None:
    network, x = of_gates(12, 8), np.random.default_rng(2).normal(size=(2, 4))
    one, other = (
        bc.simulate(network, x, simulator=simulator, dtype="float64", progress=False)
        for simulator in ("array", "brian2")
    )
    np.testing.assert_allclose(other.outputs["out"], one.outputs["out"], rtol=1e-9)
    for name, spikes in one.spikes_per_neuron.items():
        np.testing.assert_array_equal(spikes, other.spikes_per_neuron[name], name)


def test_files_keep_the_network(tmp_path: Path) -> None:
    network, x = of_gates(4), np.random.default_rng(2).normal(size=(5, 4))
    save_network(network, tmp_path / "gates.h5")
    again = load_network(tmp_path / "gates.h5")
    one, other = (bc.simulate(n, x, progress=False).outputs["out"] for n in (network, again))
    np.testing.assert_array_equal(one, other)


def test_streams_give_the_same_outputs() -> None:
    """A sample every 2K steps, while products wait for the factors of their own sample."""
    network, x = of_gates(4), np.random.default_rng(4).normal(size=(4, 4))
    (alone,) = bc.simulate(network, x, dtype="float64", progress=False).outputs.values()
    (streamed,) = simulate_stream(network, x, progress=False).outputs.values()
    np.testing.assert_array_equal(streamed, alone)


def test_products_are_refused_unless_asked_for() -> None:
    with pytest.raises(ConversionError, match=r'FewSpikesCode\(analog="none"\) computes it'):
        bc.convert(gated(), calibration=np.eye(4).repeat(3, axis=0), code=bc.FewSpikesCode())
    with pytest.raises(ParameterError, match="analog must be one of refused, none"):
        bc.FewSpikesCode(analog="some")


def test_what_no_function_of_one_variable_computes_is_refused() -> None:
    entry = keras.Input((7,), dtype="int32")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(20, 6, name="words")(entry))
    model = keras.Model(entry, layers.Dense(2)(layers.Dense(8, "relu")(x)))
    samples = np.random.default_rng(0).integers(0, 20, (40, 7))
    with pytest.raises(ConversionError, match="words"):
        convert(model, samples, 4)


@pytest.mark.slow
@pytest.mark.parametrize("build", [attending, normalizing])
def test_attention_and_normalization_are_computed_by_spikes(build: object) -> None:
    model = build()  # type: ignore[operator]
    rng = np.random.default_rng(0)
    shape = model.input_shape[1:]
    calibration = rng.normal(size=(200, *shape)).astype(np.float32)
    x = rng.normal(size=(100, *shape)).astype(np.float32)
    exact = np.asarray(model.predict(x, verbose=0))
    few, many = (error(convert(model, calibration, k), x, exact) for k in (4, 12))
    assert many < few and many < 0.2


@pytest.mark.slow
def test_attention_has_the_same_spikes_in_brian2() -> None:
    model = attending()
    rng = np.random.default_rng(0)
    network = convert(model, rng.normal(size=(100, 3, 4)), 6)
    x = rng.normal(size=(2, 3, 4))
    record = {p.name: ("spikes",) for p in network.populations if p.model.threshold}
    one, other = (
        bc.simulate(network, x, simulator=simulator, dtype="float64", record=record, progress=False)
        for simulator in ("array", "brian2")
    )
    assert one.rasters.keys() == other.rasters.keys()
    assert sum(len(raster.step) for raster in one.rasters.values()) > 200
    for name, raster in one.rasters.items():
        np.testing.assert_array_equal(_spikes(raster), _spikes(other.rasters[name]), name)


def _spikes(raster: object) -> np.ndarray:
    columns = [getattr(raster, name) for name in ("image", "step", "neuron")]
    return np.unique(np.stack(columns, axis=1), axis=0)
