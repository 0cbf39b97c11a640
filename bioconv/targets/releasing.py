"""Apply scheduled changes from the start, for targets on which nothing changes within a sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bioconv.network import Change, Population


def after_changes(population: Population, changes: Iterable[Change]) -> Population:
    """Return the population with the values set by its changes in effect from the first step on.

    Parameters
    ----------
    population : Population
    changes : iterable of Change
        Changes of this population; if two set the same variable, the later one applies.
    """
    states = {state.name for state in population.model.states}
    parameters, initial = dict(population.parameters), dict(population.initial)
    for change in sorted(changes, key=lambda change: change.step):
        table = initial if change.variable in states else parameters
        table[change.variable] = change.value
    return replace(population, parameters=parameters, initial=initial)
