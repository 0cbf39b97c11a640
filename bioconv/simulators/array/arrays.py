"""The numerical arguments of the compiled part, as arrays of the requested precision.

The parts of a network may contain arrays that JAX traces, as in a run that is differentiated.
Everything that depends on them is then traced as well, in float64 up to the last step; the rest is
computed by NumPy, as in any run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.network import Change, Drive, NetworkParts, Population
from bioconv.neurons.language.update import in_equations, is_traced, update_of
from bioconv.operators import Operator, placed, snapped, squared
from bioconv.simulators.array.engine import Fixed, Release, Table
from bioconv.simulators.array.plan import Plan, Stage
from bioconv.simulators.array.stages import StageArrays, decoded, stage_arrays
from bioconv.simulators.settings import Data
from bioconv.timing import whole_steps

Floats = NDArray[np.float64]

#: what draws random numbers: populations with noise, projections that fail
_MEMBRANES, _SYNAPSES = 0, 1


class Arrays:
    """All arguments of the compiled part except the samples, built once per simulation.

    Parameters
    ----------
    network : NetworkParts
    plan : Plan
    n_steps, seed : int
    """

    def __init__(self, network: NetworkParts, plan: Plan, n_steps: int, seed: int):
        self.network, self.plan, self.n_steps, self.seed = network, plan, n_steps, seed
        self.populations = {entry.name: entry for entry in network.populations}
        self.parameters = {s.name: _parameters(self.populations[s.name]) for s in plan.stages}
        self.refractory = {
            stage.name: placed(_periods(self.parameters[stage.name], stage, plan.dt), np.int32)
            for stage in plan.stages
            if stage.refractory and stage.model.refractory not in stage.changing
        }
        self.first = {
            stage.name: np.int32(self.populations[stage.name].start_step)
            for stage in plan.stages
            if stage.late
        }
        self.tables = {stage.name: self._parameter_tables(stage) for stage in plan.stages}
        self.set_states = {stage.name: self._state_tables(stage) for stage in plan.stages}
        self._still: dict[str, dict[str, Any]] = {}

    @cached_property
    def operators(self) -> list[Operator]:
        """The operators of all projections."""
        return [_cast(p.operator, self.plan.dtype) for p in self.network.projections]

    @cached_property
    def _stages(self) -> StageArrays:
        """The analog stages, without samples."""
        stages: StageArrays = _cast(stage_arrays(self.network), self.plan.dtype)
        return stages

    def stages(self, data: Data) -> StageArrays:
        """Return the analog stages for some samples."""
        names = decoded(self.network) & {e.name for e in self.network.inputs if not e.spikes}
        return self._stages._replace(
            samples={name: jnp.asarray(data[name], self.plan.dtype) for name in names}
        )

    @cached_property
    def release(self) -> dict[int, Release]:
        """Release of the projections whose synapses may fail, by their index."""
        return {
            index: Release(
                placed(p.release, self.plan.dtype),
                _cast(squared(p.operator), self.plan.dtype),
            )
            for index, p in enumerate(self.network.projections)
            if p.release < 1
        }

    def states(self) -> dict[str, dict[str, Any]]:
        """Return the initial values of all state variables."""
        return {
            stage.name: {
                state.name: _starts(self.populations[stage.name], state.name)
                for state in stage.model.states
            }
            for stage in self.plan.stages
        }

    def constants(self, data: Data) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        """Return what the update of each population needs for some samples.

        Returns
        -------
        constants : dict of str to dict of str to array
            The constants of each population.
        drives : dict of str to array
            The current that the inputs add, for each population with scheduled current changes.
        """
        currents = drive_currents(self.network, data)
        constants, drives = {}, {}
        for stage in self.plan.stages:
            current, name = stage.model.current, stage.name
            values = self.parameters[name]
            if name in currents and current in stage.changing:
                drives[name] = placed(currents[name], self.plan.dtype)
            elif name in currents:
                values = {**values, current: values[current] + currents[name]}
            if name in currents or name not in self._still:
                update = update_of(stage.model, frozenset(stage.changing))
                self._still[name] = {
                    key: placed(value, self.plan.dtype)
                    for key, value in update.constants(values, self.plan.dt).items()
                }
            constants[name] = self._still[name]
        return constants, drives

    def fixed(self, data: Data, images: Any) -> Fixed:
        """Return the arguments of the compiled part for the samples with these indices."""
        constants, drives = self.constants(data)
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
            n_steps=np.int32(self.n_steps),
            stages=self.stages(data),
        )

    def _noise(self, images: Any) -> dict[str, Any]:
        """Return one random key for each sample of each noisy population."""
        return {
            stage.name: self._keys(_MEMBRANES, position, images)
            for position, stage in enumerate(self.plan.stages)
            if stage.model.noisy
        }

    def _failing(self, images: Any) -> dict[int, Any]:
        """One key for each sample and projection that does not pass all spikes on."""
        return {index: self._keys(_SYNAPSES, index, images) for index in self.release}

    def _keys(self, kind: int, position: int, images: Any) -> Any:
        """One key for each sample: of the seed, and of what draws, by its place in the network."""
        key = jax.random.key(self.seed, impl="threefry2x32")
        return _folded(key, kind, position, images)

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
            values = [in_equations(stage.model, name, _array(value)) for value in values]
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
        return (
            _array(value)
            if np.ndim(value) == 0
            else _per_neuron(self.populations[stage.name], value)
        )

    def _table(self, stage: Stage, steps: list[int], values: list[Any]) -> Table:
        xp = jnp if any(map(is_traced, values)) else np
        shape = (1,) if all(np.ndim(value) == 0 for value in values) else (stage.n,)
        rows = xp.stack([xp.broadcast_to(xp.asarray(value), shape) for value in values])
        return Table(placed(steps, np.int32), placed(rows, self.plan.dtype))


def drive_currents(network: NetworkParts, data: Data) -> dict[str, Floats]:
    """Return the currents in pA that the samples inject, computed in float64.

    Parameters
    ----------
    network : NetworkParts
    data : dict of str to ndarray, shape (batch, *input shape)

    Returns
    -------
    dict of str to array of float64, shape (batch, n_neurons)
        By population, the sum over its drives, each of which is rounded to its grid.
    """
    currents: dict[str, Floats] = {}
    stages = {stage.name for stage in network.stages}
    for drive in network.drives:
        if drive.input in stages:  # not constant, see `bioconv.simulators.array.stages`
            continue
        current = _current(drive, data[drive.input])
        currents[drive.post] = currents.get(drive.post, 0) + current
    return currents


def _current(drive: Drive, samples: Any) -> Any:
    with jax.enable_x64(True):
        current = _apply(drive.operator, samples)
    if is_traced(current):
        return snapped(current.reshape(len(samples), -1), drive.grid)
    current = np.asarray(current, np.float64).reshape(len(samples), -1)
    return np.round(current / drive.grid) * drive.grid if drive.grid else current


@jax.jit
def _folded(key: Any, kind: int, position: int, images: Any) -> Any:
    own = jax.random.fold_in(jax.random.fold_in(key, kind), position)
    return jax.vmap(jax.random.fold_in, in_axes=(None, 0))(own, images)


@jax.jit
def _apply(operator: Operator, x: Any) -> Any:
    return operator.apply(x)


def _cast(tree: Any, dtype: str) -> Any:
    """Return operators, or other structures of arrays, in a precision, except for indices."""

    def cast(leaf: Any) -> Any:
        index = jnp.issubdtype(leaf.dtype, jnp.integer)
        return placed(leaf, leaf.dtype if index else dtype)

    return jax.tree.map(cast, tree)


def _array(value: Any) -> Any:
    return value if is_traced(value) else np.asarray(value, np.float64)


def _per_neuron(population: Population, value: Any) -> Any:
    """Return a value of each neuron, shape (n_neurons,)."""
    xp = jnp if is_traced(value) else np
    return xp.broadcast_to(xp.asarray(value), population.shape).reshape(-1)


def _parameters(population: Population) -> dict[str, Any]:
    """Return all parameters, each a scalar or an array of shape (n_neurons,)."""
    values: dict[str, Any] = {}
    for parameter in population.model.parameters:
        value = _array(population.value(parameter.name))
        values[parameter.name] = _per_neuron(population, value) if value.ndim else value
    return values


def _starts(population: Population, state: str) -> Any:
    """Return the start values of a state variable, shape (n_neurons,)."""
    return _per_neuron(population, _array(population.start(state)))


def _periods(parameters: Mapping[str, Any], stage: Stage, dt: float) -> NDArray[np.int32]:
    periods = parameters[stage.model.refractory]
    for period in np.unique(periods):
        whole_steps(float(period), dt, stage.model.refractory)
    return np.round(periods / dt).astype(np.int32)
