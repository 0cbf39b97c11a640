"""Analog stages in the compiled part: currents that follow from the spikes so far.

In step t of a population, counted from 1 in its first step, a stage with the value F(t) drives the
current ``A(t) - A(t - 1)`` with ``A(t) = operator(t F(t))``, rounded to a grid
(`bioconv.network.Drive`).  The mean current up to any step is therefore that of the last value:
errors of early steps, when little is known of the rates, do not stay.  Populations run one after
another through all steps of a chunk, so that the function is computed for all of them at once.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bioconv.analog.functions import Function
from bioconv.analog.graph import Affine
from bioconv.network import NetworkParts
from bioconv.network.stages import layer_of
from bioconv.operators import Operator

Array = Any
Values = dict[str, Array]

#: copies of the numbers of a stage that are in memory together, such as arguments and their casts
_COPIES = 3


class StageArrays(NamedTuple):
    """Arguments of the compiled part that belong to analog stages.

    Parameters
    ----------
    functions : dict of str to Function
    inputs : dict of str to tuple of Affine
    operators : dict of int to Operator
        Of the drives by stages, by their index in the network.
    grids : dict of int to array
        In pA; 0 for no rounding.
    samples : dict of str to array (batch, *shape)
        The inputs that are no spikes.
    first : dict of str to int
        First step of the populations that stages decode, and of those that they drive.
    per_step : dict of str to float
        Spikes per step that represent 1, of the populations and spike sources that stages decode.
    """

    functions: dict[str, Function]
    inputs: dict[str, tuple[Affine, ...]]
    operators: dict[int, Operator]
    grids: dict[int, Array]
    samples: Values
    first: Values
    per_step: Values


class Chunk(NamedTuple):
    """What stages know of the steps of a chunk.

    Parameters
    ----------
    batch : int
    steps : array of int (n_steps,)
    counts : dict of str to array of int (batch, n)
        Spikes of each population, since its first step, and of each spike source before the chunk.
    spikes : dict of str to array (n_steps, batch, n)
    values : dict of str to array (n_steps or 1, batch, *shape)
        Of the stages computed so far; the length is 1 if it is the same in all steps.
    """

    batch: int
    steps: Array
    counts: Values
    spikes: Values
    values: Values


def decoded(network: NetworkParts) -> set[str]:
    """Return the names of the populations and inputs from which stages compute."""
    names = {stage.name for stage in network.stages}
    return {source for stage in network.stages for source in stage.sources} - names


def stage_drives(network: NetworkParts, population: str) -> tuple[int, ...]:
    """Return the indices of the drives of a population by stages."""
    names = {stage.name for stage in network.stages}
    return tuple(
        index
        for index, drive in enumerate(network.drives)
        if drive.post == population and drive.input in names
    )


def widths_of(network: NetworkParts) -> list[int]:
    """Return about how many numbers each stage needs for a step of a sample."""
    found = []
    for stage in network.stages:
        layer = layer_of(network, stage)
        sizes = [prod(layer.shape), *(prod(affine.shape) for affine in stage.inputs)]
        within = layer.function.n_within([affine.shape for affine in stage.inputs])
        found.append(_COPIES * (sum(sizes) + within))
    return found


def stage_arrays(network: NetworkParts) -> StageArrays:
    """Return the arguments of the compiled part, without samples."""
    known = decoded(network)
    populations = {p.name: p for p in network.populations}
    spiking = {entry.name for entry in network.spiking_inputs} & known
    indices = {name: stage_drives(network, name) for name in populations}
    timed = {name for name, drives in indices.items() if drives} | (known & populations.keys())
    return StageArrays(
        functions={s.name: layer_of(network, s).function for s in network.stages},
        inputs={s.name: s.inputs for s in network.stages},
        operators={i: network.drives[i].operator for found in indices.values() for i in found},
        grids={i: np.float64(network.drives[i].grid) for found in indices.values() for i in found},
        samples={},
        first={name: np.int32(populations[name].start_step) for name in timed}
        | dict.fromkeys(spiking, np.int32(0)),
        per_step={
            name: np.float64(populations[name].max_rate * network.dt / 1000.0)
            for name in known & populations.keys()
        }
        | dict.fromkeys(spiking, np.float64(1.0)),
    )


def current(
    arrays: StageArrays, name: str, index: int, stage: str, before: Array, chunk: Chunk
) -> tuple[Array, Array]:
    """Return the current of one drive of a population in the steps of a chunk.

    Parameters
    ----------
    arrays : StageArrays
    name : str
        The population.
    index : int
        Of the drive.
    stage : str
        The stage that drives.
    before : array (batch, n)
        What `operator` returned for the step before the chunk.
    chunk : Chunk
        Values of the stages that had to be computed are added to it.

    Returns
    -------
    current : array (n_steps, batch, n)
        In pA; 0 before the first step of the population.
    last : array (batch, n)
        What ``before`` is for the next chunk.
    """
    operator, grid = arrays.operators[index], arrays.grids[index]
    drawn = _applied(operator, _value(arrays, stage, chunk))
    drawn = drawn.reshape(*drawn.shape[:2], -1)
    n = jnp.maximum(chunk.steps - arrays.first[name] + 1, 0)[:, None, None].astype(drawn.dtype)
    if _is_constant(arrays, stage):  # rounded as the current of an input
        return jnp.where(n > 0, _rounded(drawn, grid), 0), drawn[-1]
    last = jnp.concatenate([before[None], drawn[:-1]])
    least = jnp.maximum(n - 1, 0)
    return _rounded(n * drawn, grid) - _rounded(least * last, grid), drawn[-1]


def _rounded(value: Array, grid: Array) -> Array:
    size = jnp.where(grid > 0, grid, 1)
    return jnp.where(grid > 0, jnp.round(value / size) * size, value)


def _value(arrays: StageArrays, name: str, chunk: Chunk) -> Array:
    """Return the value of a stage in the steps of a chunk, computed at its first use."""
    if name not in chunk.values:
        inputs = [_argument(arrays, affine, chunk) for affine in arrays.inputs[name]]
        n = max(x.shape[0] for x in inputs)
        given = [jnp.broadcast_to(x, (n, *x.shape[1:])).reshape(-1, *x.shape[2:]) for x in inputs]
        with jax.default_matmul_precision("highest"):
            found = arrays.functions[name].apply(given)
        chunk.values[name] = found.reshape(n, chunk.batch, *found.shape[1:])
    return chunk.values[name]


def _is_constant(arrays: StageArrays, name: str) -> bool:
    """Whether a stage, or a source of one, depends on samples only."""
    if name not in arrays.inputs:
        return name in arrays.samples
    terms = (term for affine in arrays.inputs[name] for term in affine.terms)
    return all(_is_constant(arrays, term.source) for term in terms)


def _argument(arrays: StageArrays, affine: Affine, chunk: Chunk) -> Array:
    """Return one argument of the function of a stage, shape (n_steps or 1, batch, *shape)."""
    parts = [_applied(term.operator, _source(arrays, term.source, chunk)) for term in affine.terms]
    n = max((part.shape[0] for part in parts), default=1)
    return jnp.broadcast_to(sum(parts, start=affine.bias), (n, chunk.batch, *affine.shape))


def _source(arrays: StageArrays, name: str, chunk: Chunk) -> Array:
    """Return what a part of the network represents, in the steps of a chunk."""
    if name in arrays.samples:
        return arrays.samples[name][None]
    if name not in arrays.per_step:
        return _value(arrays, name, chunk)
    first, spikes = arrays.first[name], chunk.spikes[name]
    counted = jnp.where((chunk.steps >= first)[:, None, None], spikes, 0).astype(jnp.int32)
    so_far = chunk.counts[name] + jnp.cumsum(counted, axis=0) - counted
    n = jnp.maximum(chunk.steps - first, 1)[:, None, None]
    return so_far / (n * arrays.per_step[name])


def _applied(operator: Operator, x: Array) -> Array:
    """Apply an operator to values of shape (n_steps, batch, ...)."""
    flat = operator.apply(x.reshape(-1, *operator.in_shape))
    return flat.reshape(*x.shape[:2], *operator.out_shape)
