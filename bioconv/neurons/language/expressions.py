"""Expressions of the closed grammar: parsed with `ast`, checked node by node, never evaluated.

The size that an expression can reach when sub-expressions are put in, or when constants are
folded, is bounded as well: symbolic tools work on these texts.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import cast

from bioconv.ground.errors import ExpressionError

#: value of a unit name in the coherent system (ms, mV, pA, pF, nS)
UNIT_VALUES: dict[str, float] = {
    "ms": 1.0,
    "mV": 1.0,
    "pA": 1.0,
    "pF": 1.0,
    "nS": 1.0,
    "Hz": 1e-3,
    "second": 1e3,
    "volt": 1e3,
    "amp": 1e12,
    "farad": 1e12,
    "siemens": 1e9,
    "hertz": 1e-3,
}

#: function -> number of arguments
FUNCTIONS: dict[str, int] = {
    **dict.fromkeys(("exp", "log", "log10", "sqrt", "abs", "floor", "ceil", "int", "exprel"), 1),
    **dict.fromkeys(("sin", "cos", "tan", "sinh", "cosh", "tanh"), 1),
    "clip": 3,
}

#: draws of random numbers, where a text may contain them; also name -> number of arguments
RANDOM: dict[str, int] = {"randn": 0}

_GROWING = frozenset({"exp", "exprel", "sinh", "cosh"})
_MAX_TEXT, _MAX_DEPTH, _MAX_SIZE, _MAX_DEGREE, _MAX_EXPONENT = 8_000, 40, 20_000, 64, 20

_CHARACTERS = re.compile(r"[A-Za-z0-9_+\-*/().,<>=! ]*")
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Size:
    """How large an expression gets when its sub-expressions are put in."""

    size: int = 1
    degree: int = 1
    towers: int = 0


def parse_expression(
    text: str,
    names: Set[str],
    *,
    boolean: bool = False,
    internal: bool = False,
    random: bool = False,
) -> ast.expr:
    """Parse one expression.

    Parameters
    ----------
    text : str
        Numbers, ``names``, unit names, ``t``, ``dt``, ``+ - * / **``, comparisons, ``and``,
        ``or``, ``not`` and the functions of `FUNCTIONS`.
    names : set of str
        Names that may occur besides units, ``t`` and ``dt``.
    boolean : bool
        Demand a truth value (comparison, ``and``, ``or``, ``not``).
    internal : bool
        The text was made by Brian2 from checked text: no limit on length and depth.
    random : bool
        Allow the draws of `RANDOM`.

    Returns
    -------
    ast.expr

    Raises
    ------
    ExpressionError
        Names the piece that lies outside the grammar.
    """
    tree = _parse(text, internal)
    text = text.strip()
    _Checker(text, names, {**FUNCTIONS, **RANDOM} if random else FUNCTIONS).check(tree)
    if not internal:
        measure(tree, {})
    if boolean and not is_boolean(tree):
        raise ExpressionError(
            f"{quote(text)} is not a condition. Use a comparison such as v > v_th."
        )
    return tree


def is_boolean(node: ast.expr) -> bool:
    """Whether the expression gives a truth value."""
    return isinstance(node, ast.Compare | ast.BoolOp) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def is_white_noise(name: str) -> bool:
    """Whether a name stands for white noise: ``xi``, or ``xi_...`` for independent ones."""
    return name == "xi" or name.startswith("xi_")


def names_in(node: ast.expr) -> frozenset[str]:
    """Names of variables, parameters and units (not of functions) in a checked expression."""
    called = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    return frozenset(
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in called
    )


def measure(node: ast.expr, defined: Mapping[str, Size]) -> Size:
    """Size, polynomial degree and nesting of exponentials of a checked expression.

    ``defined`` gives those of the sub-expressions that it uses.  Symbolic tools put
    sub-expressions in and fold constants: ``9**9**9``, ``exp(exp(30.0))`` or twenty doublings
    would exhaust the memory long before anything is simulated.

    Raises
    ------
    ExpressionError
        If a limit is passed.
    """
    parts = [measure(child, defined) for child in _operands(node)]
    size = 1 + sum(part.size for part in parts)
    degree = max((part.degree for part in parts), default=1)
    towers = max((part.towers for part in parts), default=0)
    if isinstance(node, ast.Name) and node.id in defined:
        return defined[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        degree = parts[0].degree * max(1, math.ceil(abs(_exponent(node.right))))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        degree = parts[0].degree + parts[1].degree
    elif isinstance(node, ast.Call):
        towers += _function_name(node) in _GROWING
    if size > _MAX_SIZE or degree > _MAX_DEGREE or towers > 1:
        raise ExpressionError(
            f"{quote(ast.unparse(node))} grows too large: at most {_MAX_SIZE} terms with all "
            f"sub-expressions put in, products and powers of degree {_MAX_DEGREE}, and no "
            "exponential inside an exponential."
        )
    return Size(size, degree, towers)


class _Checker:
    """Walks an expression and refuses every node that is not on the list."""

    def __init__(self, text: str, names: Set[str], functions: Mapping[str, int]):
        self.text = text
        self.names = names
        self.functions = functions

    def check(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant):
            self._number(node)
        elif isinstance(node, ast.Name):
            self._name(node.id)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif not self._operator(node):
            raise self._refuse(node, "is not allowed in an expression")
        for child in _operands(node):
            self.check(child)

    def _piece(self, node: ast.expr) -> str:
        return self.text[node.col_offset : node.end_col_offset]  # one line of ASCII

    def _refuse(self, node: ast.expr, reason: str) -> ExpressionError:
        return ExpressionError(f"{quote(self._piece(node))} in {quote(self.text)} {reason}.")

    def _number(self, node: ast.Constant) -> None:
        value = node.value
        if type(value) not in (int, float) or not _NUMBER.fullmatch(self._piece(node)):
            raise self._refuse(node, "is not a plain decimal number")
        number = cast(float, value)
        if not abs(number) <= (10**15 if isinstance(number, int) else 1e300):
            raise self._refuse(node, "is too large a number")

    def _name(self, name: str) -> None:
        if is_white_noise(name) and name not in self.names:
            raise ExpressionError(
                f"{quote(name)} in {quote(self.text)}: white noise stands in differential "
                "equations only."
            )
        if name not in self.names and name not in UNIT_VALUES and name not in ("t", "dt"):
            raise ExpressionError(
                f"Unknown name {quote(name)} in {quote(self.text)}. "
                f"Names that may be used: {listing(self.names)}."
            )

    def _call(self, node: ast.Call) -> None:
        name = _function_name(node)
        if name not in self.functions or node.keywords:
            hint = (
                "may be drawn only in a sub-expression flagged '(constant over dt)'"
                if name in RANDOM
                else f"is not an allowed call. Functions: {listing(self.functions)}"
            )
            raise self._refuse(node, hint)
        if len(node.args) != self.functions[name]:
            raise self._refuse(node, f"needs {self.functions[name]} argument(s)")

    def _operator(self, node: ast.expr) -> bool:
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Pow):
                self._power(node)
            return isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow)
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.USub | ast.UAdd | ast.Not)
        if isinstance(node, ast.Compare):
            plain = ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq | ast.NotEq
            return len(node.ops) == 1 and isinstance(node.ops[0], plain)
        return isinstance(node, ast.BoolOp)

    def _power(self, node: ast.BinOp) -> None:
        if not abs(_exponent(node.right)) <= _MAX_EXPONENT:
            raise self._refuse(
                node, f"needs a number between -{_MAX_EXPONENT} and {_MAX_EXPONENT} as exponent"
            )


def _parse(text: str, internal: bool) -> ast.expr:
    if not isinstance(text, str) or not text.strip():
        raise ExpressionError("An expression is missing.")
    if not internal and len(text) > _MAX_TEXT:
        raise ExpressionError(f"{quote(text)} is longer than {_MAX_TEXT} characters.")
    if not _CHARACTERS.fullmatch(text):
        stray = next(c for c in text if not _CHARACTERS.fullmatch(c))
        raise ExpressionError(f"The character {stray!a} is not allowed in {quote(text)}.")
    if not internal and _nesting(text) > _MAX_DEPTH:
        raise ExpressionError(f"{quote(text)} nests deeper than {_MAX_DEPTH} brackets.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        depth = _depth(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"{quote(text)} is not an expression.") from error
    if depth > (400 if internal else 10 * _MAX_DEPTH):
        raise ExpressionError(f"{quote(text)} nests too deeply.")
    return tree


def _operands(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        return list(node.args)
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]


def _depth(node: ast.AST) -> int:
    """Depth of a tree, level by level: no recursion that a long text could exhaust."""
    level, depth = [node], 0
    while level:
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
        depth += 1
    return depth


def _nesting(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _function_name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _exponent(node: ast.expr) -> float:
    """Value of a literal exponent; infinite if it is anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_exponent(node.operand)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(cast(float, node.value))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):  # Brian2 writes 1/2
        divisor = _exponent(node.right)
        return _exponent(node.left) / divisor if divisor else math.inf
    return math.inf


def quote(value: object) -> str:
    """``value`` for a message: a quotation that cannot flood or garble a terminal."""
    text = ascii(value)
    return text if len(text) <= 100 else f"{text[:90]}...{text[-1]}"


def listing(names: Iterable[str]) -> str:
    """Names for a message, sorted."""
    return ", ".join(sorted(names)) or "none"
