"""Which code the arrays of a figure come from, so that a kept result of other code is noticed."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bioconv.ground.digests import digest_of

_PACKAGE = "bioconv.paper_figures."
_FOLDER = Path(__file__).parent
#: runs, judges and records figures, but computes none
_FRAME = "frame"


def code_of(name: str) -> str:
    """Return a digest of the code that computes the arrays of a figure.

    It covers the function ``compute`` of the figure's module and all functions, classes and
    constants of this package that it refers to, directly or not.  It does not cover comments,
    docstrings, line breaks between statements, the claims, and the functions that only measure and
    plot.

    Parameters
    ----------
    name : str
        Name of the figure's module.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    found: dict[tuple[str, str], str] = {}
    waiting = [(name, "compute")]
    while waiting:
        place = waiting.pop()
        definitions, imported = _module(place[0])
        if place in found:
            continue
        if place[1] in imported:
            waiting.append(imported[place[1]])
        elif place[1] in definitions:
            node, found[place] = definitions[place[1]]
            waiting += [(place[0], used) for used in _names(node)]
    return digest_of(sorted((*place, text) for place, text in found.items()))[:16]


@cache
def _module(name: str) -> tuple[dict[str, tuple[ast.stmt, str]], dict[str, tuple[str, str]]]:
    """Return the definitions of a module with their code, and where imported ones are defined."""
    source = (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
    lines = _without_comments(source)
    definitions: dict[str, tuple[ast.stmt, str]] = {}
    imported: dict[str, tuple[str, str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_PACKAGE):
            origin = (node.module or "").removeprefix(_PACKAGE)
            if origin != _FRAME:
                names = {alias.asname or alias.name: alias.name for alias in node.names}
                imported |= {here: (origin, there) for here, there in names.items()}
        for defined in _defined(node):
            definitions[defined] = node, _code(node, lines)
    return definitions, imported


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (name for target in node.targets for name in _names(target))
    elif isinstance(node, ast.AnnAssign):
        yield from _names(node.target)


def _names(node: ast.AST) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _without_comments(source: str) -> list[str]:
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return lines


def _code(node: ast.stmt, lines: list[str]) -> str:
    """Return the lines of a statement with its decorators, without docstrings and empty lines."""
    decorators = getattr(node, "decorator_list", [])
    rows = set(range(min(d.lineno for d in [node, *decorators]), (node.end_lineno or 0) + 1))
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part) is not None:
            rows -= set(range(part.body[0].lineno, (part.body[0].end_lineno or 0) + 1))
    texts = (lines[row - 1].rstrip() for row in sorted(rows))
    return "\n".join(text for text in texts if text)
