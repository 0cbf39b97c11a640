"""Exact solution of axons: delayed, lost and spurious spikes.

See `bioconv.neurons.library.axon`.  A random delay is ``dt + latency`` plus a normal error, as on
the grid, but it is not rounded, and the number of spikes under way is not limited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bioconv.codes.solving.stage import Compiled, Solution, Solver, Stage, Times
from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.library.axon import loss_probability, spurious_rate
from bioconv.operators import Array, Reshape

#: random number streams of an axon
_JITTER, _LOSS, _SPURIOUS = range(3)


@dataclass(frozen=True)
class _Kind:
    """Properties of the axons of a population; ``most`` is the number of spurious spikes drawn."""

    delays: bool
    loses: bool
    most: int


def prepare(stage: Stage) -> Solver:
    """Return the solver of a population; see `bioconv.simulators.event`.

    Raises
    ------
    ParameterError
        The axons are not connected one to one to the neurons of a single population.
    """
    if len(stage.incoming) != 1 or not isinstance(stage.incoming[0].operator, Reshape):
        raise ParameterError(
            "The event simulator requires axons to have one source population, with one axon for "
            f"each neuron. {stage.population.name!r} has other input. Use simulator='array'."
        )
    (entry,), model = stage.incoming, stage.population.model
    wanted = (roles.LATENCY, roles.JITTER, roles.LOSS, roles.SPURIOUS)
    latency, jitter, loss, spurious = map(model.role, wanted)
    key = jax.random.fold_in(jax.random.key(stage.seed, impl="threefry2x32"), stage.position)
    p: dict[str, Any] = {"key": key, "end": np.asarray(stage.end), "shift": np.zeros(())}
    latest, expected = entry.latest, 0.0
    if latency:
        p |= {"latency": stage.value(latency), "sigma": stage.value(jitter)}
        p["shift"] = p["latency"] + stage.dt
        latest += float(np.max(p["shift"] + p["latency"]))
    if loss:
        p["loss"] = loss_probability(stage.value(loss))
    if spurious:
        p["rate"] = spurious_rate(stage.value(spurious), stage.dt) * 1e-3
        expected = float(np.max(p["rate"])) * stage.end
        latest = stage.end
    most = int(np.ceil(expected + 8 * np.sqrt(expected) + 8)) if expected else 0
    kind = _Kind(bool(latency), bool(loss), most)
    latest = min(latest, stage.end)
    certain = entry.certain and latest < stage.end and not (kind.loses or most)

    def solve(arrivals: Sequence[Times], current: Times, images: Times) -> Solution:
        return Solution(_sent_alone(kind, {**p, "images": images}, list(arrivals)))

    return Compiled(solve, _traced, kind, p, latest, certain, draws=True)


def _traced(
    kind: Any, p: Mapping[str, Array], arrivals: Sequence[Array], current: Array
) -> tuple[Array, dict[str, Array], Array]:
    return _sent(kind, p, arrivals), {}, jnp.zeros((), bool)


@partial(jax.jit, static_argnames="kind")
def _sent_alone(kind: _Kind, p: Mapping[str, Array], arrivals: list[Array]) -> Array:
    return _sent(kind, p, arrivals)


def _sent(kind: _Kind, p: Mapping[str, Array], arrivals: Sequence[Array]) -> Array:
    """Return the spike times of axons, (batch, n, k), from those of their neurons."""
    (times,) = arrivals
    keys = jax.vmap(partial(jax.random.fold_in, p["key"]))(p["images"])
    sent = times + p["shift"][..., None]
    if kind.delays:
        error = p["sigma"][:, None] * _drawn(jax.random.normal, keys, _JITTER, times.shape)
        sent = sent + jnp.clip(error, -p["latency"][:, None], p["latency"][:, None])
    if kind.loses:
        lost = _drawn(jax.random.uniform, keys, _LOSS, times.shape) < p["loss"][:, None]
        sent = jnp.where(lost, jnp.inf, sent)
    if kind.most:
        shape = (*times.shape[:2], kind.most)
        gaps = _drawn(jax.random.exponential, keys, _SPURIOUS, shape) / p["rate"][:, None]
        sent = jnp.concatenate([sent, jnp.cumsum(gaps, axis=2)], axis=2)
    sent = jnp.where(sent <= p["end"], sent, jnp.inf)
    return jnp.sort(sent, axis=2) if sent.shape[2] > 1 else sent


def _drawn(draw: Any, keys: Array, stream: int, shape: tuple[int, ...]) -> Array:
    """Draw numbers (batch, n, k) of a stream that only depend on the sample and the spike."""
    _, n, k = shape

    def of_spike(key: Array, number: Array) -> Array:
        return draw(jax.random.fold_in(key, number), (n,), np.float32)

    def of_sample(key: Array) -> Array:
        numbers = jnp.arange(k, dtype=jnp.int32)
        return jax.vmap(of_spike, in_axes=(None, 0))(jax.random.fold_in(key, stream), numbers).T

    return jax.vmap(of_sample)(keys).astype(np.float64)
