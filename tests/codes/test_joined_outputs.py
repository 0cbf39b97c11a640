"""Functions of heads whose values are moved and joined are read out, as Keras computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import codes
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, ReLU, Sigmoid, Softplus, Tanh
from bioconv.codes.common.calibration import LowestValues
from bioconv.codes.common.rewriting import rewrite
from bioconv.codes.common.rewritten import Rewritten
from bioconv.ground.errors import ConversionError

keras = later("keras")

layers = later("keras.layers")
X = np.random.default_rng(0).random((30, 6, 6, 2)).astype(np.float32)


def features() -> tuple[Any, Any, Any]:
    """An input and two maps of features of different sizes."""
    keras.utils.set_random_seed(1)
    given = keras.Input((6, 6, 2))
    large = layers.Conv2D(4, 3, padding="same", activation="relu")(given)
    return given, large, layers.AveragePooling2D(2)(large)


def head(x: Any, activation: str, n: int = 3) -> Any:
    """As in RetinaNet: ``n`` values for each of two boxes at every place of the map."""
    x = layers.Conv2D(2 * n, 3, activation=activation, bias_initializer="random_normal")(x)
    return layers.Reshape((-1, n))(layers.Permute((2, 1, 3))(x))


def joined(*branches: Any) -> Any:
    return layers.Concatenate(axis=1)(list(branches))


def two_heads() -> Any:
    given, large, small = features()
    return keras.Model(given, joined(head(large, "sigmoid"), head(small, "sigmoid")))


def two_outputs() -> Any:
    """Classes and boxes, each of two heads; the second output is a function of the boxes."""
    given, large, small = features()
    boxes = joined(head(large, "tanh", 4), head(small, "tanh", 4))
    classes = joined(head(large, "sigmoid"), head(small, "sigmoid"))
    return keras.Model(given, [classes, layers.Flatten()(boxes)])


def output_of_an_output() -> Any:
    """A head that is an output itself, and is joined with another one."""
    given, large, small = features()
    first = layers.Dense(3, activation="softplus", name="first")(layers.Flatten()(small))
    second = layers.Dense(2, activation="softplus")(layers.Flatten()(large))
    return keras.Model(given, [first, layers.Concatenate()([second, first])])


def rectified() -> Any:
    """A rectification can spike itself and stays where it is."""
    given, large, small = features()
    return keras.Model(given, joined(head(large, "relu"), head(small, "relu")))


def rewritten(graph: AnalogGraph) -> Rewritten:
    return rewrite(graph, LowestValues(graph, {graph.inputs[0].name: X}))


def predicted(model: Any) -> list[np.ndarray]:
    values = model.predict(X, verbose=0)
    return values if isinstance(values, list) else [values]


@pytest.mark.parametrize(
    ("build", "functions"),
    [
        (two_heads, [Sigmoid]),
        (two_outputs, [Sigmoid, Tanh]),
        (output_of_an_output, [Softplus, Softplus]),
        (rectified, [Linear]),
    ],
)
def test_the_rewritten_graph_gives_what_keras_gives(build: Any, functions: list[type]) -> None:
    model = build()
    result = rewritten(bc.read(model))
    assert [type(layer.function) for layer in result.readouts] == functions
    assert {type(layer.function) for layer in result.layers} == {ReLU}
    values = result.graph().predict(X)
    found = list(values.values()) if isinstance(values, dict) else [values]
    for ours, exact in zip(found, predicted(model), strict=True):
        np.testing.assert_allclose(ours, exact, atol=2e-5)


@pytest.mark.parametrize("build", [two_heads, two_outputs])
@pytest.mark.parametrize("name", ["rate", "few_spikes"])
def test_spikes_give_what_keras_gives(name: str, build: Any) -> None:
    model = build()
    network = bc.convert(model, calibration=X, code=codes.make(name))
    recording = bc.simulate(network, X[:8], progress=False)
    for readout, exact in zip(network.readouts, predicted(model), strict=True):
        assert recording.outputs[readout.name].shape == (8, *exact.shape[1:])
        assert np.abs(recording.outputs[readout.name] - exact[:8]).max() < 0.02


def test_different_functions_are_named() -> None:
    given, large, small = features()
    model = keras.Model(given, joined(head(large, "sigmoid"), head(small, "tanh")))
    with pytest.raises(ConversionError, match=r"joins branches .*Sigmoid.*Tanh") as caught:
        bc.convert(model, calibration=X)
    assert "Give every branch an output of its own" in str(caught.value)
    linear = keras.Model(given, joined(head(large, "sigmoid"), head(small, "linear")))
    with pytest.raises(ConversionError, match=r"joins branches .*Sigmoid.*Linear"):
        bc.convert(linear, calibration=X)


def test_functions_that_do_not_commute_are_refused_as_before() -> None:
    given, large, small = features()
    first, second = head(large, "sigmoid"), head(small, "sigmoid")
    padded = layers.ZeroPadding1D(1)(joined(first, second))
    mixed = layers.Dense(2)(joined(first, second))
    for output in (padded, mixed):
        with pytest.raises(ConversionError, match="a hidden layer must be a ReLU"):
            bc.convert(keras.Model(given, output), calibration=X)


@pytest.mark.parametrize("name", [name for name in codes.converting() if name != "rate"])
@pytest.mark.parametrize("kind", ["LayerNormalization", "UnitNormalization"])
def test_hidden_normalizations_are_refused_by_codes_without_stages(name: str, kind: str) -> None:
    given, large, _ = features()
    x = getattr(layers, kind)(name="between")(large)
    model = keras.Model(given, layers.Dense(2)(layers.Flatten()(layers.ReLU()(x))))
    with pytest.raises(
        ConversionError, match=rf"between \({kind}\): .* several elements"
    ) as caught:
        bc.convert(model, calibration=X, code=codes.make(name))
    assert "BatchNormalization" in str(caught.value)
