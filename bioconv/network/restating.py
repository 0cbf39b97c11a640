"""Renaming of networks after known models: the same equations with different names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bioconv.network.network import SpikingNetwork
from bioconv.network.parts import Change, Population, Projection
from bioconv.neurons.language.identity import Renaming, renaming, with_names
from bioconv.neurons.language.model import NeuronModel


def in_words_of(network: SpikingNetwork, references: Iterable[NeuronModel]) -> SpikingNetwork:
    """Return the network with the parameters, states and receptors named as in known models.

    Code that recognises models by their equations, such as a target that knows its cells, can then
    refer to their parts by name.  The parts of a model that is the same as one of ``references``
    (`bioconv.neurons.language.identity.same`) are renamed after that model; its own name, default
    values and bounds are kept.  All other models are not changed.

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
    """Return the changes of names, or None if there are none."""
    for reference in references:
        names = renaming(model, reference)
        if names is not None:
            return names if names.changes else None
    return None


def population_as(population: Population, names: Renaming | None) -> Population:
    """Return the population with different names for the parts of its model."""
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
