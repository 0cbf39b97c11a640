"""Neurons that compare the sum of their input with their threshold in a single step."""

from __future__ import annotations

from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m

_SOURCE = "Mueller 2023, thesis, TU Munich, sections 5.2.1 and 5.2.2, Eq 5.1"
_REFERENCES = ("mueller2023", "mueller2022exploiting")
_EQUATIONS = "dv/dt = gate * i_offset / c_m : volt"
_V_REST = Parameter("v_rest", 0.0, "mV", "Membrane potential at the start", role=roles.REST)
_GATE = Parameter("gate", 1.0, "1", "Whether constant current flows", (0.0, 1.0), role=roles.GATE)


def Threshold(**parameters: Value) -> Neuron:
    """Neuron of a population, which sums its input and fires if the sum reaches its threshold.

    It may fire only while ``window`` is 1: in one step, and therefore at most once.  Constant
    current flows while ``gate`` is 1: for one step, so that x pA become x mV (1 ms, 1 pF).
    Scheduled changes set both parameters.

    Parameters
    ----------
    **parameters : float or ndarray
        v_rest, the start value, 0 mV; v_th 1 mV; window 1; gate 1; c_m 1 pF; i_offset 0 pA.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    return Neuron(_model("threshold", roles.SPIKING), parameters)


def ThresholdGate(**parameters: Value) -> Neuron:
    """Gate of max pooling between populations: fires if enough of its sources have fired.

    Its equations are those of `Threshold`; its threshold counts spikes and is none of a device.

    Parameters
    ----------
    **parameters : float or ndarray
        As of `Threshold`.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    return Neuron(_model("threshold_gate", roles.MAX_GATE), parameters)


def _model(name: str, kind: str) -> NeuronModel:
    """What adds up its input and compares it with a threshold while its window is open."""
    return NeuronModel(
        name=name,
        kind=kind,
        equations=_EQUATIONS,
        threshold="v >= v_th and window > 0.5",
        reset="",
        method="exponential_euler",
        parameters=(
            _V_REST,
            Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD),
            Parameter(
                "window", 1.0, "1", "Whether the neuron may fire", (0.0, 1.0), role=roles.WINDOW
            ),
            _GATE,
            c_m(1.0),
            I_OFFSET,
        ),
        states=(State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),),
        receptors=(Receptor("syn", "v", "mV"),),
        source=_SOURCE,
        references=_REFERENCES,
    )


def ThresholdOutput(**parameters: Value) -> Neuron:
    """Neuron that sums the input from populations and never fires.

    Parameters
    ----------
    **parameters : float or ndarray
        Those of `Threshold` except v_th and window.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    model = NeuronModel(
        name="threshold_output",
        kind=roles.READOUT,
        equations=_EQUATIONS,
        threshold="",
        reset="",
        method="exponential_euler",
        parameters=(_V_REST, _GATE, c_m(1.0), I_OFFSET),
        states=(State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),),
        receptors=(Receptor("syn", "v", "mV"),),
        source=_SOURCE,
        references=_REFERENCES,
    )
    return Neuron(model, parameters)
