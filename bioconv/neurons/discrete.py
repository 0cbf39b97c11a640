"""The discretised update of a model, by Brian2's own state updaters.

`discretise` gives the one update that the array simulator compiles and that the NESTML model
carries.  Brian2 is imported when it is called, not before.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bioconv.errors import ExpressionError, ParameterError
from bioconv.neurons.expressions import FUNCTIONS, UNIT_VALUES, names_in, parse_expression
from bioconv.neurons.grammar import DIMENSIONS, Assignment, Equation
from bioconv.neurons.model import UNITS, NeuronModel

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

#: methods whose update of one variable does not look ahead in the others
_ONE_STAGE = frozenset({"euler", "exponential_euler"})


@dataclass(frozen=True)
class Discrete:
    """One step of a model as assignments.  Expressions are text in the closed grammar.

    A step does, in the order of `bioconv.timing`:

    1. integrate: run ``update`` in order on the values at the start of the step; then give every
       state variable ``x`` its value ``updates[x]`` (a temporary), except that a refractory
       neuron keeps the old values of the variables in ``frozen``;
    2. deliver: ``variable += weight`` for the variables of the receptor, except that a
       refractory neuron ignores input to the variables in ``frozen``;
    3. threshold: ``threshold`` holds and the neuron is not refractory;
    4. reset: run ``reset`` in order.

    Parameters
    ----------
    model : NeuronModel
    update : tuple of Assignment
        Assignments to temporaries only; each uses states, parameters, ``t``, ``dt``, units and
        earlier temporaries.
    updates : tuple of (str, str)
        State variable and the temporary that holds its new value.
    definitions : tuple of Assignment
        Sub-expressions that ``threshold`` and ``reset`` use, in order; to be evaluated with the
        values that the state variables have where they are used.
    threshold : str
        Empty for a neuron that never spikes.
    reset : tuple of Assignment
    frozen : tuple of str
        State variables that stand still while refractory.
    """

    model: NeuronModel
    update: tuple[Assignment, ...]
    updates: tuple[tuple[str, str], ...]
    definitions: tuple[Assignment, ...]
    threshold: str
    reset: tuple[Assignment, ...]
    frozen: tuple[str, ...]


@lru_cache(maxsize=64)
def discretise(model: NeuronModel) -> Discrete:
    """Apply the model's integration method, once and for all simulators.

    Parameters
    ----------
    model : NeuronModel

    Returns
    -------
    Discrete

    Raises
    ------
    ParameterError
        The method cannot integrate these equations.
    ExpressionError
        The units do not match, or the solution needs functions outside the grammar.
    """
    equations = model.parsed_equations
    subexpressions = {e.name: e for e in equations if not e.differential}
    differential = [e for e in equations if e.differential]
    frozen = tuple(e.name for e in differential if e.unless_refractory) if model.refractory else ()
    used = _closure([e.expression for e in differential], subexpressions, model)
    _import_brian2()
    _check_dimensions(model)
    if frozen:
        _check_freezing(model, differential, subexpressions)
    update, updates = _temporaries(_brian2_code(model, [*used, *differential]), model)
    later = [assignment.expression for assignment in model.reset_statements]
    later += [model.threshold] if model.threshold else []
    return Discrete(
        model=model,
        update=update,
        updates=updates,
        definitions=tuple(
            Assignment(e.name, e.expression) for e in _closure(later, subexpressions, model)
        ),
        threshold=model.threshold,
        reset=model.reset_statements,
        frozen=frozen,
    )


def _closure(
    texts: list[str], subexpressions: dict[str, Equation], model: NeuronModel
) -> list[Equation]:
    """The sub-expressions that ``texts`` use, directly or through others, in text order."""
    needed: set[str] = set()
    pending = list(texts)
    while pending:
        found = names_in(parse_expression(pending.pop(), model.names)) & subexpressions.keys()
        pending.extend(subexpressions[name].expression for name in found - needed)
        needed |= found
    return [e for name, e in subexpressions.items() if name in needed]


def _import_brian2() -> None:
    """Import Brian2 without its hook, which calls every error of a program one of Brian2."""
    hook = sys.excepthook
    importlib.import_module("brian2")
    sys.excepthook = hook


def _brian2_code(model: NeuronModel, equations: list[Equation]) -> str:
    """Brian2's update of these equations: lines ``name = expression``."""
    from brian2 import Equations
    from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException

    # Refractoriness is explicit in `Discrete`, so the flag is left out here.
    text = "\n".join(
        f"{f'd{e.name}/dt' if e.differential else e.name} = {e.expression} : {e.dimension}"
        for e in equations
    )
    try:
        return StateUpdateMethod.apply_stateupdater(Equations(text), None, model.method)
    except UnsupportedEquationsException as error:
        raise ParameterError(
            f"{model.name}: method {model.method!r} cannot integrate these equations ({error}). "
            "Use exponential_euler or euler."
        ) from error
    except Exception as error:  # Brian2 and SymPy have no common base class for what they refuse
        raise ExpressionError(f"{model.name}: Brian2 refuses the equations: {error}") from error


