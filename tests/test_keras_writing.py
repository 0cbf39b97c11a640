"""Analog networks as Keras models, against the graph and Keras's own output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_graphs import affine, graph, layer, mlp, residual

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, MaxPool, PReLU, ReLU, Softmax, Tanh
from bioconv.ground.errors import ConversionError
from bioconv.models import weights_path
from bioconv.operators import AveragePool, Conv, Dense, Permute, Reshape, Sparse, compose, conv

RNG = np.random.default_rng(2)


def _wide() -> AnalogGraph:
    """Strides, uneven padding, groups, pooling with padding, a bias that depends on the place."""
    shape = (8, 8, 4)
    stem = conv((8, 8, 2), RNG.normal(0, 0.4, (3, 3, 2, 4)), 1, "same")
    grouped = Conv(shape, RNG.normal(0, 0.4, (3, 2, 2, 6)), (2, 1), ((2, 0), (0, 1)), groups=2)
    pool = MaxPool((3, 3), (2, 2), ((0, 1), (0, 1)))
    mean = AveragePool((4, 8, 6), (2, 2))
    flat = compose(
        mean,
        Permute((2, 4, 6), (1, 0, 2)),
        Reshape((4, 2, 6), (48,)),
        Dense((48,), RNG.normal(0, 0.2, (48, 5))),
    )
    return graph(
        layer("stem", ReLU(max_value=1.5), affine(("x", stem), bias=RNG.normal(0, 0.1, shape))),
        layer("max", pool, affine(("stem", compose(Reshape(shape, shape)))), shape=(4, 4, 4)),
        layer("group", Tanh(), affine(("stem", grouped), bias=RNG.normal(0, 0.1, 6))),
        layer(
            "par", PReLU(np.full((1, 1, 6), 0.3)), affine(("group", Reshape((4, 8, 6), (4, 8, 6))))
        ),
        layer(
            "out",
            Softmax(),
            affine(
                ("par", flat),
                (
                    "max",
                    compose(Reshape((4, 4, 4), (64,)), Dense((64,), RNG.normal(0, 0.2, (64, 5)))),
                ),
                bias=0.1,
            ),
        ),
        shape=(8, 8, 2),
    )


def _given(model: AnalogGraph) -> np.ndarray:
    return np.random.default_rng(0).random((7, *model.inputs[0].shape)).astype(np.float32)


@pytest.mark.parametrize(
    "make",
    [
        lambda: mlp(RNG),
        lambda: residual(RNG),
        pytest.param(_wide, marks=pytest.mark.slow),
        lambda: bc.read(weights_path("digits_cnn")),
        pytest.param(lambda: bc.read(weights_path("lenet_maxpool")), marks=pytest.mark.slow),
    ],
    ids=["mlp", "residual", "wide", "digits_cnn", "lenet_maxpool"],
)
def test_keras_computes_the_same(make, tmp_path: Path) -> None:
    model = make()
    x = _given(model)
    written = bc.keras.write(model)
    expected = model.predict(x)
    np.testing.assert_allclose(written.predict(x, verbose=0), expected, atol=2e-5)
    # Saved, loaded and read again, without code of the user.
    written.save(tmp_path / "model.keras")
    again = bc.read(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x), expected, atol=2e-5)
    assert again.outputs == model.outputs


def test_what_keras_does_not_have_is_listed() -> None:
    wires = Sparse((4,), (3,), RNG.normal(0, 1, (2, 3)), np.array([[0, 1, 2], [3, 0, 1]], np.int32))
    odd = MaxPool((2,), (2,), ((1, 0),))
    model = graph(
        layer("wires", ReLU(), affine(("x", wires))),
        layer("odd", odd, affine(("wires", Reshape((3,), (3, 1)))), shape=(2, 1)),
        layer("out", Linear(), affine(("odd", compose(Reshape((2, 1), (2,)))))),
        shape=(4,),
    )
    with pytest.raises(ConversionError, match="(?s)wires .Sparse.*odd .MaxPool. *"):
        bc.keras.write(model)
