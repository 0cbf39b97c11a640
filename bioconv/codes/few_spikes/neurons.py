"""Neurons that represent a number by a few spikes, whose weight depends on the time step.

A layer receives spikes for K steps and fires for the following K steps.  The contribution of a
spike depends on the step in which it arrives, so that the *receiving* neuron weights it: a spike
adds its synaptic weight to ``s``, and the next integration adds ``gain * s`` to ``v`` and resets
``s`` to zero.  The gain is a parameter that scheduled changes set in every step.  The last spikes
arrive in the step in which the neuron starts to fire; the threshold condition already includes
them, with the gain ``last``.
"""

from __future__ import annotations

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.library.parts import I_OFFSET, c_m

#: largest number of different tables of the sources of one neuron
MOST_INPUTS = 8
_MOST_SOURCES = 25
_SOURCE = "Stoeckl and Maass 2021, Nature Machine Intelligence 3, Eqs 1 to 3"
_REFERENCES = ("stoeckl2021",)


def FewSpikes(n_inputs: int = 1, **parameters: Value) -> Neuron:
    """Neuron that represents its potential by spikes: ``v(t+1) = v(t) - h(t) z(t)`` (Eqs 1, 2).

    The threshold T(t) is the parameter ``v_th``, the reset h(t) is ``v_fall``, and the gains d(t)
    of the received spikes are ``gain0``, ...: three tables, which scheduled changes set in every
    step.  Constant current flows while ``gate`` is 1: for one step, so that a bias or a sample of
    x pA becomes x mV (1 ms, 1 pF).

    Parameters
    ----------
    n_inputs : int
        Number of receptors ``r0``, ``r1``, ..., one for each table of gains: layers with
        different functions use different tables.
    **parameters : float or ndarray
        v_rest, the start value, 0 mV; v_th 1 mV; v_fall 0 mV; c_m 1 pF; gate 1; i_offset 0 pA;
        gain0 1, ..., last0 1, ...

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    return Neuron(_model("few_spikes", n_inputs, spiking=True), parameters)


def FewSpikesOutput(n_inputs: int = 1, **parameters: Value) -> Neuron:
    """Neuron that weights and sums spikes like `FewSpikes` but never spikes.

    Parameters
    ----------
    n_inputs : int
    **parameters : float or ndarray
        Those of `FewSpikes` except v_th, v_fall and last0, ...

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    return Neuron(_model("few_spikes_output", n_inputs, spiking=False), parameters)


