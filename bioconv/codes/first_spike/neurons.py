"""Integrate-and-fire neurons with persistent input, whose single spike encodes a value."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m, one_of, t_ref

#: longer than any run, in ms
_FOREVER = 1e6
_THRESHOLDS = ("base", "dynamic")
_SOURCE = "Mueller 2023, thesis, TU Munich, section 6.1, Eqs 6.1, 6.2, after Rueckauer and Liu 2018"
_REFERENCES = ("mueller2023", "rueckauer2018")


def FirstSpike(threshold: str = "base", **parameters: Value) -> Neuron:
    """Perfect integrator in which every arriving spike switches on a current that never decays.

    u(t) = sum of w (t - t_j) over the spikes so far, plus b t (mueller Eq 6.1).  The neuron fires
    once: the refractory period is longer than any run.

    With the threshold "dynamic", spikes at the receptor ``announced`` raise the threshold: the
    first of the two spikes of a source announces the second one, which cancels the announcement.

    Parameters
    ----------
    threshold : {"base", "dynamic"}
        Constant or dynamic threshold.
    **parameters : float or ndarray
        v_rest, the start value, 0 mV; v_reset 0 mV; v_th 1 mV; c_m 1 pF; t_ref 1e6 ms;
        i_offset 0 pA.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    one_of("threshold", threshold, _THRESHOLDS)
    dynamic = threshold == "dynamic"
    missing = State(
        "missing",
        0.0,
        "mV",
        "Increase of the threshold by announced input",
        kind=roles.SYNAPTIC,
    )
    model = NeuronModel(
        name=f"first_spike_{threshold}",
        equations="\n".join(
            [
                "dv/dt = (i_offset + i_syn) / c_m : volt (unless refractory)",
                "di_syn/dt = 0 * pA * Hz : amp",
                *(["dmissing/dt = 0 * mV * Hz : volt"] if dynamic else []),
            ]
        ),
        threshold="v >= v_th + missing" if dynamic else "v >= v_th",
        reset="v = v_reset",
        method="euler",
        parameters=(
            Parameter("v_rest", 0.0, "mV", "Membrane potential at the start", role=roles.REST),
            Parameter("v_reset", 0.0, "mV", "Reset potential", role=roles.RESET),
            Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD),
            c_m(1.0),
            t_ref(_FOREVER),
            I_OFFSET,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State(
                "i_syn",
                0.0,
                "pA",
                "Sum of the currents of all spikes so far",
                kind=roles.LASTING_CURRENT,
            ),
            *([missing] if dynamic else []),
        ),
        receptors=(
            Receptor("syn", "i_syn", "pA"),
            *([Receptor("announced", "missing", "mV")] if dynamic else []),
        ),
        refractory="t_ref",
        source=_SOURCE,
        references=_REFERENCES,
    )
    return Neuron(model, parameters)
