"""Integrate-and-fire neurons that fire once, at a phase of a global oscillation."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, POSITIVE, c_m, one_of, t_ref

#: ways to reduce the effect of late spikes
ADAPTATIONS = ("amplitude", "duration")
#: longer than any run, in ms
_FOREVER = 1e6
_SOURCE = "Mueller 2023, thesis, TU Munich, section 6.2"


def Oscillation(adaptation: str = "amplitude", **parameters: Value) -> Neuron:
    """Perfect integrator that receives input in one window of an oscillation and fires in the next.

    The oscillation is a constant current ``i_osc`` that changes its sign between windows.  In the
    transmitting window it raises the potential such that a neuron without input would just reach
    the threshold at the end, and larger potentials u > 0 lead to earlier spikes (mueller Eq 6.5).
    On a time grid, a neuron fires in the step nearest to the crossing, because the condition adds
    half a step of ``rise``.  It fires once, because the refractory period is longer than any run.

    A spike that arrives late must have a smaller effect.  With "amplitude" (mueller 6.2.2), its
    charge ``q`` reaches the membrane in the step after its arrival, multiplied by
    1 - (t - t_listen) / window, which decreases from 1 to 0 over the listening window.  With
    "duration" (6.2.3), it switches on a current that lasts until the end of the window, when the
    code sets ``i_syn`` to zero.

    Parameters
    ----------
    adaptation : {"amplitude", "duration"}
    **parameters : float or ndarray
        v_rest, the start value, 0 mV; v_reset 0 mV; v_th 1 mV; c_m 1 pF; t_ref 1e6 ms;
        i_osc 0 pA; rise 0 mV/ms; charging 0 (1: the constant current flows); i_offset 0 pA;
        t_listen 0 ms and window 100 ms (amplitude).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError

    Notes
    -----
    mueller Eq 6.4 weights a spike by t / T, whereas the surrounding text and Eq 6.5 require
    1 - t / T: a spike represents 1 - t / T of the largest activation.
    """
    one_of("adaptation", adaptation, ADAPTATIONS)
    model = _amplitude() if adaptation == "amplitude" else _duration()
    return Neuron(model, parameters)


_CURRENT = "(i_osc + charging * i_offset{extra}) / c_m"


def _amplitude() -> NeuronModel:
    current = _CURRENT.format(extra="")
    return _model(
        "amplitude",
        [
            "gain = 1 - (t - t_listen) / window : 1",
            f"dv/dt = {current} + gain * q / dt : volt (unless refractory)",
            "dq/dt = -q / dt : volt",
        ],
        (
            Parameter("t_listen", 0.0, "ms", "Start of the listening window", moment=True),
            Parameter("window", 100.0, "ms", "Length of a window", (POSITIVE, 1e9)),
        ),
        State("q", 0.0, "mV", "Input of the last step at full amplitude", kind=roles.SYNAPTIC),
        Receptor("syn", "q", "mV"),
    )


def _duration() -> NeuronModel:
    current = _CURRENT.format(extra=" + i_syn")
    return _model(
        "duration",
        [f"dv/dt = {current} : volt (unless refractory)", "di_syn/dt = 0 * pA * Hz : amp"],
        (),
        State("i_syn", 0.0, "pA", "Sum of the ongoing pulses", kind=roles.LASTING_CURRENT),
        Receptor("syn", "i_syn", "pA"),
    )


def _model(
    name: str,
    equations: list[str],
    parameters: tuple[Parameter, ...],
    state: State,
    receptor: Receptor,
) -> NeuronModel:
    return NeuronModel(
        name=f"oscillation_{name}",
        equations="\n".join(equations),
        threshold="v + 0.5 * dt * rise >= v_th",
        reset="v = v_reset",
        method="euler",
        parameters=(
            Parameter("v_rest", 0.0, "mV", "Membrane potential at the start", role=roles.REST),
            Parameter("v_reset", 0.0, "mV", "Reset potential", role=roles.RESET),
            Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD),
            c_m(1.0),
            t_ref(_FOREVER),
            Parameter("i_osc", 0.0, "pA", "Current of the oscillation", role=roles.SLOPE),
            Parameter(
                "rise", 0.0, "mV/ms", "Slope of the potential at the threshold", role=roles.SLOPE
            ),
            Parameter("charging", 0.0, "1", "Whether the constant current flows", (0.0, 1.0)),
            I_OFFSET,
            *parameters,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            state,
        ),
        receptors=(receptor,),
        refractory="t_ref",
        source=_SOURCE,
        references=("mueller2023", "mueller2022oscillations"),
    )
