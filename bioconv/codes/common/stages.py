"""Which layers stay analog in a network whose rectifications spike (mueller 4.4)."""

from __future__ import annotations

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Elementwise, Linear, MaxPool, Multiply, Sigmoid
from bioconv.analog.graph import Layer
from bioconv.network.stages import STAGE_FUNCTIONS


def analog_layers(graph: AnalogGraph) -> set[str]:
    """Return the layers that become analog stages.

    These are the layers with one of `bioconv.network.stages.STAGE_FUNCTIONS`, except for those
    that spikes or readouts can represent: functions of an output that feeds no other layer, if a
    readout can apply them; sigmoids that are not gates, that is, not only factors of products; and
    maxima of spiking layers.

    Parameters
    ----------
    graph : AnalogGraph
    """
    users = {layer.name: list[Layer]() for layer in graph.layers}
    for layer in graph.layers:
        for source in users.keys() & layer.sources:
            users[source].append(layer)
    found: set[str] = set()
    moved: set[str] = set()  # linear layers of which a part is the value of a stage
    for layer in graph.layers:
        if isinstance(layer.function, Linear):
            moved |= {layer.name} if (found | moved).intersection(layer.sources) else set()
        elif isinstance(layer.function, MaxPool):
            found |= {layer.name} if (found | moved).intersection(layer.sources) else set()
        elif isinstance(layer.function, STAGE_FUNCTIONS) and _is_stage(
            layer, users[layer.name], layer.name in graph.outputs
        ):
            found.add(layer.name)
    return found


def _is_stage(layer: Layer, users: list[Layer], output: bool) -> bool:
    if isinstance(layer.function, Elementwise) and output and not users:
        return False
    if isinstance(layer.function, Sigmoid):
        return not output and all(isinstance(user.function, Multiply) for user in users)
    return True
