"""The analog graph runs as the Keras model does, in batches, with layers replaced or clipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
import pytest
from later import later

from bioconv.analog import (
    Affine,
    AnalogGraph,
    GraphInput,
    Layer,
    Term,
    activations,
    check_samples,
    evaluate,
    iterate,
)
from bioconv.analog.functions import Function, Linear, MaxPool, ReLU, Softmax
from bioconv.analog.samples import BatchedSamples
from bioconv.ground.errors import BioconvError, DataError, ParameterError
from bioconv.operators import (
    Array,
    AveragePool,
    Dense,
    Operator,
    Reshape,
    compose,
    conv,
    identity,
    register,
)

keras = later("keras")

RNG = np.random.default_rng(0)
WEIGHTS = {
    "conv": RNG.normal(size=(3, 3, 1, 4)),
    "conv bias": RNG.normal(size=4),
    "skip": RNG.normal(size=(1, 1, 4, 4)),
    "dense": RNG.normal(size=(3 * 3 * 4, 5)) / 6,
    "dense bias": RNG.normal(size=5),
}
SHAPE = (8, 8, 1)


def affine(*terms: tuple[str, Operator], bias: np.ndarray | None = None) -> Affine:
    shape = terms[0][1].out_shape
    zero = np.zeros((1,) * len(shape))
    full = zero if bias is None else bias.reshape((1,) * (len(shape) - 1) + (-1,))
    return Affine(tuple(Term(source, operator) for source, operator in terms), full, shape)


def small_graph() -> AnalogGraph:
    """Convolution, a residual branch with max pooling, average pooling, softmax and logits."""
    first = conv(SHAPE, WEIGHTS["conv"])
    hidden = first.out_shape
    pool = AveragePool(hidden, (2, 2))
    flat = Reshape(pool.out_shape, (36,))
    head = compose(pool, flat, Dense((36,), WEIGHTS["dense"]))
    layers = (
        Layer("a", ReLU(), (affine(("x", first), bias=WEIGHTS["conv bias"]),), hidden),
        Layer("m", MaxPool((1, 1)), (affine(("a", identity(hidden))),), hidden),
        Layer(
            "b",
            ReLU(),
            (affine(("a", conv(hidden, WEIGHTS["skip"])), ("m", identity(hidden))),),
            hidden,
        ),
        Layer("p", Softmax(), (affine(("b", head), bias=WEIGHTS["dense bias"]),), (5,)),
        Layer("logits", Linear(), (affine(("b", head), bias=WEIGHTS["dense bias"]),), (5,)),
    )
    return AnalogGraph("small", (GraphInput("x", SHAPE),), layers, ("p",))


def keras_model() -> keras.Model:
    x = keras.Input(SHAPE)
    first = keras.layers.Conv2D(4, 3, activation="relu")
    skip, dense = keras.layers.Conv2D(4, 1, use_bias=False), keras.layers.Dense(5, "softmax")
    a = first(x)
    b = keras.layers.ReLU()(keras.layers.Add()([skip(a), a]))
    y = dense(keras.layers.Flatten()(keras.layers.AveragePooling2D(2)(b)))
    model = keras.Model(x, y)
    first.set_weights([WEIGHTS["conv"], WEIGHTS["conv bias"]])
    skip.set_weights([WEIGHTS["skip"]])
    dense.set_weights([WEIGHTS["dense"], WEIGHTS["dense bias"]])
    return model


GRAPH = small_graph()
X = RNG.normal(size=(10, *SHAPE))


def test_predict_equals_keras() -> None:
    expected = keras_model().predict(X, verbose=0)
    for batch_size in (4, 10, 256):
        result = GRAPH.predict(X, batch_size=batch_size)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-7)


def test_double_precision_is_double() -> None:
    double = GRAPH.activations(X, ["logits", "x"], dtype="float64")
    assert double["logits"].dtype == np.float64
    np.testing.assert_array_equal(double["x"], X)
    single = GRAPH.activations(X, ["logits"])["logits"]
    assert 0 < np.abs(double["logits"] - single).max() < 1e-5
    half = GRAPH.activations(X[:3], ["logits"], dtype="float64", batch_size=2)["logits"]
    np.testing.assert_allclose(half, double["logits"][:3], rtol=1e-13)
    assert not jax.config.jax_enable_x64


def test_several_outputs_come_by_name() -> None:
    both = AnalogGraph("both", GRAPH.inputs, GRAPH.layers, ("logits", "p"))
    result = both.predict(X)
    assert list(result) == ["logits", "p"]
    np.testing.assert_allclose(result["p"], jax.nn.softmax(result["logits"]), rtol=1e-5)


def test_several_inputs_as_list_or_mapping() -> None:
    total = affine(("u", Dense((3,), np.eye(3))), ("v", Dense((2,), np.ones((2, 3)))))
    inputs = GraphInput("u", (3,)), GraphInput("v", (2,))
    graph = AnalogGraph("sum", inputs, (Layer("y", Linear(), (total,), (3,)),), ("y",))
    rng = np.random.default_rng(1)
    u, v = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    expected = u + v.sum(axis=1, keepdims=True)
    for data in ([u, v], (u, v), {"v": v, "u": u}):
        np.testing.assert_allclose(graph.predict(data), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(DataError, match=r"2 inputs \(u, v\)"):
        graph.predict(u)
    with pytest.raises(DataError, match=r"named \['u', 'v'\]"):
        graph.predict({"u": u})
    with pytest.raises(DataError, match="unequal numbers of samples"):
        graph.predict([u, v[:3]])


def test_a_constant_affine_is_its_bias() -> None:
    constant = Affine((), np.array([[1.0, 2.0]]), (3, 2))
    graph = AnalogGraph("c", GRAPH.inputs, (Layer("c", ReLU(), (constant,), (3, 2)),), ("c",))
    np.testing.assert_array_equal(graph.predict(X), np.broadcast_to([[1, 2]], (10, 3, 2)))


def test_activations_of_all_layers_and_in_batches() -> None:
    whole = activations(GRAPH, X)
    assert list(whole) == ["a", "m", "b", "p", "logits"]
    assert {name: value.shape[1:] for name, value in whole.items()} == {
        layer.name: layer.shape for layer in GRAPH.layers
    }
    parts = list(GRAPH.iterate(X, batch_size=4))
    assert [len(part["b"]) for part in parts] == [4, 4, 2]
    for name, value in whole.items():
        joined = np.concatenate([part[name] for part in parts])
        np.testing.assert_allclose(joined, value, rtol=1e-5, atol=1e-6)


@register
@dataclass(frozen=True, eq=False)
class Witness(Function):
    """Counts how often it is traced."""

    traces: ClassVar[list[int]] = []

    def apply(self, inputs: Sequence[Array]) -> Array:
        self.traces.append(inputs[0].shape[0])
        return inputs[0]


def test_compiled_once_for_all_batches_and_for_other_weights() -> None:
    def graph(kernel: np.ndarray) -> AnalogGraph:
        layer = Layer("y", Witness(), (affine(("x", Dense((3,), kernel))),), (2,))
        return AnalogGraph("w", (GraphInput("x", (3,)),), (layer,), ("y",))

    rng = np.random.default_rng(2)
    x, kernel = rng.normal(size=(11, 3)), rng.normal(size=(3, 2))
    graph(kernel).predict(x, batch_size=4)
    result = graph(2 * kernel).predict(x[:9], batch_size=4)
    np.testing.assert_allclose(result, 2 * x[:9] @ kernel, rtol=1e-5, atol=1e-6)
    assert Witness.traces == [4]


def test_replaced_layers_decide_what_follows() -> None:
    exact = activations(GRAPH, X)
    same = evaluate(GRAPH, X, replace={"b": exact["b"]}, batch_size=3)["p"]
    np.testing.assert_allclose(same, exact["p"], rtol=1e-5, atol=1e-7)
    dead = evaluate(GRAPH, X, replace={"b": np.zeros_like(exact["b"])})["p"]
    only_bias = jax.nn.softmax(WEIGHTS["dense bias"])
    np.testing.assert_allclose(dead, np.tile(only_bias, (10, 1)), rtol=1e-5)
    with pytest.raises(DataError, match="unequal numbers of samples"):
        evaluate(GRAPH, X, replace={"b": exact["b"][:4]})
    with pytest.raises(DataError, match=r"expected an array of shape \(n_samples, 6, 6, 4\)"):
        evaluate(GRAPH, X, replace={"b": exact["p"]})


def test_ceilings_clip_layers() -> None:
    free = activations(GRAPH, X)
    limit = np.quantile(free["a"], 0.7, axis=(0, 1, 2))
    clipped = evaluate(GRAPH, X, ceilings={"a": limit, "b": 2.0}, names=["a", "b"])
    np.testing.assert_allclose(clipped["a"], np.minimum(free["a"], limit), rtol=1e-5, atol=1e-6)
    assert clipped["b"].max() == 2.0
    np.testing.assert_allclose(
        evaluate(GRAPH, X, ceilings={"a": np.inf})["p"], free["p"], rtol=1e-5
    )


def test_a_layer_is_found_by_its_name() -> None:
    assert GRAPH.layer("b") is GRAPH.layers[2]
    with pytest.raises(ParameterError, match="no layer 'c'. Layers: a, m, b, p, logits"):
        GRAPH.layer("c")
    with pytest.raises(ParameterError, match="no layer 'c', 'd'"):
        evaluate(GRAPH, X, names=["c"], ceilings={"d": 1.0})


NAN = X.copy()
NAN[3, 0, 0, 0] = np.nan
INFINITE = X.copy()
INFINITE[[1, 2], 0, 0, 0] = -np.inf


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (X[..., 0], r"x\[..., None\]"),
        (X[0], r"x\[None\]"),
        (X.reshape(10, -1), r"x.reshape\(len\(x\), 8, 8, 1\)"),
        (X[:, :7], r"expected an array of shape \(n_samples, 8, 8, 1\). Received: \(10, 7, 8, 1\)"),
        (3.0, r"Received: \(\)"),
        (X[:0], "no samples"),
        (NAN, "NaN or infinite values in 1 of 10 samples"),
        (INFINITE, "in 2 of 10 samples"),
        (X.astype(object), "dtype object"),
        (X.astype(complex), "dtype complex128"),
        (np.full((10, *SHAPE), "a"), "dtype <U1"),
        ([[1.0, 2.0], [3.0]], "not a rectangular array"),
        ({"y": X}, r"named \['x'\]. Received: \['y'\]"),
    ],
)
def test_data_that_cannot_be_used(data: object, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        GRAPH.predict(data)


def test_data_that_can_be_used() -> None:
    x = np.round(X)
    expected = GRAPH.predict(x)
    for data in (x.astype(np.int8), [x], x.tolist(), {"x": x}):
        np.testing.assert_allclose(GRAPH.predict(data), expected, rtol=1e-6)
    assert GRAPH.predict(np.ones((2, *SHAPE), bool)).shape == (2, 5)


def test_samples_say_how_many_are_evaluated_at_once() -> None:
    parts = list(iterate(GRAPH, BatchedSamples({"x": X}, 4)))
    assert {len(next(iter(part.values()))) for part in parts[:-1]} == {4}
    assert len(list(iterate(GRAPH, BatchedSamples({"x": X})))) == 1


def test_fewer_samples_of_a_large_network_are_evaluated_at_once() -> None:
    """2^24 values at most: activations that are asked for, and four layers on the way."""
    side = 1 << 19
    large = AnalogGraph(
        "large",
        (GraphInput("x", (side,)),),
        tuple(
            Layer(name, ReLU(), (affine((source, identity((side,)))),), (side,))
            for name, source in (("a", "x"), ("b", "a"), ("c", "b"), ("d", "c"))
        ),
        ("d",),
    )
    x = np.ones((9, side), np.float32)
    parts = [len(part["d"]) for part in large.iterate(x)]
    assert parts == [4, 4, 1]
    assert [len(part["d"]) for part in large.iterate(x, ["d"])] == [6, 3]


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"dtype": "float16"}, {"dtype": "int8"}])
def test_wrong_settings(options: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="Received"):
        GRAPH.predict(X, **options)


def test_all_problems_at_once() -> None:
    with pytest.raises(BioconvError) as caught:
        check_samples({"u": NAN, "v": X[:, 0]}, {"u": SHAPE, "v": SHAPE})
    assert "NaN" in str(caught.value)
    assert "'v'" in str(caught.value)
