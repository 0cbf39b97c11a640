"""Shared parts of the codes in which a neuron spikes once: inputs, maxima and weight grids."""

from __future__ import annotations

from collections.abc import Iterable
from math import lcm

from bioconv.analog import AnalogGraph
from bioconv.codes.common.membrane import denominator
from bioconv.codes.common.names import identifiers
from bioconv.network import Input
from bioconv.operators import Operator

#: refractory period, longer than any run
ONCE_STEPS = 1_000_000
#: weights are multiples of this share of the full scale; see `bioconv.codes.common.membrane`
GRID = 2.0**-30


def current_inputs(graph: AnalogGraph) -> dict[str, Input]:
    """Return the inputs of a graph by name; samples are presented as currents."""
    found = identifiers(entry.name for entry in graph.inputs)
    pairs = zip(graph.inputs, found, strict=True)
    return {entry.name: Input(name, entry.shape) for entry, name in pairs}


def margin(full: float, n_parts: int, operators: Iterable[Operator]) -> float:
    """Return half the spacing of the potentials that can occur.

    With this offset no potential equals the threshold in exact arithmetic, so that all simulators
    agree on which side of it a potential is.

    Parameters
    ----------
    full : float
        Potential of the full scale.
    n_parts : int
        Number of parts into which the integration divides the grid of the weights.
    operators : iterable of Operator
        Operators before the population; averages divide the grid further.
    """
    parts = n_parts * lcm(*(denominator(operator) for operator in operators))
    return full * GRID / (2 * parts)
