"""The oscillation (phase) code: an activation is the phase at which a neuron fires."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.headroom import NORMALIZATIONS
from bioconv.codes.phase.neurons import ADAPTATIONS
from bioconv.ground.options import check, choice, whole


@dataclass(frozen=True)
class OscillationCode(Code):
    """An activation a is a spike at ``(1 - a / scale) * window`` after a reference phase.

    Mueller 2023, section 6.2.  A global oscillation divides time into windows.  A layer listens
    in one window, in which its potential becomes its activation, and transmits in the next one,
    in which the oscillation lifts every membrane to the threshold: the larger the potential,
    the earlier the spike (Eq 6.5); no spike for potentials that are not positive.  The layer
    behind listens meanwhile, and lets early spikes weigh more than late ones.  So nothing fires
    before all of its inputs have come, and the network computes what the analog one computes, up
    to the resolution of time.  A neuron fires at most once.

    Biases come from a bias lane (section 6.2.1): one neuron for each window, which fires at its
    start.  Max pooling passes on the first spike of its window; branches that skip layers are
    delayed, so that all inputs of a layer come in the same window.

    Parameters
    ----------
    window_steps : int
        Steps of a window: the number of values that a spike can tell apart.
    adaptation : {"amplitude", "duration"}
        How a late spike is made to weigh less: by its amplitude (6.2.2), or because the current
        that it switches on lasts to the end of the window only (6.2.3).
    normalization : {"peak", "bound", "activation"}
        What of each channel is put at the threshold.  "bound": the maximum possible input, for
        any sample within the range of the calibration data, so that no neuron can fire while it
        listens (6.2.1); the scale grows from layer to layer, and a window resolves less.  "peak":
        the largest sum of the positive contributions on the calibration data, and "activation":
        the largest activation on them, which resolves most, but saturates where a sample has a
        larger one.  With these two the threshold is out of reach until the listening window is
        over.
    readout : {"level", "first_spike"}
        Outputs from the potential at the end of the last listening window, or from the phases at
        which output neurons fire in one window more: the class is known with the first of them.

    Raises
    ------
    ParameterError
        With all options that are wrong.

    Notes
    -----
    A network of d layers takes ``1 + d (window_steps + 1)`` steps: one charges the encoders, and
    spikes are under way for one between two layers.  Two of the thesis's equations are read as
    its text says: a spike at t weighs 1 - t / T, not t / T (Eq 6.4), and a bias is a spike at the
    start of the window, which adds b T q, not b q (Eq 6.6).

    Examples
    --------
    >>> OscillationCode(window_steps=10).encode(np.array([0.26, -1.0, 2.0]), 10).tolist()
    [0.3, 0.0, 1.0]
    """

    window_steps: int = whole(128, 2)
    adaptation: str = choice("amplitude", ADAPTATIONS)
    normalization: str = choice("peak", NORMALIZATIONS)
    readout: str = choice("level", ("level", "first_spike"))

    name = "phase"
    references = ("mueller2023", "mueller2022oscillations")
    builder = "bioconv.codes.phase.network"

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """The nearest multiple of 1 / n_steps, for a window of n_steps."""
        steps = np.ceil(np.asarray(activation, np.float64) * n_steps - 0.5)
        return np.clip(steps / n_steps, 0.0, 1.0)
