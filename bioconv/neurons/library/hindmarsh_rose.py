"""The Hindmarsh-Rose neuron."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET_DIMENSIONLESS, unit_of_time
from bioconv.neurons.library.synapses import synapse_parts

_SOURCE = "Hindmarsh and Rose 1984, Proc R Soc Lond B 221:87, Fig 6"


def HindmarshRose(synapse: str = "exponential", **parameters: Value) -> Neuron:
    """Dimensionless bursting neuron.

    ``tau dv/dt = y - a v**3 + b v**2 - z + i``, ``tau dy/dt = c - d v**2 - y`` and
    ``tau dz/dt = r (s (v - v_1) - z)``.  A spike is an upward crossing of ``v_th``.  The neuron
    bursts for currents above about 1.3, and fires single spikes above about 3.4.

    Parameters
    ----------
    synapse : {"delta", "exponential", "alpha"}
        See `bioconv.neurons.library.synapses`.
    **parameters : float or ndarray
        a 1; b 3; c 1; d 5; r 0.005 (0.001 in Fig 6 of the publication, where the adaptation is
        five times slower); s 4; v_1 -1.6; tau, the unit of time, 1 ms; v_th 1; i_offset 0; those
        of the synapse.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse, "1")
    model = NeuronModel(
        name=f"hindmarsh_rose_{synapse}",
        equations="\n".join(
            [
                f"dv/dt = (y - a * v**3 + b * v**2 - z + i_offset{extra.current}) / tau : 1",
                "dy/dt = (c - d * v**2 - y) / tau : 1",
                "dz/dt = r * (s * (v - v_1) - z) / tau : 1",
                *extra.equations,
            ]
        ),
        threshold="v >= v_th",
        reset="",
        method="rk2",
        parameters=(
            Parameter("a", 1.0, "1", "Cubic term of the potential"),
            Parameter("b", 3.0, "1", "Quadratic term of the potential"),
            Parameter("c", 1.0, "1", "Constant term of the fast recovery"),
            Parameter("d", 5.0, "1", "Quadratic term of the fast recovery"),
            Parameter("r", 0.005, "1", "Rate of the adaptation in units of 1 / tau", (0.0, 1e9)),
            Parameter("s", 4.0, "1", "Strength of the adaptation"),
            Parameter("v_1", -1.6, "1", "Potential without adaptation"),
            unit_of_time(1.0),
            Parameter(
                "v_th", 1.0, "1", "Potential whose upward crossing is a spike", role=roles.THRESHOLD
            ),
            I_OFFSET_DIMENSIONLESS,
            *extra.parameters,
        ),
        states=(
            State(
                "v", -1.6045345328021476, "1", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL
            ),
            State("y", -11.87265533477303, "1", "Fast recovery", kind=roles.RECOVERY),
            State("z", -0.018138131208590202, "1", "Slow adaptation", kind=roles.RECOVERY),
            *extra.states,
        ),
        receptors=extra.receptors,
        source=_SOURCE,
        references=("hindmarsh1984",),
        crossing=True,
        dt_default=0.02,
    )
    return Neuron(model, parameters)
