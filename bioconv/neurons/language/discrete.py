"""The discretised update of a model, derived with the state updaters of Brian2.

`discretise` returns the update that the array simulator compiles and that the NESTML model
contains.  It is kept in the cache folder, because Brian2, which derives it, takes long to import.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
import warnings
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from bioconv.ground.cache import remembered_record
from bioconv.ground.errors import ExpressionError, ParameterError
from bioconv.ground.versions import version
from bioconv.neurons.language.expressions import (
    FUNCTIONS,
    RANDOM,
    UNIT_VALUES,
    is_white_noise,
    names_in,
    parse_expression,
)
from bioconv.neurons.language.grammar import DIMENSIONS, Assignment, Equation
from bioconv.neurons.language.model import UNITS, NeuronModel
from bioconv.neurons.language.substitution import join_powers

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_DRAW = re.compile(r"\brandn *\( *\)")

#: modules of this package whose text a discretised model depends on
_MODULES = ("discrete", "expressions", "grammar", "model", "substitution")

#: methods whose update of a variable uses only the old values of the other variables
_ONE_STAGE = frozenset({"euler", "exponential_euler"})


@dataclass(frozen=True)
class Discrete:
    """One step of a model as assignments, with expressions as text in the closed grammar.

    A step consists of the following phases, in the order of `bioconv.timing`:

    0. draw a standard normal number for each name in ``noise``, for every neuron; run ``held``;
       in a ``crossing`` model, unblock each neuron for which ``threshold`` does not hold;
    1. integrate: run ``update`` in order on the values at the start of the step; then give every
       state variable ``x`` its value ``updates[x]`` (a temporary), except that a refractory
       neuron keeps the old values of the variables in ``frozen``;
    2. deliver: ``variable += weight`` for the variables of the receptor, except that a
       refractory neuron ignores input to the variables in ``frozen``;
       then run ``after`` in order, for every neuron;
    3. threshold: a neuron fires if ``threshold`` holds and it is neither refractory nor blocked;
    4. reset: run ``reset`` in order; in a ``crossing`` model, a neuron that fires is blocked.

    Parameters
    ----------
    model : NeuronModel
    update : tuple of Assignment
        Assignments to temporaries and to sub-expressions; each uses states, parameters, ``t``,
        ``dt``, units, ``noise``, ``held`` and the targets of earlier assignments.
    updates : tuple of (str, str)
        State variable and the temporary that holds its new value.
    definitions : tuple of Assignment
        Sub-expressions, other than those of ``held``, that ``threshold``, ``reset`` and ``after``
        use, in order.  They are evaluated with the values of the state variables at the point of
        use.
    threshold : str
        Empty for a neuron that never spikes.
    reset : tuple of Assignment
    frozen : tuple of str
        State variables that stay constant while the neuron is refractory.
    noise : tuple of str
        Standard normal variables, drawn for each neuron and step.
    held : tuple of Assignment
        Sub-expressions that are constant over dt, each preceded by those that it uses.  Their
        values are constant during the step.
    after : tuple of Assignment
    """

    model: NeuronModel
    update: tuple[Assignment, ...]
    updates: tuple[tuple[str, str], ...]
    definitions: tuple[Assignment, ...]
    threshold: str
    reset: tuple[Assignment, ...]
    frozen: tuple[str, ...]
    noise: tuple[str, ...] = ()
    held: tuple[Assignment, ...] = ()
    after: tuple[Assignment, ...] = ()

    @property
    def temporaries(self) -> frozenset[str]:
        """Names of temporaries, which are not states, parameters or sub-expressions."""
        return frozenset({a.target for a in self.update}) | set(self.noise)


@lru_cache(maxsize=64)
def discretise(model: NeuronModel) -> Discrete:
    """Apply the integration method of a model and return its update for all simulators.

    Parameters
    ----------
    model : NeuronModel

    Returns
    -------
    Discrete

    Raises
    ------
    ParameterError
        If the method cannot integrate these equations.
    ExpressionError
        If the units do not match, or the solution needs functions outside the grammar.
    """
    code = [Path(__file__).with_name(f"{name}.py").read_bytes() for name in _MODULES]
    makers = {name: version(name) for name in ("brian2", "sympy")}
    key = {"model": model, "code": code, "versions": makers}
    return _restored(model, remembered_record("discrete", key, lambda: _record(_derived(model))))


def _record(discrete: Discrete) -> dict[str, Any]:
    """Return everything but the model as texts, lists and mappings."""

    def plain(value: Any) -> Any:
        if isinstance(value, Assignment):
            return asdict(value)
        return [plain(item) for item in value] if isinstance(value, tuple) else value

    names = [entry.name for entry in fields(discrete) if entry.name != "model"]
    return {name: plain(getattr(discrete, name)) for name in names}


def _restored(model: NeuronModel, record: Mapping[str, Any]) -> Discrete:
    """Return what `_record` was made from."""

    def tuples(value: Any) -> Any:
        if isinstance(value, Mapping):
            return Assignment(**value)
        return tuple(map(tuples, value)) if isinstance(value, list) else value

    return Discrete(model=model, **{name: tuples(value) for name, value in record.items()})


def _derived(model: NeuronModel) -> Discrete:
    """Derive the update of a model with Brian2."""
    equations = model.parsed_equations
    subexpressions = {e.name: e for e in equations if not (e.differential or e.constant_over_dt)}
    differential = [e for e in equations if e.differential]
    frozen = tuple(e.name for e in differential if e.unless_refractory) if model.refractory else ()
    used = _closure([e.expression for e in differential], subexpressions, model)
    import_brian2()
    _check_dimensions(model)
    if frozen:
        _check_freezing(model, differential, subexpressions)
    statements = (*model.reset_statements, *model.after_statements)
    later = [assignment.expression for assignment in statements]
    later += [model.threshold] if model.threshold else []
    definitions = _closure(later, subexpressions, model)
    noise: list[str] = []
    held = _held(model, [*later, *(e.expression for e in (*differential, *used, *definitions))])
    held = _without_draws(held, noise, model)
    still = _standing_still(model, differential, subexpressions)
    needed = _closure([e.expression for e in still], subexpressions, model)
    first = [e for e in equations if e in still or e in needed]
    code = _brian2_code(model, [*(e for e in used if e not in still), *differential])
    update, updates = _temporaries(_white_noise_first(code), noise, model)
    return Discrete(
        model=model,
        update=(*(Assignment(e.name, e.expression) for e in first), *update),
        updates=updates,
        definitions=tuple(Assignment(e.name, e.expression) for e in definitions),
        threshold=model.threshold,
        reset=model.reset_statements,
        frozen=frozen,
        noise=tuple(noise),
        held=tuple(held),
        after=model.after_statements,
    )


def _standing_still(
    model: NeuronModel, differential: list[Equation], subexpressions: dict[str, Equation]
) -> list[Equation]:
    """Return the sub-expressions that need not be substituted, as they are constant in a step.

    Methods with one stage use values from the start of the step: Euler for all variables, and
    exponential Euler for all except the variable that it solves for.  Each sub-expression is then
    computed once, as it was written; after a substitution, SymPy would repeat and rearrange it.
    """
    if model.method not in _ONE_STAGE or _is_noisy(model):
        return []  # Brian2 must know the factor of the noise
    moving: set[str] = set()
    used: set[str] = set()
    for equation in differential:
        for e in _closure([equation.expression], subexpressions, model):
            used.add(e.name)
            below = _closure([e.expression], subexpressions, model)
            names = {n for s in (e, *below) for n in _names_in(s.expression, model)}
            if model.method != "euler" and equation.name in names:
                moving.add(e.name)
    return [subexpressions[name] for name in subexpressions if name in used - moving]


def _held(model: NeuronModel, texts: list[str]) -> list[Assignment]:
    """Return the sub-expressions constant over dt that ``texts`` use, in order of dependence."""
    subexpressions = {e.name: e for e in model.parsed_equations if not e.differential}
    roots = [e for e in _closure(texts, subexpressions, model) if e.constant_over_dt]
    needed = _closure([e.expression for e in roots], subexpressions, model)
    names = {e.name for e in (*roots, *needed)}
    return [Assignment(n, e.expression) for n, e in subexpressions.items() if n in names]


def _closure(
    texts: list[str], subexpressions: dict[str, Equation], model: NeuronModel
) -> list[Equation]:
    """Return the sub-expressions that ``texts`` use directly or indirectly, in text order."""
    needed: set[str] = set()
    pending = list(texts)
    while pending:
        found = _names_in(pending.pop(), model) & subexpressions.keys()
        pending.extend(subexpressions[name].expression for name in found - needed)
        needed |= found
    return [e for name, e in subexpressions.items() if name in needed]


def _names_in(text: str, model: NeuronModel) -> frozenset[str]:
    """Return the names in a part of the text of a model that has already been checked."""
    names = model.names | {name for e in model.parsed_equations for name in e.white_noise}
    return names_in(parse_expression(text, names, random=True))


def _without_draws(
    assignments: list[Assignment], noise: list[str], model: NeuronModel
) -> list[Assignment]:
    """Replace each ``randn()`` by a variable, whose name is added to ``noise``."""

    def without(assignment: Assignment) -> Assignment:
        def draw(_: re.Match[str]) -> str:
            noise.append(_fresh(f"normal_{assignment.target}", model.names | set(noise)))
            return noise[-1]

        return Assignment(assignment.target, _DRAW.sub(draw, assignment.expression))

    return [without(assignment) for assignment in assignments]


def import_brian2() -> None:
    """Import Brian2 without its hooks: for uncaught errors, as its own, and for warnings."""
    hook, shown = sys.excepthook, warnings.showwarning
    importlib.import_module("brian2")
    sys.excepthook = hook
    if warnings.showwarning is not shown:
        logging.captureWarnings(False)


def _brian2_code(model: NeuronModel, equations: list[Equation]) -> str:
    """Return the update of these equations by Brian2, as lines ``name = expression``."""
    from brian2 import Equations
    from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException

    # Refractoriness is explicit in `Discrete`, so that the flag is omitted here.
    text = "\n".join(replace(e, unless_refractory=False).text for e in equations)
    try:
        parsed = Equations(text)
        if model.method == "euler" and parsed.stochastic_type == "multiplicative":
            raise UnsupportedEquationsException("xi is multiplied by a variable or by time")
        return StateUpdateMethod.apply_stateupdater(parsed, None, model.method)
    except UnsupportedEquationsException as error:
        raise ParameterError(
            f"{model.name}: method {model.method!r} cannot integrate these equations ({error}). "
            f"Use {'heun' if _is_noisy(model) else 'exponential_euler or euler'}."
        ) from error
    except Exception as error:  # Brian2 and SymPy have no common base class for these errors
        raise ExpressionError(
            f"{model.name}: Brian2 does not accept the equations: {error}"
        ) from error


def _is_noisy(model: NeuronModel) -> bool:
    return any(equation.white_noise for equation in model.parsed_equations)


def _white_noise_first(code: str) -> list[str]:
    """Return the lines of Brian2 with those that draw white noise, which have no order, sorted."""
    lines = code.splitlines()
    draws = sorted(line for line in lines if is_white_noise(line.split("=")[0].strip()))
    return draws + [line for line in lines if line not in draws]


def _temporaries(
    code: list[str], noise: list[str], model: NeuronModel
) -> tuple[tuple[Assignment, ...], tuple[tuple[str, str], ...]]:
    """Rename the variables in code of Brian2 that begin with an underscore, for other languages."""
    states = [state.name for state in model.states]
    lines = [tuple(part.strip() for part in line.split("=", 1)) for line in code]
    lines = [
        (a.target, a.expression)
        for a in _without_draws([Assignment(*line) for line in lines], noise, model)
    ]
    taken = model.names | set(noise)
    renamed: dict[str, str] = {}
    update, final = [], {}
    for target, expression in lines:
        text = _NAME.sub(lambda match: renamed.get(match[0], match[0]), expression)
        if target in states and text in renamed.values():
            final[target] = text
            continue
        name = _fresh(f"next_{target}", taken)
        parse_expression(text, taken, internal=True)
        taken |= {name}
        update.append(Assignment(name, join_powers(text)))
        renamed[target] = name
    return tuple(update), tuple((state, final[state]) for state in states)


def _fresh(name: str, taken: Set[str]) -> str:
    """Return a name for a temporary that is not used by a parameter, state or sub-expression."""
    fresh = re.sub("_+", "_", name)
    while fresh in taken:
        fresh += "_n"
    return fresh


def _check_dimensions(model: NeuronModel) -> None:
    """Check the units of equations, threshold and reset with Brian2."""
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
    variables |= {name: DEFAULT_FUNCTIONS[name] for name in (*FUNCTIONS, *RANDOM)}
    for name in {name for e in model.parsed_equations for name in e.white_noise}:
        variables[name] = Variable(name, dimensions=by_name["second"] ** -0.5)
    wanted = [
        (e.expression, by_name[e.dimension] / by_name["second"] ** int(e.differential))
        for e in model.parsed_equations
    ]
    statements = (*model.reset_statements, *model.after_statements)
    wanted += [(a.expression, by_name[dimensions[a.target]]) for a in statements]
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
    """Refuse methods in which a frozen variable would change within the step of another one."""
    if model.method in _ONE_STAGE:
        return
    frozen = {e.name for e in differential if e.unless_refractory}
    for equation in differential:
        used = _closure([equation.expression], subexpressions, model)
        texts = [equation.expression, *(e.expression for e in used)]
        names = {name for text in texts for name in _names_in(text, model)}
        if not equation.unless_refractory and names & frozen:
            raise ParameterError(
                f"{model.name}: {equation.name} changes while {', '.join(sorted(names & frozen))} "
                f"is frozen in the refractory period; method {model.method!r} cannot do that. "
                "Use exponential_euler or euler."
            )
