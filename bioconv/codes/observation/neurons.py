"""Neurons of the observation code: each fires at most once, and all times are local.

The first spike of a layer makes a relay neuron fire, whose spike starts the bias and the clock of
every neuron of the next layer.  Thus no neuron knows the reference time R_l of its layer; it only
sees spikes.
"""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import c_m, t_ref

#: longer than any run, in ms
_FOREVER = 1e6
_SOURCE = "Stanojevic 2023, thesis, EPFL, appendix A.1, "
_REFERENCES = ("stanojevic2023", "stanojevic2022a")
_RESET = Parameter("v_reset", 0.0, "mV", "Reset potential", role=roles.RESET)


def ObservedNeuron(**parameters: Value) -> Neuron:
    """Perfect integrator with linear postsynaptic potentials and a limited observation period.

    V(t) = alpha t + sum of w (t - x) over the spikes so far (stanojevic Eq A.2), where t is a clock
    that runs from the first spike at the receptor ``start`` on.  The neuron fires at most once,
    because its refractory period is longer than any run, and not after ``t_obs`` on its clock.  The
    term omega of Eq A.2, which makes the potential very negative from then on, is the second part
    of the threshold condition.  Because of ``0.5*dt``, a neuron fires at the step nearest to the
    crossing, as in `bioconv.codes.first_spike_exact.neurons`.

    Parameters
    ----------
    **parameters : float or ndarray
        v_th 1 mV; v_reset 0 mV; c_m 1 pF; t_ref 1e6 ms; i_offset 1 pA (the bias alpha, c_m times
        a slope); t_obs 1e6 ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    model = NeuronModel(
        name="observed_first_spike",
        equations="\n".join(
            [
                "dv/dt = slope : volt (unless refractory)",
                "di_syn/dt = 0 * pA * Hz : amp",
                "dstarted/dt = 0 * Hz : 1",
                "dclock/dt = int(started > 0.5) : second",
                "slope = (i_offset * int(started > 0.5) + i_syn) / c_m : volt / second",
            ]
        ),
        threshold="v + 0.5*dt*slope >= v_th and clock <= t_obs",
        reset="v = v_reset",
        method="euler",
        parameters=(
            Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD),
            _RESET,
            c_m(1.0),
            t_ref(_FOREVER),
            Parameter("i_offset", 1.0, "pA", "Input current from the first spike on"),
            Parameter(
                "t_obs", _FOREVER, "ms", "Observation period", (0.0, 1e9), role=roles.OBSERVATION
            ),
        ),
        states=(
            State("v", 0.0, "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State(
                "i_syn",
                0.0,
                "pA",
                "Sum of the weights of all spikes so far",
                kind=roles.LASTING_CURRENT,
            ),
            State("started", 0.0, "1", "Above 0.5 from the first spike on", kind=roles.MARK),
            State("clock", 0.0, "ms", "Time since the first spike", kind=roles.MARK),
        ),
        receptors=(Receptor("syn", "i_syn", "pA"), Receptor("start", "started", "1")),
        refractory="t_ref",
        source=_SOURCE + "Eq A.2",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def Relay(**parameters: Value) -> Neuron:
    """Neuron that fires once, with the first spike that it receives.

    Parameters
    ----------
    **parameters : float or ndarray
        v_th 0.5 mV, less than the pulse of one spike; v_reset 0 mV; t_ref 1e6 ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    model = NeuronModel(
        name="first_spike_relay",
        equations="dv/dt = 0 * volt / second : volt (unless refractory)",
        threshold="v >= v_th",
        reset="v = v_reset",
        method="euler",
        parameters=(
            Parameter("v_th", 0.5, "mV", "Firing threshold", role=roles.THRESHOLD),
            _RESET,
            t_ref(_FOREVER),
        ),
        states=(State("v", 0.0, "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),),
        receptors=(Receptor("syn", "v", "mV"),),
        refractory="t_ref",
        current="",
        source=_SOURCE + "section A.1.2 (reference time R_l)",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)
