"""First threshold crossings of potentials to which every spike adds a linear ramp.

After the spikes J the potential is ``m t - sum_J w x``, with the slope ``m = sum_J w``, so that it
crosses the threshold at ``t = (threshold + sum_J w x) / m`` (stanojevic Eq A.4).  The derivatives
are ``dt/dw = (x - t) / m`` and ``dt/dx = w / m`` for the spikes J before the crossing, and zero for
all others.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from bioconv.operators import Array
from bioconv.operators.base import EXACT

#: potentials, slopes, positions (batch, 1), crossings and their slopes so far
_Walk = tuple[Array, Array, Array, Array, Array]


@jax.custom_vjp
def first_crossings(times: Array, weights: Array, level: Array) -> Array:
    """Return when ``sum_j weights[j] * max(t - times[j], 0)`` first reaches a level.

    Arrivals are processed in order for all neurons at once, so that the memory does not depend on
    the number of synapses.  The last group of simultaneous spikes, such as those of all black
    pixels, is processed as one.

    Parameters
    ----------
    times : array, shape (batch, n_pre)
        Spike times; inf where there is no spike.
    weights : array, shape (n_pre, n)
        Slope that a spike adds to the potential of each neuron.
    level : array, shape (n,)
        Positive.

    Returns
    -------
    array, shape (batch, n)
        Times; inf where the level is not reached.
    """
    return _solve(times, weights, level)[0]


def _solve(times: Array, weights: Array, level: Array) -> tuple[Array, Array]:
    """Return the crossings and the slopes with which potentials cross."""
    times, weights, level = map(jnp.asarray, (times, weights, level))
    order = jnp.argsort(times, axis=1)
    ordered = jnp.take_along_axis(times, order, axis=1)
    spikes = jnp.isfinite(times)
    last = jnp.max(jnp.where(spikes, times, -jnp.inf), axis=1, keepdims=True)
    n_before = jnp.sum(times < last, axis=1, keepdims=True)
    shape = (len(times), weights.shape[1])
    start = jnp.where(jnp.isfinite(ordered[:, :1]), ordered[:, :1], 0.0)
    found = jnp.full(shape, jnp.inf, times.dtype)
    zero = jnp.zeros(shape, times.dtype)

    def arrive(k: Array, walk: _Walk) -> _Walk:
        early = k < n_before
        walk = _advance(walk, jnp.where(early, ordered[:, k, None], walk[2]), level)
        return (walk[0], walk[1] + jnp.where(early, weights[order[:, k]], 0.0), *walk[2:])

    walk = lax.fori_loop(0, jnp.max(n_before), arrive, (zero, zero, start, found, zero + 1.0))
    walk = _advance(walk, jnp.where(jnp.isfinite(last), last, walk[2]), level)
    group = (spikes & (times == last)).astype(times.dtype)
    v, m, position, found, slopes = walk
    m = m + jnp.matmul(group, weights, precision=EXACT)
    rises = jnp.isinf(found) & (m > 0)
    ahead = (level - v) / jnp.where(m > 0, m, 1.0)
    return jnp.where(rises, position + ahead, found), jnp.where(rises, m, slopes)


def _advance(walk: _Walk, to: Array, level: Array) -> _Walk:
    """Let time advance to ``to``, (batch, 1); note crossings on the way."""
    v, m, position, found, slopes = walk
    raised = v + m * (to - position)
    crosses = (raised >= level) & jnp.isinf(found)
    ahead = (level - v) / jnp.where(crosses, m, 1.0)
    return (
        raised,
        m,
        to,
        jnp.where(crosses, position + ahead, found),
        jnp.where(crosses, m, slopes),
    )


def _forward(times: Array, weights: Array, level: Array) -> tuple[Array, tuple[Array, ...]]:
    found, slopes = _solve(times, weights, level)
    return found, (times, weights, found, slopes)


def _backward(kept: tuple[Array, ...], given: Array) -> tuple[Array, Array, Array]:
    times, weights, found, slopes = kept
    spikes = jnp.isfinite(found)
    share = jnp.where(spikes, given, 0.0) / slopes
    until = jnp.where(spikes, found, -jnp.inf)  # crossings without a spike have no causes

    def of_weights(total: Array, sample: tuple[Array, Array, Array]) -> tuple[Array, None]:
        x, end, part = sample
        return total - part * jnp.maximum(end - x[:, None], 0.0), None

    def of_times(sample: tuple[Array, Array, Array]) -> Array:
        x, end, part = sample
        return jnp.sum(jnp.where(x[:, None] < end, weights * part, 0.0), axis=1)

    samples = (times, until, share)  # one by one: a batch of them would not fit into memory
    return (
        lax.map(of_times, samples),
        lax.scan(of_weights, jnp.zeros_like(weights), samples)[0],
        jnp.sum(share, axis=0),
    )


first_crossings.defvjp(_forward, _backward)
