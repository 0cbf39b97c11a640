"""The compiled part, which runs the populations of a network one by one over a chunk of steps.

Without loops in the network, no loop over steps has to enclose its populations: a population runs
through all steps of a chunk, and its spikes in all these steps pass through the linear map to the
next population at once.  The result is the same as that of a step-by-step simulation, because a
spike arrives in a later step than that in which it is emitted, and the linear algebra is far more
efficient.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from bioconv.neurons.language.update import update_of
from bioconv.operators import Operator
from bioconv.simulators.array import stages as analog
from bioconv.simulators.array.plan import Plan, Source, Stage

Array = Any
Values = dict[str, Array]


class Table(NamedTuple):
    """Scheduled values of one variable, which equals ``values[i]`` from step ``steps[i]`` on."""

    steps: Array
    values: Array


class Release(NamedTuple):
    """Release probability of a projection, and the operator of its squared weights."""

    probability: Array
    squares: Operator


class Fixed(NamedTuple):
    """Arguments that stay the same for all chunks of a batch.

    Parameters
    ----------
    operators : list of Operator
        One for each projection.
    constants : dict of str to dict of str to array
        The constants of the update of each population.
    drives : dict of str to array
        The current that the inputs add, for each population with scheduled current changes.
    parameters, states : dict of str to dict of str to Table
        The scheduled changes of each population.
    refractory : dict of str to array of int
        Refractory periods in steps.
    first : dict of str to int
        First step of the late counts of each population that has them.
    noise : dict of str to array of keys (batch,)
        One random key per sample for each noisy population.
    n_steps : int
    release : dict of int to Release
        Release of the projections whose synapses may fail, by their index.
    failing : dict of int to array of keys (batch,)
        One random key per sample for each of these projections.
    stages : StageArrays
    """

    operators: list[Operator]
    constants: dict[str, Values]
    drives: Values
    parameters: dict[str, dict[str, Table]]
    states: dict[str, dict[str, Table]]
    refractory: Values
    first: Values
    noise: Values
    n_steps: Array
    release: dict[int, Release]
    failing: dict[int, Array]
    stages: analog.StageArrays


class Carry(NamedTuple):
    """State that is carried from chunk to chunk.

    Parameters
    ----------
    step : int
        The next step.
    state : dict of str to dict of str to array (batch, n)
    wait : dict of str to array of int (batch, n)
        Remaining refractory steps of each neuron; in a model that fires at crossings, 1 for a
        neuron that is still above its threshold.
    pending : list of array (delay, batch, n)
        For each projection, the summed weights that have not arrived yet.
    counts, late : dict of str to array of int (batch, n)
        Spike counts from step 0 and from the population's first step.
    drawn : dict of int to array (batch, n)
        For each drive by an analog stage, what its operator returned for the last step.
    """

    step: Array
    state: dict[str, Values]
    wait: Values
    pending: list[Array]
    counts: Values
    late: Values
    drawn: dict[int, Array]


class Records(NamedTuple):
    """What was asked for, for the steps of this chunk: (steps, batch, n)."""

    spikes: Values
    traces: dict[str, Values]


def start(plan: Plan, state: dict[str, Values]) -> Carry:
    """Return the state before step 0."""
    shape = {stage.name: (plan.batch, stage.n) for stage in plan.stages}
    delays = {
        s.index: (s.delay, *shape[stage.name]) for stage in plan.stages for s in stage.sources
    }
    counted = {**shape, **{name: (plan.batch, n) for name, n in plan.inputs}}
    number = plan.dtype if plan.differentiable else np.int32
    return Carry(
        step=np.zeros((), np.int32),
        state={
            name: {k: _spread(v, shape[name], plan.dtype) for k, v in values.items()}
            for name, values in state.items()
        },
        wait={s.name: np.zeros(shape[s.name], np.int32) for s in plan.stages if s.waits},
        pending=[np.zeros(delays[index], plan.dtype) for index in sorted(delays)],
        counts={name: np.zeros(shape, number) for name, shape in counted.items()},
        late={s.name: np.zeros(shape[s.name], number) for s in plan.stages if s.late},
        drawn={i: np.zeros(shape[s.name], plan.dtype) for s in plan.stages for i, _ in s.driven},
    )


def _spread(value: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return a value of each neuron for each sample, as an array of the library of the value."""
    library = jnp if isinstance(value, jax.Array) else np
    return library.broadcast_to(value, shape).astype(dtype)


