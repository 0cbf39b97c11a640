"""Ten million synapses are written out in seconds and in bounded memory."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from some_variants import some

from bioconv.operators import AveragePool, Dense, Operator, compose, conv, n_synapses

RNG = np.random.default_rng(0)


def dense() -> Operator:
    return Dense((5000,), RNG.normal(size=(5000, 2000)))


def convolution() -> Operator:
    return conv((60, 60, 16), RNG.normal(size=(3, 3, 16, 20)), padding="same")


def pooled_convolution() -> Operator:
    pool = AveragePool((60, 60, 16), (2, 2))
    return compose(pool, conv(pool.out_shape, RNG.normal(size=(3, 3, 16, 20)), padding="same"))


@pytest.mark.parametrize("make", some([convolution, dense, pooled_convolution], every=3))
def test_ten_million_synapses(make) -> None:
    operator = make()
    tracemalloc.start()
    try:
        start = time.process_time()  # other processes on the machine do not count
        edges = operator.edges()
        seconds = time.process_time() - start
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(edges) == n_synapses(operator) > 9.5e6
    assert seconds < 10
    assert peak < 2e9
