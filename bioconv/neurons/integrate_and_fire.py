"""The perfect integrate-and-fire neuron."""

from __future__ import annotations

from bioconv.neurons.model import NeuronModel, Parameter, State
from bioconv.neurons.neuron import Neuron, Value
from bioconv.neurons.synapses import POSITIVE, reset_statement, synapse_parts

_SOURCE = (
    "Rueckauer et al. 2016, arXiv:1612.04052, section 2, Eq 4 (reset to zero, by subtraction); "
    "Mueller 2023, thesis, TU Munich, section 4.1"
)


def IntegrateAndFire(
    reset: str = "subtraction", synapse: str = "delta", **parameters: Value
) -> Neuron:
    """Neuron that adds up its input and fires at a threshold: ``c_m dv/dt = i``.

    Parameters
    ----------
    reset : {"subtraction", "value"}
        After a spike ``v`` falls by ``v_th - v_reset``, or to ``v_reset``.
    synapse : {"delta", "exponential"}
        A spike lifts ``v`` by its weight (mV), or a current that decays with ``tau_syn`` by its
        weight (pA).  The one receptor ``syn`` takes weights of both signs.
    **parameters : float or ndarray
        v_rest, the start value, 0 mV; v_reset 0 mV; v_th 1 mV; c_m 1 pF; t_ref 0 ms;
        i_offset 0 pA; tau_syn 5 ms (exponential synapse).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse)
    model = NeuronModel(
        name=f"integrate_and_fire_{synapse}_{reset}",
        equations="\n".join(
            [
                f"dv/dt = (i_offset{extra.current}) / c_m : volt (unless refractory)",
                *extra.equations,
            ]
        ),
        threshold="v >= v_th",
        reset=reset_statement(reset),
        # The exact solution is singular without a leak; this one is exact for v with a delta
        # synapse, and takes the current at the start of a step for the whole step else.
        method="exponential_euler",
        parameters=(
            Parameter("v_rest", 0.0, "mV", "Membrane potential at the start"),
            Parameter("v_reset", 0.0, "mV", "Reset potential"),
            Parameter("v_th", 1.0, "mV", "Firing threshold"),
            Parameter("c_m", 1.0, "pF", "Membrane capacitance", (POSITIVE, 1e12)),
            Parameter("t_ref", 0.0, "ms", "Refractory period", (0.0, 1e9)),
            Parameter("i_offset", 0.0, "pA", "Constant input current"),
            *extra.parameters,
        ),
        states=(State("v", "v_rest", "mV", "Membrane potential"), *extra.states),
        receptors=(extra.receptor,),
        refractory="t_ref",
        source=_SOURCE,
    )
    return Neuron(model, parameters)


def Integrator(synapse: str = "delta", **parameters: Value) -> Neuron:
    """Perfect integrator that never spikes: an output whose potential is read.

    Parameters
    ----------
    synapse : {"delta", "exponential"}
    **parameters : float or ndarray
        v_rest, the start value, 0 mV; c_m 1 pF; i_offset 0 pA; tau_syn 5 ms (exponential synapse).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    extra = synapse_parts(synapse)
    model = NeuronModel(
        name=f"integrator_{synapse}",
        equations="\n".join([f"dv/dt = (i_offset{extra.current}) / c_m : volt", *extra.equations]),
        threshold="",
        reset="",
        method="exponential_euler",
        parameters=(
            Parameter("v_rest", 0.0, "mV", "Membrane potential at the start"),
            Parameter("c_m", 1.0, "pF", "Membrane capacitance", (POSITIVE, 1e12)),
            Parameter("i_offset", 0.0, "pA", "Constant input current"),
            *extra.parameters,
        ),
        states=(State("v", "v_rest", "mV", "Membrane potential"), *extra.states),
        receptors=(extra.receptor,),
        source="Rueckauer et al. 2016, arXiv:1612.04052, section 3.5 (accumulated potentials)",
    )
    return Neuron(model, parameters)
