"""The squid giant axon of Hodgkin and Huxley."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m, conductance
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = (
    "Hodgkin and Huxley 1952, J Physiol 117:500, Eqs 12, 13, 20, 21, 23, 24, 26 and Table 3, with "
    "the sign of v in the modern convention and the resting potential at -65 mV"
)

# exprel(x) = (exp(x) - 1) / x, which is defined where the quotients of the publication are not.
# Half a volt away from rest the gates are fully open or closed; the limits keep exp finite in
# single precision.
_GATES = """u = clip(v - v_rest, -500 * mV, 500 * mV) : volt
alpha_m = 1 / exprel((25 * mV - u) / (10 * mV)) / ms : hertz
beta_m = 4 * exp(-u / (18 * mV)) / ms : hertz
alpha_h = 0.07 * exp(-u / (20 * mV)) / ms : hertz
beta_h = 1 / (exp((30 * mV - u) / (10 * mV)) + 1) / ms : hertz
alpha_n = 0.1 / exprel((10 * mV - u) / (10 * mV)) / ms : hertz
beta_n = 0.125 * exp(-u / (80 * mV)) / ms : hertz
dm/dt = phi * (alpha_m * (1 - m) - beta_m * m) : 1
dh/dt = phi * (alpha_h * (1 - h) - beta_h * h) : 1
dn/dt = phi * (alpha_n * (1 - n) - beta_n * n) : 1"""


def HodgkinHuxley(synapse: str = "exponential", **parameters: Value) -> Neuron:
    """Squid giant axon at 6.3 degrees Celsius, with a membrane area of 10,000 um2.

    ``c_m dv/dt = g_na m**3 h (e_na - v) + g_k n**4 (e_k - v) + g_l (e_l - v) + i``.  A spike is
    an upward crossing of ``v_th``.  1 uA/cm2 corresponds to 100 pA: repetitive firing starts at
    about 50 Hz between 600 and 700 pA (class II).

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        v_rest, also the start value, -65 mV; g_na 12,000 nS, g_k 3,600 nS, g_l 30 nS (120, 36 and
        0.3 mS/cm2); e_na 50 mV, e_k -77 mV, e_l -54.387 mV; c_m 100 pF (1 uF/cm2); phi 1 (at T
        degrees Celsius 3**((T - 6.3) / 10)); v_th -20 mV; i_offset 0 pA; those of the synapse
        (e_rev_inh -80 mV).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, e_rev_inh=-80.0)
    model = NeuronModel(
        name=f"hodgkin_huxley_{synapse}",
        equations="\n".join(
            [
                "dv/dt = (g_na * m**3 * h * (e_na - v) + g_k * n**4 * (e_k - v) + g_l * (e_l - v) "
                f"+ i_offset{extra.current}) / c_m : volt",
                _GATES,
                *extra.equations,
            ]
        ),
        threshold="v >= v_th",
        reset="",
        method="exponential_euler",
        parameters=(
            Parameter(
                "v_rest", -65.0, "mV", "Resting potential, also the start value", role=roles.REST
            ),
            conductance("g_na", 12000.0, "Maximal sodium conductance"),
            conductance("g_k", 3600.0, "Maximal potassium conductance"),
            conductance("g_l", 30.0, "Leak conductance", roles.LEAK),
            Parameter("e_na", 50.0, "mV", "Reversal potential of sodium"),
            Parameter("e_k", -77.0, "mV", "Reversal potential of potassium"),
            Parameter("e_l", -54.387, "mV", "Reversal potential of the leak"),
            c_m(100.0),
            Parameter("phi", 1.0, "1", "Temperature factor of the gating rates", (0.0, 1e3)),
            Parameter(
                "v_th",
                -20.0,
                "mV",
                "Potential whose upward crossing is a spike",
                role=roles.THRESHOLD,
            ),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State("m", 0.0529324853, "1", "Activation of sodium", kind=roles.GATING),
            State(
                "h",
                0.5961207535,
                "1",
                "Availability (not inactivation) of sodium",
                kind=roles.GATING,
            ),
            State("n", 0.3176769141, "1", "Activation of potassium", kind=roles.GATING),
            *extra.states,
        ),
        receptors=extra.receptors,
        source=_SOURCE,
        references=("hodgkin1952",),
        crossing=True,
        dt_default=0.1,
    )
    return Neuron(model, parameters)
