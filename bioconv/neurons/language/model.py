"""Neuron models, declared once as text.

Everything else is derived from a `NeuronModel`: the Brian2 group, the NESTML model, the PyNN
cell, the array update, and the parameter table in the documentation.

Numbers are plain floats in one coherent system of units: ms, mV, pA, pF, nS, Hz
(pA = pF mV / ms = nS mV).  The equations are written in the language of Brian2 with SI base units
(``volt``), as Brian2 requires; ``UNITS`` is the table that relates the two.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from bioconv.ground.errors import ExpressionError, ParameterError
from bioconv.ground.references import citation
from bioconv.neurons.language import roles
from bioconv.neurons.language.expressions import parse_expression
from bioconv.neurons.language.grammar import (
    Assignment,
    Equation,
    check_name,
    check_text,
    parse_equations,
    parse_statements,
)

#: unit of a number in bioconv -> (Brian2 unit of the quantity, name of the Brian2 dimension)
UNITS: dict[str, tuple[str, str]] = {
    "ms": ("ms", "second"),
    "mV": ("mV", "volt"),
    "pA": ("pA", "amp"),
    "pF": ("pF", "farad"),
    "nS": ("nS", "siemens"),
    "Hz": ("Hz", "hertz"),
    "mV/ms": ("mV/ms", "volt/second"),
    "1": ("1", "1"),
}

_Part = TypeVar("_Part", "Parameter", "State", "Receptor")

#: integration methods, by their Brian2 names
METHODS = ("exact", "euler", "exponential_euler", "rk2", "rk4", "heun")
#: methods that integrate white noise ``xi``
STOCHASTIC_METHODS = ("euler", "heun")
#: units of an input current: physical models, dimensionless models
CURRENT_UNITS = ("pA", "1")


@dataclass(frozen=True)
class Parameter:
    """A constant of a neuron model that may differ from neuron to neuron.

    Parameters
    ----------
    name : str
        Standard name, e.g. ``v_th``.
    default : float
        Value in ``unit``.
    unit : str
        A key of `UNITS`.
    meaning : str
        Description in one line for the parameter table.
    bounds : tuple of float, optional
        Smallest and largest allowed value.
    moment : bool
        Whether it is a point in time of the sample, in ms, which moves with the delay of the
        population (`bioconv.noise.retiming`), unlike a duration.
    role : str
        Meaning for code that rewrites, solves or exports a network: a key of `roles.ROLES`.
    """

    name: str
    default: float
    unit: str
    meaning: str
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    moment: bool = False
    role: str = ""


@dataclass(frozen=True)
class State:
    """A state variable, which has one differential equation.

    Parameters
    ----------
    name : str
        Name used in the equations.
    initial : float or str
        Start value in ``unit``, or the name of the parameter that holds it.
    unit : str
        A key of `UNITS`.
    meaning : str
        Description in one line for the documentation.
    kind : str
        A key of `roles.STATE_KINDS`.
    """

    name: str
    initial: float | str
    unit: str
    meaning: str
    kind: str = ""


@dataclass(frozen=True)
class Receptor:
    """Effect of an arriving spike.

    Parameters
    ----------
    name : str
        Name of the receptor.
    variable : str
        The state variable to which the synaptic weight is added: ``variable += w``.
    unit : str
        Unit of a weight on this receptor.
    tau : str, optional
        Parameter that holds the decay time of ``variable``; empty for a delta synapse.
    also : tuple of str, optional
        Further state variables to which the same weight is added.
    sign : {0, 1, -1}
        1 if it accepts only excitatory, -1 if only inhibitory synapses; 0 for both.
    reversal : str, optional
        Parameter that holds the reversal potential of a conductance; empty for a current.
    """

    name: str
    variable: str
    unit: str
    tau: str = ""
    also: tuple[str, ...] = ()
    sign: int = 0
    reversal: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """All state variables to which the weight is added."""
        return (self.variable, *self.also)


@dataclass(frozen=True)
class NeuronModel:
    """A neuron model.

    Models may come from files as well as from the library.  Therefore all text is checked when a
    model is created, before anything is compiled, executed or written into a program.

    Parameters
    ----------
    name : str
        Lower-case identifier, also the name of the generated NEST model.
    equations : str
        Differential equations and sub-expressions in the language of Brian2.  Parameters are not
        declared in the text, but added from ``parameters``.  ``(unless refractory)`` marks
        variables that are neither integrated nor changed by delta input in the refractory period.
    threshold : str
        Boolean expression; a spike is emitted at the end of a step in which it is true.
        Empty for a neuron that never spikes.
    reset : str
        Statements separated by newlines, run after a spike; may be empty.
    method : str
        Integration method by its Brian2 name, one of `METHODS`.
    parameters : tuple of Parameter
    states : tuple of State
        One state for each differential equation, in the order of the equations.
    receptors : tuple of Receptor
    refractory : str
        Name of the parameter (unit ms) with the refractory period, an integer number of steps;
        empty for none.  A spike in step t blocks steps t+1 ... t+n.
    current : str
        Name of the parameter (unit pA, or 1 in a dimensionless model) for constant input current
        (bias, analog input); empty if the model has none.
    standard_cell : str
        PyNN standard cell with the same equations (see `bioconv.export.cells`), or empty.
    source : str
        Publication with section and equation numbers.
    crossing : bool
        For models without a reset: a neuron fires when the threshold condition *becomes* true.
        It is then blocked until the start of a step, before integration, at which the condition
        is false.  It cannot be combined with a refractory period.
    dt_default : float
        Largest recommended time step in ms for the model with its method; 0 for no limit.
    after : str
        Statements separated by newlines, run in every step for every neuron, including refractory
        ones, after integration and delivery and before the threshold.  They model registers of
        finite range or precision.  May be empty.
    kind : str
        A key of `roles.MODEL_KINDS`.
    references : tuple of str
        Publications to cite, keys of `bioconv.ground.references.PUBLICATIONS`.  They do not
        affect the identity of models.

    Raises
    ------
    ExpressionError
        If a name, equation, threshold, reset or comment is outside the closed grammar.
    ParameterError
        If the parts are inconsistent; the message lists all inconsistencies.
    """

    name: str
    equations: str
    threshold: str
    reset: str
    method: str
    parameters: tuple[Parameter, ...]
    states: tuple[State, ...]
    receptors: tuple[Receptor, ...] = ()
    refractory: str = ""
    current: str = "i_offset"
    standard_cell: str = ""
    source: str = ""
    crossing: bool = False
    dt_default: float = 0.0
    after: str = ""
    kind: str = roles.SPIKING
    references: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _check_words(self)
        problems = list(_misfits(self))
        if problems:
            raise ParameterError(f"Neuron model {self.name}: " + "; ".join(problems) + ".")
        if self.threshold:
            parse_expression(self.threshold, self.names, boolean=True)
        _ = self.reset_statements, self.after_statements

    def __repr__(self) -> str:
        return f"<NeuronModel {self.name!r}: {len(self.states)} state variables>"

    def citation(self) -> str:
        """Return the publications of the model in BibTeX; empty if it has no references.

        Raises
        ------
        ParameterError
            If a reference is not in the table of publications.
        """
        return citation(*self.references)

    @cached_property
    def parsed_equations(self) -> tuple[Equation, ...]:
        """The parsed equations, line by line."""
        return parse_equations(self.equations, self._declared)

    @cached_property
    def reset_statements(self) -> tuple[Assignment, ...]:
        """The reset as assignments in order, with ``v -= x`` replaced by ``v = v - (x)``."""
        return parse_statements(self.reset, self.names, {state.name for state in self.states})

    @cached_property
    def after_statements(self) -> tuple[Assignment, ...]:
        """The statements that are run before the threshold, as assignments in order."""
        return parse_statements(self.after, self.names, {state.name for state in self.states})

    @property
    def noisy(self) -> bool:
        """Whether the model draws random numbers."""
        return any(equation.random for equation in self.parsed_equations)

    @property
    def names(self) -> frozenset[str]:
        """Names of parameters, states and sub-expressions."""
        return self._declared | {equation.name for equation in self.parsed_equations}

    @property
    def _declared(self) -> frozenset[str]:
        return frozenset(p.name for p in self.parameters) | {s.name for s in self.states}

    def with_role(self, *wanted: str) -> tuple[str, ...]:
        """Return the names of parameters with one of these roles, in the order of declaration."""
        return tuple(p.name for p in self.parameters if p.role in wanted)

    def role(self, *wanted: str) -> str:
        """Return the name of the first parameter with one of these roles, or an empty string."""
        return next(iter(self.with_role(*wanted)), "")

    def states_of(self, kind: str) -> tuple[str, ...]:
        """Return the names of state variables of a kind, in the order of the equations."""
        return tuple(s.name for s in self.states if s.kind == kind)

    @property
    def potential(self) -> str:
        """Name of the (first) membrane potential, or an empty string."""
        return next(iter(self.states_of(roles.MEMBRANE_POTENTIAL)), "")

    def parameter(self, name: str) -> Parameter:
        """Return the parameter called ``name``; `ParameterError` with valid names if unknown."""
        return _find(self, "parameter", self.parameters, name)

    def state(self, name: str) -> State:
        """Return the state called ``name``; `ParameterError` with the valid names if unknown."""
        return _find(self, "state variable", self.states, name)

    def receptor(self, name: str) -> Receptor:
        """Return the receptor called ``name``; `ParameterError` with the valid names if unknown."""
        return _find(self, "receptor", self.receptors, name)


def _find(model: NeuronModel, kind: str, items: tuple[_Part, ...], name: str) -> _Part:
    for item in items:
        if item.name == name:
            return item
    valid = ", ".join(item.name for item in items) or "none"
    raise ParameterError(f"{model.name} has no {kind} {name!r}. Valid names: {valid}.")


def _check_words(model: NeuronModel) -> None:
    if not isinstance(model.references, tuple):
        raise ParameterError(
            f"{model.name}: references must be a tuple of keys. Received: {model.references!r}."
        )
    for name in (model.name, *_part_names(model), *model.references):
        check_name(name)
    if model.standard_cell:
        check_name(model.standard_cell)
    check_text(model.source, f"The source of {model.name}")
    meanings = [(p.name, p.meaning) for p in model.parameters]
    for name, meaning in meanings + [(s.name, s.meaning) for s in model.states]:
        check_text(meaning, f"The meaning of {name}")
    if model.name != model.name.lower():
        raise ExpressionError(f"The model name {model.name!r} must be lower case.")


def _part_names(model: NeuronModel) -> list[str]:
    names = [parameter.name for parameter in model.parameters]
    return [*names, *(s.name for s in model.states), *(r.name for r in model.receptors)]


def _misfits(model: NeuronModel) -> Iterator[str]:
    """Yield all inconsistencies between the parts of a model."""
    parameters = {parameter.name: parameter for parameter in model.parameters}
    states = [state.name for state in model.states]
    listed = [*parameters, *states]
    if len(set(listed)) < len(model.parameters) + len(states):
        yield "two parameters or state variables have the same name"
    if model.method not in METHODS:
        yield f"unknown method {model.method!r}, expected one of {', '.join(METHODS)}"
    units = [p.unit for p in model.parameters] + [s.unit for s in model.states]
    units += [r.unit for r in model.receptors]
    for name, unit in zip(_part_names(model), units, strict=True):
        if unit not in UNITS:
            yield f"{name} has the unknown unit {unit!r}, expected one of {', '.join(UNITS)}"
    for role, name, valid in (
        ("refractory", model.refractory, ("ms",)),
        ("current", model.current, CURRENT_UNITS),
        *(("tau", receptor.tau, ("ms",)) for receptor in model.receptors),
        *(("reversal", receptor.reversal, ("mV", "1")) for receptor in model.receptors),
    ):
        if name and (name not in parameters or parameters[name].unit not in valid):
            yield f"{role} = {name!r} is not a parameter in {' or '.join(valid)}"
    for receptor in model.receptors:
        if receptor.sign not in (-1, 0, 1):
            yield f"receptor {receptor.name} has the sign {receptor.sign!r}, expected -1, 0 or 1"
        for variable in receptor.variables:
            if variable not in states:
                yield f"receptor {receptor.name} acts on {variable!r}, not a state variable"
    yield from _wrong_roles(model)
    yield from _wrong_values(model, parameters)
    yield from _wrong_crossing(model)
    yield from _wrong_equations(model)


def _wrong_roles(model: NeuronModel) -> Iterator[str]:
    """Yield unknown roles and kinds, and roles of more than one parameter."""
    if model.kind not in roles.MODEL_KINDS:
        valid = ", ".join(roles.MODEL_KINDS)
        yield f"unknown kind of model {model.kind!r}, expected one of {valid}"
    for state in model.states:
        if state.kind not in roles.STATE_KINDS:
            valid = ", ".join(filter(None, roles.STATE_KINDS))
            yield f"{state.name} has the unknown kind {state.kind!r}, expected one of {valid}"
    for parameter in model.parameters:
        if parameter.role not in roles.ROLES:
            valid = ", ".join(filter(None, roles.ROLES))
            reason = f"has the unknown role {parameter.role!r}, expected one of {valid}"
            yield f"{parameter.name} {reason}"
    for role, n in Counter(p.role for p in model.parameters).items():
        if n > 1 and role not in roles.REPEATED:
            yield f"{', '.join(model.with_role(role))} all have the role {role!r}"


def _wrong_values(model: NeuronModel, parameters: dict[str, Parameter]) -> Iterator[str]:
    for state in model.states:
        if isinstance(state.initial, str):
            if state.initial not in parameters or parameters[state.initial].unit != state.unit:
                yield f"{state.name} starts at {state.initial!r}, not a parameter in {state.unit}"
        elif not math.isfinite(state.initial):
            yield f"{state.name} starts at {state.initial}, expected a finite number"
    if not (isinstance(model.dt_default, float | int) and 0 <= model.dt_default < math.inf):
        yield f"dt_default = {model.dt_default!r} is not a non-negative number in ms"
    for parameter in model.parameters:
        low, high = parameter.bounds
        if type(parameter.moment) is not bool or (parameter.moment and parameter.unit != "ms"):
            yield f"{parameter.name} is not in ms and therefore cannot be a moment"
        if not (math.isfinite(parameter.default) and low <= parameter.default <= high):
            yield f"the default {parameter.default} of {parameter.name} is outside its bounds"


def _wrong_crossing(model: NeuronModel) -> Iterator[str]:
    if type(model.crossing) is not bool:
        yield f"crossing = {model.crossing!r} is neither True nor False"
    if not model.crossing:
        return
    if not model.threshold:
        yield "crossing requires a threshold"
    if model.refractory:
        yield "crossing and refractory exclude each other"
    if any(equation.unless_refractory for equation in model.parsed_equations):
        yield "crossing and (unless refractory) exclude each other"


def _wrong_equations(model: NeuronModel) -> Iterator[str]:
    differential = [e for e in model.parsed_equations if e.differential]
    if [e.name for e in differential] != [state.name for state in model.states]:
        yield "the differential equations do not match the state variables and their order"
        return
    for equation, state in zip(differential, model.states, strict=True):
        if state.unit in UNITS and equation.dimension != UNITS[state.unit][1]:
            yield f"{state.name} is in {state.unit}, but its equation has {equation.dimension}"
    declared = {p.name for p in model.parameters} | {s.name for s in model.states}
    for equation in model.parsed_equations:
        if not equation.differential and equation.name in declared:
            yield f"the sub-expression {equation.name} is also a parameter or a state variable"
    stochastic = any(equation.white_noise for equation in differential)
    if stochastic and model.method not in STOCHASTIC_METHODS:
        yield f"method {model.method!r} cannot integrate xi, use {' or '.join(STOCHASTIC_METHODS)}"
