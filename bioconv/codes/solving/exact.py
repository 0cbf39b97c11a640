"""Declarations of the neuron models of a code that have exact solutions, with conditions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bioconv.codes.solving.stage import Solver, Stage
from bioconv.ground.errors import ParameterError
from bioconv.network import Change, Population
from bioconv.neurons.language.model import NeuronModel

#: function that yields the reasons why a solver does not support scheduled changes of a population
Misses = Callable[[Population, Sequence[Change]], Iterable[str]]


@dataclass(frozen=True)
class Exact:
    """A neuron model whose spike times follow from closed forms.

    Parameters
    ----------
    model : NeuronModel
        The reference: populations with the same model under any names
        (`bioconv.neurons.language.identity.same`) are renamed after it and solved.
    prepare : function (Stage) -> Solver
        Called once for each population; see `bioconv.simulators.event`.
    misses : function (population, changes) -> iterable of str
        Reasons why the solver does not support the scheduled changes of a population.
    at_zero : tuple of str
        State variables that the solver assumes to be zero at the start.
    final : tuple of str
        State variables whose values at the end the solver returns.  Others cannot be read out.
    """

    model: NeuronModel
    prepare: Callable[[Stage], Solver]
    misses: Misses
    at_zero: tuple[str, ...] = ()
    final: tuple[str, ...] = ()


def at_most(**most: int) -> Misses:
    """Allow changes of these variables only, with a maximum number of changes per run for each."""

    def misses(population: Population, changes: Sequence[Change]) -> Iterable[str]:
        counts = Counter(change.variable for change in changes)
        return [changed(population, name) for name, n in counts.items() if n > most.get(name, 0)]

    return misses


def only(*names: str) -> Misses:
    """Allow any number of changes, but of these variables only."""

    def misses(population: Population, changes: Sequence[Change]) -> Iterable[str]:
        found = dict.fromkeys(change.variable for change in changes)
        return [changed(population, name) for name in found if name not in names]

    return misses


def changed(population: Population, variable: str) -> str:
    """Return the reason that a variable of a population changes within a run."""
    return f"{variable} of population {population.name!r} changes"


def check_single_spike(stage: Stage) -> None:
    """Refuse neurons that could fire a second time before the sample ends.

    Raises
    ------
    ParameterError
        If a refractory period is shorter than the sample.
    """
    name = stage.population.model.refractory
    shortest = float(stage.value(name).min())
    if shortest < stage.end:
        raise ParameterError(
            f"The event simulator requires neurons that fire once: {name} = {shortest:g} ms of "
            f"population {stage.population.name!r} is shorter than a sample, {stage.end:g} ms. "
            "Use simulator='array'."
        )


def check_uniform(stage: Stage, *names: str) -> None:
    """Refuse parameters that differ between the neurons of a population.

    Raises
    ------
    ParameterError
        If values differ; the message states the first of ``names`` with different values.
    """
    for name in names:
        if np.ptp(stage.value(name)):
            raise ParameterError(
                f"The event simulator requires one value of {name} for all neurons of population "
                f"{stage.population.name!r}. Use simulator='array'."
            )
