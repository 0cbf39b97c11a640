"""Rows of weights: scattering them is the map that an operator applies."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioconv.operators import AveragePool, Chain, Dense, Operator, Polarity, Reshape, conv

sys.path.append(str(Path(__file__).parents[1] / "operators"))
from operator_strategies import chains

pytest.importorskip("numba", reason="no Numba: the engine 'events' is not installed")

from bioconv.simulators.array.events import kernels, rows
from bioconv.simulators.array.events.rows import has_rows, rows_of


def scattered(operator: Operator, spikes: np.ndarray) -> np.ndarray:
    """Sum of the rows of the neurons that spike, by the compiled loops."""
    found = rows_of(operator)
    words = np.zeros(-(-operator.n_in // 8), np.uint64)
    words.view(np.uint8)[: operator.n_in] = spikes.ravel()
    n = len(found.divisor)
    cells, places, bases = found.cells, np.zeros(n, np.int32), np.zeros(n, np.int32)
    factors, total = np.zeros(n), np.zeros(operator.n_out)
    find = getattr(kernels, f"find_{found.counting}")
    count = find(words, cells, found.target, found.sign, found.divisor, places, factors)
    kernels.add_rows(count, places, factors, bases, tuple(found[4:]), total)
    assert not cells.any(), "the cells are empty again"
    return total


def check(operator: Operator, seed: int) -> None:
    spikes = np.random.default_rng(seed).random(operator.in_shape) < 0.4
    wanted = operator.matrix().T @ spikes.ravel().astype(float)
    np.testing.assert_allclose(scattered(operator, spikes), wanted, rtol=1e-10, atol=1e-10)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(operator=chains(), seed=st.integers(0, 2**32 - 1))
def test_rows_of_any_operator_are_its_map(operator: Operator, seed: int) -> None:
    check(operator, seed)


@pytest.mark.slow
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
@given(operator=chains(), seed=st.integers(0, 2**32 - 1))
def test_rows_of_a_thousand_operators_are_their_maps(operator: Operator, seed: int) -> None:
    check(operator, seed)


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=shape)


POOLED = Chain((AveragePool((8, 8, 16), (2, 2)), conv((4, 4, 16), normal(3, 3, 16, 8))))


@pytest.mark.parametrize(
    ("operator", "counting"),
    [
        (Dense((20,), normal(20, 70)), "plain"),
        (conv((9, 9, 3), normal(3, 3, 3, 5), strides=2, padding="same"), "plain"),
        (POOLED, "words"),
        (Chain((AveragePool((6, 6, 3), (3, 3)), conv((2, 2, 3), normal(2, 2, 3, 4)))), "singly"),
        (Chain((Polarity((2, 4, 4, 2)), conv((4, 4, 2), normal(3, 3, 2, 3)))), "singly"),
        (AveragePool((16, 16, 8), (16, 16)), "singly"),  # 256 spikes do not fit into a byte
    ],
    ids=["dense", "strided", "pooled", "three_channels", "polarity", "large_pool"],
)
def test_spikes_are_counted_in_the_way_that_the_operator_allows(
    operator: Operator, counting: str
) -> None:
    assert rows_of(operator).counting == counting
    check(operator, 0)
    full = np.ones(operator.in_shape, bool)
    wanted = operator.matrix().T @ np.ones(operator.n_in)
    np.testing.assert_allclose(scattered(operator, full), wanted, rtol=1e-10, atol=1e-10)


def test_a_convolution_takes_the_memory_of_its_kernel() -> None:
    operator = conv((32, 32, 16), normal(3, 3, 16, 32), padding="same")
    found = rows_of(operator)
    assert found.weight.size == 3 * 3 * 16 * 32
    assert len(found.segments) <= 32 * 32 * 3, "the taps of a line are one segment"


def test_synapses_without_structure_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    overlapping = Chain((AveragePool((8, 8, 4), (3, 3), (2, 2)), Reshape((3, 3, 4), (36,))))
    assert has_rows(overlapping)
    monkeypatch.setattr(rows, "MOST_LISTED", 10)
    assert not has_rows(overlapping)
    assert has_rows(POOLED), "what has a structure is not listed"
