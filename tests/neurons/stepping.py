"""Neurons under constant currents, step by step: what the tests of the library look at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike

from bioconv.neurons import Neuron, NeuronModel
from bioconv.neurons.language.update import update_of
from bioconv.timing import whole_steps


class Run(NamedTuple):
    """Spikes (step, neuron) and the state variables at the end of each step."""

    spikes: np.ndarray
    traces: dict[str, np.ndarray]
    dt: float

    @property
    def finite(self) -> bool:
        """Whether no state variable ever left the numbers."""
        return all(np.isfinite(trace).all() for trace in self.traces.values())

    def times(self, neuron: int = 0) -> np.ndarray:
        """Ends in ms of the steps in which a neuron fires."""
        return (np.flatnonzero(self.spikes[:, neuron]) + 1) * self.dt

    def intervals(self, neuron: int = 0) -> np.ndarray:
        """Intervals in ms between the spikes of a neuron."""
        return np.diff(self.times(neuron))

    def counts(self) -> np.ndarray:
        """Spikes of each neuron."""
        return self.spikes.sum(0)

    def rates(self, start: float) -> np.ndarray:
        """Rates in Hz from ``start`` (ms) on, by the intervals; 0 for fewer than two spikes."""
        times = [self.times(n) for n in range(self.spikes.shape[1])]
        late = [t[t > start] for t in times]
        return np.array([1e3 * (len(t) - 1) / np.ptp(t) if len(t) > 1 else 0.0 for t in late])


def run(
    neuron: Neuron,
    currents: ArrayLike,
    duration: float,
    dt: float | None = None,
    dtype: str = "float64",
    weights: Mapping[str, ArrayLike] | None = None,
) -> Run:
    """Step one neuron for each current from its initial state.

    ``currents`` has one value a neuron, or one row a step.  ``weights``, by receptor, one
    or one a neuron, arrive in the first step.
    """
    dt = dt or neuron.model.dt_default or 0.1
    table = np.asarray(currents, np.float64)
    if table.ndim == 1:
        table = np.broadcast_to(table, (whole_steps(duration, dt), len(table)))
    with jax.enable_x64(True):
        found = _run(neuron.model, *_prepared(neuron, table, dt, dtype, weights or {}))
    return Run(*jax.tree.map(np.asarray, found), dt)


def _prepared(
    neuron: Neuron, table: np.ndarray, dt: float, dtype: str, weights: Mapping[str, ArrayLike]
) -> tuple[Any, ...]:
    model, width = neuron.model, table.shape[1]
    parameters = {p.name: neuron.value(p.name) for p in model.parameters}
    constants = update_of(model, frozenset({model.current})).constants(parameters, dt)
    start = {s.name: parameters.get(s.initial, s.initial) for s in model.states}
    state = {k: np.broadcast_to(np.asarray(v, dtype), (width,)) for k, v in start.items()}
    inputs = {
        variable: np.broadcast_to(np.asarray(weight, dtype), (width,))
        for receptor, weight in weights.items()
        for variable in model.receptor(receptor).variables
    }
    values = {k: np.asarray(v, dtype) for k, v in constants.items()}
    period = whole_steps(float(neuron.value(model.refractory)), dt) if model.refractory else 0
    return table.astype(dtype), values, state, inputs, period, np.asarray(dt, dtype)


@partial(jax.jit, static_argnums=0)
def _run(
    model: NeuronModel, table: Any, values: Any, state: Any, inputs: Any, period: Any, dt: Any
) -> tuple[Any, Any]:
    update = update_of(model, frozenset({model.current}))
    none = jnp.zeros(table.shape[1], jnp.int32)

    def step(carry: Any, drive: Any) -> Any:
        (state, wait), (number, current) = carry, drive
        now = {**values, model.current: current, "t": number * dt}
        arriving = {k: jnp.where(number == 0, w, 0) for k, w in inputs.items()}
        wait = wait if update.waits else None
        state, wait, fired = update.step(state, wait, now, arriving, period)
        return (state, none if wait is None else wait), (fired, state)

    drives = (jnp.arange(len(table)).astype(dt.dtype), table)
    return lax.scan(step, (state, none), drives)[1]