def chunk(plan: Plan, fixed: Fixed, carry: Carry, inputs: Values) -> tuple[Carry, Records]:
    """Run ``plan.steps`` steps; what happens after the last step of the run is left out.

    Parameters
    ----------
    plan : Plan
    fixed : Fixed
    carry : Carry
    inputs : dict of str to array of bool, shape (steps, batch, n)
        Spikes of the spiking inputs.

    Returns
    -------
    carry : Carry
    records : Records
    """
    steps = carry.step + jnp.arange(plan.steps, dtype=jnp.int32)
    live = (steps < fixed.n_steps)[:, None, None]
    spikes = {name: _where(live, value) for name, value in inputs.items()}
    state, wait, pending = {}, dict(carry.wait), list(carry.pending)
    records = Records({}, {})
    drawn = dict(carry.drawn)
    known = analog.Chunk(plan.batch, steps, {**carry.counts, **carry.late}, spikes, {})
    for stage in plan.stages:
        arriving: Values = {}
        for source in stage.sources:
            i = source.index
            sent = lax.stop_gradient(spikes[source.pre]) if plan.local else spikes[source.pre]
            weights = _transmit(fixed.operators[i], sent, plan)
            if source.fails:
                weights = _released(plan, source, fixed, spikes[source.pre], steps, weights)
            line = jnp.concatenate([pending[i], weights])
            pending[i] = line[plan.steps :]
            for variable in source.variables:
                arriving[variable] = arriving.get(variable, 0) + line[: plan.steps]
        current = None
        for index, name in stage.driven:
            part, drawn[index] = analog.current(
                fixed.stages,
                stage.name,
                index,
                name,
                carry.drawn[index],
                known,
            )
            current = part if current is None else current + part
        last, fired, traces = _integrate(plan, stage, fixed, carry, steps, arriving, current)
        state[stage.name] = last[0]
        if stage.waits:
            wait[stage.name] = last[1]
        if fired is not None:
            spikes[stage.name] = _where(live, fired)
        if stage.spikes and fired is not None:
            records.spikes[stage.name] = spikes[stage.name]
        records.traces[stage.name] = traces
    counts = {
        name: count + _count(spikes[name], count.dtype) if name in spikes else count
        for name, count in carry.counts.items()
    }
    late = {
        name: count
        + _count(_where((steps >= fixed.first[name])[:, None, None], spikes[name]), count.dtype)
        for name, count in carry.late.items()
    }
    after = Carry(carry.step + plan.steps, state, wait, pending, counts, late, drawn)
    return after, records


#: `chunk`, compiled
run_chunk = jax.jit(chunk, static_argnames="plan", donate_argnames="carry")


def _where(mask: Array, spikes: Array) -> Array:
    """Return the spikes within a mask, as booleans or numbers, as they are given."""
    return spikes & mask if spikes.dtype == bool else jnp.where(mask, spikes, 0)


def _count(spikes: Array, dtype: Any) -> Array:
    return spikes.sum(axis=0, dtype=dtype)


def _transmit(operator: Operator, spikes: Array, plan: Plan) -> Array:
    """Return the summed weights that the spikes of each step and sample transmit."""
    steps, batch, _ = spikes.shape

    def add_up(spikes: Array) -> Array:
        x = spikes.reshape(steps * batch, *operator.in_shape)
        passed = operator.transmit(x, plan.dtype) if x.dtype == bool else operator.apply(x)
        return passed.reshape(steps, batch, -1)

    def silence(spikes: Array) -> Array:
        return jnp.zeros((steps, batch, prod(operator.out_shape)), plan.dtype)

    return lax.cond(spikes.any(), add_up, silence, spikes) if plan.windows else add_up(spikes)


def _released(
    plan: Plan, source: Source, fixed: Fixed, spikes: Array, steps: Array, weights: Array
) -> Array:
    """Return the part of ``weights`` that arrives if synapses fail independently.

    One number is drawn for each neuron rather than for each synapse.  It is exact for a neuron with
    a single synapse; otherwise it is drawn from the normal distribution whose mean p W and variance
    p (1 - p) W^2 are summed over the neuron's synapses.
    """
    p, squares = fixed.release[source.index]
    shape = weights.shape[-1:]

    def of_step(key: Array, number: Array) -> Array:
        key = jax.random.fold_in(key, number)
        draw = jax.random.uniform if source.single else jax.random.normal
        return draw(key, shape, jnp.float32).astype(plan.dtype)

    of_samples = jax.vmap(of_step, in_axes=(0, None))
    x = jax.vmap(of_samples, in_axes=(None, 0))(fixed.failing[source.index], steps)
    if source.single:
        return jnp.where(x < p, weights, 0)
    variance = jnp.maximum(p * (1 - p) * _transmit(squares, spikes, plan), 0)
    return p * weights + jnp.sqrt(variance) * x


