"""The closed grammar of names, expressions, statements and equations.

Models come from files as well as from the library, and their text is compiled and written into
programs.  So nothing is taken as it stands: a text is parsed with `ast` (never evaluated), every
node and every name has to be on a list, and the size that a text can reach when sub-expressions
are put in, or when constants are folded, is bounded.  The language is a subset of Brian2's.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from bioconv.errors import ExpressionError

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

#: dimensions that an equation may declare after the colon
DIMENSIONS = ("1", "volt", "amp", "second", "hertz", "farad", "siemens", "volt/second")

_GROWING = frozenset({"exp", "exprel", "sinh", "cosh"})
_MAX_NAME, _MAX_TEXT, _MAX_EQUATIONS = 64, 8_000, 20_000
_MAX_DEPTH, _MAX_SIZE, _MAX_DEGREE, _MAX_EXPONENT = 40, 20_000, 64, 20

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CHARACTERS = re.compile(r"[A-Za-z0-9_+\-*/().,<>=! ]*")
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_STATEMENT = re.compile(r"([A-Za-z]\w*) ?([-+*]?)=(?!=)(.*)", re.ASCII)
_EQUATION = re.compile(r"(?:d(\w+)/dt|(\w+)) *=(?!=)([^:]*):([^:()]*)(?:\(([^()]*)\) *)?", re.ASCII)

# Words that mean something else in Python, Brian2, C++ or NESTML.
_RESERVED = frozenset(
    """t dt xi i j N e pi inf t_in_timesteps lastspike not_refractory refractory refractory_until
    rand randn poisson timestep sign expm1 log1p arcsin arccos arctan min max w None True False
    alignas alignof auto bool boolean case catch char class concept const constexpr decltype
    default delete do double enum explicit export extern float friend goto inline integer long
    mutable namespace new noexcept nullptr operator private protected public register requires
    short signed sizeof static string struct switch template this throw time typedef typeid
    typename union unsigned using virtual void volatile wchar_t asm
    model state parameters internals equations input output update function kernel recordable
    onReceive onCondition emit_spike integrate_odes convolve spike spikes continuous real end
    resolution steps buffer elif homogeneous heterogeneous""".split()
)


@dataclass(frozen=True)
class Assignment:
    """``target = expression``, the expression as text in this grammar."""

    target: str
    expression: str


@dataclass(frozen=True)
class Equation:
    """One line of a model's equations.

    Parameters
    ----------
    name : str
    expression : str
        Right-hand side.
    dimension : str
        One of `DIMENSIONS`: of the variable, not of its derivative.
    differential : bool
        ``dname/dt = expression`` if true, else the sub-expression ``name = expression``.
    unless_refractory : bool
    """

    name: str
    expression: str
    dimension: str
    differential: bool
    unless_refractory: bool = False


@dataclass(frozen=True)
class _Measure:
    """How large an expression gets when its sub-expressions are put in."""

    size: int = 1
    degree: int = 1
    towers: int = 0


def check_name(name: str) -> str:
    """Return ``name`` if it is a plain identifier that means nothing else in any target language.

    Raises
    ------
    ExpressionError
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ExpressionError(
            f"{_show(name)} is not a name. A name is an ASCII letter followed by letters, digits "
            "and underscores."
        )
    if len(name) > _MAX_NAME:
        raise ExpressionError(f"The name {_show(name)} is longer than {_MAX_NAME} characters.")
    taken = keyword.iskeyword(name) or name in _RESERVED or name in UNIT_VALUES
    if taken or name in FUNCTIONS or name.startswith("xi_"):
        raise ExpressionError(f"The name {name!r} is reserved. Choose another one.")
    if "__" in name or name.endswith(("_pre", "_post")):
        raise ExpressionError(
            f"The name {name!r} contains '__' or ends in '_pre' or '_post', which simulators "
            "use themselves. Choose another one."
        )
    return name