def FewSpikesMaxGate(n: int, **parameters: Value) -> Neuron:
    """Gate that passes on the spikes of the source with the largest value.

    Every source sends its spikes twice, with weight 1: immediately to the receptor ``p{p}``, where
    ``x{p}`` becomes its value (the sum of d(t)), and K - 1 steps later to ``q{p}``.  When the
    delayed spikes start to arrive, all values are known, and only spikes of the source with the
    largest value pass (for ties, the one with the lowest index).  The maximum is exact for values
    of any sign and any table d(t).

    Parameters
    ----------
    n : int
        Number of sources, from 2 to 25.
    **parameters : float or ndarray
        gain 1, last 1.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    if not isinstance(n, int) or not 2 <= n <= _MOST_SOURCES:
        raise ParameterError(
            f"A few-spikes max gate takes 2 to {_MOST_SOURCES} sources. Received: {n!r}. Split a "
            "larger pool into two layers of gates."
        )
    sources = range(n)
    lines = [
        *(f"dx{p}/dt = gain * s{p} / dt : 1" for p in sources),
        *(f"ds{p}/dt = -s{p} / tau_flag : 1" for p in sources),
        *(f"dz{p}/dt = -z{p} / tau_flag : 1" for p in sources),
        *(f"y{p} = x{p} + last * s{p} : 1" for p in sources),
        "m0 = y0 : 1",
        "g0 = z0 : 1",
    ]
    for p in sources[1:]:
        lines.append(f"m{p} = clip(y{p}, m{p - 1}, 1e30) : 1")
        ahead, behind = f"int(y{p} > m{p - 1} + margin)", f"int(y{p} <= m{p - 1} + margin)"
        lines.append(f"g{p} = {ahead} * z{p} + {behind} * g{p - 1} : 1")
    model = NeuronModel(
        name=f"few_spikes_max_gate_{n}",
        kind=roles.MAX_GATE,
        equations="\n".join(lines),
        threshold=f"g{n - 1} > 0.5",
        reset="",
        method="exponential_euler",
        parameters=(
            Parameter("gain", 1.0, "1", "Worth of the spikes of the step before"),
            Parameter("last", 1.0, "1", "Worth of the last spikes of a window"),
            Parameter("margin", 1e-9, "1", "Tolerance for rounding errors", (0.0, 1.0)),
            _TAU_FLAG,
        ),
        states=(
            *(State(f"x{p}", 0.0, "1", f"Value of source {p}") for p in sources),
            *(State(f"s{p}", 0.0, "1", f"Spike of source {p} in the step") for p in sources),
            *(
                State(f"z{p}", 0.0, "1", f"Delayed spike of source {p} in the step")
                for p in sources
            ),
        ),
        receptors=(
            *(Receptor(f"p{p}", f"s{p}", "1") for p in sources),
            *(Receptor(f"q{p}", f"z{p}", "1") for p in sources),
        ),
        current="",
        source=_SOURCE + "; the gate is bioconv's",
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


#: resets a variable to exactly zero within a step: exp(-1e6) is 0 in every simulator
_TAU_FLAG = Parameter("tau_flag", 1e-6, "ms", "Decay time of the input of a step", (1e-9, 1e-3))


def _model(name: str, n_inputs: int, *, spiking: bool) -> NeuronModel:
    if not isinstance(n_inputs, int) or not 1 <= n_inputs <= MOST_INPUTS:
        raise ParameterError(
            f"n_inputs must be an integer from 1 to {MOST_INPUTS}. Received: {n_inputs!r}."
        )
    inputs = range(n_inputs)
    gained = " + ".join(f"gain{k} * s{k}" for k in inputs)
    lines = [
        f"dv/dt = gate * i_offset / c_m + ({gained}) / dt : volt",
        *(f"ds{k}/dt = -s{k} / tau_flag : volt" for k in inputs),
    ]
    gains = [
        Parameter(f"gain{k}", 1.0, "1", "Worth of the spikes of the step before") for k in inputs
    ]
    lasts = [
        Parameter(f"last{k}", 1.0, "1", "Worth of the last spikes of a window") for k in inputs
    ]
    speaking: tuple[Parameter, ...] = ()
    if spiking:
        counted = " + ".join(f"last{k} * s{k}" for k in inputs)
        lines.append(f"u = v + {counted} : volt")
        speaking = (
            Parameter("v_th", 1.0, "mV", "Firing threshold T of the step", role=roles.THRESHOLD),
            Parameter("v_fall", 0.0, "mV", "Decrease h of the potential after a spike in the step"),
            *lasts,
        )
    return NeuronModel(
        name=f"{name}_{n_inputs}",
        kind=roles.SPIKING if spiking else roles.READOUT,
        equations="\n".join(lines),
        threshold="u >= v_th" if spiking else "",
        reset="v -= v_fall" if spiking else "",
        method="exponential_euler",
        parameters=(
            Parameter("v_rest", 0.0, "mV", "Membrane potential at the start", role=roles.REST),
            c_m(1.0),
            Parameter(
                "gate", 1.0, "1", "Whether constant current flows", (0.0, 1.0), role=roles.GATE
            ),
            I_OFFSET,
            *gains,
            *speaking,
            _TAU_FLAG,
        ),
        states=(
            State("v", "v_rest", "mV", "Membrane potential", kind=roles.MEMBRANE_POTENTIAL),
            *(State(f"s{k}", 0.0, "mV", "Input in this step") for k in inputs),
        ),
        receptors=tuple(Receptor(f"r{k}", f"s{k}", "mV") for k in inputs),
        source=_SOURCE,
        references=_REFERENCES,
    )
