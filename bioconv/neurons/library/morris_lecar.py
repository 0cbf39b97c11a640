"""The Morris-Lecar neuron in both classes of excitability."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, POSITIVE, c_m, conductance, with_kind
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = (
    "Morris and Lecar 1981, Biophys J 35:193; parameters of the two classes: Rinzel and "
    "Ermentrout 1998, in Koch and Segev, Methods in Neuronal Modeling, 2nd ed, ch 7, appendix A"
)

#: values of the two classes of excitability (saddle-node on a circle, Hopf)
MORRIS_LECAR_KINDS: dict[str, dict[str, float]] = {
    "class_1": {
        **{"g_ca": 40.0, "v_3": 12.0, "v_4": 17.4, "phi": 0.0667},
        **{"v_init": -59.47399786678872, "w_init": 0.00027038262491296816},
    },
    "class_2": {
        **{"g_ca": 44.0, "v_3": 2.0, "v_4": 30.0, "phi": 0.04},
        **{"v_init": -60.85538223230949, "w_init": 0.014915024953999378},
    },
}


def MorrisLecar(synapse: str = "exponential", kind: str = "class_1", **parameters: Value) -> Neuron:
    """Barnacle muscle fibre with fast calcium, slow potassium and a membrane area of 1,000 um2.

    ``c_m dv/dt = g_ca m_inf(v) (e_ca - v) + g_k w (e_k - v) + g_l (e_l - v) + i`` and
    ``dw/dt = phi (w_inf(v) - w) cosh((v - v_3) / (2 v_4)) / ms``.  A spike is an upward crossing
    of ``v_th``.  1 uA/cm2 corresponds to 10 pA.  The fibre is slow (about 10 Hz); with ``c_m / k``
    and ``k phi``, the same trajectory takes a k-th of the time.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    kind : {"class_1", "class_2"}
        Class of excitability: firing starts with an arbitrarily low rate (near 400 pA), or with
        a jump of the rate (near 900 pA).
    **parameters : float or ndarray
        g_ca, v_3, v_4, phi, v_init and w_init, the state at rest (those of the class); g_k 80 nS;
        g_l 20 nS; e_ca 120 mV; e_k -84 mV; e_l -60 mV; v_1 -1.2 mV; v_2 18 mV; c_m 200 pF;
        v_th 0 mV; i_offset 0 pA; those of the synapse (e_rev_inh -80 mV).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, e_rev_inh=-80.0)
    usual = MORRIS_LECAR_KINDS["class_1"]
    model = NeuronModel(
        name=f"morris_lecar_{synapse}",
        equations="\n".join(
            [
                "m_inf = 0.5 * (1 + tanh((v - v_1) / v_2)) : 1",
                "w_inf = 0.5 * (1 + tanh((v - v_3) / v_4)) : 1",
                "dv/dt = (g_ca * m_inf * (e_ca - v) + g_k * w * (e_k - v) + g_l * (e_l - v) "
                f"+ i_offset{extra.current}) / c_m : volt",
                # The limits lie far outside the range of spikes and keep strong input stable.
                "dw/dt = phi * (w_inf - w) * cosh(clip((v - v_3) / (2 * v_4), -4, 4)) / ms : 1",
                *extra.equations,
            ]
        ),
        threshold="v >= v_th",
        reset="",
        method="euler",
        parameters=(
            conductance("g_ca", usual["g_ca"], "Maximal calcium conductance"),
            conductance("g_k", 80.0, "Maximal potassium conductance"),
            conductance("g_l", 20.0, "Leak conductance", roles.LEAK),
            Parameter("e_ca", 120.0, "mV", "Reversal potential of calcium"),
            Parameter("e_k", -84.0, "mV", "Reversal potential of potassium"),
            Parameter("e_l", -60.0, "mV", "Reversal potential of the leak"),
            Parameter("v_1", -1.2, "mV", "Potential at which half the calcium channels are open"),
            Parameter("v_2", 18.0, "mV", "Width of the calcium activation", (POSITIVE, 1e9)),
            Parameter(
                "v_3", usual["v_3"], "mV", "Potential at which half the potassium channels are open"
            ),
            Parameter(
                "v_4", usual["v_4"], "mV", "Width of the potassium activation", (POSITIVE, 1e9)
            ),
            Parameter(
                "phi", usual["phi"], "1", "Rate of the potassium activation in 1/ms", (0.0, 1e9)
            ),
            c_m(200.0),
            Parameter("v_init", usual["v_init"], "mV", "Membrane potential at the start"),
            Parameter(
                "w_init", usual["w_init"], "1", "Potassium activation at the start", (0.0, 1.0)
            ),
            Parameter(
                "v_th",
                0.0,
                "mV",
                "Potential whose upward crossing is a spike",
                role=roles.THRESHOLD,
            ),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_init", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State("w", "w_init", "1", "Activation of potassium", kind=roles.GATING),
            *extra.states,
        ),
        receptors=extra.receptors,
        source=_SOURCE,
        references=("morris1981", "rinzel1998"),
        crossing=True,
        dt_default=0.5,
    )
    return Neuron(model, with_kind(MORRIS_LECAR_KINDS, kind, parameters))
