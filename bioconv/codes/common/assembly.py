"""The parts of a network as a code adds them, layer by layer, and the network made of them.

Every code does the same in the same order: it refuses neurons and layers that it cannot use and
brings the graph into the form that spikes (`prepared`), plans scales and times, adds layers and
outputs (`add_all`), and puts the network together (`Parts.network`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import MaxPool
from bioconv.analog.graph import Layer
from bioconv.codes.code import Request
from bioconv.codes.common.calibration import LowestValues
from bioconv.codes.common.layout import check_neuron, refuse_curves
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.rewriting import Carries, rewrite
from bioconv.codes.common.rewritten import Rewritten
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


def prepared(
    request: Request,
    code: str,
    carries: Carries | None = None,
    *,
    minima: bool = False,
) -> Rewritten:
    """The graph in the form that spikes, for a code that brings its own neurons.

    Parameters
    ----------
    request : Request
    code : str
        How the code is called in messages.
    carries : function of Function to bool, optional
        Which functions of hidden layers it can carry besides rectifications and maxima.
    minima : bool
        Whether it can carry minima.

    Raises
    ------
    ConversionError
        With every layer that cannot spike; or the user asked for another neuron.
    """
    check_neuron(code, request.neuron)
    lowest = LowestValues(request.graph, request.calibration)
    more = {} if carries is None else {"carries": carries}
    rewritten = rewrite(request.graph, lowest, code, minima=minima, **more)
    refuse_curves(code, rewritten)
    return rewritten


#: what adds one layer to a plan
Add = Callable[[Any, Layer], None]


def add_all(
    plan: Parts,
    rewritten: Rewritten,
    outputs: Iterable[str],
    *,
    layer: Add,
    gates: Add,
    readout: Callable[[Any, Layer, str], None],
) -> None:
    """Add all layers and outputs to a plan, in order.

    Parameters
    ----------
    plan : Parts
    rewritten : Rewritten
    outputs : iterable of str
        Names of the graph's outputs, one for each of ``rewritten.readouts``.
    layer, gates, readout : functions
        What adds a layer, the gates of a max pooling, and an output with its name.
    """
    for entry in rewritten.layers:
        (gates if isinstance(entry.function, MaxPool) else layer)(plan, entry)
    for entry, output in zip(rewritten.readouts, outputs, strict=True):
        readout(plan, entry, output)
