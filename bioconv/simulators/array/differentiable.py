"""A run of the array simulator that JAX can differentiate.

It is the step of any run (`bioconv.simulators.array.engine`), with a surrogate derivative of the
thresholds.  The state is kept once per chunk of steps, and once per step within one chunk at a
time, so that memory stays bounded; everything else is computed again for the derivative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from bioconv.ground.errors import ParameterError
from bioconv.network import NetworkParts, SpikingNetwork
from bioconv.network.stages import why_neurons_fail
from bioconv.neurons.language.evaluation import Comparison
from bioconv.simulators.array.arrays import Arrays
from bioconv.simulators.array.encoding import encode
from bioconv.simulators.array.engine import chunk, start
from bioconv.simulators.array.plan import Plan, make_plan
from bioconv.simulators.settings import Settings

Array = Any
Values = dict[str, Array]


class Outcome(NamedTuple):
    """The results of a run.

    Parameters
    ----------
    counts : dict of str to array (batch, n)
        Spike counts of each population from its ``start_step`` on.
    traces : dict of str to dict of str to array (batch, n)
        State variables at the end of the run, by population.
    """

    counts: Values
    traces: dict[str, Values]


def plan_of(
    network: SpikingNetwork,
    settings: Settings,
    compare: Mapping[str, Comparison],
    chunk_bytes: int,
    local: bool,
) -> Plan:
    """Return the plan of a run that can be differentiated.

    Parameters
    ----------
    network : SpikingNetwork
    settings : Settings
        With the number of samples as ``batch_size``.
    compare : mapping of str to Comparison
        Surrogate derivative of the threshold, by population.
    chunk_bytes : int
        Approximate memory of a chunk of steps.
    local : bool
        Whether no derivative passes from one population to those before it.
    """
    reason = why_neurons_fail(network)
    if reason:
        raise ParameterError(
            f"Derivatives do not pass through analog stages: {reason} "
            "Train the Keras model, and convert it again."
        )
    if settings.batch_size is None:
        raise ParameterError("a run that is differentiated requires a batch_size.")
    plan = make_plan(network, settings, settings.batch_size, chunk_bytes)
    stages = tuple(replace(s, compare=compare.get(s.name)) for s in plan.stages)
    # A derivative passes through weights also where there are no spikes.
    return replace(plan, stages=stages, windows=False, differentiable=True, local=local)


def outcome(
    parts: NetworkParts, plan: Plan, data: Values, images: Array, n_steps: int, seed: int
) -> Outcome:
    """Run a batch of samples.

    Parameters
    ----------
    parts : NetworkParts
        The network of the plan; its weights and parameters may be traced arrays.
    plan : Plan
        From `plan_of`.
    data : dict of str to array, shape (batch, *input shape)
    images : array of int, shape (batch,)
        Numbers of the samples, which seed random numbers as in `bioconv.simulate`.
    n_steps, seed : int
    """
    arrays = Arrays(parts, plan, n_steps, seed)
    fixed = arrays.fixed(data, images)
    n_chunks = -(-n_steps // plan.steps)

    def run(carry: Any, first: Array) -> Any:
        incoming = _encoded(parts, plan, data, images, first, seed)
        carry, records = chunk(plan, fixed, carry, incoming)
        return carry, records.traces

    firsts = jnp.arange(n_chunks, dtype=jnp.int32) * plan.steps
    again = jax.checkpoint(run, prevent_cse=False)
    carry, traces = lax.scan(again, start(plan, arrays.states()), firsts)
    last = divmod(n_steps - 1, plan.steps)
    return Outcome(carry.counts | carry.late, jax.tree.map(lambda trace: trace[last], traces))


def _encoded(
    parts: NetworkParts, plan: Plan, data: Values, images: Array, first: Array, seed: int
) -> Values:
    """Return the spikes of the inputs, which NumPy draws as in any run."""
    if not parts.spiking_inputs:
        return {}

    def draw(data: Values, images: Array, first: Array) -> Values:
        plain = {name: np.asarray(values) for name, values in data.items()}
        return encode(parts, plain, np.asarray(images), int(first), plan.steps, seed)

    shapes = {
        name: jax.ShapeDtypeStruct((plan.steps, plan.batch, n), np.bool_) for name, n in plan.inputs
    }
    return jax.pure_callback(draw, shapes, data, images, first)
