"""The two synapses of the library, as parts that a neuron family puts into its model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bioconv.errors import ParameterError
from bioconv.neurons.model import Parameter, Receptor, State

#: lower bound of quantities that divide
POSITIVE = 1e-9

_RESETS = {"subtraction": "v -= v_th - v_reset", "value": "v = v_reset"}


@dataclass(frozen=True)
class Synapse:
    """What a synapse adds to a model with a membrane potential ``v``.

    Parameters
    ----------
    current : str
        Term to be added to the constant input current.
    equations : tuple of str
    parameters : tuple of Parameter
    states : tuple of State
    receptor : Receptor
        The receptor ``syn``, for weights of both signs.
    """

    current: str
    equations: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    states: tuple[State, ...]
    receptor: Receptor


_SYNAPSES = {
    "delta": Synapse("", (), (), (), Receptor("syn", "v", "mV")),
    "exponential": Synapse(
        current=" + i_syn",
        equations=("di_syn/dt = -i_syn / tau_syn : amp",),
        parameters=(
            Parameter("tau_syn", 5.0, "ms", "Decay time of the synaptic current", (POSITIVE, 1e9)),
        ),
        states=(State("i_syn", 0.0, "pA", "Synaptic current"),),
        receptor=Receptor("syn", "i_syn", "pA", "tau_syn"),
    ),
}


def synapse_parts(kind: str) -> Synapse:
    """The synapse called ``kind`` ("delta" or "exponential"); `ParameterError` for others."""
    return _SYNAPSES[_one_of("synapse", kind, _SYNAPSES)]


def reset_statement(kind: str) -> str:
    """The reset called ``kind`` ("subtraction" or "value"); `ParameterError` for others."""
    return _RESETS[_one_of("reset", kind, _RESETS)]


def _one_of(what: str, received: str, valid: Iterable[str]) -> str:
    names = tuple(valid)
    if received not in names:
        raise ParameterError(f"{what} must be one of {', '.join(names)}. Received: {received!r}.")
    return received
