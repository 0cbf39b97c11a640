"""The step of a neuron as lines of Python for a compiler of loops, such as Numba.

The lines are printed from the same folded expressions that `bioconv.neurons.language.update`
evaluates on arrays: the same operations in the same order on the numbers of one neuron.

Names that are added here have no prefix in common with the variables of a model, each of which is
printed as ``x_`` and its name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from bioconv.ground.errors import ExpressionError
from bioconv.neurons.language.expressions import UNIT_VALUES, is_boolean
from bioconv.neurons.language.folding import operands
from bioconv.neurons.language.update import Update

_BINARY: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}

#: functions of one argument that NumPy calls as the grammar does
_CHEAP = frozenset(("sqrt", "abs", "floor", "ceil"))
_COSTLY = frozenset(("exp", "log", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh"))
_PLAIN = _CHEAP | _COSTLY


def variable(name: str) -> str:
    """Return the local variable that holds a state, a parameter, a constant or ``t``."""
    return f"x_{name}"


def arrival(name: str) -> str:
    """Return the local variable that holds the input that arrives at a state variable."""
    return f"input_{name}"


def unprintable(update: Update) -> str:
    """Return why a step cannot be printed, or an empty string."""
    if update.noisy:
        return "draws random numbers in every step"
    unknown = sorted(_called(update) - _PLAIN - {"int", "clip"})
    return f"calls {', '.join(unknown)}" if unknown else ""


def is_costly(update: Update) -> bool:
    """Whether a step calls a function that takes as long as many operations, such as exp."""
    return bool(_called(update) & _COSTLY)


def step_lines(update: Update, receives: Iterable[str], waits: bool) -> list[str]:
    """Return the statements of one step of one neuron.

    They read and write the variables of the states (`variable`), and read those of parameters and
    constants, of ``t`` (ms) and of arriving input (`arrival`).  Numbers are written as
    ``real(...)``, where ``real`` is the type of the variables, and functions are those of NumPy.

    Parameters
    ----------
    update : Update
    receives : iterable of str
        State variables that input arrives at.
    waits : bool
        Whether the statements update ``wait``, the remaining refractory steps or, in a crossing
        model, 1 for a blocked neuron; they set it to ``period`` after a spike.

    Returns
    -------
    list of str
        After them ``fired`` is a boolean, unless the model has no threshold.

    Raises
    ------
    ExpressionError
        If the model has a part that `unprintable` names.
    """
    phases, discrete = update.phases, update.discrete
    crossing = discrete.model.crossing
    rests = waits and not crossing
    lines = [_assign(name, node) for name, node in phases.held]
    if crossing and phases.threshold is not None:
        above = _condition(phases.threshold)
        lines += _definitions(phases.definitions)
        lines.append(f"blocked = (wait > real(0)) & {above}")
    if rests:
        lines.append("resting = wait > real(0)")
    lines += [_assign(name, node) for name, node in phases.update]
    frozen = set(discrete.frozen) if rests else set()
    lines += _moves(discrete.updates, frozen)
    for name in receives:
        jump = arrival(name)
        jump = f"(real(0) if resting else {jump})" if name in frozen else jump
        lines.append(f"{variable(name)} = {variable(name)} + {jump}")
    for name, node in phases.after:
        lines += [*_definitions(phases.definitions), _assign(name, node)]
    if phases.threshold is None:
        return lines
    lines += [*_definitions(phases.definitions), f"fired = {_condition(phases.threshold)}"]
    lines += ["fired = fired & (not blocked)"] if crossing else []
    lines += ["fired = fired & (not resting)"] if rests else []
    for name, node in phases.reset:
        lines += _definitions(phases.definitions)
        lines.append(f"{variable(name)} = {_value(node)} if fired else {variable(name)}")
    if crossing:
        lines.append("wait = real(1) if (blocked | fired) else real(0)")
    elif rests:
        lines.append("wait = period if fired else max(wait - real(1), real(0))")
    return lines


def _called(update: Update) -> set[str]:
    phases = update.phases
    pairs = (*phases.held, *phases.update, *phases.reset, *phases.after)
    trees = [*(node for _, node in pairs), *phases.definitions.values()]
    trees += [phases.threshold] if phases.threshold is not None else []
    calls = (n.func for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call))
    return {function.id for function in calls if isinstance(function, ast.Name)}


def _assign(name: str, node: ast.expr) -> str:
    return f"{variable(name)} = {_value(node)}"


def _definitions(definitions: Mapping[str, ast.expr]) -> list[str]:
    return [_assign(name, node) for name, node in definitions.items()]


def _moves(updates: Sequence[tuple[str, str]], frozen: set[str]) -> list[str]:
    """Return the statements that give all states their new values at once."""
    new = [f"new_{name} = {variable(temporary)}" for name, temporary in updates]
    return new + [
        f"{variable(name)} = {variable(name)} if resting else new_{name}"
        if name in frozen
        else f"{variable(name)} = new_{name}"
        for name, _ in updates
    ]


def _condition(node: ast.expr) -> str:
    """Return a boolean expression without branches."""
    if isinstance(node, ast.BoolOp):
        sign = " & " if isinstance(node.op, ast.And) else " | "
        return f"({sign.join(map(_condition, node.values))})"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"(not {_condition(node.operand)})"
    if isinstance(node, ast.Compare):
        left, right = map(_value, operands(node))
        return f"({left} {_BINARY[type(node.ops[0])]} {right})"
    return f"({_value(node)} != real(0))"


def _value(node: ast.expr) -> str:
    """Return an expression whose value is of the type ``real``."""
    if is_boolean(node):
        return f"real({_condition(node)})"
    match node:
        case ast.Constant(value=int() | float() as value):
            return f"real({value!r})"
        case ast.Name(id=name):
            return f"real({UNIT_VALUES[name]!r})" if name in UNIT_VALUES else variable(name)
        case ast.BinOp(op=ast.Pow(), left=left, right=ast.Constant(value=int() as power)):
            return f"({_value(left)} ** {power})"
        case ast.BinOp(left=left, op=op, right=right):
            return f"({_value(left)} {_BINARY[type(op)]} {_value(right)})"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"(-{_value(operand)})"
        case ast.UnaryOp(operand=operand):
            return _value(operand)
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, [_value(part) for part in operands(node)])
    raise ExpressionError(f"{ast.unparse(node)} is not an expression of the grammar.")


def _call(name: str, parts: Sequence[str]) -> str:
    if name == "int":
        return f"np.trunc({parts[0]})"
    if name == "clip":
        return f"np.minimum(np.maximum({parts[0]}, {parts[1]}), {parts[2]})"
    if name not in _PLAIN:
        raise ExpressionError(f"{name} cannot be printed for a compiler of loops.")
    return f"np.{name}({parts[0]})"
