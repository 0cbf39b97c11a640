"""Formulas of analog stages: NumPy and JAX compute the same, and every stage has one."""

from __future__ import annotations

from dataclasses import fields

import jax
import numpy as np
import pytest

from bioconv.analog.formulas import FORMULAS
from bioconv.analog.functions import (
    AdditiveAttention,
    Attention,
    Dot,
    Embedding,
    Function,
    LayerNormalization,
    MaxPool,
    MultiHeadAttention,
    Multiply,
    RMSNormalization,
    Sigmoid,
    Softmax,
    UnitNormalization,
)
from bioconv.network.stages import STAGE_FUNCTIONS

RNG = np.random.default_rng(3)


def draw(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


ROWS = (2, 5, 6)
HEADS = MultiHeadAttention(
    draw(6, 2, 3),
    draw(6, 2, 3),
    draw(6, 2, 4),
    draw(2, 4, 6),
    draw(2, 3),
    None,
    draw(2, 4),
    draw(6),
    causal=True,
)
CASES: dict[str, tuple[Function, list[np.ndarray]]] = {
    "additive attention": (AdditiveAttention(draw(6)), [draw(*ROWS), draw(2, 4, 6)]),
    "attention": (Attention(np.array(0.3), causal=True), [draw(*ROWS), draw(*ROWS), draw(*ROWS)]),
    "attention, concat": (Attention(score="concat"), [draw(*ROWS), draw(2, 4, 6)]),
    "dot": (Dot((2, 1)), [draw(2, 5, 6), draw(2, 6, 3)]),
    "dot of vectors": (Dot((1, 1), normalize=True), [draw(2, 6), draw(2, 6)]),
    "embedding": (Embedding(draw(9, 4)), [RNG.integers(0, 9, (2, 7)).astype(float)]),
    "layer normalization": (LayerNormalization((2,), 1e-3, draw(6), draw(6)), [draw(*ROWS)]),
    "layer normalization, rms": (
        LayerNormalization((1, 2), 1e-3, draw(5, 6), None, rms_scaling=True),
        [draw(*ROWS)],
    ),
    "max pool": (MaxPool((3, 2), (2, 1), ((1, 0), (0, 1))), [draw(2, 7, 6, 3)]),
    "max pool, global": (MaxPool((5,)), [draw(*ROWS)]),
    "multi-head attention": (HEADS, [draw(*ROWS), draw(*ROWS)]),
    "multiply": (Multiply(), [draw(*ROWS), draw(2, 1, 6), draw(2, 6)]),
    "rms normalization": (RMSNormalization(), [draw(*ROWS)]),
    "sigmoid": (Sigmoid(), [100 * draw(*ROWS)]),
    "softmax": (Softmax((1, 2)), [1000 * draw(*ROWS)]),
    "unit normalization": (UnitNormalization(), [draw(*ROWS)]),
}


@pytest.mark.parametrize("case", CASES)
def test_numpy_and_jax_agree_in_double_precision(case: str) -> None:
    function, inputs = CASES[case]
    options = {field.name: getattr(function, field.name) for field in fields(function)}  # type: ignore[arg-type]
    with np.errstate(all="raise", under="ignore"):
        found = FORMULAS[type(function).__name__](np, inputs, **options)
    with jax.enable_x64(True):
        expected = np.asarray(function.apply(inputs))
    assert found.dtype == expected.dtype == np.float64 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_every_function_of_stages_has_a_formula() -> None:
    assert {cls.__name__ for cls in STAGE_FUNCTIONS} == FORMULAS.keys()
    assert {type(function).__name__ for function, _ in CASES.values()} == FORMULAS.keys()
