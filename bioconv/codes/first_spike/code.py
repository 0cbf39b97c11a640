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

    With the threshold "dynamic" a neuron fires twice: an announcing neuron beside it fires as
    soon as its input is positive, and raises the threshold of all of its targets until the spike
    itself comes.

    A ReLU with a threshold, below which it is zero (`bioconv.keras.ClampedReLU`), can be carried:
    it stops firing at the time that stands for the threshold.  One with a largest value starts
    at the time that stands for that.

    Parameters
    ----------
    threshold : {"base", "dynamic"}
    unit_steps : int
        Steps to the spike of the full scale: input of the full scale fires after as many.
    missing : float
        Share of an announced weight by which it raises a dynamic threshold.
    readout : {"level", "first_spike"}
        Outputs from the potential of neurons that never fire, as the mean current; or from who
        fires first.  With the latter an output is not the activation, but its order is.

    Raises
    ------
    ParameterError
        With all options that are wrong.

    Notes
    -----
    Rueckauer and Liu raise the threshold by the whole weight.  Announced neurons that never fire
    then block the layers behind them: of a LeNet-5 nothing arrives at the output within 30
    units of time.  A tenth is enough to hold back neurons whose input is about to come.

    Examples
    --------
    >>> FirstSpikeCode(unit_steps=4).encode(np.array([1.0, 0.5, 0.3, 0.1]), 16).round(3).tolist()
    [1.0, 0.5, 0.286, 0.0]
    """

    threshold: str = choice("base", ("base", "dynamic"))
    unit_steps: int = whole(20, 1)
    missing: float = number(0.1, 0.0)
    readout: str = choice("level", ("level", "first_spike"))

    name = "first_spike"
    builder = "bioconv.codes.first_spike.network"

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """The next lower inverse of a whole number of steps, 0 if that is above n_steps."""
        value = np.clip(np.asarray(activation, np.float64), 1e-12, 1.0)
        steps = np.ceil(self.unit_steps / value - 1e-6)
        return np.where(steps <= n_steps, self.unit_steps / steps, 0.0)
