"""The exact time-to-first-spike code: an activation is how early a neuron fires its only spike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.ground.options import check, choice, is_number, number


@dataclass(frozen=True)
class FirstSpikeExactCode(Code):
    """A neuron that carries the activation a fires once, ``a * time_unit`` before its window ends.

    Stanojevic 2023, thesis, chapter 2 (Algorithms 1 and 2): every ReLU network becomes a network
    of integrate-and-fire neurons that computes the same function exactly.  A spike changes the
    slope of the potentials that it reaches; windows of the layers follow one another, so that all
    input of a neuron has come before it may fire.

    Parameters
    ----------
    slope : {"constant", "positive", "identical"}
        How the weights J follow from those of the scaled analog network, w:
        ``J = alpha w / (1 - sum(w))`` with alpha = 1 for all neurons (Eq 2.3); the same with
        layers scaled such that no neuron ever falls (Eq 2.4); or J = w, with a slope parameter
        ``alpha = 1 - sum(w)`` of each neuron (Eq 2.6, linearly mappable condition Eq 3.9).
    ramp : {"previous", "own"}
        Slope alpha from the opening of the previous window (Eq 2.2), or of the neuron's own
        (Eq 3.2).
    threshold : {"held", "constant", "falling"}
        Out of reach until the window opens, as the theorem wants it; the same at all times, where
        a neuron can fire before all its input has come (thesis 2.4.2 (iv)); or falling in place of
        the rising potential (Eq 2.5), at all times as well; with ``ramp="own"`` nothing rises
        before the window, and "falling" is the same as "constant".
    inactive : {"fire", "silent"}
        Neurons whose activation is 0 fire when their window closes, or not at all (thesis 2.2.3,
        less than one spike per neuron).
    zeta : float
        Windows are (1 + zeta) times as long as the largest activation on the calibration data
        needs (Algorithm 2), or that at the percentile.
    percentile : float
        In (0, 100]: percentile of all outputs of a layer on the calibration data, zeros included,
        which is taken in place of the largest one (thesis 3.6.3 (ii), (iv): 100, 99, 95, 92, 90).
        Neurons with a larger activation fire when their window opens.
    normalization : {"layer", "none"}
        Scale every layer to a largest activation of 1 first (1 at the percentile), so that windows
        are about equally long, or only where delta and b_low demand it (Eqs 2.16-2.19), as the
        thesis does.
    delta, b_low : float
        The weights of a neuron sum up to at most 1 - delta (Eq 2.16) and at least -b_low
        (Eq 2.18).
    time_unit : float
        Time in ms that stands for the activation 1 of the scaled network.
    input_range : tuple of (float, float), optional
        p and q of Eqs 2.12, 2.13: inputs outside are cut off.  Default: from the calibration data.

    Raises
    ------
    ParameterError
        With all options that are wrong.

    Notes
    -----
    Eq 2.4 asks for an alpha so large that a neuron rises even if all inhibitory spikes come first.
    But J is proportional to alpha, so the condition does not depend on it: it holds if and only if
    the positive weights w of each neuron sum up to less than 1.  So "positive" scales layers
    until their sums are at most 1 - delta.

    A zero-padded cell counts as a neuron that fires when the window closes (thesis Fig 2.1):
    neurons at the border get its weight as a current then.

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
    time_unit: float = number(10.0, 0.0, above=True)
    input_range: tuple[float, float] | None = None

    name = "first_spike_exact"
    references = ("stanojevic2023", "stanojevic2022")
    builder = "bioconv.codes.first_spike_exact.network"

    def __post_init__(self) -> None:
        problems = []
        if self.input_range is not None and not _is_range(self.input_range):
            problems.append(
                f"input_range must be two numbers p < q. Received: {self.input_range!r}."
            )
        check(self, problems)
        if self.input_range is not None:
            low, high = map(float, self.input_range)
            object.__setattr__(self, "input_range", (low, high))

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """The nearest of ``n_steps + 1`` values of a window that is one time unit long.

        In the event simulator nothing is rounded.
        """
        nearest = np.floor(np.asarray(activation, np.float64) * n_steps + 0.5)
        return np.clip(nearest / n_steps, 0.0, 1.0)


def _is_range(value: object) -> bool:
    fits = np.shape(value) == (2,) and all(map(is_number, value))  # type: ignore[call-overload]
    return bool(fits and value[0] < value[1])  # type: ignore[index]
