"""Validation of graphs, networks and recordings, which reports all problems at once."""

from bioconv.network.validation.graph import graph_problems
from bioconv.network.validation.network import network_problems
from bioconv.network.validation.recording import belonging_problems, recording_problems

__all__ = ["belonging_problems", "graph_problems", "network_problems", "recording_problems"]
