"""Shared parts of the neuron families: common parameters, and options chosen by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import Parameter
from bioconv.neurons.language.neuron import Value

#: lower bound of quantities in denominators
POSITIVE = 1e-9
#: mV; threshold out of reach, with which codes and faults keep a neuron silent
NEVER = 1e9
#: mV; a value of at least this is not a threshold of a device
OUT_OF_REACH = 1e6

I_OFFSET = Parameter("i_offset", 0.0, "pA", "Constant input current")
I_OFFSET_DIMENSIONLESS = Parameter("i_offset", 0.0, "1", "Constant input current")

_RESETS = {"subtraction": "v -= v_th - v_reset", "value": "v = v_reset"}


def t_ref(default: float = 0.0) -> Parameter:
    """Return the parameter of the refractory period."""
    return Parameter("t_ref", default, "ms", "Refractory period", (0.0, 1e9))


def c_m(default: float) -> Parameter:
    """Return the parameter of the membrane capacitance in pF."""
    return Parameter(
        "c_m", default, "pF", "Membrane capacitance", (POSITIVE, 1e12), role=roles.CAPACITANCE
    )


def tau_m(default: float) -> Parameter:
    """Return the parameter of the membrane time constant in ms."""
    return Parameter(
        "tau_m",
        default,
        "ms",
        "Membrane time constant",
        (POSITIVE, 1e9),
        role=roles.MEMBRANE_TIME_CONSTANT,
    )


def conductance(name: str, default: float, meaning: str, role: str = "") -> Parameter:
    """Return the parameter of a conductance in nS."""
    return Parameter(name, default, "nS", meaning, (0.0, 1e12), role=role)


def unit_of_time(default: float) -> Parameter:
    """Return the parameter of the unit of time in ms, for a model published without units."""
    return Parameter(
        "tau",
        default,
        "ms",
        "Duration of the model's unit of time",
        (POSITIVE, 1e9),
        role=roles.TIME_CONSTANT,
    )


def reset_statement(kind: str) -> str:
    """Return the reset called ``kind`` ("subtraction" or "value"); `ParameterError` for others."""
    return _RESETS[one_of("reset", kind, _RESETS)]


def with_kind(
    kinds: Mapping[str, Mapping[str, float]], kind: str, parameters: Mapping[str, Value]
) -> dict[str, Value]:
    """Return the values of a named type, updated by the given ones; `ParameterError` if unknown."""
    return {**kinds[one_of("kind", kind, kinds)], **parameters}


def one_of(what: str, received: str, valid: Iterable[str]) -> str:
    """Return ``received`` if it is among ``valid``, else raise a `ParameterError`."""
    names = tuple(valid)
    if received not in names:
        raise ParameterError(f"{what} must be one of {', '.join(names)}. Received: {received!r}.")
    return received
