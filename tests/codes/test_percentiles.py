"""Streamed percentiles equal NumPy's over all positive values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioconv.codes.common.percentiles import Tail


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_batches=st.integers(1, 5),
    columns=st.integers(1, 4),
    lowest=st.sampled_from([1.0, 50.0, 90.0, 99.0, 99.9, 100.0]),
    ties=st.booleans(),
)
def test_equals_numpy(seed: int, n_batches: int, columns: int, lowest: float, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (n_batches * 50, columns)).astype(np.float32)
    values = np.round(values, 1) if ties else values
    tail = Tail(len(values), lowest, columns)
    for batch in np.array_split(values, n_batches):
        tail.update(batch)
    for p in (lowest, (lowest + 100) / 2, 100.0):
        expected = [np.percentile(c[c > 0].astype(np.float64), p) for c in values.T]
        np.testing.assert_allclose(tail.percentile(p), expected, rtol=1e-12)
    np.testing.assert_array_equal(tail.minimum, values.min(axis=0))
    np.testing.assert_array_equal(tail.maximum, values.max(axis=0))
    np.testing.assert_array_equal(tail.positives, (values > 0).sum(axis=0))


def test_keeps_only_the_tail() -> None:
    rng = np.random.default_rng(0)
    tail = Tail(1_000_000, 99.9)
    for _ in range(10):
        tail.update(rng.random((100_000, 1), dtype=np.float32))
        assert len(tail._top) <= 1_001


@pytest.mark.parametrize("columns", [1, 3])
def test_nothing_positive_gives_zero(columns: int) -> None:
    tail = Tail(20, 99.0, columns)
    tail.update(-np.ones((20, columns), np.float32))
    np.testing.assert_array_equal(tail.percentile(99.0), np.zeros(columns))


def test_dead_column_beside_a_live_one() -> None:
    tail = Tail(3, 50.0, 2)
    tail.update(np.array([[-1, 1], [0, 2], [-2, 4]], np.float32))
    np.testing.assert_array_equal(tail.percentile(50.0), [0.0, 2.0])
