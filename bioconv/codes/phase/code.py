"""The oscillation (phase) code: activations are represented by the phase of a spike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.choices import NORMALIZATIONS
from bioconv.codes.phase.neurons import ADAPTATIONS
from bioconv.ground.options import check, choice, whole


@dataclass(frozen=True, repr=False)
class OscillationCode(Code):
    """Represent an activation a by a spike ``(1 - a / scale) * window`` after a reference phase.

    Mueller 2023, section 6.2.  A global oscillation divides time into windows.  A layer receives
    its input in one window, during which its potential becomes its activation, and transmits in
    the next window, in which the oscillation raises all potentials towards the threshold: larger
    potentials lead to earlier spikes (Eq 6.5), and potentials that are not positive do not lead to
    a spike.  Meanwhile the following layer receives the spikes and weights early spikes more than
    late ones.  No neuron fires before all of its input has arrived, so that the network computes
    the same function as the analog network, up to the resolution of time.  A neuron fires at most
    once.

    Biases are provided by a bias lane (section 6.2.1), with one neuron per window, which fires at
    the start of the window.  Max pooling passes on the first spike of its pooling window.  Branches
    that skip layers are delayed, so that all input of a layer arrives in the same time window.

    Parameters
    ----------
    window_steps : int
        Number of steps of a window, which is the number of values that a spike can represent.
    adaptation : {"amplitude", "duration"}
        How the effect of late spikes is reduced: by their amplitude (6.2.2), or because the
        current that a spike switches on lasts only until the end of the window (6.2.3).
    normalization : {"peak", "bound", "activation"}
        Value of each channel that is scaled to the threshold.  "bound" is the maximum possible
        input for any sample within the range of the calibration data, so that no neuron can fire
        in its listening window (6.2.1); the scale grows from layer to layer, and the resolution of
        a window decreases.  "peak" is the largest sum of the positive contributions on the
        calibration data.  "activation" is the largest activation on the calibration data, which
        has the best resolution but saturates for samples with larger activations.  With the latter
        two, the threshold is out of reach until the listening window is over.
    readout : {"level", "first_spike"}
        Outputs are read from the potential at the end of the last listening window, or from the
        phases at which output neurons fire in an additional window; the first spike determines
        the class.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

    Notes
    -----
    A network of d layers takes ``1 + d (window_steps + 1)`` steps: one step charges the encoders,
    and spikes take one step from layer to layer.  Two equations of the thesis are interpreted
    according to its text: a spike at t is weighted by 1 - t / T, not t / T (Eq 6.4), and a bias is
    a spike at the start of the window, which adds b T q, not b q (Eq 6.6).

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
    remedy = "More window_steps help."

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Round activations to the nearest multiple of 1 / n_steps, for a window of n_steps."""
        steps = np.ceil(np.asarray(activation, np.float64) * n_steps - 0.5)
        return np.clip(steps / n_steps, 0.0, 1.0)
