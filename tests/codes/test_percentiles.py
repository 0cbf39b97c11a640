"""Streamed percentiles equal NumPy's over the positive values, or over all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import mlp

import bioconv as bc
from bioconv import codes
from bioconv.analog import evaluate
from bioconv.codes.common.percentiles import Tail


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_batches=st.integers(1, 5),
    columns=st.integers(1, 4),
    lowest=st.sampled_from([1.0, 50.0, 90.0, 99.0, 99.9, 100.0]),
    ties=st.booleans(),
    rectified=st.booleans(),
    over=st.sampled_from(["positive", "all"]),
)
def test_equals_numpy(
    seed: int,
    n_batches: int,
    columns: int,
    lowest: float,
    ties: bool,
    rectified: bool,
    over: str,
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (n_batches * 50, columns)).astype(np.float32)
    values = np.round(values, 1) if ties else values
    values = np.maximum(values, 0) if rectified else values
    tail = Tail(len(values), lowest, columns, over)
    for batch in np.array_split(values, n_batches):
        tail.update(batch)
    for p in (lowest, (lowest + 100) / 2, 100.0):
        taken = [c if over == "all" else c[c > 0] for c in values.T.astype(np.float64)]
        expected = [np.percentile(c, p) for c in taken]
        np.testing.assert_allclose(tail.percentile(p), expected, rtol=1e-11, atol=1e-12)
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


WITH_PERCENTILE = [name for name in codes.converting() if "over" in codes.option_names(name)]


@pytest.mark.parametrize("over", ["positive", "all"])
@pytest.mark.parametrize("name", WITH_PERCENTILE)
def test_scales_of_every_code_follow_the_option(name: str, over: str) -> None:
    """The scales of two layers are in proportion to NumPy's percentiles."""
    rng = np.random.default_rng(1)
    model, x = mlp(rng, (6, 40, 30, 4)), rng.random((50, 6))
    options = {"percentile": 80, "normalization": "layer", "over": over}
    if name == "sigma_delta":
        options["balance"] = False
    network = bc.convert(model, calibration=x, code=codes.make(name, options))
    layers = ["dense_1", "dense_2"]
    values = evaluate(model, x, names=layers)
    taken = [v if over == "all" else v[v > 0] for v in (values[n] for n in layers)]
    expected = [np.percentile(v.astype(np.float64), 80) for v in taken]
    scales = {p.layer: np.ravel(p.scale)[0] for p in network.populations}
    assert scales["dense_2"] / scales["dense_1"] == pytest.approx(expected[1] / expected[0])


def test_a_channel_that_is_hardly_ever_active_has_its_largest_activation_as_scale() -> None:
    model = mlp(np.random.default_rng(0), (3, 5, 2))
    x = np.random.default_rng(1).random((400, 3))
    values = evaluate(model, x, names=["dense_1"])["dense_1"]
    code = bc.RateCode(percentile=1.0, over="all")
    (population,) = [p for p in bc.convert(model, calibration=x, code=code).populations if p.layer]
    low = np.percentile(values.astype(np.float64), 1.0, axis=0)
    silent = (low == 0) & (values.max(axis=0) > 0)
    assert silent.any()
    expected = np.where(low > 0, low, values.max(axis=0))
    active = values.max(axis=0) > 0
    np.testing.assert_allclose(np.ravel(population.scale)[active], expected[active], rtol=1e-6)
