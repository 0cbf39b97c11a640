"""Codes: how an activation becomes spikes.

>>> from bioconv import codes
>>> codes.make("rate", {"percentile": 99.0}).percentile
99.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from bioconv.codes.code import Code
from bioconv.codes.few_spikes import FewSpikesCode
from bioconv.codes.first_spike import FirstSpikeCode
from bioconv.codes.first_spike_exact import FirstSpikeExactCode
from bioconv.codes.phase import OscillationCode
from bioconv.codes.population import PopulationCode
from bioconv.codes.rate import RateCode
from bioconv.codes.sigma_delta import SigmaDeltaCode
from bioconv.ground.errors import ParameterError

__all__ = [
    "Code",
    "FewSpikesCode",
    "FirstSpikeCode",
    "FirstSpikeExactCode",
    "OscillationCode",
    "PopulationCode",
    "RateCode",
    "SigmaDeltaCode",
    "library",
    "make",
    "option_names",
]


#: options that a name stands for
_VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"first_spike_dynamic": MappingProxyType({"threshold": "dynamic"})}
)


def library() -> dict[str, type[Code]]:
    """Name of each code, and its class."""
    return {
        "few_spikes": FewSpikesCode,
        "first_spike": FirstSpikeCode,
        "first_spike_dynamic": FirstSpikeCode,
        "first_spike_exact": FirstSpikeExactCode,
        "phase": OscillationCode,
        "population": PopulationCode,
        "rate": RateCode,
        "sigma_delta": SigmaDeltaCode,
    }


def option_names(name: str) -> list[str]:
    """The options of a code that its name leaves open."""
    fixed = _VARIANTS.get(name, {})
    return [entry.name for entry in fields(library()[name]) if entry.name not in fixed]  # type: ignore[arg-type]


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
    cls, fixed, valid = known[name], _VARIANTS.get(name, {}), option_names(name)
    unknown = [option for option in options or {} if option not in valid]
    if unknown:
        raise ParameterError(
            f"the code {name!r} has no option {', '.join(map(repr, unknown))}. "
            f"Valid: {', '.join(valid)}."
        )
    return cls(**{**(options or {}), **fixed})
