"""Sigma-delta neurons with hysteresis: signed spikes represent changes of a quantised value.

No simulator has signed spikes.  Every neuron is therefore represented by two, ON and OFF, with the
same equations and the same input.  Both compute the quantised value ``q``; one spikes when it
rises, the other when it falls.  ``q`` is updated by the integration after the spike, which is
equivalent to a reset, because nothing else happens in between.
"""

from __future__ import annotations

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m, t_ref

#: most sources of a neuron, or gate, that takes a maximum
MOST_SOURCES = 25
_SOURCE = "Yousefzadeh et al. 2019, AICAS, Eqs 1 to 3 and Algorithm 1"
_REFERENCES = ("yousefzadeh2019",)
_POLARITY = Parameter(
    "polarity", 1.0, "1", "Sign of the spikes, 1 (ON) or -1 (OFF)", (-1.0, 1.0), role=roles.POLARITY
)

_CHARGE = "dv/dt = gate * i_offset / c_m + gain * s / dt"
_WIPE = "ds/dt = -s / dt : volt"
_GAIN = "gain = clip(1 - (t - t_first) / t_ramp, 0, 1) : 1"
_CHARGED = (
    Parameter("v_rest", 0.0, "mV", "Membrane potential at the start", role=roles.REST),
    c_m(1.0),
    Parameter("gate", 1.0, "1", "Whether constant current flows", (0.0, 1.0), role=roles.GATE),
    I_OFFSET,
)
_TIMED = (
    Parameter("t_ramp", 64.0, "ms", "Time from the highest intensity to zero", (1e-9, 1e9)),
    Parameter("t_first", 2.5, "ms", "Time at which the highest intensity counts", moment=True),
)
_RECEPTORS = (Receptor("syn", "v", "mV"), Receptor("timed", "s", "mV"))


