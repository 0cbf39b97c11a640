"""Identity of neuron models: equality of equations, regardless of names.

The *structure* of a model comprises everything that determines its behaviour, with every name
replaced by its index in the order in which names first appear in equations, threshold, reset,
receptors and start values.  Names, default values, bounds and descriptions are not part of it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from bioconv.neurons.language.expressions import parse_expression
from bioconv.neurons.language.grammar import Assignment
from bioconv.neurons.language.model import NeuronModel


@dataclass(frozen=True)
class Structure:
    """A model without its names.

    Parameters
    ----------
    text : str
        Equal for two models that behave identically.
    names : tuple of str
        Names of parameters, states and sub-expressions, ordered by index.
    receptors : tuple of str
        Names of the receptors, in the order of declaration.
    """

    text: str
    names: tuple[str, ...]
    receptors: tuple[str, ...]


@dataclass(frozen=True)
class Renaming:
    """Mapping from the names of a model to those of another one with the same structure.

    Parameters
    ----------
    reference : NeuronModel
        The model whose names result from the mapping.
    names, receptors : mapping of str to str
        From names of the model to names of the reference.
    """

    reference: NeuronModel
    names: Mapping[str, str]
    receptors: Mapping[str, str]

    @property
    def changes(self) -> bool:
        """Whether any name is changed."""
        pairs = (*self.names.items(), *self.receptors.items())
        return any(old != new for old, new in pairs)


def same(model: NeuronModel, other: NeuronModel) -> bool:
    """Whether two models differ only in names, default values, bounds and descriptions."""
    return structure(model).text == structure(other).text


def renaming(model: NeuronModel, reference: NeuronModel) -> Renaming | None:
    """Return the mapping from names of ``model`` to ``reference``; None if they are not `same`."""
    own, other = structure(model), structure(reference)
    if own.text != other.text:
        return None
    return Renaming(
        reference,
        dict(zip(own.names, other.names, strict=True)),
        dict(zip(own.receptors, other.receptors, strict=True)),
    )


@lru_cache(maxsize=1024)
def structure(model: NeuronModel) -> Structure:
    """Return the structure of a model."""
    places = _Places(model)
    lines = list(_lines(model, places))
    for parameter in model.parameters:  # unused names come last
        places.of(parameter.name)
    units = {p.name: p.unit for p in model.parameters} | {s.name: s.unit for s in model.states}
    lines += [f"{places.of(name)}: {unit}" for name, unit in units.items()]
    receptors = tuple(receptor.name for receptor in model.receptors)
    return Structure("\n".join(lines), places.names, receptors)


class _Places:
    """Numbering of the names of a model in the order of first use."""

    def __init__(self, model: NeuronModel):
        self._known = model.names
        self._found: dict[str, str] = {}

    def of(self, name: str) -> str:
        return self._found.setdefault(name, f"_{len(self._found)}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._found)

    def written(self, expression: str, noise: frozenset[str]) -> str:
        """Return an expression in normal form, with names replaced by indices."""
        tree = parse_expression(expression, self._known | noise, random=True)
        return self._renamed(tree)

    def condition(self, expression: str) -> str:
        """Return a condition in normal form, with names replaced by indices."""
        return self._renamed(parse_expression(expression, self._known, boolean=True))

    def _renamed(self, tree: ast.expr) -> str:
        def place(name: str) -> str:
            return self.of(name) if name in self._known else name

        # A copy: parsed expressions are shared.
        return ast.unparse(_Rename(place).visit(ast.parse(ast.unparse(tree), mode="eval").body))


def _lines(model: NeuronModel, places: _Places) -> Iterator[str]:
    """Yield everything that determines the behaviour of a model, line by line."""
    noise = frozenset(name for e in model.parsed_equations for name in e.white_noise)
    for equation in model.parsed_equations:
        yield "|".join(
            [
                places.of(equation.name),
                places.written(equation.expression, noise),
                equation.dimension,
                *(
                    word
                    for word, holds in (
                        ("differential", equation.differential),
                        ("unless refractory", equation.unless_refractory),
                        ("constant over dt", equation.constant_over_dt),
                    )
                    if holds
                ),
            ]
        )
    yield f"threshold {places.condition(model.threshold) if model.threshold else ''}"
    for title, statements in (("reset", model.reset_statements), ("after", model.after_statements)):
        for entry in statements:
            yield f"{title} {places.of(entry.target)} {places.written(entry.expression, noise)}"
    yield f"method {model.method} crossing {model.crossing}"
    for title, name in (("refractory", model.refractory), ("current", model.current)):
        yield f"{title} {places.of(name) if name else ''}"
    for receptor in model.receptors:
        taus = [places.of(name) if name else "" for name in (receptor.tau, receptor.reversal)]
        jumps = [places.of(variable) for variable in receptor.variables]
        yield f"receptor {receptor.unit} {receptor.sign} {taus} {jumps}"
    for state in model.states:
        initial = places.of(state.initial) if isinstance(state.initial, str) else "a number"
        yield f"starts {places.of(state.name)} {initial}"


def with_names(
    model: NeuronModel, names: Mapping[str, str], receptors: Mapping[str, str] | None = None
) -> NeuronModel:
    """Return the model with different names for its parts and the same behaviour.

    Parameters
    ----------
    model : NeuronModel
    names : mapping of str to str
        New names of parameters, states and sub-expressions, by old name; other names are kept.
    receptors : mapping of str to str, optional
        New names of receptors, by old name.
    """

    def new(old: str) -> str:
        return names.get(old, old)

    def optional(part: Any) -> Any:
        return new(part) if isinstance(part, str) and part else part

    def text(expression: str) -> str:
        tree = ast.parse(expression.strip(), mode="eval").body
        return ast.unparse(_Rename(new).visit(tree))

    def statements(entries: tuple[Assignment, ...]) -> str:
        return "\n".join(f"{new(e.target)} = {text(e.expression)}" for e in entries)

    own = receptors or {}
    lines = (
        replace(e, name=new(e.name), expression=text(e.expression)) for e in model.parsed_equations
    )
    return replace(
        model,
        equations="\n".join(line.text for line in lines),
        threshold=text(model.threshold) if model.threshold else "",
        reset=statements(model.reset_statements),
        after=statements(model.after_statements),
        parameters=tuple(replace(p, name=new(p.name)) for p in model.parameters),
        states=tuple(
            replace(s, name=new(s.name), initial=optional(s.initial)) for s in model.states
        ),
        receptors=tuple(
            replace(
                r,
                name=own.get(r.name, r.name),
                variable=new(r.variable),
                tau=optional(r.tau),
                reversal=optional(r.reversal),
                also=tuple(map(new, r.also)),
            )
            for r in model.receptors
        ),
        refractory=optional(model.refractory),
        current=optional(model.current),
    )


class _Rename(ast.NodeTransformer):
    """Transformer that replaces names in an expression."""

    def __init__(self, new: Callable[[str], str]):
        self._new = new

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self._new(node.id), node.ctx)
