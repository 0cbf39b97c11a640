"""The gate of spiking max-pooling."""

from __future__ import annotations

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value

_MOST = 25
_SOURCE = "Rueckauer et al. 2016, arXiv:1612.04052, section 3.6"
_REFERENCES = ("rueckauer2016",)


def MaxGate(n: int, estimate: str = "exponential", **parameters: Value) -> Neuron:
    """Gate that passes on only the spikes of the source with the highest rate.

    Rueckauer 3.6: "output units contain gating functions, which only let spikes from the
    maximally firing neuron pass".  Every source has its own receptor ``p0 ... p{n-1}``, to which
    it sends spikes of weight 1.  ``x{p}`` estimates the rate of source p.

    With the estimate "count", ``x{p}`` is the number of spikes so far, ``m{p}`` the largest number
    among the sources 0 ... p, and ``y`` the number of spikes that have passed.  A spike passes if
    it exceeds the previous maximum, so that the gate has fired exactly as often as the source with
    the most spikes.

    With the estimate "exponential", ``s{p}`` is the spike of source p in the current step, which
    the next integration resets.  The gate fires when the source with the largest estimate (for
    ties, the one with the lowest index) has spiked; ``g{p}`` is the spike of that source among
    0 ... p.  Two sources with similar rates overtake each other with every spike, so that the gate
    fires too often.

    Parameters
    ----------
    n : int
        Number of sources, from 2 to 25.
    estimate : {"exponential", "count"}
        The estimate increases by 1 with every spike, and decays with ``tau`` or never.
    **parameters : float or ndarray
        tau 20 ms (exponential estimate).

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    if not isinstance(n, int) or not 2 <= n <= _MOST:
        raise ParameterError(
            f"A max gate takes 2 to {_MOST} sources. Received: {n!r}. Split a larger pool into "
            "two layers of gates."
        )
    if estimate not in ("exponential", "count"):
        raise ParameterError(f"estimate must be one of exponential, count. Received: {estimate!r}.")
    return _count_gate(n, parameters) if estimate == "count" else _exponential_gate(n, parameters)


def _count_gate(n: int, parameters: dict[str, Value]) -> Neuron:
    sources = range(n)
    model = NeuronModel(
        name=f"max_gate_count_{n}",
        kind=roles.MAX_GATE,
        equations="\n".join(
            [
                *(f"dx{p}/dt = 0 * Hz : 1" for p in sources),
                "dy/dt = 0 * Hz : 1",
                "m0 = x0 : 1",
                *(_running_maximum(p) for p in sources[1:]),
            ]
        ),
        threshold=f"m{n - 1} > y + margin",
        reset="y += 1",
        method="exponential_euler",
        parameters=(
            Parameter("margin", 0.5, "1", "Lead in spikes for which a spike passes", (1e-9, 1.0)),
        ),
        states=(
            *(State(f"x{p}", 0.0, "1", f"Spikes of source {p}") for p in sources),
            State("y", 0.0, "1", "Spikes that have passed", kind=roles.MARK),
        ),
        receptors=tuple(Receptor(f"p{p}", f"x{p}", "1") for p in sources),
        current="",
        source=_SOURCE,
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def _exponential_gate(n: int, parameters: dict[str, Value]) -> Neuron:
    sources = range(n)
    model = NeuronModel(
        name=f"max_gate_exponential_{n}",
        kind=roles.MAX_GATE,
        equations="\n".join(
            [
                *(f"dx{p}/dt = -x{p} / tau : 1" for p in sources),
                *(f"ds{p}/dt = -s{p} / tau_flag : 1" for p in sources),
                "m0 = x0 : 1",
                "g0 = s0 : 1",
                *(f"{_running_maximum(p)}\n{_leader(p)}" for p in sources[1:]),
            ]
        ),
        threshold=f"g{n - 1} > 0.5",
        reset="",
        method="exponential_euler",
        parameters=(
            Parameter(
                "tau_flag", 1e-6, "ms", "Decay time of the flag of a new spike", (1e-9, 1e-3)
            ),
            Parameter(
                "tau",
                20.0,
                "ms",
                "Averaging time of the estimate",
                (1e-9, 1e9),
                role=roles.TIME_CONSTANT,
            ),
        ),
        states=(
            *(State(f"x{p}", 0.0, "1", f"Estimated rate of source {p}") for p in sources),
            *(State(f"s{p}", 0.0, "1", f"Spike of source {p} in this step") for p in sources),
        ),
        receptors=tuple(Receptor(f"p{p}", f"x{p}", "1", also=(f"s{p}",)) for p in sources),
        current="",
        source=_SOURCE,
        references=_REFERENCES,
    )
    return Neuron(model, parameters)


def _running_maximum(p: int) -> str:
    return f"m{p} = clip(x{p}, m{p - 1}, 1e30) : 1"


def _leader(p: int) -> str:
    before = p - 1
    return f"g{p} = int(x{p} > m{before}) * s{p} + int(x{p} <= m{before}) * g{before} : 1"
