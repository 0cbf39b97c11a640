"""Options of codes and imperfections, declared together with their valid values.

A frozen dataclass of options declares its fields with `number`, `whole`, `choice` and `flag`, and
calls `check` in ``__post_init__``.  All problems are then reported at once, with uniform messages.

>>> @dataclass(frozen=True)
... class Loss:
...     share: float = number(0.1, 0.0, 1.0)
...     kind: str = choice("random", ("random", "regular"))
...
...     def __post_init__(self) -> None:
...         check(self)
>>> Loss(share=2.0, kind="odd")
Traceback (most recent call last):
    ...
bioconv.ground.errors.ParameterError: Loss:
  - share must be a number from 0 to 1. Received: 2.0.
  - kind must be one of random, regular. Received: 'odd'.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeGuard, TypeVar

import numpy as np

from bioconv.ground.errors import ParameterError
from bioconv.ground.suggestions import did_you_mean

_RULE = "rule"
T = TypeVar("T")


def is_number(value: object) -> TypeGuard[float]:
    """Whether ``value`` is a finite number and not a boolean."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return False
    return bool(np.isreal(value)) and math.isfinite(float(value))


def is_whole(value: object) -> TypeGuard[int]:
    """Whether ``value`` is an integral number and not a boolean."""
    return is_number(value) and int(value) == value


class Rule(ABC):
    """Rule for the valid values of an option."""

    @abstractmethod
    def holds(self, value: object) -> bool:
        """Whether a value is valid."""

    @abstractmethod
    def __str__(self) -> str:
        """Return a description of valid values, which follows "must be" in messages."""


