"""Fit the tables of few-spikes neurons to arbitrary functions.

Stoeckl and Maass 2021, "Application to ImageNet" and Methods: backpropagation through time, with a
triangle in place of the derivative of the step function, and a loss that emphasises the region
where most inputs lie.  Many initial tables are optimised in parallel.  For given spikes the output
is linear in d(t), so that whenever the spikes change, d is the solution of a linear least-squares
problem.  The best tables are then refined by random changes of T and h, each with its optimal d,
which needs no derivative of the step function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from bioconv.codes.few_spikes.tables import GRID, Table

Floats = NDArray[np.float64]
Array = Any

#: ridge penalty that keeps d bounded where spikes hardly ever differ, in units of the summed weight
_RIDGE = 1e-7


@dataclass(frozen=True, eq=False)
class Goal:
    """The function values that a table is fitted to.

    Parameters
    ----------
    x, y, weight : ndarray, shape (n,)
        Inputs, values of the function, and weights in the loss.
    reach : float
        Largest absolute value of a parameter T, h or d.
    """

    x: Floats
    y: Floats
    weight: Floats
    reach: float = np.inf


@dataclass(frozen=True)
class Effort:
    """Computational effort of a fit.

    Parameters
    ----------
    starts : int
        Number of tables that are optimised in parallel.
    steps : int
        Steps of gradient descent.
    changes : int
        Rounds of random changes.
    cost : float
        Penalty for a spike in these rounds, in units of the variance of the function: a spike
        is kept only if it reduces the error by more than this.  For SiLU with K = 16, a penalty of
        5e-5 results in 2.7 spikes for the inputs in Fig 5a of the paper and 5e-4 in 1.7; the
        default lies between them and results in about two.
    """

    starts: int = 32
    steps: int = 400
    changes: int = 1500
    cost: float = 1e-4


USUAL_EFFORT = Effort()


class _Rows(NamedTuple):
    """Parameters of several tables, each of shape (starts, K)."""

    threshold: Array
    fall: Array


def fit_table(goal: Goal, k: int, effort: Effort = USUAL_EFFORT, seed: int = 0) -> Table:
    """Return the best table of K steps that the optimisation finds.

    Parameters
    ----------
    goal : Goal
    k : int
    effort : Effort
    seed : int

    Returns
    -------
    Table
        On the grid of fitted tables.
    """
    with jax.enable_x64(True):
        weight = goal.weight / goal.weight.sum()
        variance = np.average((goal.y - np.average(goal.y, weights=weight)) ** 2, weights=weight)
        parts = (goal.x, goal.y, weight, effort.cost * variance, goal.reach)
        data = _Data(*(jnp.asarray(part) for part in parts))
        key = jax.random.key(seed)
        rows = _starts(goal, k, effort.starts, seed)
        rows = _descend(data, rows, effort.steps)
        rows, _ = _refine(data, rows, key, effort.changes)
        worth, loss = _solve(data, rows)
        best = int(jnp.argmin(loss))
        found = [np.asarray(part[best]) for part in (rows.threshold, rows.fall, worth)]
    threshold, fall, values = (np.round(part / GRID) * GRID for part in found)
    return Table(threshold, fall, values, GRID, goal.reach)


class _Data(NamedTuple):
    """Return the goal with weights that sum to 1, the spike penalty and the parameter limit."""

    x: Array
    y: Array
    weight: Array
    cost: Array
    reach: Array

    def within(self, values: Array) -> Array:
        """Clip parameters to their valid range."""
        return jnp.clip(values, -self.reach, self.reach)


def _starts(goal: Goal, k: int, n: int, seed: int) -> _Rows:
    """Return initial tables: binary digits of x above some lowest value, randomly perturbed.

    The first step signals whether x is above that value at all; its reset shifts x such that
    all digits are positive.
    """
    random = np.random.default_rng(seed)
    share = np.cumsum(goal.weight) / goal.weight.sum()
    low = np.interp(random.uniform(0.0, 0.3, n), share, goal.x)
    high = np.interp(random.uniform(0.9, 1.0, n), share, goal.x)
    ratio = random.uniform(1.4, 2.2, n)
    digits = ((high - low) * (1 - 1 / ratio))[:, None] * ratio[:, None] ** -np.arange(k - 1)
    threshold = np.concatenate([low[:, None], digits], axis=1)
    fall = threshold * random.normal(1.0, 0.05, threshold.shape)
    threshold = threshold * random.normal(1.0, 0.05, threshold.shape)
    clipped = (np.clip(values, -goal.reach, goal.reach) for values in (threshold, fall))
    return _Rows(*map(jnp.asarray, clipped))


@jax.custom_jvp
def _step(v: Array, width: Array) -> Array:
    """Step function; its surrogate derivative is a triangle of this half width and area 1."""
    return (v >= 0).astype(v.dtype)


@_step.defjvp
def _step_jvp(primals: Any, tangents: Any) -> tuple[Array, Array]:
    v, width = primals
    slope = jnp.maximum(0.0, 1.0 - jnp.abs(v) / width) / width
    return _step(v, width), slope * tangents[0]


def _spikes(rows: _Rows, x: Array, width: Array) -> Array:
    """z(t), shape (K, n)."""

    def step(v: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        threshold, fall = now
        fired = _step(v - threshold, width)
        return v - fall * fired, fired

    return lax.scan(step, x, (rows.threshold, rows.fall))[1]


def _best_worth(data: _Data, fired: Array) -> Array:
    """Return the least-squares solution for d(t), clipped to the valid range."""
    weighted = fired * data.weight
    normal = weighted @ fired.T + _RIDGE * jnp.eye(len(fired))
    return data.within(jnp.linalg.solve(normal, weighted @ data.y))


def _loss(rows: _Rows, data: _Data, width: Array) -> Array:
    fired = _spikes(rows, data.x, width)
    worth = lax.stop_gradient(_best_worth(data, lax.stop_gradient(fired)))
    return jnp.sum(data.weight * (worth @ fired - data.y) ** 2)


@jax.jit
def _solve(data: _Data, rows: _Rows) -> tuple[Array, Array]:
    """Return d and the loss, including the spike penalty, for each row."""

    def one(row: _Rows) -> tuple[Array, Array]:
        fired = _spikes(row, data.x, jnp.ones(()))
        worth = jnp.round(_best_worth(data, fired) / GRID) * GRID
        error = jnp.sum(data.weight * (worth @ fired - data.y) ** 2)
        return worth, error + data.cost * jnp.sum(fired @ data.weight)

    return jax.vmap(one)(rows)


@partial(jax.jit, static_argnums=2)
def _descend(data: _Data, rows: _Rows, steps: int) -> _Rows:
    """Optimise by gradient descent (Adam) and keep the best parameters of each row."""
    span = data.x[-1] - data.x[0]

    def one(row: _Rows) -> _Rows:
        def update(carry: Any, number: Array) -> tuple[Any, None]:
            row, mean, square, best, least = carry
            share = 1.0 - number / steps
            width = span * (0.02 + 0.05 * share)
            loss, slope = jax.value_and_grad(_loss)(row, data, width)
            better = loss < least
            best = jax.tree.map(lambda a, b: jnp.where(better, a, b), row, best)
            mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, slope)
            square = jax.tree.map(lambda s, g: 0.99 * s + 0.01 * g**2, square, slope)
            rate = 1e-3 * span * share
            moved = jax.tree.map(
                lambda p, m, s: data.within(p - rate * m / (jnp.sqrt(s) + 1e-12)),
                row,
                mean,
                square,
            )
            return (moved, mean, square, best, jnp.minimum(loss, least)), None

        zero = jax.tree.map(jnp.zeros_like, row)
        first = (row, zero, zero, row, jnp.inf)
        return lax.scan(update, first, jnp.arange(steps))[0][3]

    return jax.vmap(one)(rows)


@partial(jax.jit, static_argnums=3)
def _refine(data: _Data, rows: _Rows, key: Array, rounds: int) -> tuple[_Rows, Array]:
    """Refine T and h by random changes of decreasing size, kept where the loss decreases."""
    span = data.x[-1] - data.x[0]

    def update(carry: Any, number: Array) -> tuple[Any, None]:
        rows, least = carry
        size = span * 10 ** (-1.0 - 2.5 * number / rounds)
        keys = jax.random.split(jax.random.fold_in(key, number), 4)
        shape = rows.threshold.shape
        n, k = shape
        chosen = jax.random.uniform(keys[0], (2, *shape)) < 1.5 / k
        noise = size * jax.random.normal(keys[1], (2, *shape)) * chosen
        # some of the changes move a threshold and its reset together
        together = jax.random.uniform(keys[2], (n, 1)) < 0.3
        changed = _Rows(
            rows.threshold + noise[0], rows.fall + jnp.where(together, noise[0], noise[1])
        )
        new = _Rows(*(jnp.round(data.within(part) / GRID) * GRID for part in changed))
        _, loss = _solve(data, new)
        better = loss < least
        kept = jax.tree.map(lambda a, b: jnp.where(better[:, None], a, b), new, rows)
        return (kept, jnp.where(better, loss, least)), None

    rounded = _Rows(*(jnp.round(part / GRID) * GRID for part in rows))
    _, loss = _solve(data, rounded)
    return lax.scan(update, (rounded, loss), jnp.arange(rounds))[0]


def values_of(function: Callable[[Array], Any], x: Floats) -> Floats:
    """Evaluate the function in float64."""
    with jax.enable_x64(True):
        return np.asarray(function(jnp.asarray(x, jnp.float64)), np.float64)
