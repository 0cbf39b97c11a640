"""Valid identifiers for populations from the names of layers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bioconv.ground.errors import ExpressionError
from bioconv.neurons.language.grammar import check_name

#: characters reserved for a number after identical names
_LONGEST = 56


def identifiers(names: Iterable[str]) -> list[str]:
    """Return distinct names of the closed grammar, as close to ``names`` as possible.

    Examples
    --------
    >>> identifiers(["conv2d/Relu:0", "conv2d Relu 0", "1st", "lambda"])
    ['conv2d_Relu_0', 'conv2d_Relu_0_2', 'x_1st', 'x_lambda']
    """
    found: list[str] = []
    # Simulators that compile C++ on a case-insensitive file system must not confuse two names.
    taken: set[str] = set()
    for name in names:
        base = _identifier(name)
        chosen, number = base, 2
        while chosen.lower() in taken:
            chosen, number = _identifier(f"{base}_{number}"), number + 1
        taken.add(chosen.lower())
        found.append(chosen)
    return found


def _identifier(name: str) -> str:
    plain = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9]", "_", name)).strip("_")[:_LONGEST].rstrip("_")
    plain = plain if plain[:1].isalpha() else f"x_{plain}".rstrip("_")
    try:
        return check_name(plain)
    except ExpressionError:
        return check_name(f"x_{plain}_x" if plain.endswith(("_pre", "_post")) else f"x_{plain}")
