"""Where something lies in a network, in numbers: what random streams are told apart by.

A place does not depend on what anything is called, nor on axons that an imperfection has put
behind populations: these belong to their neurons.
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
    """The places of what a network has.

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
        """The place of a population, or of a parameter within it."""
        place = self._sources[population.name]
        names = [entry.name for entry in population.model.parameters]
        return (*place, names.index(parameter)) if parameter else place

    def connections(self, chosen: Collection[Population]) -> Iterator[tuple[Place, Connection]]:
        """Projections and drives that end at these populations, each with its place.

        Axons belong to their neurons: what ends at them is no synapse, what begins there begins
        at the neurons.
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
    """The number of the receptor, from 1; 0 for the current that an input drives."""
    if isinstance(entry, Drive):
        return 0
    return 1 + [receptor.name for receptor in post.model.receptors].index(entry.receptor)
