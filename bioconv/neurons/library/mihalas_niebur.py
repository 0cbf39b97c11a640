"""The generalised linear integrate-and-fire neuron of Mihalas and Niebur."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, POSITIVE, c_m, conductance, with_kind
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = "Mihalas and Niebur 2009, Neural Comput 21:704, Eqs 2.1 and 2.2 and Table 1"

_CAPACITANCE = 100.0


def _type(a: float, a_1: float, a_2: float) -> dict[str, float]:
    """Return ``a`` in 1/s, and ``a_1`` and ``a_2`` in V/s times the capacitance, as published."""
    return {"a": a, "a_1": a_1 * _CAPACITANCE, "a_2": a_2 * _CAPACITANCE}


#: values of the named types
MIHALAS_NIEBUR_KINDS: dict[str, dict[str, float]] = {
    "tonic_spiking": _type(0.0, 0.0, 0.0),
    "adapting": _type(5.0, 0.0, 0.0),
    "hyperpolarization_induced_spiking": _type(30.0, 0.0, 0.0),
    "hyperpolarization_induced_bursting": _type(30.0, 10.0, -0.6),
    "bursting": _type(5.0, 10.0, -0.6),
    "mixed_mode": _type(5.0, 5.0, -0.3),
    "basal_bistability": _type(0.0, 8.0, -0.1),
    "preferred_frequency": _type(5.0, -3.0, 0.5),
    "spike_latency": _type(-80.0, 0.0, 0.0),
}


def MihalasNiebur(
    synapse: str = "exponential", kind: str = "tonic_spiking", **parameters: Value
) -> Neuron:
    """Leaky neuron with an adaptive threshold ``theta`` and two spike-induced currents.

    ``c_m dv/dt = g_l (v_rest - v) + i_1 + i_2 + i``, ``di_j/dt = -k_j i_j`` and
    ``dtheta/dt = a (v - v_rest) - b (theta - theta_inf)``.  A spike, ``v >= theta``, sets ``v`` to
    ``v_reset``, ``i_j`` to ``r_j i_j + a_j`` and ``theta`` to at least ``theta_reset``.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    kind : str
        Panels of Fig 1 with the same parameters form one kind; their currents in pA follow:
        "tonic_spiking" (A 150, B 100), "adapting" (C 200, D phasic 150, H class 2 200),
        "hyperpolarization_induced_spiking" (K -100), "hyperpolarization_induced_bursting" (L
        -100), "bursting" (M tonic 200, N phasic 150), "mixed_mode" (P 200), "basal_bistability"
        (R), "preferred_frequency" (S) or "spike_latency" (T).
    **parameters : float or ndarray
        a, a_1 and a_2 (those of the kind); b 10 Hz; k_1 200 Hz; k_2 20 Hz; r_1 0; r_2 1;
        theta_inf -50 mV and v_rest -70 mV, also the start values; theta_reset -60 mV; v_reset
        -70 mV; g_l 5 nS and c_m 100 pF (the publication gives their quotient, 50 Hz); i_offset
        0 pA; those of the synapse (e_rev_inh -80 mV).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, e_rev_inh=-80.0)
    usual = MIHALAS_NIEBUR_KINDS["tonic_spiking"]
    model = NeuronModel(
        name=f"mihalas_niebur_{synapse}",
        equations="\n".join(
            [
                f"dv/dt = (g_l * (v_rest - v) + i_1 + i_2 + i_offset{extra.current}) / c_m : volt",
                "dtheta/dt = a * (v - v_rest) - b * (theta - theta_inf) : volt",
                "di_1/dt = -k_1 * i_1 : amp",
                "di_2/dt = -k_2 * i_2 : amp",
                *extra.equations,
            ]
        ),
        threshold="v >= theta",
        reset="i_1 = r_1 * i_1 + a_1\ni_2 = r_2 * i_2 + a_2\nv = v_reset\n"
        "theta = clip(theta, theta_reset, 1e9 * mV)",
        method="exponential_euler",
        parameters=(
            Parameter("a", usual["a"], "Hz", "Adaptation of the threshold to v"),
            Parameter("b", 10.0, "Hz", "Decay of the threshold", (POSITIVE, 1e9)),
            Parameter(
                "theta_inf",
                -50.0,
                "mV",
                "Threshold at rest, also its start value",
                role=roles.SOFT_THRESHOLD,
            ),
            Parameter("theta_reset", -60.0, "mV", "Lowest threshold after a spike"),
            Parameter("v_reset", -70.0, "mV", "Reset potential", role=roles.RESET),
            Parameter(
                "v_rest",
                -70.0,
                "mV",
                "Reversal potential of the leak, also the start value",
                role=roles.REST,
            ),
            conductance("g_l", 5.0, "Leak conductance", roles.LEAK),
            c_m(_CAPACITANCE),
            Parameter("k_1", 200.0, "Hz", "Decay of the first current", (0.0, 1e9)),
            Parameter("k_2", 20.0, "Hz", "Decay of the second current", (0.0, 1e9)),
            Parameter("r_1", 0.0, "1", "Share of the first current that remains after a spike"),
            Parameter("r_2", 1.0, "1", "Share of the second current that remains after a spike"),
            Parameter("a_1", usual["a_1"], "pA", "Increase of the first current by a spike"),
            Parameter("a_2", usual["a_2"], "pA", "Increase of the second current by a spike"),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State("theta", "theta_inf", "mV", "Threshold"),
            State("i_1", 0.0, "pA", "First current"),
            State("i_2", 0.0, "pA", "Second current"),
            *extra.states,
        ),
        receptors=extra.receptors,
        source=_SOURCE,
        references=("mihalas2009",),
        dt_default=0.2,
    )
    return Neuron(model, with_kind(MIHALAS_NIEBUR_KINDS, kind, parameters))
