"""The first-spike code, base and with dynamic threshold: a rate is the inverse of a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.ground.options import check, choice, number, whole


@dataclass(frozen=True)
class FirstSpikeCode(Code):
    """An input a becomes one spike at ``unit_steps * scale / a``: the larger, the earlier.

    Rueckauer and Liu 2018, as in mueller 6.1.  A spike switches on a current for good (Eq 6.1)
    and a neuron fires once, when its potential reaches the threshold (Eq 6.2); the inverse of
    that time is its instantaneous rate.  Nothing waits for anything, and the code is approximate
    for two reasons.  A neuron fires as soon as it can, before inputs of the other sign have come,
    and what comes later is lost: `bioconv.premature_spikes` counts how often that happens.  And a
    current flows from the arrival of a spike only, so that the times of all layers on the way add
    up: activations of deep layers come out smaller and more alike than they are, their order
    stays.  More steps let smaller activations arrive, but make outputs more alike.  For exact
    codes see `bioconv.OscillationCode` and `bioconv.FirstSpikeExactCode`.

    With the threshold "dynamic" a neuron fires twice: when its potential crosses the threshold for
    the first time, which announces that an activation is on its way, and, after that has taken the
    potential back by a threshold, when it crosses the threshold once more, which is the message.
    An announcement raises the thresholds of all targets by the magnitude of the weight, and the
    message lowers them again, so that targets wait for what has been announced.

    A ReLU with a threshold, below which it is zero (`bioconv.keras.ClampedReLU`), can be carried:
    it stops firing at the time that stands for the threshold.  One with a largest value starts
    at the time that stands for that.

    Parameters
    ----------
    threshold : {"base", "dynamic"}
    unit_steps : int
        Steps to the spike of the full scale: input of the full scale fires after as many.  With a
        dynamic threshold this is the second spike, and the first comes after half of them.
    missing : float
        Share of an announced weight by which it raises a dynamic threshold; 1 is the whole weight.
    readout : {"level", "first_spike"}
        Outputs from the potential of neurons that never fire, as the mean current; or from who
        fires first.  With the latter an output is not the activation, but its order is.

    Raises
    ------
    ParameterError
        With all options that are wrong.

    Notes
    -----
    The thesis says of the dynamic threshold that "neurons fire twice: first, to signal a missing
    input and second, to contain the encoded information", but not when the first spike is emitted.
    Three readings were tried on the LeNet-5 of its Table 6.1, which counts 1.92 times the spikes of
    the base code and less than half of its loss.  (1) As soon as the current is positive, as in
    the published program of Rueckauer and Liu: most announced neurons never fire, so that there
    are about four times as many spikes, and with the whole weight the layers behind are blocked.
    (2) At the first crossing, without a reset: the second spike follows at once, and the loss of
    the base code remains.  (3) At the first crossing, with a reset ("resetting the neuron's state
    to zero"), which gives about twice as many spikes and a smaller loss.  The third is the one that
    is built; `python -m paper_figures run mueller_table_6_1` has its numbers.

    The message is a crossing of twice the threshold, starting from zero: the potential starts one
    threshold below zero, and a second population with the same input, which starts at zero, emits
    the announcements.

    Examples
    --------
    >>> FirstSpikeCode(unit_steps=4).encode(np.array([1.0, 0.5, 0.3, 0.1]), 16).round(3).tolist()
    [1.0, 0.5, 0.286, 0.0]
    """

    threshold: str = choice("base", ("base", "dynamic"))
    unit_steps: int = whole(20, 1)
    missing: float = number(1.0, 0.0)
    readout: str = choice("level", ("level", "first_spike"))

    name = "first_spike"
    references = ("mueller2023", "rueckauer2018")
    builder = "bioconv.codes.first_spike.network"

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """The next lower inverse of a whole number of steps, 0 if that is above n_steps."""
        value = np.clip(np.asarray(activation, np.float64), 1e-12, 1.0)
        steps = np.ceil(self.unit_steps / value - 1e-6)
        return np.where(steps <= n_steps, self.unit_steps / steps, 0.0)
