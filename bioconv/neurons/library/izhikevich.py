"""The simple model of spiking neurons by Izhikevich."""

from __future__ import annotations

import math

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, with_kind
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = "Izhikevich 2003, IEEE Trans Neural Netw 14:1569, Eqs 1 to 3 and Fig 2"


def _type(a: float, b: float, c: float, d: float) -> dict[str, float]:
    """Return parameters of a named type, which starts at the stable fixed point without input."""
    v = (b - 5.0 - math.sqrt((5.0 - b) ** 2 - 22.4)) / 0.08
    return {"a": a, "b": b, "c": c, "d": d, "v_init": v, "u_init": b * v}


#: values of the named types
IZHIKEVICH_KINDS: dict[str, dict[str, float]] = {
    "regular_spiking": _type(0.02, 0.2, -65.0, 8.0),
    "intrinsically_bursting": _type(0.02, 0.2, -55.0, 4.0),
    "chattering": _type(0.02, 0.2, -50.0, 2.0),
    "fast_spiking": _type(0.1, 0.2, -65.0, 2.0),
    "thalamo_cortical": _type(0.02, 0.25, -65.0, 0.05),
    "resonator": _type(0.1, 0.26, -65.0, 2.0),
    "low_threshold_spiking": _type(0.02, 0.25, -65.0, 2.0),
}


def Izhikevich(
    synapse: str = "exponential", kind: str = "regular_spiking", **parameters: Value
) -> Neuron:
    """Quadratic neuron with a recovery variable: ``dv/dt = 0.04 v**2 + 5 v + 140 - u + i``.

    ``du/dt = a (b v - u)``; at a spike, ``v >= v_peak``, ``v`` is set to ``c`` and ``u`` is
    increased by ``d``.  The publication uses mV, ms and a current without a unit, which is in pA
    here.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha", "conductance", "conductance_alpha"}
        See `bioconv.neurons.library.synapses`.  The publication uses "delta".
    kind : str
        "regular_spiking" (RS), "intrinsically_bursting" (IB), "chattering" (CH), "fast_spiking"
        (FS), "thalamo_cortical" (TC), "resonator" (RZ) or "low_threshold_spiking" (LTS).
    **parameters : float or ndarray
        a, b, c, d (those of the kind); v_init and u_init, the start values (the resting state of
        the kind); v_peak 30 mV; i_offset 0 pA; those of the synapse.

    Returns
    -------
    Neuron
        With the PyNN standard cell ``Izhikevich`` if the synapse is "delta".

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse)
    usual = IZHIKEVICH_KINDS["regular_spiking"]
    model = NeuronModel(
        name=f"izhikevich_{synapse}",
        equations="\n".join(
            [
                "dv/dt = (0.04 / mV * v**2 + 5 * v + 140 * mV) / ms - u "
                f"+ (i_offset{extra.current}) / c_m : volt",
                "du/dt = a / ms * (b / ms * v - u) : volt/second",
                *extra.equations,
            ]
        ),
        threshold="v >= v_peak",
        reset="v = c\nu += d",
        method="euler",
        parameters=(
            Parameter("a", usual["a"], "1", "Rate of the recovery in 1/ms", (0.0, 1e9)),
            Parameter("b", usual["b"], "1", "Sensitivity of the recovery to v in 1/ms"),
            Parameter("c", usual["c"], "mV", "Potential after a spike"),
            Parameter("d", usual["d"], "mV/ms", "Increase of the recovery by a spike"),
            Parameter("v_init", usual["v_init"], "mV", "Membrane potential at the start"),
            Parameter("u_init", usual["u_init"], "mV/ms", "Recovery variable at the start"),
            Parameter("v_peak", 30.0, "mV", "Potential at which a spike is cut off"),
            Parameter(
                "c_m",
                1.0,
                "pF",
                "Capacitance that gives the current the unit pA (fixed)",
                (1.0, 1.0),
                role=roles.CAPACITANCE,
            ),
            I_OFFSET,
            *extra.parameters,
        ),
        states=(
            State("v", "v_init", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State("u", "u_init", "mV/ms", "Recovery variable", kind=roles.RECOVERY),
            *extra.states,
        ),
        receptors=extra.receptors,
        standard_cell="Izhikevich" if synapse == "delta" else "",
        source=_SOURCE,
        references=("izhikevich2003",),
        dt_default=0.1,
    )
    return Neuron(model, with_kind(IZHIKEVICH_KINDS, kind, parameters))
