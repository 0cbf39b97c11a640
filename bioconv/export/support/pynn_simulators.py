"""Table of all simulators under PyNN."""

from __future__ import annotations

from .pynn_base import GENERATED, Simulator
from .pynn_brian2 import Brian2
from .pynn_nest import Nest
from .pynn_neuron import MechanismsError, Neuron
from .pynn_parallel import ProcessesError, check_processes

__all__ = ["GENERATED", "SIMULATORS", "MechanismsError", "ProcessesError", "check_processes"]

SIMULATORS: dict[str, type[Simulator]] = {"nest": Nest, "neuron": Neuron, "brian2": Brian2}