@dataclass(frozen=True)
class Interval(Rule):
    """Numbers in an interval.

    Parameters
    ----------
    low, high : float
    above, below : bool
        Whether the lower or the upper bound is excluded.
    whole : bool
        Whether only whole numbers are valid.
    besides : tuple
        Additional valid values, regardless of the bounds.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False
    whole: bool = False
    besides: tuple[Any, ...] = ()

    def holds(self, value: object) -> bool:
        """Whether a value is in the interval or one of the additional values."""
        if value is None or isinstance(value, str):
            return value in self.besides
        if not is_number(value) or (self.whole and not is_whole(value)):
            return False
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        return (low and high) or value in self.besides

    def __str__(self) -> str:
        low, high = self.low > -math.inf, self.high < math.inf
        kind = "an integer" if self.whole else "a number"
        if low and high and not (self.above or self.below):
            text = f"{kind} from {self.low:g} to {self.high:g}"
        else:
            above = "above" if self.above else "of at least"
            below = "below" if self.below else "at most" if low else "of at most"
            ends = [f"{above} {self.low:g}"] * low + [f"{below} {self.high:g}"] * high
            text = f"{kind} {' and '.join(ends)}".strip()
        *others, last = [text, *map(str, self.besides)]
        return f"{', '.join(others)} or {last}" if others else last


@dataclass(frozen=True)
class Choice(Rule):
    """One of a list of values."""

    valid: tuple[Any, ...]

    def holds(self, value: object) -> bool:
        """Whether a value is one of them."""
        return any(type(value) is type(one) and value == one for one in self.valid)

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.valid))}"


@dataclass(frozen=True)
class Flag(Rule):
    """True or false."""

    def holds(self, value: object) -> bool:
        """Whether a value is a boolean."""
        return isinstance(value, bool | np.bool_)

    def __str__(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class Text(Rule):
    """Any text."""

    def holds(self, value: object) -> bool:
        """Whether a value is a text."""
        return isinstance(value, str)

    def __str__(self) -> str:
        return "a text"


@dataclass(frozen=True)
class Many(Rule):
    """A list of values that follow a rule."""

    rule: Rule

    def holds(self, value: object) -> bool:
        """Whether a value is a list, all items of which are valid."""
        return isinstance(value, list | tuple) and all(map(self.rule.holds, value))

    def __str__(self) -> str:
        return f"a list, each item of which must be {self.rule}"


@dataclass(frozen=True)
class Entries(Rule):
    """A mapping whose named values follow rules."""

    rules: Mapping[str, Rule]

    def holds(self, value: object) -> bool:
        """Whether a value is a mapping with all names, and their values are valid."""
        return isinstance(value, Mapping) and all(
            name in value and rule.holds(value[name]) for name, rule in self.rules.items()
        )

    def __str__(self) -> str:
        entries = "; ".join(f"{name}: {rule}" for name, rule in self.rules.items())
        return f"a mapping with {entries}"


@dataclass(frozen=True)
class Unless(Rule):
    """A rule, or no value yet."""

    rule: Rule

    def holds(self, value: object) -> bool:
        """Whether a value is None or follows the rule."""
        return value is None or self.rule.holds(value)

    def __str__(self) -> str:
        return f"None, or {self.rule}"


def number(
    default: Any = MISSING,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    besides: Sequence[Any] = (),
) -> Any:
    """Return a field for a number; see `Interval`."""
    return _field(default, Interval(low, high, above, below, False, tuple(besides)))


def whole(
    default: Any = MISSING,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    besides: Sequence[Any] = (),
) -> Any:
    """Return a field for a whole number; see `Interval`."""
    return _field(default, Interval(low, high, whole=True, besides=tuple(besides)))


def choice(default: Any, valid: Sequence[Any]) -> Any:
    """Return a field for one of a list of values."""
    return _field(default, Choice(tuple(valid)))


def flag(default: bool) -> Any:
    """Return a field for a boolean."""
    return _field(default, Flag())


def rows() -> Any:
    """Return a field for lists of numbers, which is None until they are known."""
    return _field(None, Unless(Many(Many(Interval()))))


def _field(default: Any, rule: Rule) -> Any:
    return field(default=default, metadata={_RULE: rule})


def rules(options: Any) -> dict[str, Rule]:
    """Return the rules of all options with rules of a dataclass or of its instance."""
    return {f.name: f.metadata[_RULE] for f in fields(options) if _RULE in f.metadata}


def problems_of(options: Any) -> list[str]:
    """Yield the errors in the values of an instance, one sentence per option."""
    return [
        problem
        for name, rule in rules(options).items()
        for problem in wrong(name, getattr(options, name), rule)
    ]


def wrong(name: str, value: object, rule: Rule) -> list[str]:
    """One problem if a value that is no field breaks a rule, else none."""
    return [] if rule.holds(value) else [f"{name} must be {rule}. Received: {value!r}."]


def check(options: Any, more: Iterable[str] = ()) -> None:
    """Raise an error for all invalid options of an instance; convert whole numbers to ``int``.

    Parameters
    ----------
    options : dataclass instance
    more : iterable of str
        Further problems, which concern more than one field.

    Raises
    ------
    ParameterError
    """
    refuse(options, [*problems_of(options), *more])
    for name, rule in rules(options).items():
        if isinstance(rule, Interval) and rule.whole:
            object.__setattr__(options, name, int(getattr(options, name)))


def refuse(options: Any, problems: Sequence[str]) -> None:
    """Raise `ParameterError` with the class of ``options`` and all problems, if there are any."""
    if problems:
        lines = [f"{type(options).__name__}:", *(f"  - {problem}" for problem in problems)]
        raise ParameterError("\n".join(lines))


def made(
    kind: str,
    name: str,
    cls: type[T],
    options: Mapping[str, Any],
    fixed: Mapping[str, Any] | None = None,
) -> T:
    """Return an instance of a class of options with the options that a user gave by name.

    Parameters
    ----------
    kind, name : str
        What it is, for messages.
    cls : dataclass
    options : mapping of str
    fixed : mapping of str, optional
        Options that the name stands for, and that cannot be given.

    Raises
    ------
    ParameterError
        If there is no such option; lists the valid ones.
    """
    fixed = fixed or {}
    valid = [entry.name for entry in fields(cls) if entry.name not in fixed]  # type: ignore[arg-type]
    unknown = [option for option in options if option not in valid]
    if unknown:
        raise ParameterError(
            f"the {kind} {name!r} has no option {', '.join(map(repr, unknown))}. "
            f"Valid: {', '.join(valid)}.{did_you_mean(unknown[0], valid)}"
        )
    return cls(**{**options, **fixed})
