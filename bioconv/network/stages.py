"""Analog stages: parts of a network that no neuron computes.

A transformer can be converted such that every ReLU spikes and everything else, its attention and
normalizations, stays analog (mueller 4.4).  A stage is declared data: one of `STAGE_FUNCTIONS`,
applied to decoded activations.  It computes the function of a layer of the network's own analog
graph, so that functions and their weights are declared, stored and validated once.
"""

from __future__ import annotations

from bioconv.analog.functions import (
    AdditiveAttention,
    Attention,
    Dot,
    Embedding,
    Function,
    LayerNormalization,
    MaxPool,
    MultiHeadAttention,
    Multiply,
    RMSNormalization,
    Sigmoid,
    Softmax,
    UnitNormalization,
)
from bioconv.analog.graph import Layer
from bioconv.network.parts import AnalogStage, NetworkParts

#: functions that a stage can compute: look-up in a table, normalizations, softmax, gates, products,
#: attention, and the maximum of what other stages compute
STAGE_FUNCTIONS: tuple[type[Function], ...] = (
    AdditiveAttention,
    Attention,
    Dot,
    Embedding,
    LayerNormalization,
    MaxPool,
    MultiHeadAttention,
    Multiply,
    RMSNormalization,
    Sigmoid,
    Softmax,
    UnitNormalization,
)


def layer_of(network: NetworkParts, stage: AnalogStage) -> Layer:
    """Return the layer of the analog network whose function a stage computes.

    Raises
    ------
    ParameterError
        If there is no layer of this name.
    """
    return network.analog.layer(stage.layer)


def populations_behind(network: NetworkParts) -> dict[str, tuple[str, ...]]:
    """Return the populations on which each stage depends, directly or through earlier stages."""
    populations = {entry.name for entry in network.populations}
    found: dict[str, tuple[str, ...]] = {}
    for stage in network.stages:
        behind: dict[str, None] = {}
        for source in stage.sources:
            behind |= dict.fromkeys(found.get(source, (source,) if source in populations else ()))
        found[stage.name] = tuple(behind)
    return found


def list_stages(network: NetworkParts) -> str:
    """Return the names of all stages with their functions, for messages and reports."""
    return ", ".join(
        f"{stage.name} ({type(layer_of(network, stage).function).__name__})"
        for stage in network.stages
    )


def why_neurons_fail(network: NetworkParts) -> str:
    """Return why neurons alone cannot run a network; empty if they can."""
    if not network.stages:
        return ""
    return f"{network.name} has analog stages, which no neuron computes: {list_stages(network)}."
