"""The spiking network and what is recorded of it: frozen data, validated, stored."""

from bioconv.network.network import (
    Change,
    Disturbance,
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    Shape,
    SpikingNetwork,
    Value,
)

__all__ = [
    "Change",
    "Disturbance",
    "Drive",
    "Input",
    "Population",
    "Projection",
    "Readout",
    "Shape",
    "SpikingNetwork",
    "Value",
]
