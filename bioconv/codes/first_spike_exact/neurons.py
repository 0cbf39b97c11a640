"""Neurons of the exact time-to-first-spike code: each fires at most one spike.

Time is divided into windows, one for each layer.  A neuron whose window closes at t_close and that
fires at t represents the activation t_close - t, in units of the time t_unit that represents one
unit of activation.

A spike adds its weight to the *slope* of the potential (``i_syn``, a current that never decays), so
that earlier spikes contribute proportionally more.  Spike times are rounded to the grid without
bias: because of ``0.5*dt`` in the conditions, a neuron fires at the step nearest to the crossing.
In the limit of small steps, the conditions are those of the thesis.
"""

from __future__ import annotations

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m

_SOURCE = "Stanojevic 2023, thesis, EPFL, chapter 2, "
_REFERENCES = ("stanojevic2023", "stanojevic2022")
FIRED = State("fired", 0.0, "1", "1 after the spike", kind=roles.MARK)

V_TH = Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD)
T_OPEN = Parameter(
    "t_open", 0.0, "ms", "Start of the window, when all input has arrived", moment=True
)
T_FIRST = Parameter("t_first", 0.0, "ms", "Earliest time of the spike", moment=True)


def t_close(inactive: str) -> Parameter:
    """End of the window, at which either all remaining neurons fire or none."""
    fires = inactive == "fire"
    meaning = "End of the window" + (", in which all remaining neurons fire" if fires else "")
    role = roles.DEADLINE if fires else ""
    return Parameter("t_close", 1e6, "ms", meaning, moment=True, role=role)