def _integrate(
    plan: Plan,
    stage: Stage,
    fixed: Fixed,
    carry: Carry,
    steps: Array,
    arriving: Values,
    current: Array | None,
) -> tuple[tuple[Values, Array], Array, Values]:
    """Run one population through all steps of the chunk.

    ``current`` is what analog stages drive, of shape (steps, batch, n), in pA.
    """
    update = update_of(stage.model, frozenset(stage.changing))

    def step(before: tuple[Values, Array], now: tuple[Array, Values, Array | None]) -> Any:
        state, wait = before
        number, arrives, more = now
        values = _values(plan, stage, fixed, number) | _noise(plan, stage, fixed, number)
        if more is not None:
            values[stage.model.current] = values[stage.model.current] + more
        state = _set_states(stage, fixed, state, number)
        period = _period(plan, stage, fixed, values) if stage.refractory else None
        if plan.differentiable:
            state, values = finite_derivatives((state, values))
        state, wait, fired = update.step(state, wait, values, arrives, period, stage.compare)
        if fired is not None:
            fired = jnp.broadcast_to(fired, (plan.batch, stage.n))
        shape = (plan.batch, stage.n)  # an update may be a plain number, such as 0
        state = {k: jnp.broadcast_to(v, shape).astype(plan.dtype) for k, v in state.items()}
        return (state, wait), (fired, {name: state[name] for name in stage.traces})

    first = (carry.state[stage.name], carry.wait.get(stage.name))
    if plan.differentiable:  # keep the state of every step, and nothing else of it
        step = jax.checkpoint(step, prevent_cse=False)
    last, (fired, traces) = lax.scan(step, first, (steps, arriving, current))
    return last, fired, traces


@jax.custom_vjp
def finite_derivatives(tree: Any) -> Any:
    """Return the arrays, whose derivatives are 0 where they are not finite.

    Where an exponential overflows, the neuron is reset, or saturated in the limit of a bound:
    the derivative is 0, but computed as the product of 0 and infinity.
    """
    return tree


def _forward(tree: Any) -> tuple[Any, None]:
    return tree, None


def _backward(_: None, slopes: Any) -> tuple[Any]:
    return (jax.tree.map(lambda slope: jnp.where(jnp.isfinite(slope), slope, 0), slopes),)


finite_derivatives.defvjp(_forward, _backward)


def _values(plan: Plan, stage: Stage, fixed: Fixed, number: Array) -> Values:
    """Return the values of all names of the update in one step."""
    values = dict(fixed.constants[stage.name])
    values["t"] = number.astype(plan.dtype) * plan.dt
    for name in stage.changing:
        table = fixed.parameters[stage.name][name]
        value = table.values[_entry(table, number)]
        if name == stage.model.current and stage.name in fixed.drives:
            value = value + fixed.drives[stage.name]
        values[name] = value
    return values


def _entry(table: Table, number: Array) -> Array:
    """Return the index of the last entry of a table up to a step, or -1 before the first.

    Tables are short, and counting, unlike a search, is no loop within the loop over steps.
    """
    return (table.steps <= number).sum(dtype=jnp.int32) - 1


def _noise(plan: Plan, stage: Stage, fixed: Fixed, number: Array) -> Values:
    """Return the random numbers of one step, which depend only on the sample and the step.

    Drawing them step by step keeps them out of memory: drawing them per chunk takes four times as
    long.
    """
    if stage.name not in fixed.noise:
        return {}
    update = update_of(stage.model, frozenset(stage.changing))

    def of_sample(key: Array) -> Values:
        return update.draw(jax.random.fold_in(key, number), (stage.n,), plan.dtype)

    return jax.vmap(of_sample)(fixed.noise[stage.name])


def _set_states(stage: Stage, fixed: Fixed, state: Values, number: Array) -> Values:
    new = dict(state)
    for name in stage.set_states:
        table = fixed.states[stage.name][name]
        index = _entry(table, number)
        due = (index >= 0) & (table.steps[index] == number)
        new[name] = jnp.where(due, table.values[index], new[name])
    return new


def _period(plan: Plan, stage: Stage, fixed: Fixed, values: Values) -> Array:
    name = stage.model.refractory
    if name in stage.changing:
        return jnp.round(values[name] / plan.dt).astype(jnp.int32)
    return fixed.refractory[stage.name]
