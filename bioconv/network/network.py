"""The spiking network: frozen data, validated, that every simulator runs.

Numbers are plain floats in ms, mV, pA, pF, nS, Hz.  Time is counted in whole steps of ``dt``;
the timing contract is in `bioconv.timing`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.network.parts import NetworkParts, Population, Projection
from bioconv.network.validation import network_problems
from bioconv.operators import n_synapses


@dataclass(frozen=True, eq=False)
class SpikingNetwork(NetworkParts):
    """A converted network: all that a simulator needs, and the analog network it stands for.

    Parameters
    ----------
    name : str
    dt : float
        Step in ms.
    n_steps : int
        Default duration of one sample, in steps.
    inputs, populations, projections, drives, changes, readouts : tuples
    analog : AnalogGraph
    code : mapping of str to str, int, float or bool
        Name and options of the code.  For the record only: nothing depends on it.
    imperfections : tuple of Disturbance
        What was applied to the network, in this order.
    """

    def __post_init__(self) -> None:
        problems = network_problems(self)
        if problems:
            raise ConversionError(
                f"The spiking network {self.name!r} is not sound; {len(problems)} problem(s):",
                problems,
            )

    def population(self, name: str) -> Population:
        """The population called ``name``; raises `ParameterError` that lists the valid names."""
        for population in self.populations:
            if population.name == name:
                return population
        valid = ", ".join(p.name for p in self.populations)
        raise ParameterError(f"{self.name} has no population {name!r}. Valid names: {valid}.")

    @property
    def n_neurons(self) -> int:
        """Number of neurons in all populations, spike sources not counted."""
        return sum(population.n_neurons for population in self.populations)

    @property
    def n_synapses(self) -> int:
        """Number of synapses in all projections."""
        return sum(n_synapses(projection.operator) for projection in self.projections)

    @property
    def max_delay(self) -> int:
        """Longest delay in steps; 0 without projections."""
        return max((projection.delay_steps for projection in self.projections), default=0)

    def projections_to(self, name: str) -> tuple[Projection, ...]:
        """The projections that end at the population called ``name``."""
        return tuple(p for p in self.projections if p.post == name)

    def projections_from(self, name: str) -> tuple[Projection, ...]:
        """The projections that start at the population or spiking input called ``name``."""
        return tuple(p for p in self.projections if p.pre == name)

    def n_synapses_to(self, name: str) -> int:
        """Number of synapses that end at the population called ``name``."""
        return sum(n_synapses(projection.operator) for projection in self.projections_to(name))

    @property
    def recurrent(self) -> bool:
        """Whether populations project to each other in a circle, or to themselves."""
        try:
            self.topological_order()
        except ParameterError:
            return True
        return False

    def topological_order(self) -> tuple[str, ...]:
        """Names of the populations, every one after those that project to it.

        Raises
        ------
        ParameterError
            If populations project to each other in a circle.
        """
        before: dict[str, list[str]] = {population.name: [] for population in self.populations}
        for projection in self.projections:
            if projection.pre in before:
                before[projection.post].append(projection.pre)
        try:
            return tuple(TopologicalSorter(before).static_order())
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            raise ParameterError(
                f"{self.name} is recurrent ({circle}): it has no topological order."
            ) from None

    def replace(self, **changes: Any) -> SpikingNetwork:
        """A copy with some fields replaced, validated again."""
        return dataclasses.replace(self, **changes)

    def save(self, path: str | Path) -> None:
        """Write the network to one HDF5 file; see `bioconv.network.storage.save_network`."""
        from bioconv.network.storage import save_network

        save_network(self, path)

    @staticmethod
    def load(path: str | Path) -> SpikingNetwork:
        """Read a network from a file; see `bioconv.network.storage.load_network`."""
        from bioconv.network.storage import load_network

        return load_network(path)
