"""Models that the event simulator can solve, as declared by the packages of the codes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache

import numpy as np

from bioconv.codes.solving.exact import Exact, at_most
from bioconv.codes.solving.stage import Solver, Stage
from bioconv.ground.errors import ParameterError
from bioconv.ground.registry import Registry
from bioconv.network import Population, SpikingNetwork
from bioconv.network.restating import in_words_of
from bioconv.neurons.language import roles
from bioconv.neurons.language.identity import same
from bioconv.neurons.language.model import NeuronModel
from bioconv.neurons.library.axon import Axon, kind_of

#: name of a code -> function that returns the exact solutions of its package
ROOMS: Registry[Callable[[NeuronModel], Iterable[Exact]]] = Registry(
    "code with an exact solution",
    {
        "first_spike": ".first_spike.solver:exact_solutions",
        "first_spike_exact": ".first_spike_exact.solver:exact_solutions",
        "observation": ".observation.solver:exact_solutions",
        "phase": ".phase.solver:exact_solutions",
        "sigma_delta": ".sigma_delta.solver:exact_solutions",
    },
    package="bioconv.codes",
)
#: kinds of readouts that do not require time steps
READOUTS = ("level", "first_spike", "count")


@lru_cache(maxsize=1024)
def solution_of(model: NeuronModel) -> Exact | None:
    """Return the exact solution of a model, found by its equations; None if there is none.

    Parameters
    ----------
    model : NeuronModel

    Returns
    -------
    Exact or None
        Its reference has the same equations, threshold, reset and receptors, possibly with
        different names (`bioconv.neurons.language.identity.same`).
    """
    return next((entry for entry in _candidates(model) if same(model, entry.model)), None)


def _candidates(model: NeuronModel) -> Iterator[Exact]:
    if model.kind == roles.AXON:
        axons = importlib.import_module("bioconv.simulators.event.axon")
        with suppress(ParameterError):  # no axon has this number of states
            yield Exact(Axon(kind_of(model)).model, axons.prepare, at_most())
    for solutions in ROOMS.values():
        yield from solutions(model)


def check(network: SpikingNetwork) -> SpikingNetwork:
    """Reject networks with spike sources or with populations that have no solver.

    Parameters
    ----------
    network : SpikingNetwork

    Returns
    -------
    SpikingNetwork
        The network in the notation of the solvers: parameters, state variables and receptors have
        the names of the reference of `solution_of`.

    Raises
    ------
    ParameterError
        The network is not supported; the message lists all reasons.
    """
    problems = [
        f"population {p.name!r} has the model {p.model.name!r}, whose equations match "
        "no model with an exact solution"
        for p in network.populations
        if solution_of(p.model) is None
    ]
    known = [found.model for p in network.populations if (found := solution_of(p.model))]
    restated = in_words_of(network, known)
    for population in restated.populations:
        problems += _population_problems(restated, population)
    problems += list(_unknown_potentials(restated))
    problems += [
        f"synapses from {p.pre!r} to {p.post!r} fail at random"
        for p in network.projections
        if p.release < 1
    ]
    problems += [
        f"readout {r.name!r} has the kind {r.kind!r}"
        for r in network.readouts
        if r.kind not in READOUTS
    ]
    problems += [f"input {i.name!r} emits spikes in time steps" for i in network.spiking_inputs]
    problems += [f"{stage.name!r} is an analog stage" for stage in network.stages]
    if problems:
        raise ParameterError(
            f"The event simulator cannot run {network.name!r}: {'; '.join(problems)}. It "
            f"supports inputs as currents, the readouts {', '.join(READOUTS)} and the neurons "
            f"of the codes {', '.join(ROOMS)}. Use simulator='array'."
        )
    return restated


def _unknown_potentials(network: SpikingNetwork) -> Iterator[str]:
    """Yield the readouts of potentials that no solver returns, those of neurons that fire."""
    for readout in network.readouts:
        population = network.population(readout.population)
        found = solution_of(population.model)
        if readout.reads_spikes or readout.kind not in READOUTS or found is None:
            continue
        if population.model.potential not in found.final:
            yield (
                f"readout {readout.name!r} reads the potential of population {population.name!r}, "
                "whose neurons fire, and the solver returns the times of their spikes only"
            )


def prepare(stage: Stage) -> Solver:
    """Return the solver of a population that is given in the notation of the solvers."""
    found = solution_of(stage.population.model)
    if found is None:
        raise ParameterError(f"{stage.population.model.name} has no exact solution.")
    return found.prepare(stage)


def _population_problems(network: SpikingNetwork, population: Population) -> Iterable[str]:
    """Iterate over start values and changes of a population that its solver does not support."""
    found = solution_of(population.model)
    if found is None:
        return []
    changes = [c for c in network.changes if c.population == population.name]
    return [
        *found.misses(population, changes),
        *(
            f"{name} of population {population.name!r} does not start at zero"
            for name in found.at_zero
            if np.any(population.starts(name))
        ),
    ]
