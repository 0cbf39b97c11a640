"""The closed grammar of names, expressions, statements and equations.

Models may come from files as well as from the library, and their text is compiled and written into
programs.  Every text is therefore checked: it is parsed with `ast` (never evaluated), every node
and every name must be on a list, and the size that a text can reach when sub-expressions are
substituted or constants are folded is bounded.  The language is a subset of that of Brian2.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Set
from dataclasses import dataclass

from bioconv.ground.errors import ExpressionError
from bioconv.neurons.language.expressions import (
    FUNCTIONS,
    RANDOM,
    UNIT_VALUES,
    Size,
    is_white_noise,
    listing,
    measure,
    parse_expression,
    quote,
)

#: dimensions that an equation may declare after the colon
DIMENSIONS = ("1", "volt", "amp", "second", "hertz", "farad", "siemens", "volt/second")

#: letters of a name at most
MOST_LETTERS = 64
_MAX_EQUATIONS = 20_000

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_STATEMENT = re.compile(r"([A-Za-z]\w*) ?([-+*]?)=(?!=)(.*)", re.ASCII)
_EQUATION = re.compile(r"(?:d(\w+)/dt|(\w+)) *=(?!=)([^:]*):([^:()]*)(?:\(([^()]*)\) *)?", re.ASCII)

# Words of C++20 that are not in the list below, and macros that its headers, those of POSIX and
# of the compilers define for every program that includes them.
_MACROS = frozenset(
    """and and_eq bitand bitor char8_t char16_t char32_t co_await co_return co_yield compl
    const_cast consteval constinit dynamic_cast float double int not not_eq or or_eq
    reinterpret_cast static_assert static_cast thread_local xor xor_eq
    NULL EOF NAN INFINITY HUGE_VAL HUGE_VALF HUGE_VALL errno assert stdin stdout stderr BUFSIZ
    FILENAME_MAX FOPEN_MAX L_tmpnam TMP_MAX SEEK_SET SEEK_CUR SEEK_END EXIT_FAILURE EXIT_SUCCESS
    RAND_MAX MB_CUR_MAX CLOCKS_PER_SEC TIME_UTC offsetof setjmp va_arg va_copy va_end va_start
    math_errhandling signbit isnan isinf isfinite isnormal fpclassify isgreater isless
    isunordered NDEBUG DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS EDOM ERANGE EILSEQ EINTR EAGAIN
    ENOMEM EINVAL EPERM EIO linux unix major minor makedev""".split()  # noqa: SIM905
)
#: beginnings of the macros of limits.h, float.h, math.h, signal.h and fenv.h
_MACRO_FAMILY = re.compile(
    r"(?:(?:S?CHAR|UCHAR|SHRT|USHRT|U?INT|U?LONG|U?LLONG|SIZE|SSIZE|PTRDIFF|WCHAR|WINT)_(?:MAX|MIN|BIT)"
    r"|U?INT(?:_LEAST|_FAST)?(?:8|16|32|64|MAX|PTR)_(?:MAX|MIN|C)"
    r"|(?:FLT|DBL|LDBL|FE|FP|M|MATH|SIG|PTHREAD|IEEE754)_[A-Z0-9_]+|SIG[A-Z]{2,6}|M_\w+)"
)

# Words that have a different meaning in Python, Brian2, C++ or NESTML.
_RESERVED = frozenset(
    """t dt xi i j N e pi inf t_in_timesteps lastspike not_refractory refractory refractory_until
    rand randn poisson timestep sign expm1 log1p arcsin arccos arctan min max None True False
    alignas alignof auto bool boolean case catch char class concept const constexpr decltype
    default delete do double enum explicit export extern float friend goto inline integer long
    mutable namespace new noexcept nullptr operator private protected public register requires
    short signed sizeof static string struct switch template this throw time typedef typeid
    typename union unsigned using virtual void volatile wchar_t asm
    model state parameters internals equations input output update function kernel recordable
    onReceive onCondition emit_spike integrate_odes convolve spike spikes continuous real end
    resolution steps buffer elif homogeneous heterogeneous""".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Assignment:
    """Assignment ``target = expression``, with the expression as text in this grammar."""

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
        Dimension of the variable, not of its derivative; one of `DIMENSIONS`.
    differential : bool
        Whether the line is ``dname/dt = expression``; otherwise it is the sub-expression
        ``name = expression``.
    unless_refractory : bool
    constant_over_dt : bool
        Whether a sub-expression is computed once per step, before integration, and then held.
    white_noise : tuple of str
        The names ``xi``, ``xi_...`` that the expression uses.
    """

    name: str
    expression: str
    dimension: str
    differential: bool
    unless_refractory: bool = False
    constant_over_dt: bool = False
    white_noise: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the equation as a line of text."""
        left = f"d{self.name}/dt" if self.differential else self.name
        flag = " (unless refractory)" if self.unless_refractory else ""
        flag += " (constant over dt)" if self.constant_over_dt else ""
        return f"{left} = {self.expression} : {self.dimension}{flag}"

    @property
    def random(self) -> bool:
        """Whether this line requires random numbers in every step."""
        words = _WORD.findall(self.expression) if self.constant_over_dt else []
        return bool(self.white_noise) or not RANDOM.keys().isdisjoint(words)


def check_name(name: str) -> str:
    """Return ``name`` if it is a plain identifier that is not reserved in any target language.

    Raises
    ------
    ExpressionError
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ExpressionError(
            f"{quote(name)} is not a name. A name is an ASCII letter followed by letters, digits "
            "and underscores."
        )
    if len(name) > MOST_LETTERS:
        raise ExpressionError(f"The name {quote(name)} is longer than {MOST_LETTERS} characters.")
    taken = keyword.iskeyword(name) or name in _RESERVED | _MACROS or name in UNIT_VALUES
    taken = taken or _MACRO_FAMILY.fullmatch(name) is not None
    if taken or name in FUNCTIONS or name.startswith("xi_"):
        raise ExpressionError(f"The name {name!r} is reserved. Choose another one.")
    if "__" in name or name.endswith(("_pre", "_post")):
        raise ExpressionError(
            f"The name {name!r} contains '__' or ends in '_pre' or '_post', which simulators "
            "use internally. Choose another one."
        )
    return name


