"""Neuron models in NESTML, with the same discretised update that every simulator computes.

The model contains no equations for NESTML to solve.  Its ``update`` block implements
`bioconv.neurons.Discrete` in the order of `bioconv.timing`: NEST sums the spikes that arrive in a
step before it runs the block, so the block can integrate, deliver, compare with the threshold and
reset.

Names that are added here begin with an underscore, which names of the closed grammar never do.
"""

from __future__ import annotations

import ast

from bioconv.neurons import NeuronModel, discretise
from bioconv.neurons.language.discrete import Discrete
from bioconv.neurons.language.expressions import UNIT_VALUES, names_in, parse_expression
from bioconv.neurons.language.grammar import Assignment

#: parameter of every generated model: spikes are suppressed where it is 0
MAY_FIRE = "_may_fire"

_OPERATORS: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.And: "and",
    ast.Or: "or",
}
_CALLS = {"log": "ln"}


def nestml(model: NeuronModel) -> str:
    """Return the model as NESTML text.

    Parameters
    ----------
    model : NeuronModel

    Returns
    -------
    str
        States, parameters (plain numbers in the model's units) and receptors keep their names.
        The following are added where needed: the parameter `MAY_FIRE`; the states ``_refractory``
        (steps left), ``_active`` (0 in a refractory step), ``_blocked`` (1 after a crossing, until
        the condition no longer holds) and ``_step`` (steps since the start of the image).

    Raises
    ------
    ParameterError, ExpressionError
        The model cannot be discretised.
    """
    discrete = discretise(model)
    blocks = [
        ("state", _states(discrete)),
        ("parameters", [*_parameters(model), f"{MAY_FIRE} real = 1.0"]),
        ("internals", ["_dt real = resolution() / (1 ms)"]),
        *([("input", [f"{r.name} <- spike" for r in model.receptors])] if model.receptors else []),
        ("output", ["spike"]),
        ("update", _update(discrete)),
    ]
    lines = [f"# {model.source}", "# Numbers in ms, mV, pA, pF, nS, Hz.  The equations are:"]
    lines += [f"#   {line.strip()}" for line in model.equations.splitlines() if line.strip()]
    lines.append(f"model {model.name}:")
    for title, body in blocks:
        lines += [f"    {title}:", *(f"        {line}" for line in body), ""]
    return "\n".join(lines)


def added_states(model: NeuronModel) -> dict[str, float]:
    """Return the state variables that `nestml` adds, with their values at the start of an image."""
    added = {"_refractory": 0.0, "_active": 1.0} if model.refractory and model.threshold else {}
    added |= {"_blocked": 0.0} if model.crossing else {}
    return added | ({"_step": -1.0} if _uses_time(discretise(model)) else {})


def _states(discrete: Discrete) -> list[str]:
    model = discrete.model
    values = {p.name: p.default for p in model.parameters}
    lines = []
    for state in model.states:
        initial = values[state.initial] if isinstance(state.initial, str) else state.initial
        lines.append(f"{state.name} real = {_number(initial)}  # {state.meaning}")
    return lines + [f"{name} real = {_number(x)}" for name, x in added_states(model).items()]


def _parameters(model: NeuronModel) -> list[str]:
    return [
        f"{p.name} real = {_number(p.default)}  # {p.meaning}, {p.unit}" for p in model.parameters
    ]


def _update(discrete: Discrete) -> list[str]:
    model = discrete.model
    writer = _Writer(discrete)
    rests = "_refractory" in added_states(model)
    lines = []
    if _uses_time(discrete):
        lines.append("_step = _step + 1.0")
    if rests:
        lines += ["_active = 1.0", "if _refractory > 0.0:"]
        lines += ["    _refractory = _refractory - 1.0", "    _active = 0.0"]
    lines += [f"{name} real = random_normal(0, 1)" for name in discrete.noise]
    lines += [f"{a.target} real = {writer.text(a.expression)}" for a in discrete.held]
    if model.crossing:
        lines += writer.definitions(discrete.threshold)
        lines += [f"if not ({writer.text(discrete.threshold)}):", "    _blocked = 0.0"]
        writer.forget()
    lines += [f"{a.target} real = {writer.text(a.expression)}" for a in discrete.update]
    frozen = set(discrete.frozen) if rests else set()
    moves = [(x, f"{x} = {new}") for x, new in discrete.updates]
    arrivals = [
        (x, f"{x} = {x} + {receptor.name} * (1 s)")
        for receptor in model.receptors
        for x in receptor.variables
    ]
    lines += _unless_frozen(moves, frozen)
    lines += _unless_frozen(arrivals, frozen)
    for assignment in discrete.after:
        lines += writer.definitions(assignment.expression)
        lines.append(f"{assignment.target} = {writer.text(assignment.expression)}")
    return lines + (_spike(discrete, writer, rests) if model.threshold else [])


def _unless_frozen(statements: list[tuple[str, str]], frozen: set[str]) -> list[str]:
    held = [f"    {text}" for name, text in statements if name in frozen]
    free = [text for name, text in statements if name not in frozen]
    return ["if _active > 0.5:", *held, *free] if held else free


