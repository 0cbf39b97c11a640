"""Large pooling windows as sequences of small ones."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bioconv.analog.functions import MaxPool
from bioconv.codes.common.max_windows import MOST_SOURCES, pool_stages


def pooled(x: np.ndarray, pool: MaxPool) -> np.ndarray:
    """Maximum over windows with NumPy alone; x has the shape (batch, *spatial, channels)."""
    padded = np.pad(x, ((0, 0), *pool.padding, (0, 0)), constant_values=-np.inf)
    axes = tuple(range(1, x.ndim - 1))
    windows = np.lib.stride_tricks.sliding_window_view(padded, pool.size, axes)
    every = tuple(slice(None, None, stride) for stride in pool.strides)
    return windows[(slice(None), *every)].max(axis=tuple(range(x.ndim, windows.ndim)))


@settings(max_examples=80, deadline=None)
@given(data=st.data(), rank=st.integers(1, 2))
def test_stages_do_what_the_window_does(data: st.DataObject, rank: int) -> None:
    size = tuple(data.draw(st.integers(1, 60 if rank == 1 else 9)) for _ in range(rank))
    strides = tuple(data.draw(st.sampled_from([k, max(k // 2, 1), 1])) for k in size)
    shape = tuple(data.draw(st.integers(k, k + 30)) for k in size)
    padding = tuple((data.draw(st.integers(0, (k - 1) // 2)),) * 2 for k in size)
    pool = MaxPool(size, strides, padding)
    stages = pool_stages((*shape, 2), pool)
    assume(stages is not None)
    x = np.random.default_rng(0).normal(size=(2, *shape, 2)).astype(np.float32)
    value = x
    for stage in stages:
        assert prod(stage.size) <= MOST_SOURCES
        value = pooled(value, stage)
    np.testing.assert_array_equal(value, pooled(x, pool))


def test_global_pooling_can_always_be_cut() -> None:
    for length in range(26, 130):
        stages = pool_stages((length, 3), MaxPool((length,)))
        x = np.random.default_rng(length).normal(size=(1, length, 3)).astype(np.float32)
        value = x
        for stage in stages:
            value = pooled(value, stage)
        np.testing.assert_array_equal(value, x.max(axis=1, keepdims=True))


@pytest.mark.parametrize("pool", [MaxPool((29,), (1,)), MaxPool((31,), (31,))])
def test_rows_that_cannot_be_cut(pool: MaxPool) -> None:
    assert pool_stages((200, 1), pool) is None
