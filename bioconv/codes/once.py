"""What codes share in which a neuron spikes once: inputs, maxima, and the grid of their weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import lcm

import numpy as np

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import FICurve, MaxPool
from bioconv.analog.graph import Layer
from bioconv.codes.membrane import denominator
from bioconv.codes.names import identifiers
from bioconv.codes.rewritten import Rewritten
from bioconv.errors import ConversionError, Problem
from bioconv.network import Input
from bioconv.operators import Operator, WindowCell, compose, n_synapses

#: refractory period, longer than any run
ONCE_STEPS = 1_000_000
#: weights are whole multiples of this share of the full scale, see `bioconv.codes.membrane`
GRID = 2.0**-30


def current_inputs(graph: AnalogGraph) -> dict[str, Input]:
    """The inputs of a graph, by its names: samples come as currents."""
    found = identifiers(entry.name for entry in graph.inputs)
    pairs = zip(graph.inputs, found, strict=True)
    return {entry.name: Input(name, entry.shape) for entry, name in pairs}


def refuse_curves(code: str, rewritten: Rewritten) -> None:
    """Refuse measured curves of neurons, which only rates have.

    Raises
    ------
    ConversionError
        With every layer that is one.
    """
    problems = [
        Problem(
            layer.name,
            "FICurve",
            "a spike time is a rectification of the input, not the curve of a neuron.",
            "Use the rate code, or a ReLU in its place.",
        )
        for layer in rewritten.layers
        if isinstance(layer.function, FICurve)
    ]
    if problems:
        raise ConversionError(f"The {code} code cannot carry {rewritten.name!r}:", problems)


def rounded(operator: Operator, grid: float) -> Operator:
    """The operator with its weights on a grid; as it is for a grid of 0."""
    if not grid:
        return operator
    return operator.map_weights(lambda w: np.round(np.asarray(w, np.float64) / grid) * grid)


def margin(full: float, n_parts: int, operators: Iterable[Operator]) -> float:
    """Half the spacing of the potentials that can occur.

    In exact arithmetic no potential then meets the threshold, so every simulator is on the same
    side of it.

    Parameters
    ----------
    full : float
        Potential of the full scale.
    n_parts : int
        By how much the integration divides the grid of the weights.
    operators : iterable of Operator
        In front of the population; averages divide it further.
    """
    parts = n_parts * lcm(*(denominator(operator) for operator in operators))
    return full * GRID / (2 * parts)


def windows(layer: Layer) -> Iterator[tuple[str, Operator]]:
    """The sources of a maximum, each with the operators of the cells of its windows."""
    affine, pool = layer.inputs[0], layer.function
    assert isinstance(pool, MaxPool)
    for term in affine.terms:
        for cell in range(int(np.prod(pool.size))):
            window = WindowCell(affine.shape, pool.size, pool.strides, pool.padding, cell)
            operator = compose(term.operator, window)
            if n_synapses(operator):  # a cell that is all padding has none
                yield term.source, operator
