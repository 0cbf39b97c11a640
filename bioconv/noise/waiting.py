"""Behaviour of a neuron without input: whether it fires and which variables change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from bioconv.network import Population
from bioconv.neurons.language.discrete import import_brian2
from bioconv.neurons.language.expressions import names_in, parse_expression
from bioconv.neurons.language.model import NeuronModel
from bioconv.neurons.language.update import Update, update_of
from bioconv.noise.edits import value_of

Step: TypeAlias = Callable[[Any, Any], Any]


def uses_time(model: NeuronModel) -> bool:
    """Whether a model depends explicitly on time."""
    texts = [e.expression for e in model.parsed_equations]
    texts += [a.expression for a in (*model.reset_statements, *model.after_statements)]
    texts += [model.threshold] if model.threshold else []
    noise = {name for e in model.parsed_equations for name in e.white_noise}
    return any(
        "t" in names_in(parse_expression(text, model.names | noise, random=True)) for text in texts
    )


def wakes(population: Population, dt: float, n_steps: int) -> tuple[bool, tuple[str, ...]]:
    """Determine the behaviour of a population without input in the first steps.

    Parameters
    ----------
    population : Population
    dt : float
        ms.
    n_steps : int

    Returns
    -------
    fires : bool
        Whether any neuron would fire.
    moved : tuple of str
        State variables that differ from their initial values.
    """
    import jax
    import jax.numpy as jnp

    model, shape = population.model, population.shape
    update = update_of(model)
    with jax.enable_x64(True):
        parameters = {p.name: value_of(population, p.name) for p in model.parameters}
        values: dict[str, Any] = dict(update.constants(parameters, dt))
        values |= {name: 0.0 for name in update.discrete.noise}
        start = {
            s.name: jnp.broadcast_to(jnp.asarray(population.start(s.name), float), shape)
            for s in model.states
        }
        wait = jnp.zeros(shape, jnp.int32) if update.waits else None
        state, fired = _first(update, dt, n_steps, values, (start, wait))
        # A model that is independent of time and at rest in the first step stays at rest.
        if fired or uses_time(model) or _moved(state, start):
            state, fired = _run(model, dt, n_steps)(values, (start, wait))
        return bool(fired), _moved(state, start)


def _step(update: Update, dt: float, period: int, values: Mapping[str, Any]) -> Step:
    """Return the function for one step without input, for `jax.lax.scan`."""
    import jax.numpy as jnp

    def step(before: Any, number: Any) -> Any:
        state, wait = before
        shape = next(iter(state.values())).shape
        periods = jnp.full(shape, period, jnp.int32)
        new, wait, fired = update.step(state, wait, {**values, "t": number * dt}, {}, periods)
        new = {k: jnp.broadcast_to(v, shape).astype(float) for k, v in new.items()}
        return (new, wait), jnp.asarray(False if fired is None else jnp.any(fired))

    return step


def _first(update: Update, dt: float, period: int, values: Mapping[str, Any], start: Any) -> Any:
    (state, _), fired = _step(update, dt, period, values)(start, 0)
    return state, fired


@lru_cache(maxsize=128)
def _run(model: NeuronModel, dt: float, n_steps: int) -> Callable[[Any, Any], Any]:
    """Return the function for ``n_steps`` without input, compiled once for each model."""
    import jax
    import jax.numpy as jnp

    def run(values: Any, start: Any) -> Any:
        step = _step(update_of(model), dt, n_steps, values)
        (state, _), fired = jax.lax.scan(step, start, jnp.arange(n_steps))
        return state, fired.any()

    return jax.jit(run)


def _moved(state: dict[str, Any], start: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, v in state.items() if not np.array_equal(v, start[name]))


def runs_away(model: NeuronModel) -> bool:
    """Whether a state variable may diverge in a short time if it is not reset.

    This is only possible if its equation is not linear in the variable itself.
    """
    import_brian2()
    from brian2 import Equations
    from brian2.stateupdaters.exponential_euler import get_conditionally_linear_system

    if not model.reset:
        return False
    if any(equation.white_noise for equation in model.parsed_equations):
        return True  # this cannot be determined
    lines = [e.text for e in model.parsed_equations if not e.constant_over_dt]
    try:
        get_conditionally_linear_system(Equations("\n".join(lines)))
    except ValueError:
        return True
    return False
