"""The quartic integrate-and-fire neuron."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET_DIMENSIONLESS, unit_of_time
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = "Touboul 2008, SIAM J Appl Math 68:1045 (the quartic model)"


def Quartic(synapse: str = "exponential", **parameters: Value) -> Neuron:
    """Dimensionless quartic neuron with adaptation.

    ``tau dv/dt = v**4 + 2 a v - w + i`` and ``tau dw/dt = a (b v - w)``; at a spike,
    ``v >= v_peak``, ``v`` is set to ``v_reset`` and ``w`` is increased by ``d``.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        a 0.2; b 0.2; d 0.3; v_reset -0.8; v_peak 5; v_init and w_init, the start values; tau, the
        unit of time, 5 ms; i_offset 0; those of the synapse.  The publication has no default
        values; these result in a regularly firing neuron.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, "1")
    model = NeuronModel(
        name=f"quartic_{synapse}",
        equations="\n".join(
            [
                f"dv/dt = (v**4 + 2 * a * v - w + i_offset{extra.current}) / tau : 1",
                "dw/dt = a * (b * v - w) / tau : 1",
                *extra.equations,
            ]
        ),
        threshold="v >= v_peak",
        reset="v = v_reset\nw += d",
        method="euler",
        parameters=(
            Parameter("a", 0.2, "1", "Rate of the adaptation in units of 1 / tau"),
            Parameter("b", 0.2, "1", "Sensitivity of the adaptation to v"),
            Parameter("d", 0.3, "1", "Increase of the adaptation by a spike"),
            Parameter("v_reset", -0.8, "1", "Potential after a spike", role=roles.RESET),
            Parameter("v_peak", 5.0, "1", "Potential at which a spike is cut off"),
            Parameter("v_init", -0.5848035476425733, "1", "Membrane potential at the start"),
            Parameter("w_init", -0.11696070952851466, "1", "Adaptation at the start"),
            unit_of_time(5.0),
            I_OFFSET_DIMENSIONLESS,
            *extra.parameters,
        ),
        states=(
            State("v", "v_init", "1", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State("w", "w_init", "1", "Adaptation", kind=roles.RECOVERY),
            *extra.states,
        ),
        receptors=extra.receptors,
        source=_SOURCE,
        references=("touboul2008",),
        dt_default=0.05,
    )
    return Neuron(model, parameters)
