"""Options of codes and imperfections: what is valid is declared with the field that holds it.

A frozen dataclass of options declares its fields with `number`, `whole`, `choice` and `flag`, and
calls `check` when it is made.  All problems are then reported at once, in the same words.

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
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeGuard

import numpy as np

from bioconv.ground.errors import ParameterError

_RULE = "rule"


def is_number(value: object) -> TypeGuard[float]:
    """Whether ``value`` is a finite number, and no truth value."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return False
    return bool(np.isreal(value)) and math.isfinite(float(value))


def is_whole(value: object) -> TypeGuard[int]:
    """Whether ``value`` is a finite number without a fraction, and no truth value."""
    return is_number(value) and int(value) == value


class Rule(ABC):
    """What an option may be."""

    @abstractmethod
    def holds(self, value: object) -> bool:
        """Whether a value is valid."""

    @abstractmethod
    def __str__(self) -> str:
        """What a valid value is, to be read after "must be"."""


@dataclass(frozen=True)
class Interval(Rule):
    """Numbers between two ends.

    Parameters
    ----------
    low, high : float
    above, below : bool
        Whether the lower, the upper end is excluded.
    whole : bool
        Whole numbers only.
    besides : tuple
        Values that are valid as well, whatever the ends are.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False
    whole: bool = False
    besides: tuple[Any, ...] = ()

    def holds(self, value: object) -> bool:
        """Whether a value lies between the ends, or is one of the others."""
        if isinstance(value, str):
            return value in self.besides
        if not is_number(value) or (self.whole and not is_whole(value)):
            return False
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        return (low and high) or value in self.besides

    def __str__(self) -> str:
        ends = []
        if self.low > -math.inf:
            ends.append(f"{'above' if self.above else 'from'} {self.low:g}")
        if self.high < math.inf:
            ends.append(f"{'below' if self.below else 'to'} {self.high:g}")
        joint = " " if ends[:1] and ends[0].startswith("from") and not self.below else ", "
        kind = "a whole number" if self.whole else "a number"
        text = f"{kind} {joint.join(ends)}".strip()
        return f"{text}, or {' or '.join(map(str, self.besides))}" if self.besides else text


@dataclass(frozen=True)
class Choice(Rule):
    """One of some values."""

    valid: tuple[Any, ...]

    def holds(self, value: object) -> bool:
        """Whether a value is one of them."""
        return any(type(value) is type(one) and value == one for one in self.valid)

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.valid))}"


@dataclass(frozen=True)
class Flag(Rule):
    """Yes or no."""

    def holds(self, value: object) -> bool:
        """Whether a value is a truth value."""
        return isinstance(value, bool | np.bool_)

    def __str__(self) -> str:
        return "true or false"


def number(
    default: Any = MISSING,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    besides: Sequence[Any] = (),
) -> Any:
    """A field for a number; see `Interval`."""
    return _field(default, Interval(low, high, above, below, False, tuple(besides)))


def whole(
    default: Any = MISSING,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    besides: Sequence[Any] = (),
) -> Any:
    """A field for a whole number; see `Interval`."""
    return _field(default, Interval(low, high, whole=True, besides=tuple(besides)))


def choice(default: Any, valid: Sequence[Any]) -> Any:
    """A field for one of some values."""
    return _field(default, Choice(tuple(valid)))


def flag(default: bool) -> Any:
    """A field for yes or no."""
    return _field(default, Flag())


def _field(default: Any, rule: Rule) -> Any:
    return field(default=default, metadata={_RULE: rule})


def rules(options: Any) -> dict[str, Rule]:
    """The rule of every option of a dataclass, or of an instance of one, that has one."""
    return {f.name: f.metadata[_RULE] for f in fields(options) if _RULE in f.metadata}


def problems_of(options: Any) -> list[str]:
    """What is wrong with the values of an instance, one sentence an option."""
    return [
        problem
        for name, rule in rules(options).items()
        for problem in wrong(name, getattr(options, name), rule)
    ]


def wrong(name: str, value: object, rule: Rule) -> list[str]:
    """One problem if a value that is no field breaks a rule, else none."""
    return [] if rule.holds(value) else [f"{name} must be {rule}. Received: {value!r}."]


def check(options: Any, more: Iterable[str] = ()) -> None:
    """Complain about all options of an instance at once; whole numbers become ``int``.

    Parameters
    ----------
    options : dataclass instance
    more : iterable of str
        Further problems, which no single field can know.

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
