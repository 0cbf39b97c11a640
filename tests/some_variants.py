"""Variants of a test, of which a default run takes some."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def some(values: Iterable[Any], *, every: int) -> list[Any]:
    """Return variants for ``pytest.mark.parametrize``: all but one of ``every`` are slow tests."""
    return [
        value if place % every == 0 else pytest.param(value, marks=pytest.mark.slow)
        for place, value in enumerate(values)
    ]
