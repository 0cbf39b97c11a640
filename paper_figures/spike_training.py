"""Networks that are trained in spike times for the figures of stanojevic chapter 3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.analog.functions import MaxPool, ReLU, Softmax
from bioconv.data import load_data
from bioconv.ground.decisions import LARGEST
from bioconv.operators import Dense, Operator, Reshape, compose, conv, identity
from bioconv.paper_figures.frame import Context


@dataclass(frozen=True)
class Dataset:
    """Images for training and testing, with class numbers.

    Parameters
    ----------
    x, x_test : ndarray of float32, shape (n, height, width, channels)
    y, y_test : ndarray of int, shape (n,)
    used : str
        Description for the caption.
    """

    x: NDArray
    y: NDArray
    x_test: NDArray
    y_test: NDArray
    used: str


def dataset(context: Context, name: str, n_train: int, n_test: int) -> Dataset:
    """Return the first images of MNIST or Fashion-MNIST, or of digits without the data."""
    real = context.data is not None and not context.quick
    used = name if real else "digits"
    x, y = load_data(used, split="train", n_images=n_train)
    x_test, y_test = load_data(used, n_images=n_test)
    text = f"{used} ({len(x):,} training images, {len(x_test):,} test images)"
    return Dataset(x, np.asarray(y), x_test, np.asarray(y_test), text)


def dense_stack(shape: tuple[int, ...], n_hidden: int, width: int, seed: int) -> AnalogGraph:
    """Return hidden layers of equal width with ReLU and a softmax, with random weights.

    Weights are normal with the variance 2 / inputs (He et al. 2015), biases are 0.
    """
    rng = np.random.default_rng(seed)
    n = int(np.prod(shape))
    layers, source, before = [], "x", Reshape(shape, (n,))
    for number in range(n_hidden + 1):
        last = number == n_hidden
        size = 10 if last else width
        dense = Dense((n,), rng.normal(0, np.sqrt(2 / n), (n, size)))
        operator = dense if number else compose(before, dense)
        name = "output" if last else f"hidden_{number + 1}"
        layers.append(_layer(name, Softmax() if last else ReLU(), source, operator))
        source, n = name, size
    return AnalogGraph("dense_stack", (GraphInput("x", shape),), tuple(layers), ("output",))


def lenet(shape: tuple[int, ...], seed: int) -> AnalogGraph:
    """Return a LeNet-5 of three convolutions, two max poolings and two dense layers.

    16C5 - MP2 - 32C5 - MP2 - 64C3 - 84 - 10, with random weights; the thesis does not give the
    numbers of filters.
    """
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    source, now = "x", shape
    for number, (filters, size) in enumerate(((16, 5), (32, 5), (64, 3))):
        fan = size * size * now[-1]
        kernel = rng.normal(0, np.sqrt(2 / fan), (size, size, now[-1], filters))
        operator = conv(now, kernel, 1, "same")
        layers.append(_layer(f"conv_{number + 1}", ReLU(), source, operator))
        source, now = layers[-1].name, layers[-1].shape
        if number < 2:
            pooled = (now[0] // 2, now[1] // 2, now[2])
            affine = Affine((Term(source, identity(now)),), np.zeros((1, 1, 1)), now)
            source, now = f"pool_{number + 1}", pooled
            layers.append(Layer(source, MaxPool((2, 2)), (affine,), pooled))
    n = int(np.prod(now))
    first = Dense((n,), rng.normal(0, np.sqrt(2 / n), (n, 84)))
    layers.append(_layer("dense", ReLU(), source, compose(Reshape(now, (n,)), first)))
    last = Dense((84,), rng.normal(0, np.sqrt(2 / 84), (84, 10)))
    layers.append(_layer("output", Softmax(), "dense", last))
    return AnalogGraph("lenet", (GraphInput("x", shape),), tuple(layers), ("output",))


def _layer(name: str, function: ReLU | Softmax, source: str, operator: Operator) -> Layer:
    shape = operator.out_shape
    bias = np.zeros((1,) * len(shape))
    return Layer(name, function, (Affine((Term(source, operator),), bias, shape),), shape)


def accuracy(outputs: NDArray, y: NDArray) -> float:
    """Return the share of outputs whose largest entry is that of the class."""
    return LARGEST.accuracy(outputs, y)
