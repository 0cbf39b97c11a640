"""Tables of few-spikes neurons for any function, by optimisation.

Stoeckl and Maass 2021, "Application to ImageNet" and Methods: backpropagation through time, with a
triangle in place of the derivative of the step function, and a loss that is weighted to the region
where the inputs lie.  Many starts are optimised side by side.  For given spikes the output is
linear in d(t): whenever the spikes have moved, d is the solution of a linear least-squares problem.
The best starts are then refined by random changes of T and h, each with its best d, which needs no
derivative of a step at all.
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

#: what keeps d bounded where spikes hardly ever differ, in units of the summed weight
_RIDGE = 1e-7


@dataclass(frozen=True, eq=False)
class Goal:
    """What a table is fitted to.

    Parameters
    ----------
    x, y, weight : ndarray, shape (n,)
        Inputs, values of the function, and weights in the loss.
    reach : float
        Largest size of a parameter T, h or d.
    """

    x: Floats
    y: Floats
    weight: Floats
    reach: float = np.inf


@dataclass(frozen=True)
class Effort:
    """How long to try.

    Parameters
    ----------
    starts : int
        Tables that are optimised side by side.
    steps : int
        Steps of gradient descent.
    changes : int
        Rounds of random changes.
    cost : float
        What a spike costs in these rounds, in units of the variance of the function: the error
        that a spike must save.  Of SiLU with K = 16, 5e-5 makes 2.7 spikes of the inputs in Fig 5a
        of the paper and 5e-4 makes 1.7; the usual value is one between, which makes about two.
    """

    starts: int = 32
    steps: int = 400
    changes: int = 1500
    cost: float = 1e-4


USUAL_EFFORT = Effort()


class _Rows(NamedTuple):
    """Tables side by side: (starts, K) each."""

    threshold: Array
    fall: Array


def fit_table(goal: Goal, k: int, effort: Effort = USUAL_EFFORT, seed: int = 0) -> Table:
    """The best table of K steps that is found.

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
    """The goal, with weights that add up to 1, what a spike costs, and the parameters' limit."""

    x: Array
    y: Array
    weight: Array
    cost: Array
    reach: Array

    def within(self, values: Array) -> Array:
        """Parameters moved into the range that is allowed to them."""
        return jnp.clip(values, -self.reach, self.reach)


def _starts(goal: Goal, k: int, n: int, seed: int) -> _Rows:
    """Binary digits of x above some lowest value, disturbed at random.

    The first step tells whether x is above that value at all; its reset lifts x, so that digits
    are positive.
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
    """1 from 0 on; its derivative is a triangle of this half width and area 1."""
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
    """d(t) of least squares, moved into the range that is allowed."""
    weighted = fired * data.weight
    normal = weighted @ fired.T + _RIDGE * jnp.eye(len(fired))
    return data.within(jnp.linalg.solve(normal, weighted @ data.y))


def _loss(rows: _Rows, data: _Data, width: Array) -> Array:
    fired = _spikes(rows, data.x, width)
    worth = lax.stop_gradient(_best_worth(data, lax.stop_gradient(fired)))
    return jnp.sum(data.weight * (worth @ fired - data.y) ** 2)


@jax.jit
def _solve(data: _Data, rows: _Rows) -> tuple[Array, Array]:
    """d and loss of each row, spikes included."""

    def one(row: _Rows) -> tuple[Array, Array]:
        fired = _spikes(row, data.x, jnp.ones(()))
        worth = jnp.round(_best_worth(data, fired) / GRID) * GRID
        error = jnp.sum(data.weight * (worth @ fired - data.y) ** 2)
        return worth, error + data.cost * jnp.sum(fired @ data.weight)

    return jax.vmap(one)(rows)


@partial(jax.jit, static_argnums=2)
def _descend(data: _Data, rows: _Rows, steps: int) -> _Rows:
    """Gradient descent (Adam); of every row the best that it came by."""
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
    """Random changes of T and h, kept where the loss falls; ever smaller ones."""
    span = data.x[-1] - data.x[0]

    def update(carry: Any, number: Array) -> tuple[Any, None]:
        rows, least = carry
        size = span * 10 ** (-1.0 - 2.5 * number / rounds)
        keys = jax.random.split(jax.random.fold_in(key, number), 4)
        shape = rows.threshold.shape
        n, k = shape
        chosen = jax.random.uniform(keys[0], (2, *shape)) < 1.5 / k
        noise = size * jax.random.normal(keys[1], (2, *shape)) * chosen
        # a part of the changes moves a threshold and its reset together
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
    """The function in float64."""
    with jax.enable_x64(True):
        return np.asarray(function(jnp.asarray(x, jnp.float64)), np.float64)
