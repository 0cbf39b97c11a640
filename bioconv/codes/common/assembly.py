"""Assembly of a spiking network from the parts that a code adds layer by layer.

Every code performs the same steps in the same order: it refuses neurons and layers that it does not
support and rewrites the graph for spiking layers (`prepared`), plans scales and times, adds layers
and outputs (`add_all`), and assembles the network (`Parts.network`).
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
    AnalogStage,
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
    """The parts built so far; the plan of a code adds the decisions that it makes beforehand."""

    populations: list[Population] = field(default_factory=list)
    projections: list[Projection] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    readouts: list[Readout] = field(default_factory=list)
    stages: list[AnalogStage] = field(default_factory=list)

    def network(
        self,
        graph: AnalogGraph,
        inputs: Iterable[Input],
        *,
        dt: float,
        n_steps: int,
        record: Mapping[str, str | int | float | bool],
    ) -> SpikingNetwork:
        """Return the network of all parts.

        Parameters
        ----------
        graph : AnalogGraph
            The analog network that is converted.
        inputs : iterable of Input
        dt : float
            ms.
        n_steps : int
            Number of steps of a sample.
        record : mapping
            Name and options of the code, and other facts that are known before a simulation.
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
            stages=tuple(self.stages),
        )


def prepared(
    request: Request,
    code: str,
    carries: Carries | None = None,
    *,
    minima: bool = False,
) -> Rewritten:
    """Return the graph rewritten for spiking layers, for a code with its own neurons.

    Parameters
    ----------
    request : Request
    code : str
        Name of the code in messages.
    carries : function of Function to bool, optional
        Whether the code supports a function of hidden layers other than ReLU and maxima.
    minima : bool
        Whether the code supports minima.

    Raises
    ------
    ConversionError
        If some layers cannot spike (the message lists all of them), or if the user requested a
        different neuron.
    """
    check_neuron(code, request.neuron)
    lowest = LowestValues(request.graph, request.calibration)
    more: dict[str, Any] = {} if carries is None else {"carries": carries}
    rewritten = rewrite(request.graph, lowest, code, minima=minima, **more)
    refuse_curves(code, rewritten)
    return rewritten


#: function that adds one layer to a plan
Add = Callable[[Any, Layer], None]


def add_all(
    plan: Parts,
    rewritten: Rewritten,
    outputs: Iterable[str],
    *,
    layer: Add,
    gates: Add,
    readout: Callable[[Any, Layer, str], None],
    stage: Add | None = None,
) -> None:
    """Add all layers and outputs to a plan, in order.

    Parameters
    ----------
    plan : Parts
    rewritten : Rewritten
    outputs : iterable of str
        Names of the outputs of the graph, one for each of ``rewritten.readouts``.
    layer, gates, readout : functions
        Functions that add a layer, the gates of a max pooling, and an output with its name.
    stage : function, optional
        Adds an analog stage, for codes that support them.
    """
    for entry in rewritten.layers:
        if stage is not None and entry.name in rewritten.analog:
            stage(plan, entry)
        else:
            (gates if isinstance(entry.function, MaxPool) else layer)(plan, entry)
    for entry, output in zip(rewritten.readouts, outputs, strict=True):
        readout(plan, entry, output)
