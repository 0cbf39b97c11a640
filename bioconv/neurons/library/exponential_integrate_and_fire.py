"""The exponential integrate-and-fire neuron."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, POSITIVE, c_m, conductance, t_ref
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = (
    "Fourcaud-Trocme, Hansel, van Vreeswijk and Brunel 2003, J Neurosci 23:11628; "
    "parameters fitted there to the Wang-Buzsaki neuron"
)


def ExponentialIntegrateAndFire(synapse: str = "exponential", **parameters: Value) -> Neuron:
    """Exponential neuron: ``c_m dv/dt = g_l (v_rest - v + delta_t exp((v - v_t) / delta_t)) + i``.

    It fires repetitively for currents above ``g_l (v_t - v_rest - delta_t)``.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        v_rest, also the start value, -65 mV; v_t -59.9 mV; delta_t 3.48 mV; v_peak -30 mV;
        v_reset -68 mV; c_m 100 pF and g_l 10 nS (10,000 um2 of 1 uF/cm2 and 0.1 mS/cm2);
        t_ref 1.7 ms; i_offset 0 pA; those of the synapse.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse)
    model = NeuronModel(
        name=f"exponential_integrate_and_fire_{synapse}",
        equations="\n".join(
            [
                "dv/dt = (g_l * (v_rest - v + delta_t * exp((v - v_t) / delta_t)) "
                f"+ i_offset{extra.current}) / c_m : volt (unless refractory)",
                *extra.equations,
            ]
        ),
        threshold="v >= v_peak",
        reset="v = v_reset",
        method="euler",
        parameters=(
            Parameter(
                "v_rest",
                -65.0,
                "mV",
                "Reversal potential of the leak, also the start value",
                role=roles.REST,
            ),
            Parameter(
                "v_t",
                -59.9,
                "mV",
                "Soft threshold, above which the exponential takes over",
                role=roles.SOFT_THRESHOLD,
            ),
            Parameter("delta_t", 3.48, "mV", "Spike slope factor", (POSITIVE, 1e9)),
            Parameter("v_peak", -30.0, "mV", "Potential at which a spike is cut off"),
            Parameter("v_reset", -68.0, "mV", "Reset potential", role=roles.RESET),
            conductance("g_l", 10.0, "Leak conductance", roles.LEAK),
            c_m(100.0),
            t_ref(1.7),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            *extra.states,
        ),
        receptors=extra.receptors,
        refractory="t_ref",
        source=_SOURCE,
        references=("fourcaud2003",),
        dt_default=0.1,
    )
    return Neuron(model, parameters)