def _spike(discrete: Discrete, writer: _Writer, rests: bool) -> list[str]:
    """Return the threshold and the reset, with the sub-expressions that they use."""
    lines = writer.definitions(discrete.threshold)
    condition = f"({writer.text(discrete.threshold)}) and {MAY_FIRE} > 0.5"
    condition += " and _active > 0.5" if rests else ""
    condition += " and _blocked < 0.5" if discrete.model.crossing else ""
    lines.append(f"if {condition}:")
    for assignment in discrete.reset:
        # A reset statement uses the values set by the one before.
        inner = writer.definitions(assignment.expression)
        inner.append(f"{assignment.target} = {writer.text(assignment.expression)}")
        lines += [f"    {line}" for line in inner]
    if rests:
        steps = f"floor({discrete.model.refractory} / _dt + 0.5)"
        lines.append(f"    _refractory = {steps}")
    if discrete.model.crossing:
        lines.append("    _blocked = 1.0")
    return [*lines, "    emit_spike()"]


class _Writer:
    """Writes expressions of the closed grammar in NESTML."""

    def __init__(self, discrete: Discrete):
        self._names = discrete.model.names | discrete.temporaries
        self._units = {p.name: p.unit for p in discrete.model.parameters}
        self._definitions = discrete.definitions
        self._round = 0
        self._local: dict[str, str] = {}

    def definitions(self, text: str) -> list[str]:
        """Return local variables with the current values of the sub-expressions in ``text``."""
        self._round += 1
        self._local = {}
        lines = []
        for definition in self._used(text):
            value = self.text(definition.expression)
            self._local[definition.target] = f"_{definition.target}_{self._round}"
            lines.append(f"{self._local[definition.target]} real = {value}")
        return lines

    def forget(self) -> None:
        """Use the original names of the sub-expressions again."""
        self._local = {}

    def _used(self, text: str) -> list[Assignment]:
        wanted = set(names_in(parse_expression(text, self._names)))
        used = []
        for definition in reversed(self._definitions):  # later ones use earlier ones
            if definition.target in wanted:
                wanted |= names_in(parse_expression(definition.expression, self._names))
                used.append(definition)
        return used[::-1]

    def text(self, expression: str) -> str:
        """Return an expression in NESTML."""
        return self._node(parse_expression(expression, self._names, internal=True))

    def _node(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=int() | float() as value):
                return _number(float(value))
            case ast.Name(id=name):
                return self._name(name)
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                return self._power(base, exponent)
            case ast.BinOp(left=left, op=operator, right=right):
                return f"({self._node(left)} {_OPERATORS[type(operator)]} {self._node(right)})"
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return f"({self._node(left)} {_OPERATORS[type(operator)]} {self._node(right)})"
            case ast.BoolOp(op=operator, values=values):
                joint = f" {_OPERATORS[type(operator)]} "
                return f"({joint.join(map(self._node, values))})"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"(not {self._node(operand)})"
            case ast.UnaryOp(op=operator, operand=operand):
                sign = "-" if isinstance(operator, ast.USub) else ""
                return f"({sign}{self._node(operand)})"
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
        raise TypeError(f"{type(node).__name__} is outside the grammar")  # parse_expression checks

    def _name(self, name: str) -> str:
        if name == "dt":
            return "_dt"
        if name == "t":
            return "(_step * _dt)"
        if name in UNIT_VALUES:
            return _number(UNIT_VALUES[name])
        if self._units.get(name) == "Hz":
            return f"({name} * {_number(UNIT_VALUES['Hz'])})"
        return self._local.get(name, name)

    def _power(self, base: ast.expr, exponent: ast.expr) -> str:
        text = self._node(base)
        if (
            isinstance(exponent, ast.Constant)
            and isinstance(exponent.value, int)
            and exponent.value in (2, 3)
        ):
            return f"({' * '.join([text] * exponent.value)})"  # as other simulators do
        return f"pow({text}, {self._node(exponent)})"

    def _call(self, name: str, arguments: list[ast.expr]) -> str:
        parts = [self._node(argument) for argument in arguments]
        first = parts[0]
        if name == "int":
            if isinstance(arguments[0], ast.Compare | ast.BoolOp) or (
                isinstance(arguments[0], ast.UnaryOp) and isinstance(arguments[0].op, ast.Not)
            ):
                return f"({first} ? 1.0 : 0.0)"
            return f"({first} >= 0.0 ? floor({first}) : ceil({first}))"
        if name == "clip":
            return f"min(max({first}, {parts[1]}), {parts[2]})"
        if name == "exprel":
            return f"(abs({first}) < 1e-16 ? 1.0 : expm1({first}) / ({first}))"
        if name == "sqrt":
            return f"pow({first}, 0.5)"
        return f"{_CALLS.get(name, name)}({', '.join(parts)})"


def _uses_time(discrete: Discrete) -> bool:
    names = discrete.model.names | discrete.temporaries
    texts = [a.expression for a in (*discrete.update, *discrete.definitions, *discrete.reset)]
    texts += [a.expression for a in (*discrete.held, *discrete.after)]
    texts += [discrete.threshold] if discrete.threshold else []
    return any("t" in names_in(parse_expression(x, names, internal=True)) for x in texts)


def _number(value: float) -> str:
    """Return a number with all its digits and a decimal point, so that NESTML reads it as real."""
    text = repr(float(value))
    return f"({text})" if text.startswith("-") else text
