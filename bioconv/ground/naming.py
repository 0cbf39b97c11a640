"""Names that nothing else has."""

from __future__ import annotations

from collections.abc import Container
from itertools import count


def free_name(wanted: str, taken: Container[str]) -> str:
    """Return the wanted name, with a number from 2 on appended if it is taken.

    Examples
    --------
    >>> free_name("conv", {"conv", "conv_2"})
    'conv_3'
    """
    if wanted not in taken:
        return wanted
    return next(name for n in count(2) if (name := f"{wanted}_{n}") not in taken)
