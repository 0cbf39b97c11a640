"""The resonate-and-fire neuron."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET_DIMENSIONLESS, unit_of_time
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = "Izhikevich 2001, Neural Networks 14:883"


def ResonateAndFire(synapse: str = "exponential", **parameters: Value) -> Neuron:
    """Dimensionless damped oscillator ``tau dz/dt = (b + i omega) z + input`` that fires.

    ``z = x + i v``, where ``x`` is similar to a current, to which the input is added, and ``v`` is
    similar to a potential.  A spike, ``v > v_th``, sets ``z`` to ``i v_th``.  With a constant
    current, the neuron fires repetitively above ``v_th (b**2 + omega**2) / omega``, the current for
    which ``v`` reaches the threshold.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha"}
        See `bioconv.neurons.library.synapses`.  A delta synapse acts on ``x``.
    **parameters : float or ndarray
        b -1; omega 10; v_th 1; tau, the unit of time, 20 ms (the oscillation takes 12.6 ms; the
        publication has no unit); i_offset 0; those of the synapse.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, "1", target="x")
    model = NeuronModel(
        name=f"resonate_and_fire_{synapse}",
        equations="\n".join(
            [
                "dv/dt = (omega * x + b * v) / tau : 1",
                f"dx/dt = (b * x - omega * v + i_offset{extra.current}) / tau : 1",
                *extra.equations,
            ]
        ),
        threshold="v > v_th",
        reset="v = v_th\nx = 0",
        method="rk4",
        parameters=(
            Parameter("b", -1.0, "1", "Damping (negative) in units of 1 / tau", (-1e9, 0.0)),
            Parameter("omega", 10.0, "1", "Angular frequency in units of 1 / tau", (0.0, 1e9)),
            Parameter(
                "v_th",
                1.0,
                "1",
                "Firing threshold, also the reset value of v",
                role=roles.THRESHOLD,
            ),
            unit_of_time(20.0),
            I_OFFSET_DIMENSIONLESS,
            *extra.parameters,
        ),
        states=(
            State("v", 0.0, "1", "Potential-like variable", kind=roles.MEMBRANE_POTENTIAL),
            State("x", 0.0, "1", "Current-like variable", kind=roles.RECOVERY),
            *extra.states,
        ),
        receptors=extra.receptors,
        source=_SOURCE,
        references=("izhikevich2001",),
        dt_default=0.1,
    )
    return Neuron(model, parameters)
