"""NIR graphs as plain data, as written to a file and read from one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Array = NDArray[Any]

#: type of a node -> names of its values (nir 1.0.8, nir/ir); those of `OPTIONAL` may be missing
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Conv1d": ("input_shape", "weight", "stride", "padding", "dilation", "groups", "bias"),
    "Conv2d": ("input_shape", "weight", "stride", "padding", "dilation", "groups", "bias"),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Flatten": ("input_type", "start_dim", "end_dim"),
    "Delay": ("delay",),
    "I": ("r",),
    "IF": ("r", "v_threshold", "v_reset"),
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
}
#: values that are missing in older files
OPTIONAL = ("input_shape", "input_type", "v_reset", "w_in")
#: metadata that are read: those of the graph, and those of a node (see `cells`)
GRAPH_METADATA = ("written_by", "dt", "n_steps")
NODE_METADATA = ("reset", "t_ref", "v_start")
#: types of nodes with a state, which become populations
NEURONS = ("I", "IF", "LI", "LIF", "CubaLI", "CubaLIF")


@dataclass(frozen=True, eq=False)
class Node:
    """A node of a graph.

    Parameters
    ----------
    kind : str
        A key of `FIELDS`.
    values : mapping of str to ndarray or str
        Arrays have their channels first, as everywhere in NIR.
    metadata : mapping of str
        What NIR cannot represent; readers may ignore it.
    """

    kind: str
    values: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """Shape of an input, an output or a population, channels first."""
        if "shape" in self.values:
            return tuple(int(n) for n in np.atleast_1d(self.values["shape"]))
        return tuple(np.shape(self.values["r"]))


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes by name, directed edges, and metadata of the whole graph.

    Contributions of several edges to one node add up.
    """

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def of_kind(self, *kinds: str) -> dict[str, Node]:
        """Return the nodes of some types, in order."""
        return {name: node for name, node in self.nodes.items() if node.kind in kinds}

    def after(self, name: str) -> list[str]:
        """Return the names of the nodes to which edges lead from the one called ``name``."""
        return self._after.get(name, [])

    def before(self, name: str) -> list[str]:
        """Return the names of the nodes from which edges lead to the one called ``name``."""
        return self._before.get(name, [])

    @cached_property
    def _after(self) -> dict[str, list[str]]:
        return _grouped(self.edges)

    @cached_property
    def _before(self) -> dict[str, list[str]]:
        return _grouped((post, pre) for pre, post in self.edges)


def _grouped(edges: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one, other in edges:
        found.setdefault(one, []).append(other)
    return found


def channels_first(array: Array) -> Array:
    """Return an array (*space, channels) as (channels, *space)."""
    return np.moveaxis(array, -1, 0) if array.ndim > 1 else array


def channels_last(array: Array) -> Array:
    """Return an array (channels, *space) as (*space, channels)."""
    return np.moveaxis(array, 0, -1) if array.ndim > 1 else array


def first(shape: Shape) -> Shape:
    """Return a shape (*space, channels) as (channels, *space)."""
    return (*shape[-1:], *shape[:-1])


def last(shape: Shape) -> Shape:
    """Return a shape (channels, *space) as (*space, channels)."""
    return (*shape[1:], *shape[:1])


def size(shape: Shape) -> int:
    """Return the number of values of an array of this shape."""
    return prod(shape)
