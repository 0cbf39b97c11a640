"""Validated access to the configuration of a layer from a file that may be malformed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.reading.refusal import Refusal

_REQUIRED = object()
#: bound of axes, numbers of units and paddings, which no real network exceeds
_LARGEST = 2**31 - 1
#: largest size of an array in a configuration, as of a Rescaling with one value per input
_LARGEST_ARRAY = 2**24


class Config(Mapping[str, Any]):
    """Configuration of a layer with getters that validate the values they return.

    Parameters
    ----------
    values : mapping of str to any JSON value

    Raises
    ------
    Refusal
        From every getter, if the value is missing or invalid.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _value(self, key: str, default: Any) -> Any:
        value = self._values.get(key, default)
        if value is _REQUIRED:
            raise Refusal(f"its configuration has no {key!r}.")
        return value

    def integer(self, key: str, default: Any = _REQUIRED, least: int = 1) -> int:
        """Return an integer of at least ``least``, which may be given as a list of one."""
        value = self._value(key, default)
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        return _integer(key, value, least)

    def integers(self, key: str, n: int, default: Any = _REQUIRED, least: int = 1) -> tuple:
        """Return ``n`` integers, which a single integer may represent if they are equal."""
        value = self._value(key, default)
        if not isinstance(value, list | tuple):
            value = [value] * n
        if len(value) != n:
            raise Refusal(f"{key!r} must have {n} values. Received: {shown(value)}")
        return tuple(_integer(key, item, least) for item in value)

    def pairs(self, key: str, n: int, default: Any = _REQUIRED) -> tuple[tuple[int, int], ...]:
        """Return ``n`` pairs (before, after) from any form that Keras allows.

        These are one integer, ``n`` integers (each for both sides), ``n`` pairs, and for ``n`` = 1
        also a single pair.
        """
        value = self._value(key, default)
        if not isinstance(value, list | tuple):
            value = [value] * n
        if n == 1 and len(value) == 2 and not isinstance(value[0], list | tuple):
            value = [value]
        if len(value) != n:
            raise Refusal(f"{key!r} must have {n} entries. Received: {shown(value)}")
        both = [item if isinstance(item, list | tuple) else (item, item) for item in value]
        if any(len(pair) != 2 for pair in both):
            raise Refusal(f"{key!r} must be pairs (before, after). Received: {shown(value)}")
        return tuple((_integer(key, low, 0), _integer(key, high, 0)) for low, high in both)

    def number(self, key: str, default: Any = _REQUIRED) -> float:
        """Return a finite number, which may be given as an array of one."""
        array = self.array(key, default)
        if array.size != 1:
            raise Refusal(f"{key!r} must be one number. Received: {shown(self._values.get(key))}")
        return float(array.ravel()[0])

    def optional_number(self, key: str) -> float | None:
        """Return a finite number or None."""
        return None if self._values.get(key) is None else self.number(key)

    def array(self, key: str, default: Any = _REQUIRED) -> NDArray[np.float64]:
        """Return an array of finite numbers, also from ``{"class_name": "__numpy__", ...}``."""
        value = self._value(key, default)
        if isinstance(value, Mapping):
            inner = value.get("config", value)
            value = inner.get("value", value) if isinstance(inner, Mapping) else value
        if _count(value) > _LARGEST_ARRAY:
            raise Refusal(f"{key!r} has more than {_LARGEST_ARRAY} numbers.")
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise Refusal(f"{key!r} must be numeric. Received: {shown(value)}") from None
        if not np.all(np.isfinite(array)):
            raise Refusal(f"{key!r} must be finite. Received: {shown(value)}")
        return array

    def flag(self, key: str, default: Any = _REQUIRED) -> bool:
        """Return True or False, for which old files contain 1 or 0."""
        value = self._value(key, default)
        if value not in (True, False) or isinstance(value, float):
            raise Refusal(f"{key!r} must be true or false. Received: {shown(value)}")
        return bool(value)

    def choice(self, key: str, allowed: Sequence[str], default: Any = _REQUIRED) -> str:
        """Return one of the allowed strings."""
        value = self._value(key, default)
        if value not in allowed:
            known = ", ".join(map(repr, allowed))
            raise Refusal(f"{key!r} must be one of {known}. Received: {shown(value)}")
        return str(value)


def shown(value: object) -> str:
    """Return the start of the ``repr`` of a value, so that messages stay short for any file."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _integer(key: str, value: object, least: int) -> int:
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LARGEST:
        raise Refusal(f"{key!r} must be an integer of at least {least}. Received: {shown(value)}")
    return value


def _count(value: object) -> int:
    """Return how many numbers a nested list contains."""
    if not isinstance(value, list | tuple):
        return 1
    return sum(_count(item) for item in value)
