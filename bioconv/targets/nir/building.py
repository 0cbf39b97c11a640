"""Build the NIR graph of a spiking network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.naming import free_name
from bioconv.network import Change, Drive, Projection, SpikingNetwork
from bioconv.operators import Operator, Reshape, scaled
from bioconv.targets.findings import Finding, Verdict, projection_name
from bioconv.targets.nir.cells import SECOND, family, gains, kind_of, node_of, written
from bioconv.targets.nir.graph import Graph, Node, first
from bioconv.targets.nir.layers import MOST_WEIGHTS, matrix_nodes, structured, structured_nodes
from bioconv.targets.releasing import after_changes

Array = NDArray[Any]

#: value of a node -> its name in a report
_ASPECTS = {
    "weight": "weights",
    "bias": "constant current",
    "v_threshold": "threshold",
    "v_reset": "reset potential",
}
_UNITS = {
    "weights": "mV per step",
    "constant current": "mV per step",
    "threshold": "mV",
    "reset potential": "mV",
}


def settled(network: SpikingNetwork) -> tuple[SpikingNetwork, list[Finding]]:
    """Return the network with the changes at its populations' starts in effect from the first step.

    Populations of a rate code may wait for their input to settle, but NIR has no steps.  Changes
    at several steps cannot be represented in this way.
    """
    schedule: dict[str, list[Change]] = {}
    for change in network.changes:
        schedule.setdefault(change.population, []).append(change)
    steps = {name: len({change.step for change in found}) for name, found in schedule.items()}
    problems = [
        Finding(
            name,
            "scheduled changes",
            Verdict.IMPOSSIBLE,
            f"its parameters change at {number} steps, but NIR has no time steps.",
            advice="Convert with a rate code.",
        )
        for name, number in steps.items()
        if number > 1
    ]
    populations = tuple(
        replace(after_changes(p, schedule.get(p.name, ())), start_step=0)
        for p in network.populations
    )
    if problems or not schedule:
        return network, problems
    return network.replace(populations=populations, changes=()), []


@dataclass(frozen=True, eq=False)
class _Link:
    """A projection or a drive that is to be written into the graph."""

    pre: str
    post: str
    operator: Operator
    delay_steps: int
    part: str  # its name in a report

    @property
    def n_weights(self) -> int:
        return self.operator.n_in * self.operator.n_out


def build(network: SpikingNetwork) -> tuple[Graph, list[Finding]]:
    """Return the graph of a network without scheduled changes, and findings on its accuracy.

    Parameters
    ----------
    network : SpikingNetwork
        `kind_of` finds a node for each of its populations.
    """
    builder = _Builder(network)
    findings = list(builder.problems())
    if findings:
        return Graph({}, ()), findings
    graph = builder.graph()
    return graph, list(builder.findings())


class _Builder:
    def __init__(self, network: SpikingNetwork):
        self.network = network
        self.populations = {p.name: p for p in network.populations}
        sending = {projection.pre for projection in network.projections}
        self.kinds = {p.name: kind_of(p, p.name in sending) for p in network.populations}
        self.gains = {n: gains(p, self.kinds[n], network.dt) for n, p in self.populations.items()}
        self.links = [
            *map(self._projection, network.projections),
            *map(self._drive, network.drives),
        ]
        self.shapes = {i.name: i.spike_shape if i.spikes else i.shape for i in network.inputs}
        self.shapes |= {p.name: p.shape for p in network.populations}
        self.bias = {name: self._bias(name) for name in self.populations}
        self.forms = [structured(link.operator) for link in self.links]
        self.flat = {name for name, shape in self.shapes.items() if len(shape) > 3}
        self._flatten_what_must_be()
        #: part, aspect -> largest error of a value that was rounded when it was written
        self.rounded: dict[tuple[str, str], float] = {}

    def _projection(self, entry: Projection) -> _Link:
        weight, _ = self.gains[entry.post]
        operator = scaled(entry.operator, post=weight)
        part = projection_name(entry.pre, entry.post, entry.receptor)
        return _Link(entry.pre, entry.post, operator, entry.delay_steps, part)

    def _drive(self, entry: Drive) -> _Link:
        _, current = self.gains[entry.post]
        operator = scaled(entry.operator, post=current)
        return _Link(entry.input, entry.post, operator, 1, f"{entry.input} -> {entry.post}")

    def _bias(self, name: str) -> Array:
        population = self.populations[name]
        current = np.asarray(population.value(population.model.current), np.float64)
        return np.broadcast_to(current * self.gains[name][1], population.shape)

    def _flatten_what_must_be(self) -> None:
        """Find the populations that are written flat because a part of them has no other form."""
        self.flat |= {n for n, bias in self.bias.items() if bias.ndim > 1 and _uneven(bias)}
        before = -1
        while before != len(self.flat):
            before = len(self.flat)
            for link, forms in zip(self.links, self.forms, strict=True):
                rank = len(self.shapes[link.post])
                if rank > 1 and not self._fits(link, forms):
                    self.flat.add(link.post)

    def _fits(self, link: _Link, forms: list[Operator] | None) -> bool:
        """Return whether a link can keep its structure, given how its source is written."""
        if forms is None or link.post in self.flat:
            return False
        return link.pre not in self.flat or isinstance(forms[0], Reshape)

    def problems(self) -> Iterator[Finding]:
        """Yield a finding for everything that a graph cannot represent."""
        for link, forms in zip(self.links, self.forms, strict=True):
            if not self._fits(link, forms) and link.n_weights > MOST_WEIGHTS:
                yield Finding(
                    link.part,
                    "operator",
                    Verdict.IMPOSSIBLE,
                    f"NIR has no such operator, and as a matrix it has {link.n_weights:,} weights.",
                    advice=f"At most {MOST_WEIGHTS:,} weights can be written: use smaller layers.",
                )
        reached = {link.post for link in self.links}
        for name in self.populations.keys() - reached:
            text = "nothing projects to it, and in NIR a constant current requires a projection."
            yield Finding(name, "constant current", Verdict.IMPOSSIBLE, text)

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for everything that is approximated; call it after `graph`."""
        for (part, aspect), error in self.rounded.items():
            text = "rounded to float32"
            yield Finding(part, aspect, Verdict.APPROXIMATED, text, error, _UNITS[aspect])
        for name, population in self.populations.items():
            if family(self.kinds[name]).subtracts(population.model):
                text = (
                    "exact in readers that reset by subtraction (Spyx); others lose less the lower "
                )
                text += "the rates are"
                advice = "Convert with RateCode(max_rate=200) or less."
                yield Finding(name, "reset", Verdict.APPROXIMATED, text, advice=advice)
        for link, forms in zip(self.links, self.forms, strict=True):
            if not self._fits(link, forms):
                text = f"written as a matrix of {link.n_weights:,} weights between flat populations"
                yield Finding(link.part, "operator", Verdict.EXACT, text)
        for entry in self.network.drives:
            if entry.grid:
                text = "currents are not rounded to the grid of the other simulators"
                error = 0.5 * entry.grid
                part = f"{entry.input} -> {entry.post}"
                yield Finding(part, "current", Verdict.APPROXIMATED, text, error, "pA")

    def graph(self) -> Graph:
        """Return the whole graph."""
        nodes: dict[str, Node] = {}
        for entry in self.network.inputs:
            nodes[entry.name] = Node("Input", {"shape": np.array(first(self._shape(entry.name)))})
        for name, population in self.populations.items():
            shape = self._shape(name)
            node = node_of(population, self.kinds[name], self.network.dt, shape)
            nodes[name] = self._written(node, name, name)
        edges: list[tuple[str, str]] = []
        waiting = dict(self.bias)
        for link, forms in zip(self.links, self.forms, strict=True):
            bias = waiting.pop(link.post, np.zeros(self.shapes[link.post]))
            path = [link.pre]
            for what, node in self._nodes(link, forms, bias):
                name = free_name(f"{link.pre}_{link.post}_{what}", nodes)
                nodes[name] = self._written(node, link.part, link.post)
                path.append(name)
            path.append(link.post)
            edges += zip(path[:-1], path[1:], strict=True)
        for readout in self.network.readouts:
            name = free_name(readout.name, nodes)
            nodes[name] = Node(
                "Output", {"shape": np.array(first(self._shape(readout.population)))}
            )
            edges.append((readout.population, name))
        metadata = {"dt": self.network.dt / SECOND, "n_steps": self.network.n_steps}
        return Graph(nodes, tuple(edges), {"written_by": "bioconv", **metadata})

    def _written(self, node: Node, part: str, population: str) -> Node:
        """Return the node as it is written, and keep the rounding errors for the findings."""
        found, errors = written(node)
        for name, error in errors.items():
            aspect = _ASPECTS[name]
            key = (part if aspect == "weights" else population, aspect)
            self.rounded[key] = max(error, self.rounded.get(key, 0.0))
        return found

    def _shape(self, name: str) -> tuple[int, ...]:
        shape = self.shapes[name]
        return (prod(shape),) if name in self.flat else shape

    def _nodes(
        self, link: _Link, forms: list[Operator] | None, bias: Array
    ) -> Iterator[tuple[str, Node]]:
        shape = self._shape(link.pre)
        if link.delay_steps > 1:
            seconds = (link.delay_steps - 1) * self.network.dt / SECOND
            yield "delay", Node("Delay", {"delay": np.full(first(shape), seconds)})
        if forms is not None and self._fits(link, forms):
            channels = bias.reshape(-1, bias.shape[-1])[0] if bias.ndim > 1 else bias
            yield from structured_nodes(forms, channels, link.pre in self.flat)
        else:
            yield from matrix_nodes(link.operator, bias.ravel(), shape)


def _uneven(bias: Array) -> bool:
    """Return whether a bias differs within a channel."""
    channels = bias.reshape(-1, bias.shape[-1])
    return bool(np.any(channels != channels[0]))
