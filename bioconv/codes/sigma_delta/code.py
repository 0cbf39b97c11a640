"""The sigma-delta code: signed spikes say how a quantised activation changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.calibration import OVER
from bioconv.ground.options import check, choice, flag, number, whole

_CHOICES = {
    "normalization": ("layer", "channel", "none"),
    "over": OVER,
    "initial": ("half", "zero"),
    "input": ("timed", "binary", "current"),
    "pooling": ("inside", "gates"),
    "readout": ("potential", "spikes"),
}
_STEPS = tuple(2**n for n in range(3, 13))


@dataclass(frozen=True)
class SigmaDeltaCode(Code):
    """An activation is the number of ON spikes minus that of OFF spikes, times a threshold.

    Yousefzadeh et al. 2019, Algorithm 1.  A neuron adds up signed spikes and is never reset
    within a sample.  Whenever its rectified potential is a threshold or more away from what its
    spikes have said so far, it sends a spike, positive or negative: the quantisation has a
    hysteresis of one level, so an activation is off by less than one threshold.  Every neuron is
    an ON and an OFF cell.  The sample comes as one spike a pixel, the brightest first.

    Parameters
    ----------
    threshold : float
        The quantisation level, as a share of the layer's scale; in units of the activation with
        ``normalization="none"``, as in the paper.
    normalization : {"layer", "channel", "none"}
        One scale for each layer, for each channel, or 1 everywhere.
    percentile : float
        The scale of a layer is this percentile of its activations on the calibration data, in
        (0, 100].
    over : {"positive", "all"}
        Whether the percentile is that of the positive activations or of all, zeros included.
    balance : bool
        Finer levels for layers with fewer neurons, whose spikes are fewer (the cube root of the
        number of neurons); the paper has one threshold for all.
    correction : bool
        A spike is worth what it says on average if activations are rounded as they rise, by least
        squares on the calibration data, and the average of what remains unsaid is added to the
        biases.
    initial : {"half", "zero"}
        Whether a neuron starts half a level above its bias, so that it rounds to the nearest level.
    input : {"timed", "binary", "current"}
        A spike of a pixel is worth the intensity that its time tells, or 1 as in the paper (the
        first layer then sees black and white); or the sample is a current in the first step, and
        no pixel spikes.
    input_threshold : float
        Darker pixels stay silent; in units of the largest magnitude in the calibration data.
        Rounded up to the grid of ``input_steps``, on which spikes are: with 16 steps 0.2 becomes
        0.25 (``effective_input_threshold`` in the record of the network).
    input_steps : int
        Steps from the spikes of the highest intensity to where those of zero would be: a power
        of 2 from 8 to 4096.
    settle : int
        Steps after the last pixel and the longest path, in which neurons with more than one
        spike to send do so.
    pooling : {"inside", "gates"}
        Whether a neuron pools the potentials of a window itself, so that only the maximum is
        communicated, or all are, to gates that follow the largest; gates where something else
        uses what is pooled, or the sample is a current.
    readout : {"potential", "spikes"}
        An output is the sum of all that has arrived; or, as in the paper, the output neurons
        follow Algorithm 1 as all others do, and an output is the number of their ON spikes minus
        that of their OFF spikes, in levels: a whole number of levels, and never below zero.

    Raises
    ------
    ParameterError
        With all options that are wrong.

    Notes
    -----
    The set-up of the paper is ``SigmaDeltaCode(threshold=1.0, normalization="none",
    balance=False, input="binary", readout="spikes")`` with ``simulator="event"``: one threshold
    in the unit of the analog network, black and white pixels, no time step, and the class with
    the most output spikes.

    On the grid the defaults give about a quarter of a spike a neuron on an MNIST network with max
    pooling.  Few ``input_steps`` save spikes: pixels that come together add up before a neuron is
    asked, which else would send a spike for one and take it back for the next.  The event
    simulator, in which hardly any two pixels come together, has more.

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

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """What up to ``n_steps`` spikes make of an activation that rises from 0, in [0, 1].

        Rising values are rounded down to whole levels (Fig 1, the branch upwards).
        """
        levels = np.floor(np.asarray(activation, np.float64) / self.threshold + 1e-9)
        return np.clip(np.minimum(levels, n_steps) * self.threshold, 0.0, 1.0)