def FirstSpikeExact(
    inactive: str = "fire", threshold: str = "constant", **parameters: Value
) -> Neuron:
    """Neuron whose single spike is earlier for larger values of the ReLU of its inputs.

    Parameters
    ----------
    inactive : {"fire", "silent"}
        Whether a neuron that has not fired when its window closes fires then (Eq 2.2), or never.
        In the second case, the slope of all neurons is set to ``i_open`` when the window opens,
        as if the silent ones had fired (thesis 2.2.3, less than one spike per neuron).
    threshold : {"constant", "falling"}
        Whether the current ``i_offset`` raises the potential or lowers the threshold (Eq 2.5).
    **parameters : float or ndarray
        v_th 1 mV; c_m 1 pF; i_offset 0 pA (slope from t_start on); i_open 0 pA (slope from t_open
        on); t_start, t_open, t_first 0 ms; t_close 1e6 ms; slope 0 mV/ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    _check_choice("inactive", inactive, ("fire", "silent"))
    _check_choice("threshold", threshold, ("constant", "falling"))
    silent, falls = inactive == "silent", threshold == "falling"
    synapses = "i_syn * int(t + 0.5*dt < t_open)" if silent else "i_syn"
    window_current = roles.WINDOW_CURRENT_WITH_SYNAPSES if silent else roles.WINDOW_CURRENT
    opened = "i_open * int(t + 0.5*dt >= t_open)"
    rising = "i_offset * int(t + 0.5*dt >= t_start) * int(t + 0.5*dt < t_open)"
    total = f"{synapses} + {opened}" + ("" if falls else f" + {rising}")
    # Until the window opens, the falling threshold replaces the ramp of the potential.
    fall = "i_offset * clip(t + dt - t_start, 0*ms, t_open - t_start) / c_m"
    crossed = f"v + 0.5*dt*slope >= v_th{' - v_fall' if falls else ''}"
    last = "t + 1.5*dt >= t_close" if inactive == "fire" else ""
    condition = f"{crossed} and t + 1.5*dt >= t_first"
    condition = f"({condition}) or {last}" if last else f"{condition} and t + 1.5*dt < t_close"
    model = NeuronModel(
        name=f"first_spike_exact_{inactive}" + ("_falling" if falls else ""),
        equations="\n".join(
            [
                f"dv/dt = ({total}) / c_m : volt",
                "di_syn/dt = 0*amp/second : amp",
                "dfired/dt = 0*Hz : 1",
                *([f"v_fall = {fall} : volt"] if falls else []),
            ]
        ),
        threshold=f"fired < 0.5 and ({condition})",
        reset="fired = 1",
        method="euler",
        parameters=(
            V_TH,
            c_m(1.0),
            I_OFFSET,
            Parameter("i_open", 0.0, "pA", "Input current from t_open on", role=window_current),
            Parameter("t_start", 0.0, "ms", "Start of the current i_offset", moment=True),
            T_OPEN,
            T_FIRST,
            t_close(inactive),
            Parameter(
                "slope", 0.0, "mV/ms", "Slope of the potential within the window", role=roles.SLOPE
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
            FIRED,
        ),
        receptors=(Receptor("syn", "i_syn", "pA"),),
        source=_SOURCE + "Eqs 2.2, 2.5",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def FirstSpikeEncoder(inactive: str = "fire", **parameters: Value) -> Neuron:
    """Input neuron that fires earlier for larger currents.

    The potential rises at a constant rate; the current of the sample raises it further through the
    conductance ``g_in`` of the electrode.

    Parameters
    ----------
    inactive : {"fire", "silent"}
        Whether an input of 0 fires when the window closes, or never.
    **parameters : float or ndarray
        v_th 1 mV; g_in 1 nS; slope 1 mV/ms; i_offset 0 pA; t_close 1e6 ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    _check_choice("inactive", inactive, ("fire", "silent"))
    crossed = "v + 0.5*dt*slope + i_offset / g_in >= v_th"
    if inactive == "fire":
        condition = f"({crossed} or t + 1.5*dt >= t_close)"
    else:
        condition = f"{crossed} and t + 1.5*dt < t_close"
    model = NeuronModel(
        name=f"first_spike_exact_encoder_{inactive}",
        equations="dv/dt = slope : volt\ndfired/dt = 0*Hz : 1",
        threshold=f"fired < 0.5 and {condition}",
        reset="fired = 1",
        method="euler",
        parameters=(
            V_TH,
            Parameter("g_in", 1.0, "nS", "Conductance of the electrode", (1e-9, 1e9)),
            Parameter("slope", 1.0, "mV/ms", "Slope of the potential", role=roles.SLOPE),
            I_OFFSET,
            t_close(inactive),
        ),
        states=(State("v", 0.0, "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL), FIRED),
        source=_SOURCE + "section 2.4.2 (i)",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def FirstSpikePool(**parameters: Value) -> Neuron:
    """Neuron that fires with the first or with the last of its sources (Eq 2.32).

    Every source sends a pulse of weight 1; ``v_th`` is half a pulse for the maximum, and half a
    pulse less than the sum of all pulses for the minimum.

    Parameters
    ----------
    **parameters : float or ndarray
        v_th 0.5 mV.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    model = NeuronModel(
        name="first_spike_exact_pool",
        kind=roles.MAX_GATE,
        equations="dv/dt = 0*volt/second : volt\ndfired/dt = 0*Hz : 1",
        threshold="fired < 0.5 and v >= v_th",
        reset="fired = 1",
        method="euler",
        parameters=(Parameter("v_th", 0.5, "mV", "Firing threshold", role=roles.THRESHOLD),),
        states=(
            State("v", 0.0, "mV", "Number of spikes so far", kind=roles.MEMBRANE_POTENTIAL),
            FIRED,
        ),
        receptors=(Receptor("syn", "v", "mV"),),
        current="",
        source=_SOURCE + "Eq 2.32",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def FirstSpikeIntegrator(**parameters: Value) -> Neuron:
    """Output that sums its input and never fires (Eq 2.34), with constant potential after t_close.

    Parameters
    ----------
    **parameters : float or ndarray
        c_m 1 pF; i_offset 0 pA; t_start 0 ms (start of that current); t_close 1e6 ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    ramp = "i_offset * int(t + 0.5*dt >= t_start)"
    model = NeuronModel(
        name="first_spike_exact_integrator",
        kind=roles.READOUT,
        equations=(
            f"dv/dt = ({ramp} + i_syn) * int(t + 0.5*dt < t_close) / c_m : volt\n"
            "di_syn/dt = 0*amp/second : amp"
        ),
        threshold="",
        reset="",
        method="euler",
        parameters=(
            c_m(1.0),
            I_OFFSET,
            Parameter("t_start", 0.0, "ms", "Start of the current i_offset", moment=True),
            Parameter("t_close", 1e6, "ms", "End of integration", moment=True),
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
        ),
        receptors=(Receptor("syn", "i_syn", "pA"),),
        source=_SOURCE + "Eqs 2.34, 2.35",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def _check_choice(name: str, value: str, valid: tuple[str, ...]) -> None:
    if value not in valid:
        raise ParameterError(f"{name} must be one of {', '.join(valid)}. Received: {value!r}.")
