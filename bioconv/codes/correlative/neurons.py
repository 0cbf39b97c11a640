"""Spiking units of the correlative code (stanojevic A.2.2)."""

from __future__ import annotations

from math import log

from bioconv.neurons import LeakyIntegrateAndFire
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value

_SOURCE = "Stanojevic 2023, thesis, EPFL, appendix A.2.2, "
_REFERENCES = ("stanojevic2023", "stanojevic2023b")


def SpikingUnit(decay: float, dt: float, v_th: Value) -> Neuron:
    """Leaky integrate-and-fire neuron that decays by a factor in every step (Eqs A.11 and A.12).

    Parameters
    ----------
    decay : float
        Factor of a step; the membrane time constant is ``-dt / log(decay)``, 4.48 ms for 0.8 and
        1 ms.
    dt : float
        Step in ms.
    v_th : float or ndarray
        Threshold in mV; the potential rests at 0 mV, to which a spike resets it.

    Returns
    -------
    Neuron
        `bioconv.neurons.LeakyIntegrateAndFire` with delta synapses, PyNN's ``IF_curr_delta``.
    """
    tau_m = -dt / log(decay)
    return LeakyIntegrateAndFire(
        reset="value", synapse="delta", v_rest=0.0, v_reset=0.0, v_th=v_th, tau_m=tau_m, t_ref=0.0
    )


def OutputUnit(v_th: Value) -> Neuron:
    """Neuron without memory, which fires if the input of one step reaches the threshold.

    Its spikes are those for which the sigmoid of the output layer is at least a half.

    Parameters
    ----------
    v_th : float or ndarray
        Threshold in mV.

    Returns
    -------
    Neuron
    """
    model = NeuronModel(
        name="unit_without_memory",
        equations="dv/dt = -v / dt : volt",
        threshold="v >= v_th",
        reset="v = v_reset",
        method="euler",
        parameters=(
            Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD),
            Parameter("v_reset", 0.0, "mV", "Reset potential", role=roles.RESET),
        ),
        states=(State("v", 0.0, "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),),
        receptors=(Receptor("syn", "v", "mV"),),
        current="",
        source=_SOURCE + "output layer",
        references=_REFERENCES,
    )
    return Neuron(model, {"v_th": v_th})
