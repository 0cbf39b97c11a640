"""Spikes through an operator: the same numbers as `apply`, however they are added up."""

from __future__ import annotations

import numpy as np
import pytest

from bioconv.operators import AveragePool, Operator, compose, conv, identity


def _chain() -> Operator:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 2))
    return compose(AveragePool((12, 13, 4), (2, 3)), conv((6, 4, 4), kernel))


@pytest.mark.parametrize(
    "operator",
    [
        AveragePool((12, 4), (3,)),
        AveragePool((7, 9, 4), (2, 2)),
        AveragePool((7, 9, 4), (3, 2), (2, 2), ((1, 0), (0, 1))),
        AveragePool((20, 20, 2), (20, 20)),
        identity((5, 3)),
        _chain(),
    ],
    ids=["tiles", "tiles with a rest", "overlapping", "more than a byte", "identity", "chain"],
)
def test_spikes_give_what_apply_gives(operator: Operator) -> None:
    spikes = np.random.default_rng(1).random((6, *operator.in_shape)) < 0.5
    expected = np.asarray(operator.apply(spikes.astype(np.float32)))
    found = np.asarray(operator.transmit(spikes, np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
