"""The FitzHugh-Nagumo neuron."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET_DIMENSIONLESS, unit_of_time
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = (
    "FitzHugh 1961, Biophys J 1:445; Nagumo, Arimoto and Yoshizawa 1962, Proc IRE "
    "50:2061; this form and phi: FitzHugh 1969, in Schwan, Biological Engineering, ch 1"
)


def FitzHughNagumo(synapse: str = "exponential", **parameters: Value) -> Neuron:
    """Dimensionless two-dimensional simplification of the squid axon model.

    ``tau dv/dt = v - v**3 / 3 - w + i`` and ``tau dw/dt = phi (v + a - b w)``.  A spike is an
    upward crossing of ``v_th``.  It fires repetitively for currents from about 0.33 to 1.42.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        a 0.7; b 0.8; phi 0.08; tau, the unit of time, 0.25 ms (about 100 Hz; the publication has
        no unit); v_th 1; i_offset 0; those of the synapse.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, "1")
    model = NeuronModel(
        name=f"fitzhugh_nagumo_{synapse}",
        equations="\n".join(
            [
                f"dv/dt = (v - v**3 / 3 - w + i_offset{extra.current}) / tau : 1",
                "dw/dt = phi * (v + a - b * w) / tau : 1",
                *extra.equations,
            ]
        ),
        threshold="v >= v_th",
        reset="",
        method="euler",
        parameters=(
            Parameter("a", 0.7, "1", "Shift of the recovery"),
            Parameter("b", 0.8, "1", "Decay of the recovery"),
            Parameter("phi", 0.08, "1", "Rate of the recovery in units of 1 / tau", (0.0, 1e9)),
            unit_of_time(0.25),
            Parameter(
                "v_th", 1.0, "1", "Potential whose upward crossing is a spike", role=roles.THRESHOLD
            ),
            I_OFFSET_DIMENSIONLESS,
            *extra.parameters,
        ),
        states=(
            State(
                "v", -1.1994080352440347, "1", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL
            ),
            State("w", -0.6242600440550434, "1", "Recovery", kind=roles.RECOVERY),
            *extra.states,
        ),
        receptors=extra.receptors,
        source=_SOURCE,
        references=("fitzhugh1961", "nagumo1962", "fitzhugh1969"),
        crossing=True,
        dt_default=0.025,
    )
    return Neuron(model, parameters)
