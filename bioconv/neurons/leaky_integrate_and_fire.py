"""The leaky integrate-and-fire neuron."""

from __future__ import annotations

from bioconv.neurons.model import NeuronModel, Parameter, State
from bioconv.neurons.neuron import Neuron, Value
from bioconv.neurons.synapses import POSITIVE, reset_statement, synapse_parts

_SOURCE = (
    "Rotter and Diesmann 1999, Biological Cybernetics 81:381, exact integration; "
    "the equations of NEST's iaf_psc_delta and iaf_psc_exp"
)
_STANDARD_CELLS = {"delta": "IF_curr_delta", "exponential": "IF_curr_exp"}


def LeakyIntegrateAndFire(
    reset: str = "value", synapse: str = "exponential", **parameters: Value
) -> Neuron:
    """Leaky neuron: ``dv/dt = (v_rest - v) / tau_m + i / c_m``, integrated exactly.

    Parameters
    ----------
    reset : {"subtraction", "value"}
        After a spike ``v`` falls by ``v_th - v_reset``, or to ``v_reset``.
    synapse : {"delta", "exponential"}
        A spike lifts ``v`` by its weight (mV), or a current that decays with ``tau_syn`` by its
        weight (pA).  The one receptor ``syn`` takes weights of both signs.
    **parameters : float or ndarray
        v_rest -65 mV; v_reset -65 mV; v_th -50 mV; tau_m 20 ms; c_m 1000 pF; t_ref 0 ms;
        i_offset 0 pA; tau_syn 5 ms (exponential synapse; must differ from tau_m).

    Returns
    -------
    Neuron
        With the PyNN standard cell ``IF_curr_delta`` or ``IF_curr_exp`` if the reset is to a
        value.

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse)
    model = NeuronModel(
        name=f"leaky_integrate_and_fire_{synapse}_{reset}",
        equations="\n".join(
            [
                f"dv/dt = (v_rest - v) / tau_m + (i_offset{extra.current}) / c_m : volt "
                "(unless refractory)",
                *extra.equations,
            ]
        ),
        threshold="v >= v_th",
        reset=reset_statement(reset),
        method="exact",
        parameters=(
            Parameter("v_rest", -65.0, "mV", "Resting potential, also the start value"),
            Parameter("v_reset", -65.0, "mV", "Reset potential"),
            Parameter("v_th", -50.0, "mV", "Firing threshold"),
            Parameter("tau_m", 20.0, "ms", "Membrane time constant", (POSITIVE, 1e9)),
            Parameter("c_m", 1000.0, "pF", "Membrane capacitance", (POSITIVE, 1e12)),
            Parameter("t_ref", 0.0, "ms", "Refractory period", (0.0, 1e9)),
            Parameter("i_offset", 0.0, "pA", "Constant input current"),
            *extra.parameters,
        ),
        states=(State("v", "v_rest", "mV", "Membrane potential"), *extra.states),
        receptors=(extra.receptor,),
        refractory="t_ref",
        standard_cell=_STANDARD_CELLS[synapse] if reset == "value" else "",
        source=_SOURCE,
    )
    return Neuron(model, parameters)
