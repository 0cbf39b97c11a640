"""Kinds of neuron on the board: declared by their equations, and recognized by equality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bioconv.ground.errors import ParameterError
from bioconv.network import Population
from bioconv.neurons import (
    IntegrateAndFire,
    Integrator,
    Izhikevich,
    LeakyIntegrateAndFire,
    NeuronModel,
)
from bioconv.neurons.language.identity import same
from bioconv.targets.spinnaker.models import izhikevich_model


@dataclass(frozen=True)
class Kind:
    """Equations that the board supports, and how it treats them.

    Parameters
    ----------
    model : NeuronModel
    cell : str
        Name in ``pyNN.spiNNaker``.
    synapse : {"delta", "exponential", "conductance"}
        How a spike acts on the neuron.
    difference : str
        What differs on the board; empty if nothing does.
    leaks : bool
        Whether the potential decays by itself.
    subtracts : bool
        Whether the reset keeps the excess over the threshold.
    linear : bool
        Whether the membrane is that of a leaky neuron or of an integrator; otherwise it is
        Izhikevich's.
    """

    model: NeuronModel
    cell: str
    synapse: str
    difference: str = ""
    leaks: bool = True
    subtracts: bool = False
    linear: bool = True

    @property
    def takes_currents(self) -> bool:
        """Whether the membrane is linear and its input is a current or a pulse."""
        return self.linear and self.synapse != "conductance"


_LINEAR_CELLS = {
    "delta": "IF_curr_delta",
    "exponential": "IF_curr_exp",
    "conductance": "IF_cond_exp",
}
_RESET = "resets to a value, so that the excess over the threshold is lost"
_NO_LEAK = "leaks with a time constant of 1,024 steps"
_SILENT = "has a threshold out of reach, and leaks with a time constant of 1,024 steps"
_MIDPOINT = (
    "integrated by the midpoint method, with a step 1.85 times as long after a spike "
    "(neuron_model_izh_impl.h)"
)


@cache
def kinds() -> tuple[Kind, ...]:
    """Return all equations that the board supports."""
    linear = (kind for synapse, cell in _LINEAR_CELLS.items() for kind in _linear(cell, synapse))
    izhikevich = Izhikevich().model
    return (
        *linear,
        Kind(izhikevich_model(izhikevich), "Izhikevich", "exponential", linear=False),
        Kind(izhikevich, "Izhikevich", "exponential", _MIDPOINT, linear=False),
    )


def _linear(cell: str, synapse: str) -> Iterator[Kind]:
    leaky, still = LeakyIntegrateAndFire, IntegrateAndFire
    both = f"{_RESET}; {_NO_LEAK}"
    yield Kind(leaky(synapse=synapse).model, cell, synapse)
    model = still("subtraction", synapse).model
    yield Kind(model, cell, synapse, both, leaks=False, subtracts=True)
    yield Kind(still("value", synapse).model, cell, synapse, _NO_LEAK, leaks=False)
    yield Kind(Integrator(synapse).model, cell, synapse, _SILENT, leaks=False)
    yield Kind(leaky("subtraction", synapse).model, cell, synapse, _RESET, subtracts=True)


def kind_of(population: Population) -> Kind:
    """Return the kind of neuron that a population is for the board.

    Raises
    ------
    ParameterError
        The board does not support the population's equations.
    """
    for kind in kinds():
        if same(population.model, kind.model):
            return kind
    raise ParameterError(f"SpiNNaker has no cell with the equations of {population.model.name}.")
