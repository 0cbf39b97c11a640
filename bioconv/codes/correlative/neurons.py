"""Spiking units of the correlative code (stanojevic A.2.2)."""

from __future__ import annotations

from math import log

from bioconv.neurons import LeakyIntegrateAndFire
from bioconv.neurons.language.neuron import Neuron, Value

#: time constant, as a share of a step, after which nothing is left: exp(-1000) is 0 in float64
_NO_MEMORY = 1e-3


def SpikingUnit(decay: float, dt: float, v_th: Value) -> Neuron:
    """Leaky integrate-and-fire neuron that decays by a factor in every step (Eqs A.11 and A.12).

    Parameters
    ----------
    decay : float
        Factor of a step; the membrane time constant is ``-dt / log(decay)``, 4.48 ms for 0.8 and
        1 ms.  With 0, the neuron has no memory: as in the output layer, it fires if the input of
        one step reaches the threshold, where the sigmoid of the thesis is at least a half.
    dt : float
        Step in ms.
    v_th : float or ndarray
        Threshold in mV; the potential rests at 0 mV, to which a spike resets it.

    Returns
    -------
    Neuron
        `bioconv.neurons.LeakyIntegrateAndFire` with delta synapses, PyNN's ``IF_curr_delta``.
    """
    tau_m = -dt / log(decay) if decay else _NO_MEMORY * dt
    return LeakyIntegrateAndFire(
        reset="value", synapse="delta", v_rest=0.0, v_reset=0.0, v_th=v_th, tau_m=tau_m, t_ref=0.0
    )
