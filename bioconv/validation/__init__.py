"""What must hold in a network, checked in one place; all problems are found at once."""

from bioconv.validation.graph import graph_problems
from bioconv.validation.network import network_problems
from bioconv.validation.recording import recording_problems

__all__ = ["graph_problems", "network_problems", "recording_problems"]