def check_text(text: str, what: str) -> str:
    """Return ``text`` if it can stand in a comment of any generated program.

    Raises
    ------
    ExpressionError
    """
    bad = not isinstance(text, str) or not text.isprintable() or len(text) > 1_000
    if bad or re.search(r'["\\`{}]|\*/|/\*', text):
        raise ExpressionError(
            f"{what} is {_show(text)}. Expected one printable line of at most 1000 characters "
            "without double quotes, backslashes, backticks, braces and comment marks."
        )
    return text


def parse_expression(
    text: str, names: Set[str], *, boolean: bool = False, internal: bool = False
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

    Returns
    -------
    ast.expr

    Raises
    ------
    ExpressionError
        Names the piece that lies outside the grammar.
    """
    tree = _parse(text, internal)
    _Checker(text, names).check(tree)
    if not internal:
        measure(tree, {})
    if boolean and not is_boolean(tree):
        raise ExpressionError(f"{_show(text)} is not a condition. Use a comparison such as v > v_th.")
    return tree


def parse_statements(text: str, names: Set[str], targets: Set[str]) -> tuple[Assignment, ...]:
    """Parse assignments ``x = e``, ``x += e``, ``x -= e``, ``x *= e``, one a line.

    Parameters
    ----------
    text : str
        May be empty.
    names, targets : set of str
        Names that may be read, and that may be set.

    Returns
    -------
    tuple of Assignment
        In order; ``x -= e`` has become ``x = x - (e)``.

    Raises
    ------
    ExpressionError
    """
    assignments = []
    for line in _lines(text):
        match = _STATEMENT.fullmatch(line)
        if not match:
            raise ExpressionError(f"{_show(line)} is not an assignment such as v -= v_th.")
        target, operator, expression = match[1], match[2], match[3].strip()
        if target not in targets:
            raise ExpressionError(
                f"{_show(line)} sets {_show(target)}, which is not a state variable. "
                f"State variables: {_list(targets)}."
            )
        parse_expression(expression, names)
        full = f"{target} {operator} ({expression})" if operator else expression
        assignments.append(Assignment(target, full))
    return tuple(assignments)


def parse_equations(text: str, names: Set[str]) -> tuple[Equation, ...]:
    """Parse differential equations and sub-expressions, one a line.

    Parameters
    ----------
    text : str
        Lines ``dX/dt = expression : dimension (unless refractory)`` (the flag is optional) or
        ``X = expression : dimension``.
    names : set of str
        Names declared outside (parameters and states).

    Returns
    -------
    tuple of Equation
        Sub-expressions are in an order in which each uses only earlier ones.

    Raises
    ------
    ExpressionError
    """
    if not isinstance(text, str) or len(text) > _MAX_EQUATIONS:
        raise ExpressionError(f"Equations are text of at most {_MAX_EQUATIONS} characters.")
    equations = [_equation(line) for line in _lines(text)]
    defined = [equation.name for equation in equations]
    repeated = sorted({name for name in defined if defined.count(name) > 1})
    if repeated:
        raise ExpressionError(f"Equations define {_list(repeated)} more than once.")
    known, sizes = set(names) - {e.name for e in equations if not e.differential}, {}
    for equation in equations:
        if equation.differential:
            known.add(equation.name)
    for equation in equations:  # in order: a sub-expression may use earlier ones only
        tree = parse_expression(equation.expression, known)
        size = measure(tree, sizes)
        if not equation.differential:
            known.add(equation.name)
            sizes[equation.name] = size
    return tuple(equations)


def is_boolean(node: ast.expr) -> bool:
    """Whether the expression gives a truth value."""
    return isinstance(node, ast.Compare | ast.BoolOp) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def names_in(node: ast.expr) -> frozenset[str]:
    """Names of variables, parameters and units (not of functions) in a checked expression."""
    called = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    return frozenset(
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in called
    )


def measure(node: ast.expr, defined: Mapping[str, _Measure]) -> _Measure:
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
            f"{_show(ast.unparse(node))} grows too large: at most {_MAX_SIZE} terms with all "
            f"sub-expressions put in, products and powers of degree {_MAX_DEGREE}, and no "
            "exponential inside an exponential."
        )
    return _Measure(size, degree, towers)


class _Checker:
    """Walks an expression and refuses every node that is not on the list."""

    def __init__(self, text: str, names: Set[str]):
        self.text = text
        self.names = names

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

    def _refuse(self, node: ast.AST, reason: str) -> ExpressionError:
        piece = ast.get_source_segment(self.text, node) or type(node).__name__
        return ExpressionError(f"{_show(piece)} in {_show(self.text)} {reason}.")

    def _number(self, node: ast.Constant) -> None:
        plain = type(node.value) in (int, float) and _NUMBER.fullmatch(
            ast.get_source_segment(self.text, node) or ""
        )
        if not plain or not math.isfinite(float(node.value)) or abs(node.value) > 1e300:
            raise self._refuse(node, "is not a plain finite decimal number")
        if isinstance(node.value, int) and node.value > 10**15:
            raise self._refuse(node, "is too large a whole number")

    def _name(self, name: str) -> None:
        if name not in self.names and name not in UNIT_VALUES and name not in ("t", "dt"):
            raise ExpressionError(
                f"Unknown name {_show(name)} in {_show(self.text)}. "
                f"Names that may be used: {_list(self.names)}."
            )

    def _call(self, node: ast.Call) -> None:
        name = _function_name(node)
        if name not in FUNCTIONS or node.keywords:
            raise self._refuse(node, f"is not an allowed call. Functions: {_list(FUNCTIONS)}")
        if len(node.args) != FUNCTIONS[name]:
            raise self._refuse(node, f"needs {FUNCTIONS[name]} argument(s)")

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
        raise ExpressionError(f"{_show(text)} is longer than {_MAX_TEXT} characters.")
    if not _CHARACTERS.fullmatch(text):
        stray = next(c for c in text if not _CHARACTERS.fullmatch(c))
        raise ExpressionError(f"The character {stray!a} is not allowed in {_show(text)}.")
    if not internal and _nesting(text) > _MAX_DEPTH:
        raise ExpressionError(f"{_show(text)} nests deeper than {_MAX_DEPTH} brackets.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        depth = _depth(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"{_show(text)} is not an expression.") from error
    if depth > (400 if internal else 10 * _MAX_DEPTH):
        raise ExpressionError(f"{_show(text)} nests too deeply.")
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
        return float(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):  # Brian2 writes 1/2
        divisor = _exponent(node.right)
        return _exponent(node.left) / divisor if divisor else math.inf
    return math.inf


def _equation(line: str) -> Equation:
    match = _EQUATION.fullmatch(line)
    if not match:
        raise ExpressionError(
            f"{_show(line)} is not an equation. Expected 'dX/dt = expression : dimension', "
            "optionally followed by '(unless refractory)', or 'X = expression : dimension'."
        )
    differential = match[1] is not None
    dimension = match[4].replace(" ", "")
    if dimension not in DIMENSIONS:
        raise ExpressionError(
            f"{_show(line)} has the unknown dimension {_show(dimension)}. "
            f"Dimensions: {', '.join(DIMENSIONS)}."
        )
    flag = " ".join((match[5] or "").split())
    if match[5] is not None and (flag != "unless refractory" or not differential):
        raise ExpressionError(
            f"{_show(line)} has the flag {_show(flag)}. The only flag is 'unless refractory', on "
            "a differential equation."
        )
    name = check_name(match[1] if differential else match[2])
    return Equation(name, match[3].strip(), dimension, differential, bool(flag))


def _lines(text: str) -> list[str]:
    if not isinstance(text, str):
        raise ExpressionError(f"Expected text, received {_show(text)}.")
    return [line.strip() for line in text.split("\n") if line.strip()]


def _show(value: object) -> str:
    """A quotation that cannot flood or garble a terminal."""
    text = ascii(value)
    return text if len(text) <= 100 else f"{text[:90]}...{text[-1]}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
