"""The expressions of a step, from which all that is constant in a run has been taken out."""

from __future__ import annotations

import ast
from typing import NamedTuple

from bioconv.neurons.language.discrete import Discrete
from bioconv.neurons.language.expressions import parse_expression
from bioconv.neurons.language.folding import Folder


class Phases(NamedTuple):
    """The folded expressions of one step, in the order of `Discrete`.

    Parameters
    ----------
    held, update, reset, after : tuple of (str, ast.expr)
        Targets and their expressions, in order.
    definitions : dict of str to ast.expr
        Sub-expressions of ``threshold``, ``reset`` and ``after``, in order.
    threshold : ast.expr, or None for a model that never fires
    """

    held: tuple[tuple[str, ast.expr], ...]
    update: tuple[tuple[str, ast.expr], ...]
    definitions: dict[str, ast.expr]
    threshold: ast.expr | None
    reset: tuple[tuple[str, ast.expr], ...]
    after: tuple[tuple[str, ast.expr], ...]


def folded(discrete: Discrete, changing: frozenset[str]) -> tuple[Phases, dict[str, ast.expr]]:
    """Return the phases of a model, and the expressions of the constants that stand in them.

    Parameters
    ----------
    discrete : Discrete
    changing : frozenset of str
        Parameters whose values change within a run.

    Raises
    ------
    ExpressionError
        If the text is not valid.
    """
    model = discrete.model
    names = model.names | discrete.temporaries
    varying = {state.name for state in model.states} | discrete.temporaries | changing | {"t"}
    varying |= {a.target for a in (*discrete.held, *discrete.definitions)}
    folder = Folder(frozenset(varying))

    def fold(text: str, internal: bool = False) -> ast.expr:
        return folder.fold(parse_expression(text, names, internal=internal))

    phases = Phases(
        held=tuple((a.target, fold(a.expression)) for a in discrete.held),
        update=tuple((a.target, fold(a.expression, True)) for a in discrete.update),
        definitions={a.target: fold(a.expression) for a in discrete.definitions},
        threshold=fold(discrete.threshold) if discrete.threshold else None,
        reset=tuple((a.target, fold(a.expression)) for a in discrete.reset),
        after=tuple((a.target, fold(a.expression)) for a in discrete.after),
    )
    return phases, folder.constants
