"""The rate code: an activation is a firing rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.calibration import OVER
from bioconv.codes.common.driving import SETTLE
from bioconv.ground.options import check, choice, flag, number, whole


@dataclass(frozen=True)
class RateCode(Code):
    """An activation a becomes the rate ``a / scale * max_rate``.

    Parameters
    ----------
    percentile : float
        The scale of a layer is this percentile of its activations on the calibration data; 100 is
        the maximum (rueckauer 3.2.2, mueller 3.3.1).
    normalization : {"layer", "channel", "none"}
        One scale for each layer, one for each channel (mueller Eq 4.5), or 1 everywhere.
    over : {"positive", "all"}
        Whether the percentile is that of the positive activations or of all, zeros included.  The
        papers take all ("total activity distribution", rueckauer 3.2.2; "absolute activity
        distribution", mueller 3.3.1).  The default takes the positive ones, so that one
        percentile cuts off the same share of the active neurons in every layer; taken over all, it
        cuts off more of them the sparser a layer is.
    initial : {"half", "zero"}
        Membrane potential at the start: half the threshold makes the quantisation unbiased
        (mueller Eqs 4.6-4.12), zero rounds every rate down.
    clamp : int
        d of mueller Eq 4.4: a layer is held at its initial potential for d steps longer than the
        layer before it, until that one's first, uneven spikes are over.  With 1 each layer starts
        exactly when its first input can arrive; 0: no clamp.  The default duration of a sample
        grows with the clamp of deep networks (`bioconv.codes.rate.network.default_steps`).
    input : {"current", "regular", "poisson"}
        Samples as a constant current (rueckauer 3.4), or as spikes of sources whose probability
        or regular rate is the sample divided by the calibration data's largest magnitude; inputs
        with negative values get ON and OFF sources.
    readout : {"potential", "count", "softmax"}
        Outputs from the membrane potential of neurons that never spike, from spike counts, or
        from an external Poisson generator whose spikes a softmax of the potentials distributes
        (rueckauer 3.5).
    readout_rate : float
        Rate of that generator in Hz.
    competition : {"accumulated", "mean"}
        What that softmax takes: the potential that has accumulated so far, in mV, as in the paper
        (one neuron soon gets all spikes), or the analog value that it stands for, the mean over
        time (shares of spikes come to be the softmax of the analog network).
    max_rate : float
        Rate in Hz that stands for the scale of a layer; 0: one spike a step for a perfect
        integrator, for others 130 Hz, or what the neuron can do if that is less.
    max_pool_estimate : {"exponential", "count"}
        How a max-pooling gate estimates the rates of its inputs (rueckauer 3.6).
    balance_delays : bool
        A projection that skips layers is delayed as long as the longest path, so that branches
        arrive together; otherwise every delay is one step.
    noise : {"auto", "none"} or float
        Current noise in every neuron that is no perfect integrator: a standard deviation of the
        mean current over 1 ms (pA; see `bioconv.neurons.with_noise`), none, or "auto":
        that which makes the f-I curve straightest if it lies far from a straight line, as that
        of a neuron whose rate jumps at onset.  The curve is then measured with the noise.
    correction : bool
        Fit gain and bias of each channel on the calibration data, so that the neuron's measured
        curve comes closest to the activations, layer by layer (`bioconv.codes.rate.correction`);
        nothing to do for perfect integrators and for networks that were trained with the curve.
    irregularity : float
        For the correction: by how much the input of a neuron fluctuates, as a share of the
        variance of regular trains with random phases.  The trains of small networks run in step,
        and 0.1 comes nearest; those of deep ones do not: 1.
    settle : float
        Share of the duration after which the outputs of neurons that are no perfect integrators
        are read, unless synapses are delta pulses: synaptic currents have built up, adaptation
        and the first, synchronous spikes are over by then.  Neurons whose threshold cannot be put
        out of reach are not clamped.

    Raises
    ------
    ParameterError
        With all options that are wrong.

    Notes
    -----
    The defaults were chosen by agreement with the analog network on published models, and are
    those of mueller 4.2.2 but for d: scales of channels converge faster than scales of layers;
    percentile 99.9 costs up to 1 % of agreement by saturation, 99.99 at most 0.2 %; and without
    the clamp the first spikes of a layer, which come in uneven order, make neurons fire that
    should be silent: a ResNet-8 agrees on 96 % of 100 images after 200 steps with d = 1, on all
    with d = 5.  Counting gates give the exact maximum of their sources' spikes; exponential ones
    fire too often.

    Examples
    --------
    >>> RateCode(initial="zero").encode(np.array([0.29, 2.0]), 10).tolist()
    [0.2, 1.0]
    >>> RateCode().encode(np.array([0.29, -1.0]), 10).tolist()
    [0.3, 0.0]
    """

    percentile: float = number(99.99, 0.0, 100.0, above=True)
    normalization: str = choice("channel", ("layer", "channel", "none"))
    over: str = choice("positive", OVER)
    initial: str = choice("half", ("half", "zero"))
    clamp: int = whole(5, 0)
    input: str = choice("current", ("current", "regular", "poisson"))
    readout: str = choice("potential", ("potential", "count", "softmax"))
    readout_rate: float = number(1000.0, 0.0, above=True)
    competition: str = choice("accumulated", ("accumulated", "mean"))
    max_rate: float = number(0.0, 0.0)
    max_pool_estimate: str = choice("count", ("exponential", "count"))
    balance_delays: bool = flag(True)
    noise: str | float = number("auto", 0.0, besides=("auto", "none"))
    correction: bool = flag(True)
    irregularity: float = number(0.1, 0.0)
    settle: float = number(SETTLE, 0.0, 1.0, below=True)

    name = "rate"
    references = ("rueckauer2016", "mueller2023", "mueller2021")
    builder = "bioconv.codes.rate.network"

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """The nearest multiple of 1/n_steps (half the threshold) or the next lower one (zero).

        A perfect integrator with a constant current gives exactly this rate: mueller Fig 4.3.
        """
        # The same tolerance as the network, whose membrane starts a hair above (`Grid`).
        start = (0.5 if self.initial == "half" else 0.0) + 1e-9
        spikes = np.floor(np.asarray(activation, np.float64) * n_steps + start)
        return np.clip(spikes / n_steps, 0.0, 1.0)
