"""The adaptive exponential integrate-and-fire neuron."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, POSITIVE, c_m, t_ref, with_kind
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = (
    "Brette and Gerstner 2005, J Neurophysiol 94:3637; named firing patterns: Naud, Marcille, "
    "Clopath and Gerstner 2008, Biol Cybern 99:335, with the values of the Brian2 example of it"
)
_STANDARD_CELLS = {
    "conductance": "EIF_cond_exp_isfa_ista",
    "conductance_alpha": "EIF_cond_alpha_isfa_ista",
}


def _pattern(
    c_m: float, g_l: float, v_rest: float, a: float, tau_w: float, b: float, v_reset: float
) -> dict[str, float]:
    """Return parameters as given by Naud et al., who use the same exponential and cut for all."""
    own = {"c_m": c_m, "tau_m": c_m / g_l, "v_rest": v_rest, "v_reset": v_reset}
    return own | {"v_t": -50.0, "delta_t": 2.0, "v_peak": 0.0, "a": a, "tau_w": tau_w, "b": b}


#: values that differ from the defaults, by type
ADAPTIVE_EXPONENTIAL_KINDS: dict[str, dict[str, float]] = {
    "brette_gerstner": {},
    "tonic": _pattern(200.0, 10.0, -70.0, 2.0, 30.0, 0.0, -58.0),
    "adapting": _pattern(200.0, 12.0, -70.0, 2.0, 300.0, 60.0, -58.0),
    "initial_burst": _pattern(130.0, 18.0, -58.0, 4.0, 150.0, 120.0, -50.0),
    "regular_bursting": _pattern(200.0, 10.0, -58.0, 2.0, 120.0, 100.0, -46.0),
    "delayed_accelerating": _pattern(200.0, 12.0, -70.0, -10.0, 300.0, 0.0, -58.0),
    "delayed_regular_bursting": _pattern(100.0, 10.0, -65.0, -10.0, 90.0, 30.0, -47.0),
    "transient": _pattern(100.0, 10.0, -65.0, 10.0, 90.0, 100.0, -47.0),
    "irregular": _pattern(100.0, 12.0, -60.0, -11.0, 130.0, 30.0, -48.0),
}


def AdaptiveExponential(
    synapse: str = "exponential", kind: str = "brette_gerstner", **parameters: Value
) -> Neuron:
    """Exponential neuron with an adaptation current ``w``.

    ``c_m dv/dt = c_m / tau_m (v_rest - v + delta_t exp((v - v_t) / delta_t)) - w + i`` and
    ``tau_w dw/dt = a (v - v_rest) - w``; at a spike, ``v`` is set to ``v_reset`` and ``w`` is
    increased by ``b``.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.
    kind : str
        "brette_gerstner", whose values are the defaults, or a firing pattern of Naud et al.; the
        current in pA for which they show it follows: "tonic" 500, "adapting" 500, "initial_burst"
        400, "regular_bursting" 210, "delayed_accelerating" 300, "delayed_regular_bursting" 110,
        "transient" 180, "irregular" 160.
    **parameters : float or ndarray
        v_rest, also the start value, -70.6 mV; v_t -50.4 mV; delta_t 2 mV; v_peak 20 mV;
        v_reset -70.6 mV; tau_m 9.3667 ms; c_m 281 pF; a 4 nS; b 80.5 pA; tau_w 144 ms; t_ref
        0 ms; i_offset 0 pA; those of the synapse (e_rev_inh -80 mV).

    Returns
    -------
    Neuron
        With the PyNN standard cell ``EIF_cond_exp_isfa_ista`` or ``EIF_cond_alpha_isfa_ista`` if
        the synapse is a conductance.

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, e_rev_inh=-80.0)
    model = NeuronModel(
        name=f"adaptive_exponential_{synapse}",
        equations="\n".join(
            [
                "dv/dt = (v_rest - v + delta_t * exp((v - v_t) / delta_t)) / tau_m "
                f"+ (i_offset{extra.current} - w) / c_m : volt (unless refractory)",
                "dw/dt = (a * (v - v_rest) - w) / tau_w : amp",
                *extra.equations,
            ]
        ),
        threshold="v >= v_peak",
        reset="v = v_reset\nw += b",
        method="euler",
        parameters=(
            Parameter(
                "v_rest",
                -70.6,
                "mV",
                "Reversal potential of the leak, also the start value",
                role=roles.REST,
            ),
            Parameter(
                "v_t",
                -50.4,
                "mV",
                "Soft threshold, above which the exponential takes over",
                role=roles.SOFT_THRESHOLD,
            ),
            Parameter("delta_t", 2.0, "mV", "Spike slope factor", (POSITIVE, 1e9)),
            Parameter("v_peak", 20.0, "mV", "Potential at which a spike is cut off"),
            Parameter("v_reset", -70.6, "mV", "Reset potential", role=roles.RESET),
            Parameter(
                "tau_m",
                9.3667,
                "ms",
                "Membrane time constant",
                (POSITIVE, 1e9),
                role=roles.MEMBRANE_TIME_CONSTANT,
            ),
            c_m(281.0),
            Parameter("a", 4.0, "nS", "Subthreshold adaptation"),
            Parameter("b", 80.5, "pA", "Increase of the adaptation by a spike"),
            Parameter(
                "tau_w",
                144.0,
                "ms",
                "Time constant of the adaptation",
                (POSITIVE, 1e9),
                role=roles.TIME_CONSTANT,
            ),
            t_ref(),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State("w", 0.0, "pA", "Adaptation current", kind=roles.RECOVERY),
            *extra.states,
        ),
        receptors=extra.receptors,
        refractory="t_ref",
        standard_cell=_STANDARD_CELLS.get(synapse, ""),
        source=_SOURCE,
        references=("brette2005", "naud2008"),
        dt_default=0.2,
    )
    return Neuron(model, with_kind(ADAPTIVE_EXPONENTIAL_KINDS, kind, parameters))
