"""The rewritten graph computes the same, in layers that can spike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from small_graphs import affine, graph, layer, residual

from bioconv.analog import AnalogGraph, Layer
from bioconv.analog.functions import (
    LSTM,
    Gelu,
    HardSigmoid,
    HardTanh,
    Linear,
    MaxPool,
    Multiply,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from bioconv.codes.common.calibration import LowestValues
from bioconv.codes.common.rewriting import rewrite
from bioconv.codes.common.rewritten import Rewritten
from bioconv.ground.errors import ConversionError
from bioconv.operators import Dense, Pad, Place, Reshape, Scale, compose, conv, identity

SHAPE = (6, 6, 3)
RNG = np.random.default_rng(1)
X = RNG.normal(size=(7, *SHAPE)).astype(np.float32)
KERNEL = conv(SHAPE, RNG.normal(0, 0.4, (3, 3, 3, 4)), 1, "same")
WIDE = (6, 6, 4)
HALF = (3, 3, 4)
FLAT = compose(Reshape(HALF, (36,)), Dense((36,), RNG.normal(0, 0.3, (36, 5))))
BIAS = RNG.normal(0, 0.2, 4)
FACTOR = np.array([0.5, 1.0, 2.0, 0.3])
POOL = MaxPool((2, 2))


def rewritten(original: AnalogGraph) -> Rewritten:
    return rewrite(original, LowestValues(original, {"x": X}))


def start(function: object = None) -> Layer:
    return layer("a", function or ReLU(), affine(("x", KERNEL), bias=BIAS))  # type: ignore[arg-type]


def pool(*terms: tuple, bias: np.ndarray | float = 0.0) -> Layer:
    return layer("pool", POOL, affine(*terms, bias=bias), shape=HALF)


def out(source: str = "pool") -> Layer:
    return layer("out", Softmax(), affine((source, FLAT), bias=0.1))


def leaky() -> AnalogGraph:
    return graph(start(ReLU(negative_slope=0.2, max_value=1.0)), pool_free("a"), shape=SHAPE)


def pool_free(source: str) -> Layer:
    dense = compose(Reshape(WIDE, (144,)), Dense((144,), np.ones((144, 3)) * 0.01))
    return layer("out", Linear(), affine((source, dense)))


def rectifier(function: object) -> AnalogGraph:
    return graph(start(function), pool_free("a"), shape=SHAPE)


def pool_of_relu() -> AnalogGraph:
    return graph(start(), pool(("a", identity(WIDE))), out(), shape=SHAPE)


def pool_of_normalized() -> AnalogGraph:
    """ReLU, batch normalization with positive factors, pooling: the factor comes after."""
    return graph(start(), pool(("a", Scale(WIDE, FACTOR)), bias=BIAS), out(), shape=SHAPE)


def pool_of_negative() -> AnalogGraph:
    """Batch normalization with a negative factor: the values must be shifted."""
    factor = FACTOR * [1, -1, 1, 1]
    return graph(start(), pool(("a", Scale(WIDE, factor)), bias=BIAS), out(), shape=SHAPE)


def pool_then_relu() -> AnalogGraph:
    after = layer("relu", ReLU(max_value=0.7), affine(("pool", Scale(HALF, FACTOR)), bias=BIAS))
    return graph(pool(("x", KERNEL)), after, out("relu"), shape=SHAPE)


def pool_then_relu_as_output() -> AnalogGraph:
    after = layer("relu", ReLU(), affine(("pool", identity(HALF)), bias=BIAS))
    return graph(pool(("x", KERNEL)), after, shape=SHAPE)


def pool_then_relu_and_more() -> AnalogGraph:
    """Somebody else needs the negative values of the maximum too."""
    after = layer("relu", ReLU(), affine(("pool", identity(HALF))))
    both = layer("out", Softmax(), affine(("relu", FLAT), ("pool", FLAT)))
    return graph(pool(("x", KERNEL)), after, both, shape=SHAPE)


def pool_of_input() -> AnalogGraph:
    first = layer("pool", POOL, affine(("x", identity(SHAPE))), shape=(3, 3, 3))
    dense = compose(Reshape((3, 3, 3), (27,)), Dense((27,), RNG.normal(0, 0.3, (27, 5))))
    return graph(first, layer("out", Softmax(), affine(("pool", dense))), shape=SHAPE)


def pool_of_padded() -> AnalogGraph:
    padded = Pad(WIDE, ((1, 1), (1, 1), (0, 0)))
    wide = layer("pool", POOL, affine(("a", padded)), shape=(4, 4, 4))
    dense = compose(Reshape((4, 4, 4), (64,)), Dense((64,), RNG.normal(0, 0.3, (64, 5))))
    return graph(start(), wide, layer("out", Softmax(), affine(("pool", dense))), shape=SHAPE)


def pool_of_concatenated() -> AnalogGraph:
    other = layer("b", ReLU(), affine(("a", Scale(WIDE, np.array(-1.0))), bias=0.5))
    both = [(name, Place(WIDE, 2, at, 8)) for name, at in (("a", 0), ("b", 4))]
    wide = layer("pool", POOL, affine(*both), shape=(3, 3, 8))
    dense = compose(Reshape((3, 3, 8), (72,)), Dense((72,), RNG.normal(0, 0.3, (72, 5))))
    last = layer("out", Softmax(), affine(("pool", dense)))
    return graph(start(), other, wide, last, shape=SHAPE)


def pool_of_leaky() -> AnalogGraph:
    leaky = start(ReLU(negative_slope=0.3))
    return graph(leaky, pool(("a", identity(WIDE))), out(), shape=SHAPE)


def pool_of_one_cell() -> AnalogGraph:
    picked = layer("pool", MaxPool((1, 1), (2, 2)), affine(("x", KERNEL), bias=BIAS), shape=HALF)
    return graph(picked, out(), shape=SHAPE)


def pool_as_output() -> AnalogGraph:
    return graph(start(), pool(("a", Scale(WIDE, FACTOR)), bias=BIAS), shape=SHAPE)


def relu_as_output_that_feeds() -> AnalogGraph:
    last = pool_free("a")
    return graph(start(), last, shape=SHAPE, outputs=("a", "out"))


def linear_that_feeds() -> AnalogGraph:
    middle = layer("middle", Linear(), affine(("a", Scale(WIDE, FACTOR)), bias=BIAS))
    last = layer("last", ReLU(), affine(("middle", identity(WIDE)), bias=-0.1))
    return graph(start(), middle, last, shape=SHAPE, outputs=("middle", "last"))


def global_pool() -> AnalogGraph:
    whole = layer("pool", MaxPool((6, 6)), affine(("a", identity(WIDE))), shape=(1, 1, 4))
    dense = compose(Reshape((1, 1, 4), (4,)), Dense((4,), RNG.normal(0, 0.3, (4, 5))))
    return graph(start(), whole, layer("out", Softmax(), affine(("pool", dense))), shape=SHAPE)


CASES: dict[str, Callable[[], AnalogGraph]] = {
    function.__name__: function
    for function in (
        leaky,
        pool_of_relu,
        pool_of_normalized,
        pool_of_negative,
        pool_then_relu,
        pool_then_relu_as_output,
        pool_then_relu_and_more,
        pool_of_input,
        pool_of_padded,
        pool_of_concatenated,
        pool_of_leaky,
        pool_of_one_cell,
        pool_as_output,
        relu_as_output_that_feeds,
        linear_that_feeds,
        global_pool,
    )
}
CASES["prelu"] = lambda: rectifier(PReLU(np.array([0.1, -0.2, 0.0, 1.5])))
CASES["hard_sigmoid"] = lambda: rectifier(HardSigmoid(0.2, 0.5))
CASES["hard_tanh"] = lambda: rectifier(HardTanh())
CASES["residual"] = lambda: residual(np.random.default_rng(3))


@pytest.mark.parametrize("name", CASES)
def test_computes_the_same_in_layers_that_spike(name: str) -> None:
    original = CASES[name]()
    result = rewritten(original)
    for spiking in result.layers:
        assert isinstance(spiking.function, MaxPool | ReLU)
        assert getattr(spiking.function, "negative_slope", 0.0) == 0.0
    expected = original.predict(X, dtype="float64")
    received = result.graph().predict(X, dtype="float64")
    if isinstance(expected, dict):
        pairs = zip(expected.values(), received.values(), strict=True)
    else:
        pairs = [(expected, received)]
    for wanted, got in pairs:
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"pool_of_one_cell"}))
def test_carried_layers_add_up_to_the_original(name: str) -> None:
    original = CASES[name]()
    result = rewritten(original)
    values = result.graph().activations(X, dtype="float64")
    wanted = original.activations(X, dtype="float64")
    sums: dict[str, np.ndarray] = {}
    for unit, carried in result.carried(original).items():
        part = carried.factor * values[unit] + carried.offset
        sums[carried.layer] = sums.get(carried.layer, 0.0) + part
    assert sums
    for key, value in sums.items():
        np.testing.assert_allclose(value, wanted[key], rtol=1e-6, atol=1e-6)


def test_gates_pool_spikes_directly_where_they_can() -> None:
    direct = ("pool_of_relu", "pool_of_normalized", "pool_of_padded", "pool_of_concatenated")
    for name in direct:
        assert not any(entry.name.endswith("unpooled") for entry in rewritten(CASES[name]()).layers)
    for name in ("pool_of_negative", "pool_of_input", "pool_of_leaky"):
        assert any(entry.name == "pool_unpooled" for entry in rewritten(CASES[name]()).layers)


def test_everything_that_cannot_spike_is_reported_at_once() -> None:
    dense = compose(Reshape(WIDE, (144,)), Dense((144,), np.ones((144, 4))))
    recurrent = LSTM.__new__(LSTM)  # never applied: only its class matters here
    layers = (
        layer("gate", Sigmoid(), affine(("x", KERNEL))),
        layer("twisted", Gelu(), affine(("gate", identity(WIDE)))),
        layer("jump", ReLU(threshold=0.5), affine(("twisted", identity(WIDE)))),
        layer("times", Multiply(), affine(("jump", dense)), affine(("gate", dense))),
        layer("memory", recurrent, affine(("times", identity((4,))))),
        layer("middle", Tanh(), affine(("memory", identity((4,))))),
        layer("out", Linear(), affine(("middle", Dense((4,), np.ones((4, 4)))))),
    )
    with pytest.raises(ConversionError) as error:
        rewritten(graph(*layers, shape=SHAPE, outputs=("middle", "out")))
    where = {problem.where: problem for problem in error.value.problems}
    assert list(where) == ["gate", "twisted", "jump", "times", "memory", "middle"]
    assert where["memory"].what == "LSTM"
    assert "threshold 0.5" in where["jump"].reason
    assert "feeds other layers" in where["middle"].reason
    assert all("etrain" in problem.advice for problem in error.value.problems)
    assert "twisted (Gelu)" in str(error.value)


def test_a_row_that_cannot_be_cut_is_refused() -> None:
    long = layer("a", ReLU(), affine(("x", identity((200, 1)))))
    pooled = layer("pool", MaxPool((29,), (1,)), affine(("a", identity((200, 1)))), shape=(172, 1))
    with pytest.raises(ConversionError, match="more than 25 cells"):
        rewrite(graph(long, pooled, shape=(200, 1)), lambda _: np.zeros(1))
