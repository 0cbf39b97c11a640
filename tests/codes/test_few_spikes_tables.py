"""Tables of the few-spikes code: against closed forms and the paper's figures."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioconv.analog.functions import (
    Gelu,
    Sigmoid,
    Silu,
    Tanh,
)
from bioconv.codes.few_spikes.fitting import Effort, fit_table
from bioconv.codes.few_spikes.standard import (
    SHIPPED,
    SHIPPED_STEPS,
    goal_for,
    goal_in,
    region_of,
    standard_table,
)
from bioconv.codes.few_spikes.tables import relu_table

RNG = np.random.default_rng(0)


@given(
    k=st.integers(1, 16),
    alpha=st.floats(0.01, 100),
    shares=st.lists(st.floats(-3, 1, exclude_max=True), min_size=1, max_size=30),
)
def test_relu_is_off_by_less_than_the_last_digit(k: int, alpha: float, shares: list[float]) -> None:
    x = alpha * np.array(shares)
    error = np.maximum(x, 0) - alpha * relu_table(k).value(x / alpha)
    assert np.all(error >= -1e-12 * alpha)  # rounded down
    assert np.all(error <= alpha * 2.0**-k * (1 + 1e-9))


def test_relu_spikes_are_binary_digits() -> None:
    numbers = np.arange(-3, 32)
    digits = relu_table(5).spikes(numbers / 32)
    expected = [[n > 0 and n >> (4 - bit) & 1 for n in numbers] for bit in range(5)]
    np.testing.assert_array_equal(digits, np.array(expected, bool))


@pytest.mark.parametrize(
    ("function", "inside", "outside"), [(Silu(), 0.0023, 0.0064), (Sigmoid(), 1e-4, 1e-4)]
)
def test_shipped_tables_are_better_than_the_papers(
    function: Silu, inside: float, outside: float
) -> None:
    """Stoeckl and Maass, Methods: SiLU, K = 16, mean squared errors in and around [-2, 2]."""
    region = region_of(function)
    table = standard_table(function, 16)
    inner = np.linspace(*region.inner, 4001)
    outer = np.concatenate([np.linspace(region.low, -2, 2401), np.linspace(2, region.high, 2401)])
    with jax.enable_x64(True):
        exact = [np.asarray(function.value(x)) for x in (inner, outer)]
    assert np.mean((table.value(inner) - exact[0]) ** 2) <= inside / 2
    assert np.mean((table.value(outer) - exact[1]) ** 2) <= outside / 2


@pytest.mark.parametrize("function", [Gelu(), Gelu(True), Tanh()])
def test_more_steps_are_more_exact(function: Gelu) -> None:
    x = np.linspace(-2, 2, 2001)
    with jax.enable_x64(True):
        exact = np.asarray(function.value(x))
    errors = [np.mean((standard_table(function, k).value(x) - exact) ** 2) for k in (4, 8, 16)]
    assert errors[0] > 4 * errors[1] > 6 * errors[2]  # spikes cost something, too


def test_any_function_is_fitted_where_its_inputs_lie() -> None:
    inputs = RNG.normal(3.0, 0.3, 2000)
    goal = goal_for(np.square, inputs)
    table = fit_table(goal, 8, Effort(starts=8, steps=100, changes=500))
    error = np.sqrt(np.mean((table.value(inputs) - inputs**2) ** 2))
    assert error < 0.06 * np.std(inputs**2)
    assert table.grid == 2.0**-12
    np.testing.assert_array_equal(table.worth / table.grid, np.round(table.worth / table.grid))


@pytest.mark.parametrize("function", SHIPPED)
@pytest.mark.parametrize("k", SHIPPED_STEPS)
def test_shipped_tables_lie_on_the_grid_of_the_paper(function: Silu, k: int) -> None:
    """Stoeckl and Maass, "Analysis of FS-coding": 2^Q values between -8 and 8, whatever the table
    needs; so 8 bits are steps of 1/16."""
    table = standard_table(function, k)
    for values in (table.threshold, table.fall, table.worth):
        assert np.abs(values).max() <= 8
    coarse = table.limited(8)
    for values, exact in ((coarse.threshold, table.threshold), (coarse.worth, table.worth)):
        np.testing.assert_array_equal(values * 16, np.round(values * 16))
        assert np.abs(values - exact).max() <= 1 / 16


def test_silu_takes_about_two_spikes() -> None:
    """Fig 5a: K = 16, inputs of EfficientNet-B7 with mean -0.112 and variance 1.99."""
    x = np.random.default_rng(0).normal(-0.112, np.sqrt(1.99), 20_000)
    spikes = standard_table(Silu(), 16).spikes(x).sum(axis=0).mean()
    assert 1.5 < spikes < 2.2


@pytest.mark.slow
def test_optimisation_helps_and_is_repeatable() -> None:
    goal = goal_in(jax.nn.silu, region_of(Silu()))

    def loss(effort: Effort) -> float:
        value = fit_table(goal, 6, effort).value(goal.x)
        return float(np.sum(goal.weight * (value - goal.y) ** 2))

    start, descended, refined = (
        loss(Effort(starts=6, steps=steps, changes=changes))
        for steps, changes in ((0, 0), (80, 0), (80, 200))
    )
    assert start > 1.2 * descended > 1.2 * refined
    assert refined == loss(Effort(starts=6, steps=80, changes=200))


def test_precision_of_parameters() -> None:
    table = standard_table(Sigmoid(), 12)
    for bits in (3, 6, 12):
        coarse = table.limited(bits)
        step = coarse.threshold / (16 / 2**bits)
        np.testing.assert_allclose(step, np.round(step), atol=1e-9)
    x = np.linspace(-4, 4, 501)
    errors = [np.abs(table.limited(bits).value(x) - table.value(x)).max() for bits in (4, 8, 16)]
    assert errors[0] > errors[1] > errors[2]
    assert relu_table(6).limited(6).value(0.7) == relu_table(6).value(0.7)
