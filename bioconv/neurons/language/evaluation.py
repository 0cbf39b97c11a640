"""Values of checked expressions, and of conditions whose derivative a surrogate gives.

No text is evaluated as Python: `evaluate` maps each node of the closed grammar to one operation of
NumPy or JAX, so that expressions work for any dtype, any batch size and on any device.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from math import factorial
from types import ModuleType
from typing import Any

from bioconv.ground.errors import ExpressionError
from bioconv.neurons.language.expressions import UNIT_VALUES
from bioconv.neurons.language.folding import operands

Array = Any  # a NumPy or a JAX array
#: a comparison (">", ">=", "<", "<=", "==" or "!=") of two arrays as a number, 1 or 0, with a
#: surrogate derivative; hashable, because it is part of what JAX compiles
Comparison = Callable[[str, Array, Array], Array]

#: Taylor coefficients of (exp(x) - 1) / x, enough for float64 below 1/2
_EXPREL = tuple(1 / factorial(n + 1) for n in range(14, -1, -1))

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}


def evaluate(node: ast.expr, values: Mapping[str, Array], xp: ModuleType) -> Array:
    """Return the value of a checked expression.

    Parameters
    ----------
    node : ast.expr
        From `parse_expression`.
    values : mapping of str to array
        Values of all names except the units.
    xp : module
        ``numpy`` or ``jax.numpy``.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return values[node.id] if node.id in values else UNIT_VALUES[node.id]
    parts = [evaluate(child, values, xp) for child in operands(node)]
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](*parts)
    if isinstance(node, ast.Compare):
        return _BINARY[type(node.ops[0])](*parts)
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            return xp.logical_not(parts[0])
        return -parts[0] if isinstance(node.op, ast.USub) else parts[0]
    if isinstance(node, ast.BoolOp):
        combine = xp.logical_and if isinstance(node.op, ast.And) else xp.logical_or
        result = parts[0]
        for part in parts[1:]:
            result = combine(result, part)
        return result
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, parts, xp)
    raise ExpressionError(f"{ast.unparse(node)} is not an expression of the grammar.")


def _call(name: str, parts: list[Array], xp: ModuleType) -> Array:
    if name == "int":
        # Towards zero, as in C; a boolean becomes 0 or 1.
        value = xp.asarray(parts[0])
        return value * 1 if value.dtype == bool else xp.trunc(value)
    if name == "clip":
        return xp.minimum(xp.maximum(parts[0], parts[1]), parts[2])
    if name == "exprel":
        return _exprel(xp.asarray(parts[0]) * 1.0, xp)
    return getattr(xp, name)(*parts)


def _exprel(x: Array, xp: ModuleType) -> Array:
    """Return ``(exp(x) - 1) / x`` to two units in the last place.

    A Taylor series is used where the difference would cancel.  This takes half the time of
    ``expm1(x) / x``.
    """
    near = xp.abs(x) < 0.5
    short = xp.where(near, x, 0)
    series = xp.full_like(x, _EXPREL[0])
    for coefficient in _EXPREL[1:]:
        series = series * short + coefficient
    return xp.where(near, series, (xp.exp(x) - 1) / xp.where(near, 1, x))


#: sign of each comparison, as the arguments of a `Comparison`
_SIGNS: dict[type, str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def truth(
    node: ast.expr, values: Mapping[str, Array], xp: ModuleType, compare: Comparison
) -> Array:
    """Return the value of a condition as a number, 1 or 0, which can be differentiated.

    Parameters
    ----------
    node : ast.expr
        From `parse_expression`.
    values : mapping of str to array
        Values of all names except the units.
    xp : module
        ``numpy`` or ``jax.numpy``.
    compare : Comparison
        Gives the comparisons within the condition, and their derivatives.
    """
    if isinstance(node, ast.Compare):
        left, right = (evaluate(child, values, xp) for child in operands(node))
        return compare(_SIGNS[type(node.ops[0])], left, right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return 1 - truth(node.operand, values, xp, compare)
    if isinstance(node, ast.BoolOp):
        result, *rest = (truth(child, values, xp, compare) for child in node.values)
        for part in rest:
            both = result * part
            result = both if isinstance(node.op, ast.And) else result + part - both
        return result
    return compare("!=", evaluate(node, values, xp), 0.0)


def comparisons(
    node: ast.expr, values: Mapping[str, Array], xp: ModuleType
) -> list[tuple[Array, Array]]:
    """Return both sides of all comparisons within a condition."""
    found: list[tuple[Array, Array]] = []

    def note(sign: str, left: Array, right: Array) -> Array:
        found.append((left, right))
        return 0.0

    truth(node, values, xp, note)
    return found