def check_text(text: str, what: str) -> str:
    """Return ``text`` if it is valid in a comment of any generated program.

    Raises
    ------
    ExpressionError
    """
    bad = not isinstance(text, str) or not text.isprintable() or len(text) > 1_000
    if bad or re.search(r'["\\`{}]|\*/|/\*', text):
        raise ExpressionError(
            f"{what} is {quote(text)}. Expected one printable line of at most 1000 characters "
            "without double quotes, backslashes, backticks, braces and comment marks."
        )
    return text


def parse_statements(text: str, names: Set[str], targets: Set[str]) -> tuple[Assignment, ...]:
    """Parse assignments ``x = e``, ``x += e``, ``x -= e``, ``x *= e``, one per line.

    Parameters
    ----------
    text : str
        May be empty.
    names, targets : set of str
        Names that may be used, and names that may be assigned to.

    Returns
    -------
    tuple of Assignment
        Assignments in order, with ``x -= e`` replaced by ``x = x - (e)``.

    Raises
    ------
    ExpressionError
    """
    assignments = []
    for line in _lines(text):
        match = _STATEMENT.fullmatch(line)
        if not match:
            raise ExpressionError(f"{quote(line)} is not an assignment such as v -= v_th.")
        target, operator, expression = match[1], match[2], match[3].strip()
        if target not in targets:
            raise ExpressionError(
                f"{quote(line)} assigns to {quote(target)}, which is not a state variable. "
                f"State variables: {listing(targets)}."
            )
        parse_expression(expression, names)
        full = f"{target} {operator} ({expression})" if operator else expression
        assignments.append(Assignment(target, full))
    return tuple(assignments)


def parse_equations(text: str, names: Set[str]) -> tuple[Equation, ...]:
    """Parse differential equations and sub-expressions, one per line.

    Parameters
    ----------
    text : str
        Lines ``dX/dt = expression : dimension (unless refractory)`` or ``X = expression :
        dimension (constant over dt)``; the flags are optional.  White noise ``xi``, ``xi_...``
        may be used in differential equations, and ``randn()`` in sub-expressions that are
        constant over dt.
    names : set of str
        Names declared outside (parameters and states).

    Returns
    -------
    tuple of Equation
        Equations in the order of the text; a sub-expression uses only preceding ones.

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
        raise ExpressionError(f"Equations define {listing(repeated)} more than once.")
    sizes: dict[str, Size] = {}
    known = set(names) - {e.name for e in equations if not e.differential}
    known |= {e.name for e in equations if e.differential}
    # Sub-expressions first: each may use earlier ones, a differential equation may use all.
    for equation in sorted(equations, key=lambda e: e.differential):
        size = measure(_parsed(equation, known), sizes)
        if not equation.differential:
            known.add(equation.name)
            sizes[equation.name] = size
    return tuple(equations)


def _parsed(equation: Equation, known: Set[str]) -> ast.expr:
    return parse_expression(
        equation.expression,
        known | set(equation.white_noise),
        random=equation.constant_over_dt,
    )


def _white_noise(expression: str) -> tuple[str, ...]:
    """Return the names of white noise in a differential equation that is not checked yet."""
    found = sorted({name for name in _WORD.findall(expression) if is_white_noise(name)})
    for name in found:
        if name != "xi":
            check_name(name.removeprefix("xi_"))
    return tuple(found)


def _equation(line: str) -> Equation:
    match = _EQUATION.fullmatch(line)
    if not match:
        raise ExpressionError(
            f"{quote(line)} is not an equation. Expected 'dX/dt = expression : dimension', "
            "optionally followed by '(unless refractory)', or 'X = expression : dimension'."
        )
    differential = match[1] is not None
    dimension = match[4].replace(" ", "")
    if dimension not in DIMENSIONS:
        raise ExpressionError(
            f"{quote(line)} has the unknown dimension {quote(dimension)}. "
            f"Dimensions: {', '.join(DIMENSIONS)}."
        )
    flag = " ".join((match[5] or "").split())
    valid = "unless refractory" if differential else "constant over dt"
    if match[5] is not None and flag != valid:
        raise ExpressionError(
            f"{quote(line)} has the invalid flag {quote(flag)}. Flags: 'unless refractory' on a "
            "differential equation, 'constant over dt' on a sub-expression."
        )
    return Equation(
        name=check_name(match[1] if differential else match[2]),
        expression=match[3].strip(),
        dimension=dimension,
        differential=differential,
        unless_refractory=differential and bool(flag),
        constant_over_dt=not differential and bool(flag),
        white_noise=_white_noise(match[3]) if differential else (),
    )


def _lines(text: str) -> list[str]:
    if not isinstance(text, str):
        raise ExpressionError(f"Expected text, received {quote(text)}.")
    return [line.strip() for line in text.split("\n") if line.strip()]
