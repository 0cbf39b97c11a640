"""Weights split by sign: the difference is the operator, and no part has a negative weight."""

from __future__ import annotations

import numpy as np
import pytest

from bioconv.codes.common.signs import signed_part, signed_parts
from bioconv.ground.errors import ConversionError
from bioconv.operators import (
    AveragePool,
    Chain,
    Dense,
    Operator,
    Polarity,
    Reshape,
    Scale,
    compose,
    conv,
    identity,
)

RNG = np.random.default_rng(3)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


OPERATORS = {
    "dense": Dense((6,), normal(6, 5)),
    "conv": conv((5, 5, 2), normal(3, 3, 2, 3), 1, "same"),
    "pooled": compose(
        AveragePool((4, 4, 2), (2, 2)), Reshape((2, 2, 2), (8,)), Dense((8,), normal(8, 3))
    ),
    "two signed": Chain(
        (conv((4, 4, 2), normal(3, 3, 2, 3), 1, "same"), Scale((4, 4, 3), normal(4, 4, 3)))
    ),
    "on and off": Chain((Polarity((2, 6)), Dense((6,), normal(6, 5)))),
}


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_the_difference_of_the_parts_is_the_operator(operator: Operator) -> None:
    positive, negative = signed_parts(operator, "layer")
    assert positive is not None and negative is not None
    assert positive.edges().weight.min() > 0
    assert negative.edges().weight.min() > 0
    x = RNG.random((4, *operator.in_shape))
    difference = np.asarray(positive.apply(x)) - np.asarray(negative.apply(x))
    np.testing.assert_allclose(difference, operator.apply(x), atol=1e-5)
    overlap = (positive.matrix() > 0).multiply(negative.matrix() > 0)
    assert overlap.sum() == 0


def test_parts_without_weights_are_left_out() -> None:
    assert signed_parts(identity((3,)), "layer")[1] is None
    assert signed_parts(Dense((2,), -np.ones((2, 2))), "layer")[0] is None
    operator = OPERATORS["dense"]
    assert signed_part(operator, 0, "layer") is operator


def test_what_would_be_too_large_is_refused() -> None:
    shape = (120, 120, 1)
    kernel = normal(3, 3, 1, 1)
    twice = Chain((conv(shape, kernel, 1, "same"), conv(shape, kernel, 1, "same")))
    with pytest.raises(ConversionError, match="wide.*several signed.*current synapse"):
        signed_parts(twice, "wide")
