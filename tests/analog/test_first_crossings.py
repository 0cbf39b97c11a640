"""First crossings of piecewise linear potentials against integration in fine steps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.test_util import check_grads
from numpy.typing import NDArray

from bioconv.analog.first_crossings import first_crossings
from bioconv.analog.first_spikes import local_times
from bioconv.analog.functions import FirstSpikes
from bioconv.ground.errors import ParameterError

Floats = NDArray[np.float64]
#: span and step of the integration; spikes lie on its grid, where it is exact
_SPAN, _STEP = 16.0, 2.0**-10
#: compiled once, because all examples have the same shapes
_crossings, _local_times = jax.jit(first_crossings), jax.jit(local_times)


def integrated(times: Floats, weights: Floats, level: Floats) -> Floats:
    """The end of the step in which each potential reaches the level, by adding up slopes."""
    n_steps = round(_SPAN / _STEP)
    grid = _STEP * np.arange(1, n_steps + 1)
    found = np.full((len(times), weights.shape[1]), np.inf)
    for sample, row in enumerate(times):
        slope = np.zeros((n_steps, weights.shape[1]))
        for time, weight in zip(row, weights, strict=True):
            if np.isfinite(time):
                slope[round(time / _STEP) :] += weight
        reached = np.cumsum(slope * _STEP, axis=0) >= level
        found[sample] = np.where(reached.any(axis=0), grid[reached.argmax(axis=0)], np.inf)
    return found


@st.composite
def layers(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """Times on the grid, some equal and some missing, weights of both signs, and levels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.sampled_from([2, 8, 1024]))
    times = rng.integers(0, 2 * coarse, (3, 8)) / coarse
    times[rng.random(times.shape) < draw(st.sampled_from([0.0, 0.3, 0.8, 1.0]))] = np.inf
    return times, rng.normal(0.3, 1.0, (8, 4)), 0.05 + rng.random(4)


@given(layers())
def test_crossings_are_those_of_an_integration_in_fine_steps(
    layer: tuple[Floats, Floats, Floats],
) -> None:
    with jax.enable_x64(True):
        exact = np.asarray(_crossings(*layer))
    stepped = integrated(*layer)
    seen = exact <= _SPAN - _STEP
    np.testing.assert_array_equal(np.isfinite(stepped) >= seen, True)
    late = stepped[seen] - exact[seen]
    assert np.all((late >= -1e-9) & (late <= _STEP + 1e-9))  # a step ends after the crossing
    assert np.all(exact[np.isfinite(stepped)] <= stepped[np.isfinite(stepped)] + 1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_gradients_are_finite_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times, weights, level = rng.random((4, 7)), rng.normal(0.3, 1.0, (7, 5)), 0.1 + rng.random(5)
    times[0, 3:] = np.inf
    factor = rng.normal(size=(4, 5))

    def total(x: jax.Array, w: jax.Array, v: jax.Array) -> jax.Array:
        found = first_crossings(x, w, v)
        return jnp.sum(factor * jnp.where(jnp.isfinite(found), found, 0.0))

    with jax.enable_x64(True):
        finite = np.where(np.isfinite(times), times, 1e6)  # a spike after everything else
        check_grads(total, (finite, weights, level), 1, modes=["rev"], eps=1e-6, rtol=1e-5)
        slope = jax.grad(total, argnums=(0, 1, 2))(*map(jnp.asarray, (times, weights, level)))
        assert all(np.isfinite(part).all() for part in slope)
        np.testing.assert_array_equal(slope[0][0, 3:], 0.0)


def test_the_derivative_is_that_of_the_closed_form() -> None:
    """dt/dw = (x - t) / m and dt/dx = w / m, for two spikes before the crossing and one after."""
    times, weights = jnp.array([[0.0, 0.5, 4.0]]), jnp.array([[0.5], [0.25], [9.0]])

    def crossing(x: jax.Array, w: jax.Array) -> jax.Array:
        return first_crossings(x, w, jnp.ones(1))[0, 0]

    t = float(crossing(times, weights))
    assert t == pytest.approx((1 + 0.25 * 0.5) / 0.75)
    of_times, of_weights = jax.grad(crossing, argnums=(0, 1))(times, weights)
    np.testing.assert_allclose(of_times[0], [0.5 / 0.75, 0.25 / 0.75, 0.0], rtol=1e-6)
    np.testing.assert_allclose(of_weights[:, 0], [-t / 0.75, (0.5 - t) / 0.75, 0.0], rtol=1e-6)


@given(layers(), st.floats(0.0, 3.0))
def test_clocks_start_with_the_first_spike(
    layer: tuple[Floats, Floats, Floats], later: float
) -> None:
    """Later spikes shift all times, so that times on the clock stay the same."""
    times, weights, level = layer
    alpha = np.ones(len(level))
    with jax.enable_x64(True):
        here, first = _local_times(times, weights, alpha, 1.0, 1e-4)
        there, second = _local_times(times + later, weights, alpha, 1.0, 1e-4)
        plain = _crossings(
            np.concatenate([np.where(np.isfinite(first), first, np.inf), times], axis=1),
            np.concatenate([alpha[None], weights]),
            np.full(len(level), 1.0 - 1e-4),
        )
    some = np.isfinite(np.asarray(here))
    np.testing.assert_array_equal(some, np.isfinite(np.asarray(there)))
    np.testing.assert_allclose(np.asarray(second) - later, first, atol=1e-12)
    np.testing.assert_allclose(np.asarray(there)[some], np.asarray(here)[some], rtol=1e-6)
    absolute = np.asarray(first) - 1e-4 + np.asarray(here)
    np.testing.assert_allclose(np.asarray(plain)[some], absolute[some], rtol=1e-6)


def test_values_are_refused_that_no_layer_has() -> None:
    ones = np.ones(2)
    with pytest.raises(ParameterError, match=r"alpha and t_obs \(n,\). Received: \(3, 2\), \(3,\)"):
        FirstSpikes(np.ones((3, 2)), np.ones(3), ones, 3.0)
    with pytest.raises(ParameterError, match="alpha, v_th, epsilon must be positive"):
        FirstSpikes(np.ones((3, 2)), 0 * ones, ones, 3.0, v_th=0.0, epsilon=-1.0)
