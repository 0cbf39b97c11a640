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
from bioconv.codes.correlative import CorrelativeCode
from bioconv.codes.few_spikes import FewSpikesCode
from bioconv.codes.first_spike import FirstSpikeCode
from bioconv.codes.first_spike_exact import FirstSpikeExactCode
from bioconv.codes.observation import ObservationCode
from bioconv.codes.phase import OscillationCode
from bioconv.codes.population import PopulationCode
from bioconv.codes.rate import RateCode
from bioconv.codes.sigma_delta import SigmaDeltaCode
from bioconv.ground.options import made
from bioconv.ground.registry import Registry

__all__ = [
    "Code",
    "CorrelativeCode",
    "FewSpikesCode",
    "FirstSpikeCode",
    "FirstSpikeExactCode",
    "ObservationCode",
    "OscillationCode",
    "PopulationCode",
    "RateCode",
    "SigmaDeltaCode",
    "converting",
    "library",
    "make",
    "option_names",
]


#: options that a name stands for
_VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"first_spike_dynamic": MappingProxyType({"threshold": "dynamic"})}
)


_LIBRARY: Registry[type[Code]] = Registry(
    "code",
    {
        "correlative": ".correlative:CorrelativeCode",
        "few_spikes": ".few_spikes:FewSpikesCode",
        "first_spike": ".first_spike:FirstSpikeCode",
        "first_spike_dynamic": ".first_spike:FirstSpikeCode",
        "first_spike_exact": ".first_spike_exact:FirstSpikeExactCode",
        "observation": ".observation:ObservationCode",
        "phase": ".phase:OscillationCode",
        "population": ".population:PopulationCode",
        "rate": ".rate:RateCode",
        "sigma_delta": ".sigma_delta:SigmaDeltaCode",
    },
    package=__name__,
)


def library() -> Mapping[str, type[Code]]:
    """Name of each code, and its class."""
    return _LIBRARY


def converting() -> tuple[str, ...]:
    """Names of the codes that convert Keras networks; the others train networks of their own."""
    return tuple(name for name, cls in library().items() if not cls.trained)


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
    return made("code", name, library()[name], options or {}, _VARIANTS.get(name))
