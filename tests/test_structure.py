"""The structure of the library: rooms, and imports that never run in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "bioconv"


def modules() -> dict[str, Path]:
    found = {}
    for path in LIBRARY.rglob("*.py"):
        parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if "templates" not in parts:
            found[name] = path
    return found


def imported(tree: ast.AST) -> Iterator[str]:
    """What is imported when a module is, or for type checkers alone; not within functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            yield from imported(node)


def test_no_module_imports_itself_in_a_circle() -> None:
    known = modules()
    # The library's own `__init__` names what is imported on first use.
    edges = {
        name: {other for other in imported(ast.parse(path.read_text())) if other in known} - {name}
        for name, path in known.items()
        if name != "bioconv"
    }
    for name, others in edges.items():
        parents = {name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)}
        edges[name] = others - parents - {"bioconv"}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(f"imports run in a circle: {' -> '.join(error.args[1])}")


def test_fewer_than_thirty_rooms() -> None:
    folders = [p for p in LIBRARY.iterdir() if p.is_dir() and any(p.glob("*.py"))]
    assert len(folders) + len(list(LIBRARY.glob("*.py"))) < 30
