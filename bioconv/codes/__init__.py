"""Codes: how an activation becomes spikes.

>>> from bioconv import codes
>>> codes.make("rate", {"percentile": 99.0}).percentile
99.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bioconv.codes.base import Code
from bioconv.codes.rate import RateCode
from bioconv.errors import ParameterError

__all__ = ["Code", "RateCode", "library", "make"]


def library() -> dict[str, type[Code]]:
    """Name of each code, and its class."""
    return {"rate": RateCode}


def make(name: str, options: Mapping[str, Any] | None = None) -> Code:
    """A code by name with its options, as the command line gives them.

    Raises
    ------
    ParameterError
        If there is no such code or option; lists the valid names.
    """
    known = library()
    if name not in known:
        raise ParameterError(f"there is no code {name!r}. Valid: {', '.join(known)}.")
    cls = known[name]
    valid = [entry.name for entry in fields(cls)]  # type: ignore[arg-type]
    unknown = [option for option in options or {} if option not in valid]
    if unknown:
        raise ParameterError(
            f"the code {name!r} has no option {', '.join(map(repr, unknown))}. "
            f"Valid: {', '.join(valid)}."
        )
    return cls(**(options or {}))
