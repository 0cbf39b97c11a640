"""Which engine runs a network, and why."""

from __future__ import annotations

from importlib.util import find_spec

import jax

from bioconv.ground.errors import ParameterError, SimulatorMissingError
from bioconv.network import SpikingNetwork
from bioconv.neurons.language.printing import is_costly, unprintable
from bioconv.neurons.language.update import update_of
from bioconv.simulators.array.arrays import Arrays
from bioconv.simulators.array.dense import DenseEngine
from bioconv.simulators.array.parts import Engine
from bioconv.simulators.array.plan import Plan
from bioconv.simulators.settings import Settings

#: fewer neurons times steps run at once in either engine, and XLA compiles them sooner; the number
#: of samples does not count, so that all parts of a data set run on one engine
_LEAST = 200_000
#: the same for networks whose only changes release clamped populations (`_only_releases`), as those
#: of the rate code; a ResNet-20 takes a third of the processor time of the dense engine, which
#: applies all convolutions in every step, although 7 % of the neurons spike
_LEAST_RELEASED = 10_000_000

_INSTALL = "pip install 'bioconv[events]'"


def chosen(
    wanted: str,
    network: SpikingNetwork,
    plan: Plan,
    arrays: Arrays,
    settings: Settings,
    chunk_bytes: int | None = None,
) -> Engine:
    """Return the engine that runs a network.

    Parameters
    ----------
    wanted : str
        One of `bioconv.simulators.settings.ENGINES`.
    network : SpikingNetwork
    plan : Plan
    arrays : Arrays
    settings : Settings
    chunk_bytes : int, optional
        Approximate memory of a chunk of steps, by default what suits the engine.

    Raises
    ------
    ParameterError
        If the network cannot run by events, which was asked for.
    SimulatorMissingError
        If Numba is not installed, and "events" was asked for.
    """
    if wanted == "events":
        if find_spec("numba") is None:
            raise SimulatorMissingError(
                f"The engine 'events' is compiled by Numba, which is not installed. {_INSTALL}, or "
                "use the engine 'dense'."
            )
        reasons = obstacles(network, plan)
        if reasons:
            raise ParameterError(
                f"The engine 'events' cannot run {network.name}: {'; '.join(reasons)}. Use the "
                "engine 'dense', or 'auto'."
            )
    elif wanted == "dense" or why_dense(network, plan, settings.n_steps):
        return DenseEngine(network, plan, arrays, settings)
    from bioconv.simulators.array.events.engine import EventEngine

    return EventEngine(network, plan, arrays, settings, chunk_bytes)


def why_dense(network: SpikingNetwork, plan: Plan, n_steps: int) -> str:
    """Return why the engine "auto" is "dense" for a network; an empty string if it is "events"."""
    if jax.default_backend() != "cpu":
        return f"JAX runs on {jax.default_backend()}"
    if find_spec("numba") is None:
        return f"Numba is not installed ({_INSTALL})"
    size = network.n_neurons * n_steps
    if size < _LEAST:
        return f"there are fewer than {_LEAST:,} neurons times steps in a sample"
    reasons = _unprintable(plan)
    if reasons:
        return reasons[0]
    if any(stage.model.crossing for stage in plan.stages) or not (
        _only_releases(network) and (not network.changes or size >= _LEAST_RELEASED)
    ):
        # "auto" stays with the engine whose spikes in all codes are compared with Brian2's.
        return "it has scheduled changes, or neurons that fire at crossings"
    costly = [s.name for s in plan.stages if is_costly(update_of(s.model, frozenset(s.changing)))]
    if costly:
        return f"neurons that compute functions such as exp are faster there ({costly[0]})"
    reasons = obstacles(network, plan)  # last, because it imports Numba, which takes long
    return reasons[0] if reasons else ""


def _only_releases(network: SpikingNetwork) -> bool:
    """Whether a population changes at most once, when its clamp ends (mueller Eq 4.4)."""
    starts = {population.name: population.start_step for population in network.populations}
    return all(change.step == starts[change.population] for change in network.changes)


def obstacles(network: SpikingNetwork, plan: Plan) -> list[str]:
    """Return why the engine "events" cannot run a network; empty if it can."""
    from bioconv.simulators.array.events.rows import has_rows

    found = _unprintable(plan)
    if network.stages:
        found.append(f"it has analog stages ({network.stages[0].name})")
    for stage in plan.stages:
        for source in stage.sources:
            projection = network.projections[source.index]
            if source.fails:
                found.append(f"synapses from {source.pre} to {stage.name} fail at random")
            elif not has_rows(projection.operator):
                found.append(
                    f"the synapses from {source.pre} to {stage.name} have no structure and are too "
                    "many to be listed"
                )
    return found


def _unprintable(plan: Plan) -> list[str]:
    """Return which neurons cannot be written as code for the engine, and why."""
    updates = {s: update_of(s.model, frozenset(s.changing)) for s in plan.stages}
    reasons = {stage: unprintable(update) for stage, update in updates.items()}
    return [f"{s.name} ({s.model.name}) {reason}" for s, reason in reasons.items() if reason]
