"""Small analog graphs written by hand, for the tests of the codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, Function, GraphInput, Layer, Term
from bioconv.analog.functions import Linear, ReLU
from bioconv.operators import Dense, Operator, Shape, conv, identity


def affine(*terms: tuple[str, Operator], bias: NDArray | float = 0.0) -> Affine:
    """Sum of operators on sources plus a bias."""
    shape = terms[0][1].out_shape
    full = np.asarray(bias, np.float64)
    full = full.reshape((1,) * (len(shape) - full.ndim) + full.shape)
    return Affine(tuple(Term(*term) for term in terms), full, shape)


def layer(name: str, function: Function, *inputs: Affine, shape: Shape | None = None) -> Layer:
    """A layer whose shape is that of its first input unless given."""
    return Layer(name, function, inputs, inputs[0].shape if shape is None else shape, (name,))


def graph(*layers: Layer, shape: Shape, outputs: tuple[str, ...] | None = None) -> AnalogGraph:
    """A graph with the one input ``x``."""
    last = outputs or (layers[-1].name,)
    return AnalogGraph("small", (GraphInput("x", shape),), layers, last)


def mlp(
    rng: np.random.Generator, sizes: tuple[int, ...] = (6, 12, 9, 4), last: Function | None = None
) -> AnalogGraph:
    """Dense layers with ReLU, biases, and a last layer with the function ``last``."""
    layers, source = [], "x"
    for number, (n, m) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), start=1):
        is_last = number == len(sizes) - 1
        function = (last or Linear()) if is_last else ReLU()
        weights = Dense((n,), rng.normal(0, 1.5 / np.sqrt(n), (n, m)))
        name = f"dense_{number}"
        layers.append(layer(name, function, affine((source, weights), bias=rng.normal(0, 0.2, m))))
        source = name
    return graph(*layers, shape=(sizes[0],))


def residual(rng: np.random.Generator, channels: int = 4) -> AnalogGraph:
    """Two convolutions, one of them around the other, an addition and a dense output."""
    shape = (6, 6, channels)
    first = conv((6, 6, 3), rng.normal(0, 0.4, (3, 3, 3, channels)), 1, "same")
    second = conv(shape, rng.normal(0, 0.3, (3, 3, channels, channels)), 1, "same")
    third = conv(shape, rng.normal(0, 0.3, (3, 3, channels, channels)), 1, "same")
    dense = Dense(shape, rng.normal(0, 1, (channels, 5)))
    bias = rng.normal(0, 0.1, channels)
    return graph(
        layer("stem", ReLU(), affine(("x", first), bias=bias)),
        layer("inner", ReLU(), affine(("stem", second), bias=-bias)),
        layer("sum", ReLU(), affine(("stem", identity(shape)), ("inner", third), bias=bias)),
        layer("out", Linear(), affine(("sum", dense))),
        shape=(6, 6, 3),
    )
