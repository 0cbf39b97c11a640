"""Rewritten analog graphs, and their relation to the original ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.graph import Affine, GraphInput, Layer
from bioconv.codes.common.affine import elementwise_factor, same
from bioconv.ground.naming import free_name


@dataclass(frozen=True)
class Carried:
    """Contribution of a rewritten layer to a layer of the original graph.

    The contribution is ``factor * activation + offset``.
    """

    layer: str
    factor: NDArray[np.float64]
    offset: NDArray[np.float64]


@dataclass
class Rewritten:
    """A graph in which every layer can spike, and how it relates to the original.

    Parameters
    ----------
    name : str
    inputs : tuple of GraphInput
    layers : list of Layer
        Rectifications, maxima and analog stages, in topological order.
    readouts : list of Layer
        The outputs, in the order of the original graph; no layer uses their values.
    values : dict of str to Affine
        The activation of each original layer in terms of ``layers``.
    deferred : dict of str to Layer
        Max poolings that are applied after the rectification that follows them.
    analog : set of str
        Names of those of ``layers`` that no neuron computes; they become analog stages
        (`bioconv.network.AnalogStage`) and may have several inputs.
    """

    name: str
    inputs: tuple[GraphInput, ...]
    layers: list[Layer] = field(default_factory=list)
    readouts: list[Layer] = field(default_factory=list)
    values: dict[str, Affine] = field(default_factory=dict)
    deferred: dict[str, Layer] = field(default_factory=dict)
    analog: set[str] = field(default_factory=set)

    def graph(self) -> AnalogGraph:
        """Return an analog graph of all layers that is equivalent to the original one."""
        outputs = tuple(layer.name for layer in self.readouts)
        return AnalogGraph(self.name, self.inputs, (*self.layers, *self.readouts), outputs)

    def free_name(self, wanted: str) -> str:
        """Return ``wanted``, with a number appended if a layer or input already has that name."""
        taken = {entry.name for entry in self.inputs}
        taken |= {layer.name for layer in (*self.layers, *self.readouts)}
        taken |= set(self.values) | set(self.deferred)
        return free_name(wanted, taken)

    def constant(self, currents: Collection[str]) -> set[str]:
        """Return the layers that depend on nothing but inputs that are constant currents.

        Parameters
        ----------
        currents : collection of str
            The names of these inputs.

        Returns
        -------
        set of str
            Names of analog stages, and of the inputs.
        """
        found = set(currents)
        for layer in self.layers:
            if layer.name in self.analog and found.issuperset(layer.sources):
                found.add(layer.name)
        return found

    def add(self, layer: Layer) -> None:
        """Append a layer that represents itself."""
        self.layers.append(layer)

    def carried(self, original: AnalogGraph) -> dict[str, Carried]:
        """Return the original layer that each rewritten layer represents, if there is one."""
        found: dict[str, Carried] = {}
        known = {layer.name for layer in self.layers}
        for layer in original.layers:
            value = self.values.get(layer.name)
            if value is None and layer.name in known:
                value = same(layer.name, layer.shape)
            found.update(_contributions(layer.name, value) if value is not None else {})
        return found


def _contributions(name: str, value: Affine) -> Iterator[tuple[str, Carried]]:
    factors = [elementwise_factor(term.operator) for term in value.terms]
    if any(factor is None for factor in factors):
        return
    offset = value.bias
    for term, factor in zip(value.terms, factors, strict=True):
        yield term.source, Carried(name, np.asarray(factor), offset)
        offset = np.zeros_like(offset)  # a constant counts once
