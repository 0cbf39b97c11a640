"""Exact solution of the neurons of `bioconv.codes.observation.neurons`.

The bias is one more linear postsynaptic potential, of the spike that starts the clock, so that the
first crossing is that of `bioconv.analog.first_crossings`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bioconv.analog.first_crossings import first_crossings
from bioconv.codes.observation.neurons import ObservedNeuron, Relay
from bioconv.codes.solving.exact import Exact, at_most, check_single_spike
from bioconv.codes.solving.stage import Compiled, Solution, Solver, Stage, Times, Traced
from bioconv.ground.errors import ParameterError
from bioconv.neurons.language.model import NeuronModel
from bioconv.operators import Array


@cache
def exact_solutions(_: NeuronModel) -> tuple[Exact, ...]:
    """Return the models of this code, both of which have exact solutions without changes."""
    return (
        Exact(ObservedNeuron().model, _observed, at_most(), ("i_syn", "started")),
        Exact(Relay().model, _relay, at_most()),
    )


def _compiled(traced: Traced, static: Hashable, constants: Any, latest: float) -> Compiled:
    def solve(arrivals: Sequence[Times], current: Times) -> Solution:
        return Solution(_alone(traced, static, constants, list(arrivals)))

    return Compiled(solve, traced, static, constants, latest)


@partial(jax.jit, static_argnames=("traced", "static"))
def _alone(traced: Traced, static: Hashable, constants: Any, arrivals: list[Array]) -> Array:
    return traced(static, constants, arrivals, None)[0]


def _observed(stage: Stage) -> Solver:
    check_single_spike(stage)
    c_m = stage.value("c_m")
    starts = tuple(entry.receptor != "syn" for entry in stage.incoming)
    matrices = [entry.operator.matrix().toarray() for entry in stage.incoming]
    _check_starts(stage, [m for m, start in zip(matrices, starts, strict=True) if start])
    level = stage.value("v_th") - stage.start("v")
    if np.any(level <= 0):
        raise ParameterError(
            f"The event simulator requires potentials of population {stage.population.name!r} that "
            "start below the threshold. Use simulator='array'."
        )
    constants = {
        "weights": [m / c_m for m, start in zip(matrices, starts, strict=True) if not start],
        "bias": stage.value("i_offset") / c_m,
        "level": level,
        # on the clock; a neuron whose clock has not started is observed all the time
        "period": stage.value("t_obs") - stage.start("clock"),
        "end": np.asarray(stage.end),
    }
    return _compiled(_first, starts, constants, stage.end)


def _check_starts(stage: Stage, matrices: Sequence[Any]) -> None:
    """Refuse synapses of which one spike does not start the clock."""
    if not matrices or any(np.any(matrix <= 0.5) for matrix in matrices):
        raise ParameterError(
            "The event simulator requires synapses that start the clock of every neuron of "
            f"population {stage.population.name!r} with one spike. Use simulator='array'."
        )


def _first(
    starts: Any, constants: Any, arrivals: Sequence[Array], current: Array
) -> tuple[Array, Mapping[str, Array], Array]:
    """Return the first crossings within the observation period."""
    pairs = list(zip(arrivals, starts, strict=True))
    given = [_flat(a) for a, start in pairs if start]
    start = jnp.concatenate(given, axis=1).min(axis=1, keepdims=True)
    several = [a for a, is_start in pairs if not is_start]
    weights = [
        jnp.repeat(w, a.shape[2], axis=0)
        for w, a in zip(constants["weights"], several, strict=True)
    ]
    times = first_crossings(
        jnp.concatenate([start, *map(_flat, several)], axis=1),
        jnp.concatenate([constants["bias"][None], *weights]),
        constants["level"],
    )
    fires = (times <= start + constants["period"]) & (times <= constants["end"])
    return jnp.where(fires, times, jnp.inf)[:, :, None], {}, jnp.zeros((), bool)


def _flat(arrivals: Array) -> Array:
    return arrivals.reshape(len(arrivals), -1)


def _relay(stage: Stage) -> Solver:
    check_single_spike(stage)
    constants = {
        "weights": [entry.operator.matrix().toarray() for entry in stage.incoming],
        "level": stage.value("v_th") - stage.start("v"),
        "end": np.asarray(stage.end),
    }
    return _compiled(_reached, None, constants, stage.end)


def _reached(
    static: Any, constants: Any, arrivals: Sequence[Array], current: Array
) -> tuple[Array, Mapping[str, Array], Array]:
    """Return when the sum of the pulses first reaches the threshold."""
    times = jnp.concatenate([_flat(a) for a in arrivals], axis=1)
    weights = jnp.concatenate(
        [
            jnp.repeat(w, a.shape[2], axis=0)
            for w, a in zip(constants["weights"], arrivals, strict=True)
        ]
    )
    order = jnp.argsort(times, axis=1)
    ordered = jnp.take_along_axis(times, order, axis=1)
    enough = jnp.cumsum(weights[order], axis=1) >= constants["level"]
    # Simultaneous pulses count as one: only the sum after the last of them is compared.
    apart = jnp.concatenate(
        [ordered[:, :-1] < ordered[:, 1:], jnp.isfinite(ordered[:, -1:])], axis=1
    )
    found = jnp.where(enough & apart[:, :, None], ordered[:, :, None], jnp.inf).min(axis=1)
    times = jnp.where(found <= constants["end"], found, jnp.inf)
    return times[:, :, None], {}, jnp.zeros((), bool)
