"""Exact event-driven solution of sigma-delta neurons.

See Yousefzadeh et al. 2019, Algorithm 1.  Nothing changes between arrivals, so that a loop over the
arrival times of each sample is exact.  Spikes that arrive simultaneously are added up before the
threshold is checked; a neuron that is several levels off emits several spikes at that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.codes.sigma_delta.neurons import (
    MOST_SOURCES,
    IntensityToDelay,
    SigmaDelta,
    SigmaDeltaMaxGate,
    SigmaDeltaOutput,
)
from bioconv.codes.solving.exact import Exact, at_most, check_single_spike, check_uniform
from bioconv.codes.solving.stage import Solution, Solver, Stage, Times
from bioconv.network import Change, Population
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel
from bioconv.operators import Array, Operator

#: decimals of a time in ms to which arrivals are rounded; equal ones form one event
_DECIMALS = 9
#: tolerance in ms for a spike that is computed to lie after the end of the ramp
_ROUNDING = 1e-9

#: state variable -> its values (batch, n)
State = dict[str, Array]
#: (receptor, times of arrival) -> value of each spike
Worth = Callable[[str, Times], Times]
_ONCE = at_most(gate=1, slope=1)


def exact_solutions(model: NeuronModel) -> tuple[Exact, ...]:
    """Return the models of this code, all of which have exact solutions.

    Pooling neurons and gates are only included with the number of receptors of ``model``.
    """
    return _with_receptors(len(model.receptors))


@cache
def _with_receptors(n: int) -> tuple[Exact, ...]:
    branches = range(1, MOST_SOURCES + 1)
    found = [
        Exact(IntensityToDelay().model, _delaying, _misses),
        Exact(SigmaDeltaOutput().model, _adding, _misses, ("s",), ("v",)),
    ]
    if n % 2 == 0 and n // 2 in branches:
        model = SigmaDelta(n // 2).model
        timed = tuple(receptor.variable for receptor in model.receptors[n // 2 :])
        found.append(Exact(model, partial(_following, n // 2), _misses, timed))
    if n > 1 and n in branches:
        found.append(Exact(SigmaDeltaMaxGate(n).model, _gating, _misses))
    return tuple(found)


def _misses(population: Population, changes: Sequence[Change]) -> list[str]:
    """Report changes other than closing the gate once and ending the ramp."""
    found = list(_ONCE(population, changes))
    found += [
        f"{c.variable} of population {population.name!r} changes to another value than 0"
        for c in changes
        if c.variable in ("gate", "slope") and np.any(c.value)
    ]
    if population.model.role(roles.GATE) and np.any(population.values("gate") != 1):
        found.append(f"gate of population {population.name!r} does not start at 1")
    return found


def _delaying(stage: Stage) -> Solver:
    check_single_spike(stage)
    return partial(_delays, stage)


def _adding(stage: Stage) -> Solver:
    check_uniform(stage, "t_first", "t_ramp")
    return partial(_add_up, stage, partial(_worth, stage, 1))


def _following(n_branches: int, stage: Stage) -> Solver:
    check_uniform(stage, "t_first", "t_ramp")
    model = stage.population.model
    potentials = [receptor.variable for receptor in model.receptors[:n_branches]]
    start = {"q": stage.start("q"), **{name: stage.start(name) for name in potentials}}
    step = _neuron(stage, n_branches)
    return partial(_follow, stage, start, step, partial(_worth, stage, n_branches))


def _gating(stage: Stage) -> Solver:
    start = {state.name: stage.start(state.name) for state in stage.population.model.states}
    return partial(_follow, stage, start, _gate(stage), lambda _, times: _whole(times))


def _delays(stage: Stage, arrivals: Sequence[Times], current: Times) -> Solution:
    """Return one spike, at which the ramp has raised the charge of the sample to the threshold."""
    charged, ended = _change_time(stage, "gate"), _change_time(stage, "slope")
    potential = _charged(stage, current)
    missing = np.maximum(stage.value("v_th") - potential, 0.0)
    times = charged + missing / stage.value("slope")
    late = times > min(ended, stage.end) + _ROUNDING
    return Solution(np.where(late, np.inf, times)[..., None])


def _add_up(stage: Stage, worth: Worth, arrivals: Sequence[Times], current: Times) -> Solution:
    """Return the final potential, the sum of all input."""
    potential = _charged(stage, current)
    for entry, times in zip(stage.incoming, arrivals, strict=True):
        each = np.where(times <= stage.end, worth(entry.receptor, times), 0.0)
        potential = potential + np.asarray(_apply(entry.operator, each.sum(axis=-1)))
    return Solution(np.full((*current.shape, 0), np.inf), {"v": potential})


def _follow(
    stage: Stage,
    start: Mapping[str, Times],
    step: Callable[..., Any],
    worth: Worth,
    arrivals: Sequence[Times],
    current: Times,
) -> Solution:
    """Let the quantised value follow the potential, or the maximum of sources, at each event."""
    # the initial potential and the charge of the first step take effect at the end of that step
    events = _Events.of(arrivals, len(current), stage.dt, stage.end)
    batch, n = current.shape
    state: State = {
        name: jnp.broadcast_to(jnp.asarray(value), (batch, n)) for name, value in start.items()
    }
    model = stage.population.model
    if model.current:
        state[model.potential] = jnp.asarray(_charged(stage, current))
    operators = [entry.operator for entry in stage.incoming]
    given = [
        jnp.asarray(worth(entry.receptor, times))
        for entry, times in zip(stage.incoming, arrivals, strict=True)
    ]
    sent = []
    for number in range(events.times.shape[1]):
        state, spikes = step(operators, state, given, events.places, number)
        sent.append(_spikes_of(np.asarray(spikes), number))
    return Solution(_times_of(sent, events.times, batch, n))


@dataclass(frozen=True)
class _Events:
    """Times of events (batch, m), and the number of the event of each arrival."""

    times: Times
    places: list[Array]

    @staticmethod
    def of(arrivals: Sequence[Times], batch: int, begin: float, end: float) -> _Events:
        """Collect ``begin`` and the distinct arrival times up to ``end`` for each sample."""
        rounded = [np.round(times, _DECIMALS).reshape(batch, -1) for times in arrivals]
        every = np.sort(np.concatenate([np.full((batch, 1), begin), *rounded], axis=1), axis=1)
        first = np.ones(every.shape, bool)
        first[:, 1:] = every[:, 1:] != every[:, :-1]
        every = np.where(first & (every <= end), every, np.inf)
        every = np.sort(every, axis=1)
        every = every[:, : max(int(np.isfinite(every).sum(axis=1).max()), 1)]
        # All sorted rows are searched at once: an offset puts each row above the previous one.
        lift = (np.arange(batch) * 2.0 * (end + 1.0))[:, None]
        flat = (np.minimum(every, end + 1.0) + lift).ravel()
        places = []
        for times, original in zip(rounded, arrivals, strict=True):
            place = np.searchsorted(flat, np.minimum(times, end + 1.0) + lift)
            place = place - np.arange(batch)[:, None] * every.shape[1]
            place = np.where(times <= end, place, -1)
            places.append(jnp.asarray(place.reshape(original.shape), jnp.int32))
        return _Events(every, places)


def _neuron(stage: Stage, n_branches: int) -> Callable[..., Any]:
    """Return the update of Algorithm 1 for spikes that arrive simultaneously."""
    level, threshold, highest, polarity = (
        stage.value(name) for name in ("level", "v_th", "v_max", "polarity")
    )
    receptors = [receptor.name for receptor in stage.population.model.receptors]
    branches = [r.variable for r in stage.population.model.receptors[:n_branches]]
    places = [receptors.index(entry.receptor) for entry in stage.incoming]
    targets = [branches[place % n_branches] for place in places]

    @jax.jit
    def step(operators: Any, state: State, worth: Any, places: Any, number: Any) -> Any:
        new = dict(state)
        for operator, name, each, place in zip(operators, targets, worth, places, strict=True):
            new[name] = new[name] + _arriving(operator, each, place, number)
        v = jnp.max(jnp.stack([new[name] for name in branches]), axis=0)
        d = jnp.clip(v, 0.0, highest) - state["q"]
        n = jnp.sign(d) * jnp.maximum(jnp.floor((jnp.abs(d) - threshold) / level) + 1.0, 0.0)
        return {**new, "q": state["q"] + level * n}, jnp.maximum(polarity * n, 0.0)

    return step


def _gate(stage: Stage) -> Callable[..., Any]:
    """Return the update of a gate: the largest value of its sources in whole levels."""
    polarity = stage.value("polarity")
    receptors = {r.name: r.variable for r in stage.population.model.receptors}
    variables = [receptors[entry.receptor] for entry in stage.incoming]

    @jax.jit
    def step(operators: Any, state: State, worth: Any, places: Any, number: Any) -> Any:
        new = dict(state)
        for operator, variable, each, place in zip(
            operators, variables, worth, places, strict=True
        ):
            new[variable] = new[variable] + _arriving(operator, each, place, number)
        largest = jnp.max(jnp.stack([new[name] for name in receptors.values()]), axis=0)
        n = jnp.round(largest - new["q"])
        return {**new, "q": new["q"] + n}, jnp.maximum(polarity * n, 0.0)

    return step


def _arriving(operator: Operator, worth: Array, place: Array, number: Array) -> Array:
    now = jnp.sum(jnp.where(place == number, worth, 0.0), axis=-1)
    return operator.apply(now.reshape(-1, *operator.in_shape)).reshape(len(now), -1)


@jax.jit
def _apply(operator: Operator, x: Array) -> Array:
    return operator.apply(x.reshape(-1, *operator.in_shape)).reshape(len(x), -1)


def _spikes_of(counts: NDArray[np.float64], number: int) -> tuple[NDArray, ...]:
    """Return sample, neuron and event of each spike, repeated for multiple spikes."""
    sample, neuron = np.nonzero(counts)
    repeats = counts[sample, neuron].astype(np.int64)
    sample, neuron = np.repeat(sample, repeats), np.repeat(neuron, repeats)
    return sample, neuron, np.full(len(sample), number)


def _times_of(sent: list[tuple[NDArray, ...]], events: Times, batch: int, n: int) -> Times:
    """Return ascending spike times (batch, n, k) from lists in the order of events."""
    sample, neuron, event = (np.concatenate(parts) for parts in zip(*sent, strict=True))
    flat = sample * n + neuron
    order = np.argsort(flat, kind="stable")
    flat, totals = flat[order], np.bincount(flat, minlength=batch * n)
    place = np.arange(len(flat)) - (np.cumsum(totals) - totals)[flat]
    times = np.full((batch * n, int(totals.max(initial=0))), np.inf)
    times[flat, place] = events[sample[order], event[order]]
    return times.reshape(batch, n, -1)


def _worth(stage: Stage, n_branches: int, receptor: str, times: Times) -> Times:
    """Return the value of each arriving spike: 1, or the intensity that its time represents.

    Spike times are evaluated by the receptors of the second half.
    """
    if receptor in [entry.name for entry in stage.population.model.receptors[:n_branches]]:
        return _whole(times)
    zero = float(stage.value("t_first")[0]) - stage.dt / 2
    ramp = float(stage.value("t_ramp")[0])
    return np.clip(1.0 - (np.where(np.isfinite(times), times, np.inf) - zero) / ramp, 0.0, 1.0)


def _whole(times: Times) -> Times:
    return np.isfinite(times).astype(np.float64)


def _charged(stage: Stage, current: Times) -> Times:
    """Return the potential after the constant current has ended."""
    flow = (stage.value("i_offset") + current) / stage.value("c_m")
    return stage.start("v") + flow * _change_time(stage, "gate")


def _change_time(stage: Stage, variable: str) -> float:
    """Return the time in ms at which a parameter changes, or the end of the sample."""
    times = [c.step * stage.dt for c in stage.changes if c.variable == variable]
    return min(times, default=stage.end)
