"""The leaky integrate-and-fire neuron."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m, reset_statement, t_ref, tau_m
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = (
    "Rotter and Diesmann 1999, Biological Cybernetics 81:381, exact integration; "
    "the equations of NEST's iaf_psc_delta, iaf_psc_exp, iaf_psc_alpha, iaf_cond_exp and "
    "iaf_cond_alpha"
)
_STANDARD_CELLS = {
    "delta": "IF_curr_delta",
    "exponential": "IF_curr_exp",
    "alpha": "IF_curr_alpha",
    "conductance": "IF_cond_exp",
    "conductance_alpha": "IF_cond_alpha",
}


def LeakyIntegrateAndFire(
    reset: str = "value", synapse: str = "exponential", **parameters: Value
) -> Neuron:
    """Leaky neuron: ``dv/dt = (v_rest - v) / tau_m + i / c_m``.

    The equations are integrated exactly, or by exponential Euler for conductances.

    Parameters
    ----------
    reset : {"subtraction", "value"}
        After a spike, ``v`` is reduced by ``v_th - v_reset``, or set to ``v_reset``.
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        v_rest -65 mV; v_reset -65 mV; v_th -50 mV; tau_m 20 ms; c_m 1000 pF; t_ref 0 ms;
        i_offset 0 pA; tau_syn 5 ms (exponential and alpha; must differ from tau_m);
        tau_syn_exc 5 ms, tau_syn_inh 5 ms, e_rev_exc 0 mV, e_rev_inh -70 mV (conductance).

    Returns
    -------
    Neuron
        With a PyNN standard cell (``IF_curr_delta``, ``IF_curr_exp``, ``IF_curr_alpha``,
        ``IF_cond_exp``, ``IF_cond_alpha``) if the reset is to a value.

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse)
    conductance = synapse.startswith("conductance")
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
        method="exponential_euler" if conductance else "exact",
        parameters=(
            Parameter(
                "v_rest", -65.0, "mV", "Resting potential, also the start value", role=roles.REST
            ),
            Parameter("v_reset", -65.0, "mV", "Reset potential", role=roles.RESET),
            Parameter("v_th", -50.0, "mV", "Firing threshold", role=roles.THRESHOLD),
            tau_m(20.0),
            c_m(1000.0),
            t_ref(),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            *extra.states,
        ),
        receptors=extra.receptors,
        refractory="t_ref",
        standard_cell=_STANDARD_CELLS[synapse] if reset == "value" else "",
        source=_SOURCE,
        references=("rotter1999",),
        dt_default=0.5 if conductance else 0.0,
    )
    return Neuron(model, parameters)
