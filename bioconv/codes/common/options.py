"""Checks of options, the same for every code: all problems are reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeGuard

import numpy as np

from bioconv.codes.code import Code
from bioconv.ground.errors import ParameterError
from bioconv.network.validation import checks

#: what a percentile of activations may be taken over
OVER = ("positive", "all")


def is_number(value: object) -> TypeGuard[float]:
    """Whether ``value`` is a finite number, and no truth value."""
    return not isinstance(value, bool) and checks.is_number(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether ``value`` is a finite number without a fraction, and no truth value."""
    return is_number(value) and int(value) == value


def wrong_choices(code: Code, choices: Mapping[str, Sequence[object]]) -> list[str]:
    """A problem for every option that is none of its valid values."""
    return [
        f"{option} must be one of {', '.join(map(str, valid))}. "
        f"Received: {getattr(code, option)!r}."
        for option, valid in choices.items()
        if getattr(code, option) not in valid
    ]


def wrong_flags(code: Code, flags: Iterable[str]) -> list[str]:
    """A problem for every option that is neither true nor false."""
    return [
        f"{option} must be true or false. Received: {getattr(code, option)!r}."
        for option in flags
        if not isinstance(getattr(code, option), bool | np.bool_)
    ]


def refuse(code: Code, problems: Sequence[str]) -> None:
    """Raise `ParameterError` with all problems, if there are any."""
    if problems:
        raise ParameterError(
            "\n".join([f"{type(code).__name__}:", *(f"  - {p}" for p in problems)])
        )
