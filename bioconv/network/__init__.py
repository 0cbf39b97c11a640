"""Spiking networks and recordings: frozen data that are validated and can be stored."""

from bioconv.network.network import SpikingNetwork
from bioconv.network.parts import (
    AnalogStage,
    Change,
    Disturbance,
    Drive,
    Input,
    NetworkParts,
    Population,
    Projection,
    Readout,
    Shape,
    Value,
)

__all__ = [
    "AnalogStage",
    "Change",
    "Disturbance",
    "Drive",
    "Input",
    "NetworkParts",
    "Population",
    "Projection",
    "Readout",
    "Shape",
    "SpikingNetwork",
    "Value",
]
