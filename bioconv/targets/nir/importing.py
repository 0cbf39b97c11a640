"""Convert a NIR graph to a spiking network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Linear, ReLU
from bioconv.analog.graph import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.ground.errors import ConversionError, NetworkFileError, ParameterError
from bioconv.network import Drive, Input, Population, Projection, Readout, SpikingNetwork
from bioconv.operators import Operator, Reshape, compose, identity, is_identity, scaled
from bioconv.targets.nir.cells import SECOND, Read, family, population_of
from bioconv.targets.nir.graph import NEURONS, Graph, Shape, first, last, size
from bioconv.targets.nir.operators import bias_of, operator_of

Floats = NDArray[np.float64]

#: largest number of paths between populations through linear nodes in a graph
_MOST_PATHS = 10_000
#: largest number of linear nodes in a row
_LONGEST_PATH = 200


@dataclass(frozen=True)
class Options:
    """Options for interpreting a graph; see `bioconv.targets.nir.read_nir`."""

    name: str
    dt: float
    n_steps: int
    encoders: Mapping[str, str] = field(default_factory=dict)
    second: float = SECOND
    extras: bool = False


@dataclass(frozen=True, eq=False)
class _Path:
    """A path from a node through linear nodes to a node with a state or an output."""

    pre: str
    post: str
    operator: Operator
    delay_steps: int


def network_of(graph: Graph, options: Options) -> SpikingNetwork:
    """Return the network that a graph describes.

    Parameters
    ----------
    graph : Graph
        Without subgraphs; names of nodes are identifiers.
    options : Options

    Raises
    ------
    NetworkFileError
        The graph is not valid, or uses something that no network of bioconv can have.
    """
    try:
        return _Importer(graph, options).network()
    except (ConversionError, ParameterError) as error:
        raise NetworkFileError(f"{options.name}: {error}") from None


class _Importer:
    def __init__(self, graph: Graph, options: Options):
        self.graph, self.options = graph, options
        self.n_paths = 0
        #: shapes found so far at the outputs of linear nodes
        self.shapes: dict[str, Shape] = {}
        self.inputs = {name: last(node.shape) for name, node in graph.of_kind("Input").items()}
        self.read = {name: self._population(name) for name in graph.of_kind(*NEURONS)}
        if not self.inputs or not self.read:
            neurons = ", ".join(NEURONS)
            raise NetworkFileError(
                f"{options.name}: the graph must contain an Input and a node with neurons "
                f"({neurons})."
            )
        sources = self.inputs | {n: read.population.shape for n, read in self.read.items()}
        self.paths = [path for name, shape in sources.items() for path in self._from(name, shape)]

    def error(self, name: str, reason: object) -> NetworkFileError:
        """Return an error about one node."""
        kind = self.graph.nodes[name].kind
        return NetworkFileError(f"{self.options.name}: {name} ({kind}): {reason}.")

    def network(self) -> SpikingNetwork:
        """Return the network assembled from its parts."""
        options = self.options
        inputs = {n: Input(n, shape, self._encoder(n)) for n, shape in self.inputs.items()}
        currents = {name for name, entry in inputs.items() if not entry.spikes}
        between = [path for path in self.paths if path.post in self.read]
        self._check_senders(between)
        bias = self._bias()
        return SpikingNetwork(
            name=options.name,
            dt=options.dt,
            n_steps=options.n_steps,
            inputs=tuple(inputs.values()),
            populations=tuple(
                self._with_bias(read, bias.get(name)) for name, read in self.read.items()
            ),
            projections=tuple(self._projection(p) for p in between if p.pre not in currents),
            drives=tuple(self._drive(p) for p in between if p.pre in currents),
            changes=(),
            readouts=tuple(self._readouts()),
            analog=self._analog(between, bias),
            code={"code": "nir"},
        )

    def _encoder(self, name: str) -> str:
        encoders = self.options.encoders
        return encoders.get(name, encoders.get("", "current"))

    def _population(self, name: str) -> Read:
        node, options = self.graph.nodes[name], self.options
        try:
            read = population_of(name, node, options.dt, options.second, options.extras)
        except (ParameterError, ValueError, KeyError, TypeError) as error:
            raise self.error(name, error) from None
        # One spike a step is the rate of one.
        return replace(read, population=replace(read.population, max_rate=1e3 / options.dt))

    def _from(self, start: str, shape: Shape) -> Iterator[_Path]:
        """Yield all paths from a node to the next nodes with a state and to outputs."""
        waiting: list[tuple[str, tuple[Operator, ...], int]]
        waiting = [(name, (), 1) for name in self.graph.after(start)]
        while waiting:
            name, operators, delay = waiting.pop(0)
            self.n_paths += 1
            if self.n_paths > _MOST_PATHS or len(operators) > _LONGEST_PATH:
                raise self.error(name, "the paths that lead to this node are too many or too long")
            before = operators[-1].out_shape if operators else shape
            node = self.graph.nodes[name]
            if node.kind in (*NEURONS, "Output"):
                wanted = last(node.shape)
                same = size(before) == size(wanted) and node.kind == "Output"
                if before != wanted and not same and _wide(before) != _wide(wanted):
                    received = (
                        f"has shape {node.shape}, but receives values of shape {first(before)}"
                    )
                    raise self.error(name, received)
                if before != wanted and not same:  # axes of length 1 do not change the order
                    operators = (*operators, Reshape(before, wanted))
                joined = compose(*operators) if operators else identity(shape)
                yield _Path(start, name, joined, delay)
                continue
            try:
                operator = operator_of(node, before)
            except (ParameterError, ValueError, KeyError, TypeError) as error:
                raise self.error(name, error) from None
            self.shapes[name] = operator.out_shape
            steps = delay + self._delay(name)
            waiting += [(after, (*operators, operator), steps) for after in self.graph.after(name)]

    def _delay(self, name: str) -> int:
        """Return the delay in steps that a node adds."""
        node = self.graph.nodes[name]
        if node.kind != "Delay":
            return 0
        delay = np.asarray(node.values["delay"], np.float64)
        steps = np.round(delay * self.options.second / self.options.dt)
        if delay.size == 0 or np.any(steps != steps.flat[0]) or not 0 <= steps.flat[0] < 1e5:
            raise self.error(name, "its delays must all be equal, and below 100,000 steps")
        return int(steps.flat[0])

    def _bias(self) -> dict[str, Floats]:
        """Return the sum of the biases of linear nodes at each population, in NIR's unit."""
        total: dict[str, Floats] = {}
        for name, shape in list(self.shapes.items()):
            try:
                value = bias_of(self.graph.nodes[name], shape)
            except ParameterError as error:
                raise self.error(name, error) from None
            if value is None:
                continue
            constant = np.broadcast_to(value, shape)
            for path in self._from(name, shape):
                arrived = constant
                if not is_identity(path.operator):
                    arrived = path.operator.matrix().T @ constant.ravel()
                arrived = arrived.reshape(path.operator.out_shape)
                total[path.post] = total.get(path.post, 0.0) + arrived
        return total

    def _with_bias(self, read: Read, bias: Floats | None) -> Population:
        if bias is None:
            return read.population
        parameters = {**read.population.parameters, "i_offset": bias * read.constant}
        return replace(read.population, parameters=parameters)

    def _check_senders(self, paths: list[_Path]) -> None:
        """Refuse nodes without a threshold that send their potential: no neuron of bioconv does."""
        for path in paths:
            if path.pre in self.read and not self.read[path.pre].population.model.threshold:
                raise self.error(
                    path.pre, f"sends its potential to {path.post}, but only spikes can be sent"
                )

    def _projection(self, path: _Path) -> Projection:
        read = self.read[path.post]
        operator = _scaled(path.operator, read.spike)
        receptor = read.population.model.receptors[0].name
        return Projection(path.pre, path.post, operator, receptor, path.delay_steps)

    def _drive(self, path: _Path) -> Drive:
        if path.delay_steps > 1:
            reason = f"currents of {path.pre} are delayed, but only spikes can be"
            raise self.error(path.post, f"{reason}: choose the encoder 'regular' or 'poisson'")
        operator = _scaled(path.operator, self.read[path.post].constant)
        return Drive(path.pre, path.post, operator)

    def _readouts(self) -> Iterator[Readout]:
        outputs = self.graph.of_kind("Output")
        for name in outputs:
            sources = self._before(name)
            if len(sources) != 1 or sources[0] not in self.read:
                found = ", ".join(sources) or "nothing"
                raise self.error(
                    name, f"expected exactly one node with neurons before it, found {found}"
                )
            model = self.read[sources[0]].population.model
            kind = "count" if model.threshold else "level"
            if not (model.threshold or family(self.graph.nodes[sources[0]].kind).leaks):
                kind = "potential"
            seen = sum(path.pre == sources[0] and path.post in outputs for path in self.paths)
            label = sources[0] if seen == 1 else f"{sources[0]}_{name}"
            yield Readout(label, sources[0], kind, Linear())

    def _before(self, name: str) -> list[str]:
        """Return the nodes before a node; for a subgraph, those before its output."""
        seen: set[str] = set()
        found = self.graph.before(name)
        while len(found) == 1 and self.graph.nodes[found[0]].kind == "Identity":
            if found[0] in seen:
                break
            seen.add(found[0])
            found = self.graph.before(found[0])
        return found

    def _analog(self, paths: list[_Path], bias: dict[str, Floats]) -> AnalogGraph:
        """Return the analog network: the graph's rates as rectified sums, without feedback."""
        layers: list[Layer] = []
        known = dict(self.inputs)
        for name in _order(list(self.read), [(p.pre, p.post) for p in paths]):
            read = self.read[name]
            shape = read.population.shape
            fires = bool(read.population.model.threshold)
            threshold = read.population.parameters["v_th"] if fires else 1.0
            gain = read.constant * self.options.dt / np.maximum(np.asarray(threshold), 1e-9)
            terms = tuple(
                Term(path.pre, _scaled(path.operator, gain))
                for path in paths
                if path.post == name and path.pre in known
            )
            constant = np.broadcast_to(bias.get(name, 0.0) * gain, shape)
            function = ReLU() if fires else Linear()
            layers.append(Layer(name, function, (Affine(terms, constant, shape),), shape))
            known[name] = shape
        outputs = {p.pre for p in self.paths if self.graph.nodes[p.post].kind == "Output"}
        inputs = tuple(GraphInput(name, shape) for name, shape in self.inputs.items())
        names = tuple(name for name in self.read if name in outputs) or (layers[-1].name,)
        return AnalogGraph(self.options.name, inputs, tuple(layers), names)


def _wide(shape: Shape) -> Shape:
    """Return a shape without its axes of length 1."""
    return tuple(n for n in shape if n > 1)


def _scaled(operator: Operator, factor: Floats) -> Operator:
    return operator if np.all(factor == 1) else scaled(operator, post=factor)


def _order(names: list[str], edges: list[tuple[str, str]]) -> list[str]:
    """Sort the names so that each follows those that lead to it; cycles are broken at one edge."""
    kept = [(pre, post) for pre, post in edges if pre in names and pre != post]
    while True:
        before: dict[str, set[str]] = {name: set() for name in names}
        for pre, post in kept:
            before[post].add(pre)
        try:
            return list(TopologicalSorter(before).static_order())
        except CycleError as error:
            circle = error.args[1]
            kept = [edge for edge in kept if edge != (circle[-2], circle[-1])]
