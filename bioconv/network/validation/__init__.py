"""What must hold in a network, checked in one place; all problems are found at once."""

from bioconv.network.validation.graph import graph_problems
from bioconv.network.validation.network import network_problems
from bioconv.network.validation.recording import recording_problems

__all__ = ["graph_problems", "network_problems", "recording_problems"]
