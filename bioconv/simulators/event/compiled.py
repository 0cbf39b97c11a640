"""Networks whose solvers can all be compiled: one JAX program for each population.

There is no single program for the whole network, because XLA would then recompute spike times for
each of their uses instead of storing them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.codes.solving.stage import Compiled, Phase, Solution, Solver, Traced
from bioconv.network import SpikingNetwork
from bioconv.operators import Array, Operator

#: largest whole number up to which single precision represents all whole numbers exactly
_EXACT = 2**24


@dataclass(frozen=True)
class Step:
    """Part of the program for one population.

    Parameters
    ----------
    traced, phases, static
        See `Compiled`.
    sources : tuple of (str, float)
        Distinct pairs of a presynaptic population and a delay in ms.
    projections : tuple of int
        Index in ``sources`` of each projection.
    drives : tuple of (str, float)
        Input and grid of each drive.
    """

    traced: Traced
    phases: tuple[Phase, ...]
    static: Hashable
    sources: tuple[tuple[str, float], ...]
    projections: tuple[int, ...]
    drives: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Tally:
    """Spikes for each sample, spikes of each neuron over all samples, and synaptic operations."""

    per_image: NDArray[np.int64]
    per_neuron: NDArray[np.int64]
    operations: NDArray[np.float64]


class Program:
    """A network whose solvers are all `Compiled`.

    Parameters
    ----------
    network : SpikingNetwork
    solvers : mapping of str to Compiled
        In topological order.
    """

    def __init__(self, network: SpikingNetwork, solvers: Mapping[str, Compiled]):
        self._solvers = solvers
        self._steps = {name: _step(network, name, solver) for name, solver in solvers.items()}
        # On the device, so that no batch transfers them.
        self._constants = {name: jax.device_put(s.constants) for name, s in solvers.items()}
        self._drives = {
            name: [jax.device_put(d.operator) for d in network.drives if d.post == name]
            for name in solvers
        }

    def run(
        self, data: Mapping[str, NDArray], images: NDArray[np.int64]
    ) -> dict[str, Solution] | None:
        """Solve a batch for all populations; return None if some solver may not be exact for it."""
        found: dict[str, Solution] = {}
        doubts = []
        for name, step in self._steps.items():
            times = [found[pre].times for pre, _ in step.sources]
            x = [data[source] for source, _ in step.drives]
            constants = self._constants[name]
            if self._solvers[name].draws:
                constants = {**constants, "images": images}
            if step.phases:
                times = _delayed(step, times)
            for phase in step.phases:
                times = _phase(phase, constants, times)
            spikes, final, doubt = _advance(step, constants, self._drives[name], times, x)
            found[name] = Solution(spikes, final)
            doubts.append(doubt)
        return None if any(map(bool, doubts)) else found


def program_of(network: SpikingNetwork, solvers: Mapping[str, Solver]) -> Program | None:
    """Return the program of a network, None unless all of its solvers can be compiled."""
    compiled = {name: s for name, s in solvers.items() if isinstance(s, Compiled)}
    return Program(network, compiled) if len(compiled) == len(solvers) else None


def _step(network: SpikingNetwork, name: str, solver: Compiled) -> Step:
    ends = [(p.pre, p.delay_steps * network.dt) for p in network.projections_to(name)]
    sources = tuple(dict.fromkeys(ends))
    projections = tuple(sources.index(end) for end in ends)
    drives = tuple((d.input, d.grid) for d in network.drives if d.post == name)
    return Step(solver.traced, solver.phases, solver.static, sources, projections, drives)


@partial(jax.jit, static_argnames="phase")
def _phase(phase: Phase, constants: Any, values: Sequence[Array]) -> list[Array]:
    return phase(constants, values)


@partial(jax.jit, static_argnames="step")
def _advance(
    step: Step,
    constants: Any,
    drives: Sequence[Operator],
    times: Sequence[Array],
    data: Sequence[Array],
) -> tuple[Array, Mapping[str, Array], Array]:
    """Return spike times and final state of a population, and whether they may be inexact."""
    current = None
    for (_, grid), operator, x in zip(step.drives, drives, data, strict=True):
        part = driven(operator, grid, x)
        current = part if current is None else current + part
    arrivals = times if step.phases else _arrivals(step, times)
    return step.traced(step.static, constants, arrivals, current)


def _arrivals(step: Step, times: Sequence[Array]) -> list[Array]:
    """Return the arrival times of the spikes of each projection."""
    delayed = [t + delay for t, (_, delay) in zip(times, step.sources, strict=True)]
    return [delayed[index] for index in step.projections]


_delayed = jax.jit(_arrivals, static_argnames="step")


def driven(operator: Operator, grid: float, x: Array) -> Array:
    """Return the current that a drive adds to a population, (batch, n_neurons)."""
    current = operator.apply(x).reshape(len(x), -1)
    return jnp.round(current / grid) * grid if grid else current


def tally(solver: Solver, solution: Solution, fan_out: NDArray[np.float64], n: int) -> Tally:
    """Count the spikes of the first ``n`` samples of a batch.

    Parameters
    ----------
    solver : Solver
    solution : Solution
    fan_out : ndarray, shape (n_neurons,)
        Number of outgoing synapses of each neuron.
    n : int
    """
    if getattr(solver, "certain", False):
        ones = np.ones(n, np.int64)
        return Tally(ones * len(fan_out), np.full(len(fan_out), n), ones * fan_out.sum())
    spikes = np.isfinite(np.asarray(solution.times)[:n])
    counts = spikes[:, :, 0] if spikes.shape[2] == 1 else spikes.sum(axis=2)
    # Below the limit, sums of whole numbers are exact in single precision, at half the cost.
    exact = np.float32 if fan_out.sum() * max(spikes.shape[2], 1) < _EXACT else np.float64
    operations = (counts.astype(exact) @ fan_out.astype(exact)).astype(np.float64)
    return Tally(counts.sum(axis=1), counts.sum(axis=0), operations)
