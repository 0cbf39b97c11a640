"""The parts of a network as a code adds them, layer by layer, and the network made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bioconv.analog import AnalogGraph
from bioconv.codes.common.names import identifiers
from bioconv.network import (
    Change,
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
)


@dataclass(kw_only=True)
class Parts:
    """What has been built so far; the plan of a code adds what it knows before."""

    populations: list[Population] = field(default_factory=list)
    projections: list[Projection] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    readouts: list[Readout] = field(default_factory=list)

    def network(
        self,
        graph: AnalogGraph,
        inputs: Iterable[Input],
        *,
        dt: float,
        n_steps: int,
        record: Mapping[str, str | int | float | bool],
    ) -> SpikingNetwork:
        """The network of all parts.

        Parameters
        ----------
        graph : AnalogGraph
            The analog network that it stands for.
        inputs : iterable of Input
        dt : float
            ms.
        n_steps : int
            Of a sample.
        record : mapping
            Name and options of the code, and what is known before a simulation.
        """
        return SpikingNetwork(
            name=identifiers([graph.name])[0],
            dt=dt,
            n_steps=n_steps,
            inputs=tuple(inputs),
            populations=tuple(self.populations),
            projections=tuple(self.projections),
            drives=tuple(self.drives),
            changes=tuple(self.changes),
            readouts=tuple(self.readouts),
            analog=graph,
            code=record,
        )
