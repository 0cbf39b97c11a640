"""The numerical arguments of the compiled part, as arrays of the requested precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.network import Change, Population, SpikingNetwork
from bioconv.neurons.language.update import in_equations, update_of
from bioconv.operators import Operator, squared
from bioconv.simulators.array.engine import Fixed, Release, Table
from bioconv.simulators.array.plan import Plan, Stage
from bioconv.simulators.settings import Data
from bioconv.timing import whole_steps

Floats = NDArray[np.float64]

#: what draws random numbers: populations with noise, projections that fail
_MEMBRANES, _SYNAPSES = 0, 1


class Arrays:
    """All arguments of the compiled part except the samples, built once per simulation.

    Parameters
    ----------
    network : SpikingNetwork
    plan : Plan
    n_steps, seed : int
    """

    def __init__(self, network: SpikingNetwork, plan: Plan, n_steps: int, seed: int):
        self.network, self.plan, self.n_steps, self.seed = network, plan, n_steps, seed
        self.operators = [_cast(p.operator, plan.dtype) for p in network.projections]
        self.parameters = {s.name: _parameters(network.population(s.name)) for s in plan.stages}
        self.refractory = {
            stage.name: jnp.asarray(_periods(self.parameters[stage.name], stage, plan.dt))
            for stage in plan.stages
            if stage.refractory and stage.model.refractory not in stage.changing
        }
        self.first = {
            stage.name: jnp.int32(network.population(stage.name).start_step)
            for stage in plan.stages
            if stage.late
        }
        self.tables = {stage.name: self._parameter_tables(stage) for stage in plan.stages}
        self.set_states = {stage.name: self._state_tables(stage) for stage in plan.stages}
        self.release = {
            index: Release(
                jnp.asarray(p.release, plan.dtype),
                _cast(squared(p.operator), plan.dtype),
            )
            for index, p in enumerate(network.projections)
            if p.release < 1
        }
        self._still: dict[str, dict[str, Any]] = {}

    def states(self) -> dict[str, dict[str, Floats]]:
        """Return the initial values of all state variables."""
        return {
            stage.name: {
                state.name: self.network.population(stage.name).starts(state.name)
                for state in stage.model.states
            }
            for stage in self.plan.stages
        }

    def fixed(self, data: Data, images: NDArray[np.int64]) -> Fixed:
        """Return the arguments of the compiled part for the samples with these indices."""
        currents = drive_currents(self.network, data)
        constants, drives = {}, {}
        for stage in self.plan.stages:
            current, name = stage.model.current, stage.name
            values = self.parameters[name]
            if name in currents and current in stage.changing:
                drives[name] = jnp.asarray(currents[name], self.plan.dtype)
            elif name in currents:
                values = {**values, current: values[current] + currents[name]}
            if name in currents or name not in self._still:
                update = update_of(stage.model, frozenset(stage.changing))
                self._still[name] = {
                    key: jnp.asarray(value, self.plan.dtype)
                    for key, value in update.constants(values, self.plan.dt).items()
                }
            constants[name] = self._still[name]
        return Fixed(
            operators=self.operators,
            constants=constants,
            drives=drives,
            parameters=self.tables,
            states=self.set_states,
            refractory=self.refractory,
            first=self.first,
            noise=self._noise(images),
            release=self.release,
            failing=self._failing(images),
            n_steps=jnp.int32(self.n_steps),
        )

    def _noise(self, images: NDArray[np.int64]) -> dict[str, Any]:
        """Return one random key for each sample of each noisy population."""
        return {
            stage.name: self._keys(_MEMBRANES, position, images)
            for position, stage in enumerate(self.plan.stages)
            if stage.model.noisy
        }

    def _failing(self, images: NDArray[np.int64]) -> dict[int, Any]:
        """One key for each sample and projection that does not pass all spikes on."""
        return {index: self._keys(_SYNAPSES, index, images) for index in self.release}

    def _keys(self, kind: int, position: int, images: NDArray[np.int64]) -> Any:
        """One key for each sample: of the seed, and of what draws, by its place in the network."""
        key = jax.random.key(self.seed, impl="threefry2x32")
        own = jax.random.fold_in(jax.random.fold_in(key, kind), position)
        return jax.vmap(jax.random.fold_in, in_axes=(None, 0))(own, images)

    def _changes(self, stage: Stage, variable: str) -> list[Change]:
        found = [
            change
            for change in self.network.changes
            if change.population == stage.name and change.variable == variable
        ]
        return sorted(found, key=lambda change: change.step)  # stable: a step's last change wins

    def _parameter_tables(self, stage: Stage) -> dict[str, Table]:
        tables = {}
        for name in stage.changing:
            changes = self._changes(stage, name)
            values = [self.parameters[stage.name][name]]
            values += [self._flat(stage, change.value) for change in changes]
            values = [in_equations(stage.model, name, np.asarray(value)) for value in values]
            steps = [-1, *(change.step for change in changes)]
            tables[name] = self._table(stage, steps, values)
        return tables

    def _state_tables(self, stage: Stage) -> dict[str, Table]:
        tables = {}
        for name in stage.set_states:
            changes = self._changes(stage, name)
            values = [self._flat(stage, change.value) for change in changes]
            tables[name] = self._table(stage, [change.step for change in changes], values)
        return tables

    def _flat(self, stage: Stage, value: Any) -> Any:
        """Return the value of a change as a scalar or with one entry for each neuron."""
        if np.ndim(value) == 0:
            return np.asarray(value)
        return np.broadcast_to(value, self.network.population(stage.name).shape).reshape(-1)

    def _table(self, stage: Stage, steps: list[int], values: list[Any]) -> Table:
        if all(np.ndim(value) == 0 for value in values):
            rows = np.array(values, np.float64)[:, None]
        else:
            rows = np.stack([np.broadcast_to(value, (stage.n,)) for value in values])
        return Table(jnp.asarray(steps, jnp.int32), jnp.asarray(rows, self.plan.dtype))


def drive_currents(network: SpikingNetwork, data: Data) -> dict[str, Floats]:
    """Return the currents in pA that the samples inject, computed in float64.

    Parameters
    ----------
    network : SpikingNetwork
    data : dict of str to ndarray, shape (batch, *input shape)

    Returns
    -------
    dict of str to ndarray of float64, shape (batch, n_neurons)
        By population, the sum over its drives, each of which is rounded to its grid.
    """
    currents: dict[str, Floats] = {}
    for drive in network.drives:
        samples = data[drive.input]
        with jax.enable_x64(True):
            current = np.asarray(drive.operator.apply(samples), np.float64)
        current = current.reshape(len(samples), -1)
        if drive.grid:
            current = np.round(current / drive.grid) * drive.grid
        currents[drive.post] = currents.get(drive.post, 0) + current
    return currents


def _cast(operator: Operator, dtype: str) -> Operator:
    def cast(leaf: Any) -> Any:
        index = np.issubdtype(np.asarray(leaf).dtype, np.integer)
        return jnp.asarray(leaf) if index else jnp.asarray(leaf, dtype)

    return jax.tree.map(cast, operator)


def _parameters(population: Population) -> dict[str, Any]:
    """Return all parameters, each a scalar or an array of shape (n_neurons,)."""
    values: dict[str, Any] = {}
    for parameter in population.model.parameters:
        value = np.asarray(population.value(parameter.name), np.float64)
        if value.ndim:
            value = np.broadcast_to(value, population.shape).reshape(-1)
        values[parameter.name] = value
    return values


def _periods(parameters: Mapping[str, Any], stage: Stage, dt: float) -> NDArray[np.int32]:
    periods = parameters[stage.model.refractory]
    for period in np.unique(periods):
        whole_steps(float(period), dt, stage.model.refractory)
    return np.round(periods / dt).astype(np.int32)
