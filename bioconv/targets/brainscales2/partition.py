"""Partition networks that are larger than the chip into runs that are emulated in sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bioconv.network import SpikingNetwork
from bioconv.targets.brainscales2.declaration import NEURONS


@dataclass(frozen=True)
class Slice:
    """The neurons ``start`` to ``stop`` (not included) of a population."""

    population: str
    start: int
    stop: int


Run = tuple[Slice, ...]


def runs(network: SpikingNetwork) -> tuple[Run, ...]:
    """Return the runs that together emulate a network, in the order of its layers.

    Spikes of neurons from an earlier run are replayed by spike sources, like the network's input
    (Arnold et al. 2025, doi:10.3389/fnins.2024.1523331).

    Raises
    ------
    ParameterError
        The network is recurrent and larger than the chip.
    """
    if network.n_neurons <= NEURONS.value:
        whole = tuple(Slice(p.name, 0, p.n_neurons) for p in network.populations)
        return (whole,)
    return tuple(_filled(network))


def _filled(network: SpikingNetwork) -> Iterator[Run]:
    """Fill runs with populations in order; one that does not fit into the rest starts a new run."""
    run: list[Slice] = []
    free = NEURONS.value
    for name in network.topological_order():
        n = network.population(name).n_neurons
        if n > free and run:
            yield tuple(run)
            run, free = [], NEURONS.value
        for start in range(0, n, NEURONS.value):
            stop = min(start + NEURONS.value, n)
            run.append(Slice(name, start, stop))
            free -= stop - start
            if stop < n:
                yield tuple(run)
                run, free = [], NEURONS.value
    if run:
        yield tuple(run)
