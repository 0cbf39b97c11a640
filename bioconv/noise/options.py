"""Checks of options that imperfections share; each gives the problems that it finds."""

from __future__ import annotations

from collections.abc import Sequence

from bioconv.ground.errors import ParameterError
from bioconv.ground.options import is_number, is_whole


def number_from(name: str, value: object, low: float, high: float = float("inf")) -> list[str]:
    """``value`` must be a number from ``low`` to ``high``."""
    if is_number(value) and low <= value <= high:
        return []
    limit = f"from {low:g}" + ("" if high == float("inf") else f" to {high:g}")
    return [f"{name} must be a number {limit}. Received: {value!r}."]


def number_above(name: str, value: object, low: float = 0.0) -> list[str]:
    """``value`` must be a number above ``low``."""
    if is_number(value) and value > low:
        return []
    return [f"{name} must be a number above {low:g}. Received: {value!r}."]


def share(name: str, value: object) -> list[str]:
    """``value`` must be a share: a number from 0 to 1."""
    return number_from(name, value, 0.0, 1.0)


def whole_from(name: str, value: object, low: int, high: int) -> list[str]:
    """``value`` must be a whole number from ``low`` to ``high``."""
    if is_whole(value) and low <= value <= high:
        return []
    return [f"{name} must be a whole number from {low} to {high}. Received: {value!r}."]


def choice(name: str, value: object, valid: Sequence[str]) -> list[str]:
    """``value`` must be one of those that are valid."""
    if value in valid:
        return []
    return [f"{name} must be one of {', '.join(valid)}. Received: {value!r}."]


def refuse(owner: object, problems: Sequence[str]) -> None:
    """Raise `ParameterError` with all problems, if there are any."""
    if problems:
        name = type(owner).__name__
        raise ParameterError("\n".join([f"{name}:", *(f"  - {p}" for p in problems)]))
