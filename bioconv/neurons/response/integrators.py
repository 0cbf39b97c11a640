"""Recognition of integrate-and-fire neurons with synaptic currents by their equations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from bioconv.neurons.language.identity import renaming
from bioconv.neurons.language.model import NeuronModel
from bioconv.neurons.library.integrate_and_fire import IntegrateAndFire
from bioconv.neurons.library.leaky_integrate_and_fire import LeakyIntegrateAndFire


@dataclass(frozen=True)
class Integrating:
    """A perfect or leaky integrate-and-fire neuron, with the names of the parts of its model.

    Parameters
    ----------
    potential : str
    threshold, reset, capacitance : str
        Names of the parameters.
    time_constant : str
        Time constant of the leak; empty for a perfect integrator.
    subtracts : bool
        Whether a spike subtracts the distance from reset to threshold or sets the potential to the
        reset value.
    instant : bool
        Whether a spike changes the current instantaneously, as with a delta or exponential synapse
        but not with an alpha synapse.
    """

    potential: str
    threshold: str
    reset: str
    capacitance: str
    time_constant: str
    subtracts: bool
    instant: bool

    @property
    def perfect(self) -> bool:
        """Whether the neuron has no leak."""
        return not self.time_constant


@lru_cache(maxsize=256)
def integrating(model: NeuronModel) -> Integrating | None:
    """Return the names of the parts of an integrate-and-fire neuron with current synapses.

    Parameters
    ----------
    model : NeuronModel

    Returns
    -------
    Integrating or None
        None for all models with other equations, irrespective of names.
    """
    for leaky, reset, synapse, reference in _references():
        names = renaming(model, reference)
        if names is not None:
            own = {known: name for name, known in names.names.items()}
            return Integrating(
                potential=own["v"],
                threshold=own["v_th"],
                reset=own["v_reset"],
                capacitance=own["c_m"],
                time_constant=own["tau_m"] if leaky else "",
                subtracts=reset == "subtraction",
                instant=synapse != "alpha",
            )
    return None


@cache
def _references() -> tuple[tuple[bool, str, str, NeuronModel], ...]:
    return tuple(_made())


def _made() -> Iterator[tuple[bool, str, str, NeuronModel]]:
    for leaky, constructor in ((False, IntegrateAndFire), (True, LeakyIntegrateAndFire)):
        for reset in ("subtraction", "value"):
            for synapse in ("delta", "exponential", "alpha"):
                yield leaky, reset, synapse, constructor(reset, synapse).model
