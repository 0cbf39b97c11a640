"""Functions of one variable as sums of ReLUs: closed forms of their errors."""

from __future__ import annotations

import numpy as np
import pytest

from bioconv.analog.functions import (
    Elementwise,
    Exponential,
    InverseSquareRoot,
    Linear,
    Logarithm,
    RectifiedSquare,
    Tanh,
)
from bioconv.codes.few_spikes.pieces import fit_pieces

RNG = np.random.default_rng(0)


def missed(function: Elementwise, n: int, x: np.ndarray) -> float:
    """Root mean square error."""
    found = fit_pieces(function, n, x).value(x)
    return float(np.sqrt(np.mean((found - np.asarray(function.value(x))) ** 2)))


@pytest.mark.parametrize("n", [4, 8, 16])
def test_the_error_of_a_square_is_that_of_the_best_lines(n: int) -> None:
    """On a piece of length h, the best line misses x² by h²/sqrt(180), a chord by h²/sqrt(30)."""
    h = 1.0 / n
    found = missed(RectifiedSquare(), n, RNG.uniform(0, 1, 50_000))
    assert h**2 / np.sqrt(180) * 0.9 < found < h**2 / np.sqrt(30)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (RectifiedSquare(), RNG.normal(size=20_000)),
        (RectifiedSquare(), RNG.standard_t(4, size=20_000)),
        (Exponential(), -RNG.gamma(2.0, 1.5, 20_000)),
        (Logarithm(0.5), RNG.uniform(1, 44, 20_000)),
        (InverseSquareRoot(1e-3, 0.1), np.exp(RNG.normal(size=20_000))),
        (Tanh(), 2 * RNG.normal(size=20_000)),
    ],
    ids=["square", "square of a long tail", "exp", "log", "inverse root", "tanh"],
)
def test_errors_fall_with_the_square_of_the_number(function: Elementwise, x: np.ndarray) -> None:
    few, many = (missed(function, n, x) for n in (8, 16))
    assert many < few / 2.5 and many < 0.02 * float(np.std(np.asarray(function.value(x))))


def test_lines_and_single_values_are_exact() -> None:
    x = RNG.normal(size=500)
    np.testing.assert_allclose(fit_pieces(Linear(), 4, x).value(x), x, atol=1e-9)
    one = np.full(10, 3.0)
    np.testing.assert_allclose(fit_pieces(RectifiedSquare(), 4, one).value(one), 9.0, atol=1e-3)
