"""NIR files, which are written with the package ``nir`` and read as untrusted data."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bioconv.ground.errors import ExpressionError, NetworkFileError
from bioconv.ground.extras import required
from bioconv.neurons.language.grammar import check_name
from bioconv.reading.hdf5 import Hdf5File
from bioconv.targets.nir.graph import (
    FIELDS,
    GRAPH_METADATA,
    NODE_METADATA,
    OPTIONAL,
    Graph,
    Node,
)
from bioconv.targets.nir.meaning import problem

#: largest depth of subgraphs within subgraphs
_DEEPEST = 20


def write(graph: Graph, path: Path) -> None:
    """Write a graph to a file.

    A single input is called "input" and a single output "output", as some readers expect.

    Raises
    ------
    SimulatorMissingError
        The package ``nir`` is not installed.
    """
    nir = required("nir")
    names = _usual_names(graph)
    nodes = {
        names[name]: nir.dict2NIRNode(
            {"type": node.kind, **node.values, "metadata": dict(node.metadata)}
        )
        for name, node in graph.nodes.items()
    }
    edges = [(names[pre], names[post]) for pre, post in graph.edges]
    whole = nir.NIRGraph(nodes=nodes, edges=edges, metadata=dict(graph.metadata))
    # In memory, because the HDF5 library crashes if the disk is full when it closes a file.
    image = io.BytesIO()
    nir.write(image, whole)
    path.write_bytes(image.getbuffer())


def _usual_names(graph: Graph) -> dict[str, str]:
    names = {name: name for name in graph.nodes}
    for kind in ("Input", "Output"):
        found = list(graph.of_kind(kind))
        if len(found) == 1 and kind.lower() not in graph.nodes:
            names[found[0]] = kind.lower()
    return names


def read(path: Path) -> Graph:
    """Read a graph; subgraphs are merged into it, and names of nodes become identifiers.

    Raises
    ------
    NetworkFileError
        The file is missing or damaged, or does not contain such a graph.
    """
    label = path.name
    try:
        with Hdf5File(path, label) as file:
            return _Reader(file).graph()
    except (OSError, ValueError) as error:
        if isinstance(error, NetworkFileError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise NetworkFileError(f"{label}: cannot be read ({reason}). Check the path.") from None


class _Reader:
    def __init__(self, file: Hdf5File):
        self.file = file
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []

    def graph(self) -> Graph:
        """Return the graph of the whole file."""
        if self.file.dataset_text("node/type") != "NIRGraph":
            raise self.file.error("it contains no NIR graph")
        self._take("node", "", 0)
        names = _identifiers(self.nodes)
        unknown = sorted({n for edge in self.edges for n in edge} - self.nodes.keys())
        if unknown:
            raise self.file.error(
                f"an edge refers to a node that does not exist: {unknown[0]!r:.60}"
            )
        return Graph(
            {names[name]: node for name, node in self.nodes.items()},
            tuple(dict.fromkeys((names[pre], names[post]) for pre, post in self.edges)),
            self._values("node/metadata", GRAPH_METADATA),
        )

    def _take(self, place: str, prefix: str, depth: int) -> None:
        """Add the nodes and edges of a graph; those of a subgraph are prefixed with its name."""
        if depth > _DEEPEST:
            raise self.file.error(f"its graphs are nested more than {_DEEPEST} levels deep")
        inner: dict[str, str] = {}
        for name in self.file.children(f"{place}/nodes"):
            if f"{prefix}{name}" in self.nodes:
                raise self.file.error(f"two nodes are called {prefix}{name!r:.60}")
            kind = self.file.dataset_text(f"{place}/nodes/{name}/type") or ""
            inner[name] = kind
            if kind == "NIRGraph":
                self._take(f"{place}/nodes/{name}", f"{prefix}{name}.", depth + 1)
            else:
                self.nodes[f"{prefix}{name}"] = self._node(f"{place}/nodes/{name}", kind, depth)
        for pre, post in self._edges(place):
            begin = self._end(place, prefix, pre, inner, "Output")
            self.edges.append((begin, self._end(place, prefix, post, inner, "Input")))

    def _end(self, place: str, prefix: str, name: str, kinds: Mapping[str, str], side: str) -> str:
        """Return the node at one end of an edge; for a subgraph, its only input or output."""
        if kinds.get(name) != "NIRGraph":
            return f"{prefix}{name}"
        inside = f"{place}/nodes/{name}/nodes"
        found = [n for n in self.file.children(inside) if self._kind(f"{inside}/{n}") == side]
        if len(found) != 1:
            raise self.file.error(
                f"the subgraph {name!r:.60} has {len(found)} {side} nodes, expected 1"
            )
        return f"{prefix}{name}.{found[0]}"

    def _kind(self, place: str) -> str:
        return self.file.dataset_text(f"{place}/type") or ""

    def _node(self, place: str, kind: str, depth: int) -> Node:
        if kind not in FIELDS:
            known = ", ".join(FIELDS)
            raise self.file.error(f"{place} has the type {kind!r:.60}, expected one of {known}")
        values = self._values(place, FIELDS[kind])
        missing = [n for n in FIELDS[kind] if n not in values and n not in OPTIONAL]
        if missing:
            raise self.file.error(f"{place} ({kind}) lacks {', '.join(missing)}")
        reason = problem(kind, values)
        if reason is not None:
            raise self.file.error(f"{place}: {reason}")
        if depth and kind in ("Input", "Output"):
            kind, values = "Identity", {}
        return Node(kind, values, self._values(f"{place}/metadata", NODE_METADATA))

    def _values(self, place: str, names: Iterable[str]) -> dict[str, Any]:
        """Return some datasets of a group: arrays, texts, and lists of texts."""
        found: dict[str, Any] = {}
        for name in names:
            where = f"{place}/{name}"
            for kind in (self.file.dataset_text, self.file.dataset_texts, self._array):
                value = kind(where)
                if value is not None:
                    found[name] = value
                    break
        return found

    def _array(self, place: str) -> NDArray | None:
        stored = self.file.array(place)
        return None if stored is None else self.file.numbers(stored)

    def _edges(self, place: str) -> Iterator[tuple[str, str]]:
        texts = self.file.dataset_texts(f"{place}/edges")
        if texts is None or len(texts) % 2:
            raise self.file.error(f"{place} has no list of edges")
        yield from zip(texts[::2], texts[1::2], strict=True)


def _identifiers(names: Mapping[str, Any]) -> dict[str, str]:
    """Return a unique identifier for each name."""
    made: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        word = free = identifier(name)
        number = 1
        while free in taken:
            number += 1
            free = f"{word}_{number}"
        taken.add(free)
        made[name] = free
    return made


def identifier(text: str) -> str:
    """Return a name similar to the text that is valid in an equation or a program."""
    word = re.sub(r"\W", "_", text, flags=re.ASCII)[:40]
    for candidate in (word, f"node_{word}"):
        try:
            check_name(candidate)
        except ExpressionError:
            continue
        return candidate
    return "node"
