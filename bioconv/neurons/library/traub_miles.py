"""The Hodgkin-Huxley type neuron after Traub and Miles, PyNN's ``HH_cond_exp``."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m, conductance
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = (
    "Traub and Miles 1991, Neuronal Networks of the Hippocampus, Cambridge University Press, "
    "as a point neuron in Brette et al. 2007, J Comput Neurosci 23:349; "
    "the equations of NEST's hh_cond_exp_traub"
)

# exprel(x) = (exp(x) - 1) / x, which is defined where the quotients of the publication are not.
# Half a volt away from rest the gates are fully open or closed; the limits keep exp finite in
# single precision.
_GATES = """u = clip(v - v_offset, -500 * mV, 500 * mV) : volt
alpha_m = 1.28 / exprel((13 * mV - u) / (4 * mV)) / ms : hertz
beta_m = 1.4 / exprel((u - 40 * mV) / (5 * mV)) / ms : hertz
alpha_h = 0.128 * exp((17 * mV - u) / (18 * mV)) / ms : hertz
beta_h = 4 / (1 + exp((40 * mV - u) / (5 * mV))) / ms : hertz
alpha_n = 0.16 / exprel((15 * mV - u) / (5 * mV)) / ms : hertz
beta_n = 0.5 * exp((10 * mV - u) / (40 * mV)) / ms : hertz
dm/dt = alpha_m * (1 - m) - beta_m * m : 1
dh/dt = alpha_h * (1 - h) - beta_h * h : 1
dn/dt = alpha_n * (1 - n) - beta_n * n : 1"""


def TraubMiles(synapse: str = "exponential", **parameters: Value) -> Neuron:
    """Hippocampal pyramidal cell with only the currents that generate spikes.

    ``c_m dv/dt = g_na m**3 h (e_na - v) + g_k n**4 (e_k - v) + g_l (e_l - v) + i``.  A spike is
    an upward crossing of ``v_offset`` + 30 mV, the threshold that NEST uses.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        Defaults of PyNN's HH_cond_exp: g_na 20,000 nS; g_k 6,000 nS; g_l 10 nS; e_na 50 mV; e_k
        -90 mV; e_l -65 mV (-60 mV in NEST); c_m 200 pF; v_offset -63 mV; i_offset 0 pA; the
        tau_syn_exc 0.2 ms, tau_syn_inh 2 ms and e_rev_inh -80 mV of the synapse.

    Returns
    -------
    Neuron
        With the PyNN standard cell ``HH_cond_exp`` if the synapse is "conductance".

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, tau_syn_exc=0.2, tau_syn_inh=2.0, e_rev_inh=-80.0)
    model = NeuronModel(
        name=f"traub_miles_{synapse}",
        equations="\n".join(
            [
                "dv/dt = (g_na * m**3 * h * (e_na - v) + g_k * n**4 * (e_k - v) + g_l * (e_l - v) "
                f"+ i_offset{extra.current}) / c_m : volt",
                _GATES,
                *extra.equations,
            ]
        ),
        threshold="v >= v_offset + 30 * mV",
        reset="",
        method="exponential_euler",
        parameters=(
            conductance("g_na", 20000.0, "Maximal sodium conductance"),
            conductance("g_k", 6000.0, "Maximal potassium conductance"),
            conductance("g_l", 10.0, "Leak conductance", roles.LEAK),
            Parameter("e_na", 50.0, "mV", "Reversal potential of sodium"),
            Parameter("e_k", -90.0, "mV", "Reversal potential of potassium"),
            Parameter("e_l", -65.0, "mV", "Reversal potential of the leak"),
            c_m(200.0),
            Parameter("v_offset", -63.0, "mV", "Shift of the gating curves along the potential"),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State(
                "v", -64.76462926424897, "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL
            ),
            State("m", 0.010227270967916284, "1", "Activation of sodium", kind=roles.GATING),
            State(
                "h",
                0.9974103035575768,
                "1",
                "Availability (not inactivation) of sodium",
                kind=roles.GATING,
            ),
            State("n", 0.028166965976368852, "1", "Activation of potassium", kind=roles.GATING),
            *extra.states,
        ),
        receptors=extra.receptors,
        standard_cell="HH_cond_exp" if synapse == "conductance" else "",
        source=_SOURCE,
        references=("traub1991", "brette2007"),
        crossing=True,
        dt_default=0.1,
    )
    return Neuron(model, parameters)