def _temporaries(
    code: str, model: NeuronModel
) -> tuple[tuple[Assignment, ...], tuple[tuple[str, str], ...]]:
    """Brian2's code with its names, which begin with an underscore, made fit for any language."""
    states = [state.name for state in model.states]
    lines = [tuple(part.strip() for part in line.split("=", 1)) for line in code.splitlines()]
    renamed: dict[str, str] = {}
    update, final = [], {}
    for target, expression in lines:
        text = _NAME.sub(lambda match: renamed.get(match[0], match[0]), expression)
        if target in states and text in renamed.values():
            final[target] = text
            continue
        name = _fresh(target, model.names | set(renamed.values()))
        parse_expression(text, model.names | set(renamed.values()), internal=True)
        update.append(Assignment(name, text))
        renamed[target] = name
    return tuple(update), tuple((state, final[state]) for state in states)


def _fresh(name: str, taken: Set[str]) -> str:
    """A name for a temporary that no parameter, state or sub-expression has."""
    fresh = f"next{name}" if name.startswith("_") else f"next_{name}"
    fresh = fresh.replace("__", "_")
    while fresh in taken:
        fresh += "_n"
    return fresh


def _check_dimensions(model: NeuronModel) -> None:
    """Let Brian2 check the units of equations, threshold and reset."""
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from brian2.core.namespace import DEFAULT_UNITS
    from brian2.core.variables import Variable
    from brian2.parsing.expressions import parse_expression_dimensions
    from brian2.units.fundamentalunits import DimensionMismatchError

    dimensions = {e.name: e.dimension for e in model.parsed_equations}
    dimensions |= {p.name: UNITS[p.unit][1] for p in model.parameters} | {"t": "second"}
    by_name = {name: _dimension(name) for name in DIMENSIONS}
    variables = {name: Variable(name, dimensions=by_name[d]) for name, d in dimensions.items()}
    variables["dt"] = Variable("dt", dimensions=by_name["second"])
    variables |= {name: Variable(name, dimensions=DEFAULT_UNITS[name].dim) for name in UNIT_VALUES}
    variables |= {name: DEFAULT_FUNCTIONS[name] for name in FUNCTIONS}
    wanted = [
        (e.expression, by_name[e.dimension] / by_name["second"] ** int(e.differential))
        for e in model.parsed_equations
    ]
    wanted += [(a.expression, by_name[dimensions[a.target]]) for a in model.reset_statements]
    if model.threshold:
        wanted.append((model.threshold, by_name["1"]))
    for expression, expected in wanted:
        try:
            found = parse_expression_dimensions(expression, variables)
        except DimensionMismatchError as error:
            raise ExpressionError(f"{model.name}: units in {expression!r}: {error}") from error
        if found != expected:
            raise ExpressionError(
                f"{model.name}: {expression!r} has the dimension {found}, expected {expected}."
            )


def _dimension(name: str) -> Any:
    from brian2.equations.equations import dimensions_and_type_from_string

    return dimensions_and_type_from_string(name)[0]


def _check_freezing(
    model: NeuronModel, differential: list[Equation], subexpressions: dict[str, Equation]
) -> None:
    """Refuse methods that would let a frozen variable move within the step of another one."""
    if model.method in _ONE_STAGE:
        return
    frozen = {e.name for e in differential if e.unless_refractory}
    for equation in differential:
        used = _closure([equation.expression], subexpressions, model)
        texts = [equation.expression, *(e.expression for e in used)]
        names = {n for text in texts for n in names_in(parse_expression(text, model.names))}
        if not equation.unless_refractory and names & frozen:
            raise ParameterError(
                f"{model.name}: {equation.name} goes on while {', '.join(sorted(names & frozen))} "
                f"stands still in the refractory period; method {model.method!r} cannot do that. "
                "Use exponential_euler or euler."
            )
