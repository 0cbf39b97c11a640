"""Neuron models: text, written once, and everything that is derived from it.

>>> from bioconv import neurons
>>> neurons.LeakyIntegrateAndFire(tau_m=10.0).value("tau_m")
10.0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bioconv.ground.registry import Registry
from bioconv.neurons.language.discrete import Discrete, discretise
from bioconv.neurons.language.grammar import Assignment, Equation
from bioconv.neurons.language.model import UNITS, NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron
from bioconv.neurons.language.noise import with_noise
from bioconv.neurons.library.adaptive_exponential import AdaptiveExponential
from bioconv.neurons.library.exponential_integrate_and_fire import ExponentialIntegrateAndFire
from bioconv.neurons.library.fitzhugh_nagumo import FitzHughNagumo
from bioconv.neurons.library.hindmarsh_rose import HindmarshRose
from bioconv.neurons.library.hodgkin_huxley import HodgkinHuxley
from bioconv.neurons.library.integrate_and_fire import IntegrateAndFire, Integrator
from bioconv.neurons.library.izhikevich import Izhikevich
from bioconv.neurons.library.leaky_integrate_and_fire import LeakyIntegrateAndFire
from bioconv.neurons.library.max_gate import MaxGate
from bioconv.neurons.library.mihalas_niebur import MihalasNiebur
from bioconv.neurons.library.morris_lecar import MorrisLecar
from bioconv.neurons.library.quadratic_integrate_and_fire import QuadraticIntegrateAndFire
from bioconv.neurons.library.quartic import Quartic
from bioconv.neurons.library.resonate_and_fire import ResonateAndFire
from bioconv.neurons.library.traub_miles import TraubMiles

__all__ = [
    "ALIASES",
    "UNITS",
    "AdaptiveExponential",
    "Assignment",
    "Discrete",
    "Equation",
    "ExponentialIntegrateAndFire",
    "FitzHughNagumo",
    "HindmarshRose",
    "HodgkinHuxley",
    "IntegrateAndFire",
    "Integrator",
    "Izhikevich",
    "LeakyIntegrateAndFire",
    "MaxGate",
    "MihalasNiebur",
    "MorrisLecar",
    "Neuron",
    "NeuronModel",
    "Parameter",
    "QuadraticIntegrateAndFire",
    "Quartic",
    "Receptor",
    "ResonateAndFire",
    "State",
    "TraubMiles",
    "discretise",
    "library",
    "make",
    "with_noise",
]

#: short names that `make` takes as well
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "if": "integrate_and_fire",
        "lif": "leaky_integrate_and_fire",
        "qif": "quadratic_integrate_and_fire",
        "eif": "exponential_integrate_and_fire",
        "adex": "adaptive_exponential",
        "hh": "hodgkin_huxley",
        "traub": "traub_miles",
        "ml": "morris_lecar",
        "fhn": "fitzhugh_nagumo",
        "hr": "hindmarsh_rose",
        "mn": "mihalas_niebur",
        "raf": "resonate_and_fire",
    }
)


_LIBRARY: Registry[Callable[..., Neuron]] = Registry(
    "neuron",
    {
        "integrate_and_fire": ":IntegrateAndFire",
        "leaky_integrate_and_fire": ":LeakyIntegrateAndFire",
        "quadratic_integrate_and_fire": ":QuadraticIntegrateAndFire",
        "exponential_integrate_and_fire": ":ExponentialIntegrateAndFire",
        "adaptive_exponential": ":AdaptiveExponential",
        "izhikevich": ":Izhikevich",
        "quartic": ":Quartic",
        "mihalas_niebur": ":MihalasNiebur",
        "resonate_and_fire": ":ResonateAndFire",
        "hodgkin_huxley": ":HodgkinHuxley",
        "traub_miles": ":TraubMiles",
        "morris_lecar": ":MorrisLecar",
        "fitzhugh_nagumo": ":FitzHughNagumo",
        "hindmarsh_rose": ":HindmarshRose",
    },
    package=__name__,
    aliases=ALIASES,
)


def library() -> Mapping[str, Callable[..., Neuron]]:
    """Names of the neurons that a network can be built of, and their constructors."""
    return _LIBRARY


def make(name: str, options: Mapping[str, Any] | None = None) -> Neuron:
    """A neuron by name with its options and parameters, as the command line gives them.

    Parameters
    ----------
    name : str
        A name of `library`, or one of `ALIASES`.
    options : mapping of str to object, optional
        Arguments of the constructor.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
        If there is no such neuron, option or parameter; lists the valid names.
    """
    return library()[name](**(options or {}))
