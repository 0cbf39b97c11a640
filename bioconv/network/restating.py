"""Networks in the words of models that somebody knows: the same equations under other names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bioconv.network.network import SpikingNetwork
from bioconv.network.parts import Change, Population, Projection
from bioconv.neurons.language.identity import Renaming, renaming, with_names
from bioconv.neurons.language.model import NeuronModel


def in_words_of(network: SpikingNetwork, references: Iterable[NeuronModel]) -> SpikingNetwork:
    """The network with the names of known models for their parameters, states and receptors.

    Whoever knows some models by their equations, as a target knows its cells, can then speak of
    their parameters by name.  A model that is the same as one of ``references``
    (`bioconv.neurons.language.identity.same`) gets the names of that one for its parts, and keeps
    its own name, default values and bounds.  All other models stay as they are.

    Parameters
    ----------
    network : SpikingNetwork
    references : iterable of NeuronModel

    Returns
    -------
    SpikingNetwork
        The same object if there is nothing to rename.
    """
    known = tuple(references)
    found = {p.name: _found(p.model, known) for p in network.populations}
    new = {name: entry for name, entry in found.items() if entry is not None}
    if not new:
        return network
    return network.replace(
        populations=tuple(population_as(p, new.get(p.name)) for p in network.populations),
        projections=tuple(_projection(p, new.get(p.post)) for p in network.projections),
        changes=tuple(_change(c, new.get(c.population)) for c in network.changes),
    )


def _found(model: NeuronModel, references: tuple[NeuronModel, ...]) -> Renaming | None:
    """How the names change, None if they do not."""
    for reference in references:
        names = renaming(model, reference)
        if names is not None:
            return names if names.changes else None
    return None


def population_as(population: Population, names: Renaming | None) -> Population:
    """The population with other names for what its model has."""
    if names is None:
        return population
    return replace(
        population,
        model=with_names(population.model, names.names, names.receptors),
        parameters={names.names[key]: value for key, value in population.parameters.items()},
        initial={names.names[key]: value for key, value in population.initial.items()},
    )


def _projection(projection: Projection, names: Renaming | None) -> Projection:
    if names is None:
        return projection
    return replace(projection, receptor=names.receptors[projection.receptor])


def _change(change: Change, names: Renaming | None) -> Change:
    return change if names is None else replace(change, variable=names.names[change.variable])
