"""The sigma-delta code: signed spikes represent the changes of a quantised activation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.choices import OVER
from bioconv.ground.options import check, choice, flag, number, whole

_STEPS = tuple(2**n for n in range(3, 13))


@dataclass(frozen=True, repr=False)
class SigmaDeltaCode(Code):
    """Represent an activation by the number of ON minus OFF spikes, times a threshold.

    Yousefzadeh et al. 2019, Algorithm 1.  A neuron sums signed spikes and is never reset within a
    sample.  Whenever its rectified potential differs by a threshold or more from the value that
    its spikes represent so far, it emits a positive or a negative spike: the quantisation has a
    hysteresis of one level, so that the error of an activation is less than one threshold.  Every
    neuron consists of an ON cell and an OFF cell.  Each pixel of the sample spikes once, the
    brightest first.

    Parameters
    ----------
    threshold : float
        Quantisation level as a share of the scale of the layer; with ``normalization="none"``, in
        units of the activation, as in the paper.
    normalization : {"layer", "channel", "none"}
        Use one scale per layer, one per channel, or a scale of 1 everywhere.
    percentile : float
        The scale of a layer is this percentile of its activations on the calibration data, in
        (0, 100].
    over : {"positive", "all"}
        Whether the percentile is taken over the positive activations or over all, including zeros.
    balance : bool
        Whether layers with fewer neurons, which emit fewer spikes, get finer levels (in proportion
        to the cube root of the number of neurons); the paper uses one threshold for all layers.
    correction : bool
        Whether to fit, by least squares on the calibration data, the average value that a spike
        represents when activations are rounded as they rise.  The average remainder, which no
        spike represents, is added to the biases.
    initial : {"half", "zero"}
        Whether a neuron starts half a level above its bias, so that it rounds to the nearest
        level, or at its bias.
    input : {"timed", "binary", "current"}
        The spike of a pixel represents the intensity that is encoded by its time, or the value 1
        as in the paper (the first layer then receives black-and-white images).  With "current",
        the sample is a current in the first step, and pixels do not spike.
    input_threshold : float
        Intensity below which pixels do not spike, in units of the largest magnitude in the
        calibration data.  It is rounded up to the time grid of ``input_steps``: with 16 steps, 0.2
        becomes 0.25 (``effective_input_threshold`` in the record of the network).
    input_steps : int
        Number of steps from the spikes of the highest intensity to those that zero intensity would
        have: a power of 2 from 8 to 4096.
    settle : int
        Number of steps after the last pixel and the longest path, in which neurons can emit their
        remaining spikes.
    pooling : {"inside", "gates"}
        Whether a neuron pools the potentials of a window itself, so that only the maximum is
        communicated, or gates receive all values and follow the largest one.  Gates are always
        used where other layers use the pooled values as well, or the sample is a current.
    readout : {"potential", "spikes"}
        An output is the sum of all input of an output neuron; or, as in the paper, the output
        neurons follow Algorithm 1 like all others, and an output is the number of their ON spikes
        minus that of their OFF spikes: an integer number of levels that is never negative.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

    Notes
    -----
    The setup of the paper is ``SigmaDeltaCode(threshold=1.0, normalization="none",
    balance=False, input="binary", readout="spikes")`` with ``simulator="event"``: one threshold
    in the unit of the analog network, black and white pixels, no time step, and the class with
    the most output spikes.

    On a time grid, the defaults result in about a quarter of a spike per neuron for an MNIST
    network with max pooling.  A small number of ``input_steps`` saves spikes: pixels that arrive in
    the same step are summed first, whereas otherwise a neuron might emit a spike for one pixel and
    revoke it for the next.  In the event simulator, hardly any two pixels arrive at the same time,
    so that there are more spikes.

    Examples
    --------
    >>> SigmaDeltaCode(threshold=0.25).encode(np.array([0.6, -1.0, 1.0]), 10).tolist()
    [0.5, 0.0, 1.0]
    """

    threshold: float = number(0.12, 0.0, above=True)
    normalization: str = choice("channel", ("layer", "channel", "none"))
    percentile: float = number(99.9, 0.0, 100.0, above=True)
    over: str = choice("positive", OVER)
    balance: bool = flag(True)
    correction: bool = flag(False)
    initial: str = choice("zero", ("half", "zero"))
    input: str = choice("timed", ("timed", "binary", "current"))
    input_threshold: float = number(0.2, 0.0, 1.0, below=True)
    input_steps: int = choice(16, _STEPS)
    settle: int = whole(16, 0)
    pooling: str = choice("inside", ("inside", "gates"))
    readout: str = choice("potential", ("potential", "spikes"))

    name = "sigma_delta"
    references = ("yousefzadeh2019",)
    builder = "bioconv.codes.sigma_delta.network"
    remedy = "A smaller threshold helps."

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Quantise activations in [0, 1] that rise from 0, with at most ``n_steps`` spikes.

        Rising values are rounded down to whole levels (Fig 1, upward branch).
        """
        levels = np.floor(np.asarray(activation, np.float64) / self.threshold + 1e-9)
        return np.clip(np.minimum(levels, n_steps) * self.threshold, 0.0, 1.0)