def SigmaDelta(n_branches: int = 1, **parameters: Value) -> Neuron:
    """Neuron whose quantised value follows ``ReLU(v)`` with hysteresis (Algorithm 1).

    ``d`` is the difference between the rectified potential and its quantised value ``q``.  If d is
    at least ``v_th``, the neuron emits an ON spike and ``q`` increases by ``level``; if d is at
    most -v_th, it emits an OFF spike and q decreases by ``level``.  v is never reset.  ``v_th`` is
    slightly below ``level``, so that a difference of exactly one level counts in every simulator.

    Constant current flows while ``gate`` is 1: for one step, so that a bias of b pA becomes b mV.
    Spikes at the receptor ``timed`` come from `IntensityToDelay` neurons and represent the
    intensity that is encoded by their time: ``gain`` decreases from 1 to 0 within ``t_ramp``,
    starting at ``t_first``, and the integration after a spike weights it.

    A neuron with several branches pools: q follows the largest of the potentials ``v0``, ``v1``,
    ..., each of which has its own receptors ``syn0``, ``timed0``, ...; it takes no current.

    Parameters
    ----------
    n_branches : int
        Number of branches, from 1 to 25.
    **parameters : float or ndarray
        polarity 1 (ON) or -1 (OFF); level 1 mV; v_th 0.999999 mV; v_max, upper limit of the
        function, 1e9 mV; t_ramp 64 ms; t_first 2.5 ms; v_rest, the start value, 0 mV; with one
        branch c_m 1 pF; gate 1; i_offset 0 pA.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    if not isinstance(n_branches, int) or not 1 <= n_branches <= MOST_SOURCES:
        raise ParameterError(
            f"n_branches must be an integer from 1 to {MOST_SOURCES}. Received: {n_branches!r}."
        )
    single = n_branches == 1
    branches = [""] if single else [str(p) for p in range(n_branches)]
    charge = "gate * i_offset / c_m + " if single else ""
    largest = "v" if single else f"m{n_branches - 1}"
    maxima = [] if single else ["m0 = v0 : volt"]
    maxima += [f"m{p} = clip(v{p}, m{p - 1}, 1e30 * volt) : volt" for p in range(1, n_branches)]
    model = NeuronModel(
        name="sigma_delta" if single else f"sigma_delta_max_{n_branches}",
        equations="\n".join(
            [
                *(f"dv{p}/dt = {charge}gain * s{p} / dt : volt" for p in branches),
                *(f"ds{p}/dt = -s{p} / dt : volt" for p in branches),
                "dq/dt = level * (int(d >= v_th) - int(d <= -v_th)) / dt : volt",
                *maxima,
                f"d = clip({largest}, 0 * volt, v_max) - q : volt",
                _GAIN,
            ]
        ),
        threshold="polarity * d >= v_th",
        reset="",
        method="euler",
        parameters=(
            _POLARITY,
            Parameter("level", 1.0, "mV", "Quantisation level", (1e-9, 1e9)),
            Parameter(
                "v_th", 0.999999, "mV", "Firing threshold", (1e-9, 1e9), role=roles.THRESHOLD
            ),
            Parameter("v_max", 1e9, "mV", "Largest value", (0.0, 1e12)),
            *(_CHARGED if single else _CHARGED[:1]),
            *_TIMED,
        ),
        states=(
            *(
                State(f"v{p}", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL)
                for p in branches
            ),
            *(State(f"s{p}", 0.0, "mV", "Timed spikes in this step") for p in branches),
            State("q", 0.0, "mV", "Quantised membrane potential"),
        ),
        receptors=(
            *(Receptor(f"syn{p}", f"v{p}", "mV") for p in branches),
            *(Receptor(f"timed{p}", f"s{p}", "mV") for p in branches),
        ),
        current="i_offset" if single else "",
        source=_SOURCE,
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def SigmaDeltaMaxGate(n: int, **parameters: Value) -> Neuron:
    """Gate whose quantised value follows the largest of its sources.

    ``x{p}`` is the quantised value of source p, in levels: ON spikes arrive with weight 1, OFF
    spikes with weight -1.

    Parameters
    ----------
    n : int
        Number of sources, from 2 to 25.
    **parameters : float or ndarray
        polarity 1 (ON) or -1 (OFF).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    if not isinstance(n, int) or not 2 <= n <= MOST_SOURCES:
        raise ParameterError(
            f"A sigma-delta max gate takes 2 to {MOST_SOURCES} sources. Received: {n!r}. Split a "
            "larger pool into two layers of gates."
        )
    sources = range(n)
    model = NeuronModel(
        name=f"sigma_delta_max_gate_{n}",
        kind=roles.MAX_GATE,
        equations="\n".join(
            [
                *(f"dx{p}/dt = 0 * Hz : 1" for p in sources),
                "dq/dt = (int(d > margin) - int(d < -margin)) / dt : 1",
                "m0 = x0 : 1",
                *(f"m{p} = clip(x{p}, m{p - 1}, 1e30) : 1" for p in sources[1:]),
                f"d = m{n - 1} - q : 1",
            ]
        ),
        threshold="polarity * d > margin",
        reset="",
        method="euler",
        parameters=(
            _POLARITY,
            Parameter("margin", 0.5, "1", "Difference in levels that causes a spike", (1e-9, 1.0)),
        ),
        states=(
            *(State(f"x{p}", 0.0, "1", f"Value of source {p} in levels") for p in sources),
            State("q", 0.0, "1", "Value that has been passed on, in levels"),
        ),
        receptors=tuple(Receptor(f"p{p}", f"x{p}", "1") for p in sources),
        current="",
        source=_SOURCE + "; the gate is bioconv's",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def IntensityToDelay(**parameters: Value) -> Neuron:
    """Neuron that spikes once, earlier for larger currents (linear intensity-to-delay coding).

    The sample charges it to x mV in the first step, while ``gate`` is 1.  A ramp then raises all
    potentials with ``slope``, so that the time at which the potential reaches 1 mV decreases
    linearly with x.  Values that have not reached it when the ramp ends do not cause a spike.  A
    refractory period longer than any sample limits the neuron to one spike.

    Parameters
    ----------
    **parameters : float or ndarray
        slope 0.02 mV/ms; v_th 1 mV; v_rest, the start value, 0 mV; c_m 1 pF; gate 1; i_offset 0 pA;
        t_ref 1e6 ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    model = NeuronModel(
        name="intensity_to_delay",
        equations="dv/dt = gate * i_offset / c_m + (1 - gate) * slope : volt",
        threshold="v >= v_th",
        reset="",
        method="euler",
        parameters=(
            Parameter("slope", 0.02, "mV/ms", "Slope of the ramp", (0.0, 1e9), role=roles.SLOPE),
            Parameter("v_th", 1.0, "mV", "Firing threshold", role=roles.THRESHOLD),
            *_CHARGED,
            t_ref(1e6),
        ),
        states=(State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),),
        receptors=(),
        refractory="t_ref",
        source="Yousefzadeh et al. 2019, AICAS, section III (linear intensity-to-delay coding)",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def SigmaDeltaOutput(**parameters: Value) -> Neuron:
    """Neuron that sums signed spikes and never fires.

    Parameters
    ----------
    **parameters : float or ndarray
        v_rest, the start value, 0 mV; c_m 1 pF; gate 1; i_offset 0 pA; t_ramp 64 ms;
        t_first 2.5 ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    model = NeuronModel(
        name="sigma_delta_output",
        kind=roles.READOUT,
        equations="\n".join([f"{_CHARGE} : volt", _WIPE, _GAIN]),
        threshold="",
        reset="",
        method="euler",
        parameters=(*_CHARGED, *_TIMED),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            State("s", 0.0, "mV", "Timed spikes in this step", kind=roles.SYNAPTIC),
        ),
        receptors=_RECEPTORS,
        source=_SOURCE,
        references=_REFERENCES,
    )
    return Neuron(model, parameters)
