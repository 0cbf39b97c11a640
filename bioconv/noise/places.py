"""Numeric positions (places) of objects in a network, which identify their random streams.

A place depends neither on names nor on axons that an imperfection has inserted behind
populations; axons belong to their neurons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import TypeAlias

from bioconv.network import Drive, Population, Projection, SpikingNetwork
from bioconv.neurons.library.axon import is_axon
from bioconv.noise.edits import neurons_of_axons

Connection: TypeAlias = Projection | Drive
Place: TypeAlias = tuple[int, ...]

_NEURONS, _AXONS, _INPUT = range(3)


class Places:
    """Places of the objects of a network.

    Parameters
    ----------
    network : SpikingNetwork
    """

    def __init__(self, network: SpikingNetwork):
        neurons = [p.name for p in network.populations if not is_axon(p.model)]
        known = {name: (_NEURONS, number) for number, name in enumerate(neurons)}
        self._senders = neurons_of_axons(network)
        self._sources: dict[str, Place] = {
            **{entry.name: (_INPUT, number) for number, entry in enumerate(network.inputs)},
            **known,
            **{axon: (_AXONS, known[name][1]) for axon, name in self._senders.items()},
        }
        self._network = network

    def of(self, population: Population, parameter: str = "") -> Place:
        """Return the place of a population, or of one of its parameters."""
        place = self._sources[population.name]
        names = [entry.name for entry in population.model.parameters]
        return (*place, names.index(parameter)) if parameter else place

    def connections(self, chosen: Collection[Population]) -> Iterator[tuple[Place, Connection]]:
        """Iterate over projections and drives that target these populations, with their places.

        Axons belong to their neurons: projections to axons do not count as synapses, and
        projections from axons count as projections from the neurons.
        """
        ends = {entry.name: entry for entry in chosen if not is_axon(entry.model)}
        seen: Counter[Place] = Counter()
        entries: tuple[Connection, ...] = (*self._network.projections, *self._network.drives)
        for entry in entries:
            if entry.post in ends:
                post = ends[entry.post]
                place = (*self._from(entry), *self._sources[post.name], _receptor(entry, post))
                yield (*place, seen[place]), entry
                seen[place] += 1

    def _from(self, entry: Connection) -> Place:
        source = entry.pre if isinstance(entry, Projection) else entry.input
        return self._sources[self._senders.get(source, source)]


def _receptor(entry: Connection, post: Population) -> int:
    """Return the number of the receptor, starting at 1, or 0 for the current of a drive."""
    if isinstance(entry, Drive):
        return 0
    return 1 + [receptor.name for receptor in post.model.receptors].index(entry.receptor)
