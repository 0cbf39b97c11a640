"""Axons as neuron models: each relays the spikes of one neuron with delays, losses or extra spikes.

An axon receives at most one spike per step from its neuron, with weight 1, and emits at most one.
The random numbers are standard normal and drawn independently for every axon and step;
probabilities are expressed as quantiles of this distribution.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.model import NeuronModel, Parameter, Receptor, State
from bioconv.neurons.language.neuron import Neuron, Value

#: largest number of slots for spikes under way; each is a state variable of every axon
MOST_SLOTS = 65
#: prefix of the names of axons; nothing depends on it
FAMILY = "axon"
#: state variables for the countdown of a single spike
_COUNTING = 2

_NEVER = 1e3
_BOUNDS = (-_NEVER, _NEVER)
_ARRIVED = State("s", 0.0, "1", "Spike that has arrived in this step", kind=roles.MARK)
_Z_LOSS = Parameter(
    "z_loss", -_NEVER, "1", "Quantile of the probability of a loss", _BOUNDS, role=roles.LOSS
)
_Z_MORE = Parameter(
    "z_spurious",
    _NEVER,
    "1",
    "Quantile above which a spurious spike occurs",
    _BOUNDS,
    role=roles.SPURIOUS,
)
_SIGMA = Parameter(
    "sigma_jitter", 0.0, "ms", "Standard deviation of the delay", (0.0, 1e9), role=roles.JITTER
)
_LATENCY = Parameter(
    "latency", 1.0, "ms", "Mean delay, and largest deviation of it", (0.0, 1e9), role=roles.LATENCY
)


@dataclass(frozen=True)
class AxonKind:
    """Capabilities of the axons of one model.

    Parameters
    ----------
    loss, spurious : bool
        Whether spikes can be lost, and whether spurious spikes can arise.
    slots : int
        An odd number for a random delay from 0 to ``slots - 1`` steps; spikes under way are counted
        in one state variable per slot.  0 for no slots.
    countdown : bool
        Whether the delay of at most one spike under way is counted down in a single variable.
    """

    loss: bool = False
    spurious: bool = False
    slots: int = 0
    countdown: bool = False

    @property
    def delays(self) -> bool:
        """Whether the delay is random."""
        return self.countdown or self.slots > 0


def Axon(kind: AxonKind | None = None, **parameters: Value) -> Neuron:
    """Axon that relays spikes.

    A plain axon emits a spike in the step of its arrival.  An axon with a random delay takes one
    more step plus ``latency + sigma_jitter * x`` rounded to whole steps, with x standard normal and
    deviations of at most ``latency``.  With slots, any number of spikes can be under way; if two
    are due in one step, the second is emitted in the next step, so that none is lost.  With
    ``countdown``, a new spike replaces one that is under way.

    A spike is lost if x is below ``z_loss``, and a spurious spike arises in each step in which x is
    above ``z_spurious`` (`loss_quantile`, `spurious_quantile`).

    Parameters
    ----------
    kind : AxonKind, optional
        Capabilities of the axon; by default it is a plain relay.
    **parameters : float or ndarray
        Those of the following that the kind has: z_loss, z_spurious; sigma_jitter 0 ms,
        latency 1 ms.

    Returns
    -------
    Neuron

    Raises
    ------
    ParameterError
    """
    kind = kind or AxonKind()
    _check(kind)
    keep = "int(s > 0.5) * int(x_loss >= z_loss)" if kind.loss else "int(s > 0.5)"
    lines = ["ds/dt = -s / dt : 1"]
    states, own = [_ARRIVED], []
    if kind.loss:
        lines.append("x_loss = randn() : 1 (constant over dt)")
        own.append(_Z_LOSS)
    if kind.spurious:
        lines.append("x_spurious = randn() : 1 (constant over dt)")
        own.append(_Z_MORE)
    if kind.delays:
        lines += ["x_jitter = randn() : 1 (constant over dt)", f"kept = {keep} : 1"]
        own += [_SIGMA, _LATENCY]
    condition = "s > 0.5 and x_loss >= z_loss" if kind.loss else "s > 0.5"
    reset = ""
    if kind.countdown:
        more, extra, condition, reset = _countdown()
    elif kind.slots:
        more, extra, condition, reset = _slots(kind.slots)
    else:
        more, extra = [], []
    model = NeuronModel(
        name=_name(kind),
        kind=roles.AXON,
        equations="\n".join([*lines, *more]),
        threshold=f"({condition}) or x_spurious > z_spurious" if kind.spurious else condition,
        reset=reset,
        method="euler",
        parameters=tuple(own),
        states=(*states, *extra),
        receptors=(Receptor("syn", "s", "1"),),
        current="",
        source="bioconv; see bioconv.noise for the imperfections that it models",
    )
    return Neuron(model, parameters)


def is_axon(model: NeuronModel) -> bool:
    """Whether a model is declared as an axon."""
    return model.kind == roles.AXON


def kind_of(model: NeuronModel) -> AxonKind:
    """Return the capabilities of a model of axons, from its roles and state variables.

    A delay uses two variables to count down one spike, or one variable per slot, in addition to
    the variable that receives the spikes.
    """
    loss, spurious, jitter = map(model.role, (roles.LOSS, roles.SPURIOUS, roles.JITTER))
    delay = len(model.states) - 1 if jitter else 0
    countdown = delay == _COUNTING
    return AxonKind(bool(loss), bool(spurious), 0 if countdown else delay, countdown)


def model_names() -> list[str]:
    """Return the names of the models of all kinds."""
    ways = [AxonKind(), AxonKind(countdown=True)]
    ways += [AxonKind(slots=n) for n in range(3, MOST_SLOTS + 1, 2)]
    return [
        _name(replace(way, loss=loss, spurious=spurious))
        for way in ways
        for loss in (False, True)
        for spurious in (False, True)
    ]


def loss_quantile(probability: float) -> float:
    """Return the parameter ``z_loss`` for a probability of loss."""
    from scipy.special import ndtri  # takes long to import

    return float(np.clip(ndtri(probability), *_BOUNDS))


def loss_probability(quantile: Value) -> NDArray[np.float64]:
    """Return the probability of loss for the parameter ``z_loss``."""
    from scipy.special import ndtr  # takes long to import

    return np.asarray(ndtr(quantile), np.float64)


def spurious_quantile(rate: float, dt: float) -> float:
    """Return the parameter ``z_spurious`` for spurious spikes at ``rate`` (Hz) and a step dt (ms).

    Spurious spikes follow a Poisson process, but with at most one per step.
    """
    from scipy.special import ndtri  # takes long to import

    return float(np.clip(-ndtri(-np.expm1(-rate * dt * 1e-3)), *_BOUNDS))


def spurious_rate(quantile: Value, dt: float) -> NDArray[np.float64]:
    """Return the rate of spurious spikes in Hz for the parameter ``z_spurious``."""
    from scipy.special import ndtr  # takes long to import

    return np.asarray(-np.log1p(-ndtr(np.negative(quantile))) / dt * 1e3, np.float64)


def extra_steps(kind: AxonKind, latency_steps: int) -> int:
    """Return the mean delay in steps between a neuron and its axon; ``latency`` is in steps."""
    return 2 + latency_steps if kind.delays else 1


def _check(kind: AxonKind) -> None:
    problems = []
    if kind.slots and kind.countdown:
        problems.append("an axon has slots or counts down one spike, not both")
    if kind.slots and not (kind.slots % 2 and 3 <= kind.slots <= MOST_SLOTS):
        problems.append(f"slots must be odd, from 3 to {MOST_SLOTS}, received {kind.slots!r}")
    if problems:
        raise ParameterError(f"Axon: {'; '.join(problems)}.")


def _name(kind: AxonKind) -> str:
    parts = [FAMILY, "countdown" if kind.countdown else f"slots_{kind.slots}" if kind.slots else ""]
    parts += ["lossy" if kind.loss else "", "spurious" if kind.spurious else ""]
    return "_".join(part for part in parts if part)


def _slots(n: int) -> tuple[list[str], list[State], str, str]:
    """Return the parts of a shift register, in which ``q{j}`` counts the spikes due in j steps."""
    steps = "clip(floor((latency + sigma_jitter * x_jitter) / dt + 0.5), 0, 2 * latency / dt)"
    lines = [
        f"n_late = {steps} : 1",
        *(f"a{j} = kept * int(abs(n_late - {j}) < 0.5) : 1" for j in range(n)),
        "dq0/dt = (q1 + a0) / dt : 1",
        *(f"dq{j}/dt = (q{j + 1} + a{j} - q{j}) / dt : 1" for j in range(1, n - 1)),
        f"dq{n - 1}/dt = (a{n - 1} - q{n - 1}) / dt : 1",
    ]
    states = [State(f"q{j}", 0.0, "1", f"Spikes that come due in {j} steps") for j in range(n)]
    return lines, states, "q0 > 0.5", "q0 = clip(q0 - 1, 0, 1e30)"


def _countdown() -> tuple[list[str], list[State], str, str]:
    """Return the parts of a countdown, in which ``left`` is the time until the pending spike."""
    lines = [
        "delayed = latency + clip(sigma_jitter * x_jitter, -latency, latency) : second",
        "dwaits/dt = kept / dt : 1",
        "dleft/dt = kept * (delayed - left) / dt - waits : second",
    ]
    states = [
        State("waits", 0.0, "1", "Whether a spike is on its way", kind=roles.MARK),
        State("left", 0.0, "ms", "Time until it comes due", kind=roles.MARK),
    ]
    return lines, states, "waits > 0.5 and left < 0.5 * dt", "waits = waits * int(left >= 0.5 * dt)"
