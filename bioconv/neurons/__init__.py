"""Neuron models: text, written once, and everything that is derived from it.

>>> from bioconv import neurons
>>> neurons.LeakyIntegrateAndFire(tau_m=10.0).value("tau_m")
10.0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bioconv.errors import ParameterError
from bioconv.neurons.discrete import Discrete, discretise
from bioconv.neurons.grammar import Assignment, Equation
from bioconv.neurons.integrate_and_fire import IntegrateAndFire, Integrator
from bioconv.neurons.leaky_integrate_and_fire import LeakyIntegrateAndFire
from bioconv.neurons.max_gate import MaxGate
from bioconv.neurons.model import UNITS, NeuronModel, Parameter, Receptor, State
from bioconv.neurons.neuron import Neuron

__all__ = [
    "UNITS",
    "Assignment",
    "Discrete",
    "Equation",
    "IntegrateAndFire",
    "Integrator",
    "LeakyIntegrateAndFire",
    "MaxGate",
    "Neuron",
    "NeuronModel",
    "Parameter",
    "Receptor",
    "State",
    "discretise",
    "library",
    "make",
]


def library() -> dict[str, Callable[..., Neuron]]:
    """Names of the neurons that a network can be built of, and their constructors."""
    return {
        "integrate_and_fire": IntegrateAndFire,
        "leaky_integrate_and_fire": LeakyIntegrateAndFire,
    }


def make(name: str, options: Mapping[str, Any] | None = None) -> Neuron:
    """A neuron by name with its options and parameters, as the command line gives them.

    Raises
    ------
    ParameterError
        If there is no such neuron, option or parameter; lists the valid names.
    """
    known = library()
    if name not in known:
        raise ParameterError(f"there is no neuron {name!r}. Valid: {', '.join(known)}.")
    return known[name](**(options or {}))
