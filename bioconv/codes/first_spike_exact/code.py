"""The exact time-to-first-spike code: activations are represented by the time of one spike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.rounding import nearest
from bioconv.ground.options import check, choice, is_number, number


@dataclass(frozen=True, repr=False)
class FirstSpikeExactCode(Code):
    """Represent an activation a by one spike, ``a * time_unit`` before the end of a window.

    Stanojevic 2023, thesis, chapter 2 (Algorithms 1 and 2): every ReLU network is mapped to a
    network of integrate-and-fire neurons that computes exactly the same function.  A spike changes
    the slope of the potentials of its targets.  The windows of the layers follow one another, so
    that all input of a neuron has arrived before the neuron may fire.

    Parameters
    ----------
    slope : {"constant", "positive", "identical"}
        How the weights J are computed from the weights w of the scaled analog network:
        ``J = alpha w / (1 - sum(w))`` with alpha = 1 for all neurons (Eq 2.3); the same with
        layers scaled such that no potential ever decreases (Eq 2.4); or J = w, with a slope
        parameter ``alpha = 1 - sum(w)`` for each neuron (Eq 2.6, linearly mappable condition
        Eq 3.9).
    ramp : {"previous", "own"}
        Whether the slope alpha applies from the opening of the previous window (Eq 2.2) or of
        the neuron's own window (Eq 3.2).
    threshold : {"held", "constant", "falling"}
        The threshold is out of reach until the window opens, as the theorem requires; it is
        constant at all times, so that a neuron may fire before all its input has arrived (thesis
        2.4.2 (iv)); or it is within reach at all times as well and falls, in place of the rising
        potential (Eq 2.5).  With ``ramp="own"`` nothing rises before the window, so that "falling"
        is the same as "constant".
    inactive : {"fire", "silent"}
        Whether neurons whose activation is 0 fire when their window closes, or not at all (thesis
        2.2.3, less than one spike per neuron).
    zeta : float
        Windows are (1 + zeta) times as long as required by the largest activation on the
        calibration data (Algorithm 2), or by the activation at the percentile.
    percentile : float
        Percentile of all outputs of a layer on the calibration data, including zeros, which is
        used in place of the largest output, in (0, 100] (thesis 3.6.3 (ii), (iv): 100, 99, 95, 92,
        90).  Neurons with a larger activation fire when their window opens.
    normalization : {"layer", "none"}
        Whether every layer is first scaled to a largest activation of 1 (or an activation of 1 at
        the percentile), so that windows have about the same length, or only where delta and b_low
        require it (Eqs 2.16-2.19), as in the thesis.
    delta, b_low : float
        The sum of the weights of a neuron is at most 1 - delta (Eq 2.16) and at least -b_low
        (Eq 2.18).
    response : {"linear", "double_exponential"}
        Postsynaptic potential: a spike raises the potential with a constant slope (Eq 3.14), as
        the theorem requires, or by ``(1 - exp(-t / tau_1)) exp(-t / tau_2)`` (Eq 3.15), which has
        the same slope at first.  The second one is approximate, and needs a held or constant
        threshold and ``inactive="fire"``.  Its threshold is the potential that a neuron without
        input reaches at the end of its window.
    tau_1 : float
        Time constant of the rise of a double-exponential response, in units of the longest
        interval from the opening of a layer's source to the end of its own window.  Eq 3.18 asks
        for more than 2.
    tau_2 : float
        Time constant of the decay, in units of ``tau_1``; at least 2.
    time_unit : float
        Time in ms that represents the activation 1 of the scaled network.
    input_range : tuple of (float, float), optional
        p and q of Eqs 2.12, 2.13: inputs outside this range are clipped.  By default, the range
        is taken from the calibration data.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

    Notes
    -----
    Eq 2.4 requires an alpha so large that the potential of a neuron rises even if all inhibitory
    spikes arrive first.  However, J is proportional to alpha, so that the condition does not depend
    on alpha: it holds if and only if the positive weights w of each neuron sum to less than 1.
    Therefore "positive" scales layers such that these sums are at most 1 - delta.

    A zero-padded cell counts as a neuron that fires when the window closes (thesis Fig 2.1), when
    neurons at the border receive its weight as a current.

    Examples
    --------
    >>> FirstSpikeExactCode().encode(np.array([0.524, 2.0, -1.0]), 100).tolist()
    [0.52, 1.0, 0.0]
    """

    slope: str = choice("constant", ("constant", "positive", "identical"))
    ramp: str = choice("previous", ("previous", "own"))
    threshold: str = choice("held", ("held", "constant", "falling"))
    inactive: str = choice("fire", ("fire", "silent"))
    zeta: float = number(0.5, -1.0, above=True)
    percentile: float = number(100.0, 0.0, 100.0, above=True)
    normalization: str = choice("layer", ("layer", "none"))
    delta: float = number(0.1, 0.0, 1.0, above=True, below=True)
    b_low: float = number(10.0, 0.0, above=True)
    response: str = choice("linear", ("linear", "double_exponential"))
    tau_1: float = number(2.0, 0.0, above=True)
    tau_2: float = number(2.0, 2.0)
    time_unit: float = number(10.0, 0.0, above=True)
    input_range: tuple[float, float] | None = None

    name = "first_spike_exact"
    references = ("stanojevic2023", "stanojevic2022")
    builder = "bioconv.codes.first_spike_exact.network"
    remedy = (
        "A longer time_unit or a shorter dt helps, or simulator='event'; for double-exponential "
        "responses, a larger tau_1."
    )

    def __post_init__(self) -> None:
        problems = []
        if self.input_range is not None and not _is_range(self.input_range):
            problems.append(
                f"input_range must be two numbers p < q. Received: {self.input_range!r}."
            )
        if self.response == "double_exponential":
            problems += _unlike_linear(self)
        check(self, problems)
        if self.input_range is not None:
            low, high = map(float, self.input_range)
            object.__setattr__(self, "input_range", (low, high))

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Round activations to the ``n_steps + 1`` values of a window that is one time unit long.

        The event simulator does not round activations.
        """
        return nearest(activation, n_steps)


def _unlike_linear(code: FirstSpikeExactCode) -> list[str]:
    """Return what does not go together with double-exponential responses."""
    wrong = []
    if code.inactive == "silent":
        wrong.append(("inactive", code.inactive, "fire"))
    if code.threshold == "falling":
        wrong.append(("threshold", code.threshold, "held"))
    return [
        f"{name}={value!r} needs linear responses. Use {name}={instead!r} with "
        'response="double_exponential".'
        for name, value, instead in wrong
    ]


def _is_range(value: object) -> bool:
    fits = np.shape(value) == (2,) and all(map(is_number, value))  # type: ignore[call-overload]
    return bool(fits and value[0] < value[1])  # type: ignore[index]
