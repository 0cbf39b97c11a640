"""The rate code: activations are represented by firing rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.choices import OVER, SETTLE
from bioconv.ground.options import check, choice, flag, number, whole


@dataclass(frozen=True, repr=False)
class RateCode(Code):
    """Represent an activation a by the firing rate ``a / scale * max_rate``.

    Parameters
    ----------
    percentile : float
        The scale of a layer is this percentile of its activations on the calibration data; 100 is
        the maximum (rueckauer 3.2.2, mueller 3.3.1).
    normalization : {"layer", "channel", "none"}
        Use one scale per layer, one per channel (mueller Eq 4.5), or a scale of 1 everywhere.
    over : {"positive", "all"}
        Whether the percentile is taken over the positive activations or over all of them,
        including zeros.  The papers use all ("total activity distribution", rueckauer 3.2.2;
        "absolute activity distribution", mueller 3.3.1).  The default uses the positive ones, so
        that a given percentile cuts off the same share of the active neurons in every layer;
        taken over all activations, it cuts off more of them the sparser a layer is.
    initial : {"half", "zero"}
        Membrane potential at the start: half the threshold makes the quantisation unbiased
        (mueller Eqs 4.6-4.12), whereas zero rounds every rate down.
    clamp : int
        d of mueller Eq 4.4: a layer is held at its initial potential for d steps longer than the
        preceding layer, until the first, irregular spikes of that layer are over.  With 1, each
        layer starts exactly when its first input can arrive; with 0, no layer is clamped.  The
        default duration of a sample grows with the clamp and the depth of the network
        (`bioconv.codes.rate.network.default_steps`).
    input : {"current", "regular", "poisson"}
        Samples are presented as constant currents (rueckauer 3.4), or by spike sources whose
        regular rate or spike probability is the sample divided by the largest magnitude in the
        calibration data.  Inputs with negative values get ON and OFF sources.
    readout : {"potential", "count", "softmax"}
        Outputs are read from the membrane potential of neurons that never spike, from spike
        counts, or from the spikes of an external Poisson generator, which a softmax of the
        potentials distributes among the output neurons (rueckauer 3.5).
    readout_rate : float
        Rate of that generator in Hz.
    competition : {"accumulated", "mean"}
        Argument of that softmax: the potential accumulated so far, in mV, as in the paper (one
        neuron soon receives all spikes), or its mean over time, which represents the analog value
        (the shares of spikes converge to the softmax of the analog network).
    max_rate : float
        Firing rate in Hz that represents the scale of a layer.  With 0, it is one spike per step
        for perfect integrators, and for other neurons 130 Hz or the highest rate that the neuron
        reaches, whichever is lower.
    max_pool_estimate : {"exponential", "count"}
        How a max-pooling gate estimates the rates of its inputs (rueckauer 3.6).
    balance_delays : bool
        Whether projections that skip layers are delayed by as much as the longest path, so that
        the spikes of all branches arrive together; otherwise every delay is one step.
    noise : {"auto", "none"} or float
        Current noise in every neuron that is not a perfect integrator: the standard deviation of
        the mean current over 1 ms in pA (see `bioconv.neurons.with_noise`), no noise, or "auto".
        With "auto", neurons whose f-I curve is far from a straight line, for example because the
        rate jumps at onset, get the noise that makes the curve straightest; the curve is then
        measured with this noise.
    correction : bool
        Whether to fit a gain and a bias for each channel on the calibration data, layer by layer,
        such that the measured curve of the neuron comes closest to the activations
        (`bioconv.codes.rate.correction`).  It has no effect for perfect integrators and for
        networks that were trained with the curve.
    irregularity : float
        Used by the correction: variance of the input of a neuron, as a share of the variance of
        regular spike trains with random phases.  Spike trains in small networks are synchronised,
        so that 0.1 fits best; those in deep networks are not, so that 1 fits best.
    settle : float
        Share of the duration after which the outputs of neurons that are not perfect integrators
        are read, unless their synapses are delta pulses.  By then the synaptic currents have built
        up, and adaptation and the first, synchronous spikes are over.  Neurons whose threshold
        cannot be put out of reach are not clamped.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

    Notes
    -----
    The defaults were chosen by the agreement with the analog network on published models.  Except
    for d, they are those of mueller 4.2.2: scales per channel converge faster than scales per
    layer; percentile 99.9 reduces the agreement by up to 1 % through saturation, 99.99 by at most
    0.2 %.  Without the clamp, the first, irregular spikes of a layer make neurons fire that should
    be silent: a ResNet-8 agrees on 96 % of 100 images after 200 steps with d = 1, and on all of
    them with d = 5.  Counting gates give the exact maximum of the spike counts of their sources;
    exponential ones fire too often.

    Layers that no neuron computes (attention, normalizations of samples, softmax between layers,
    products, sigmoid gates, embeddings) stay analog, as in mueller 4.4: an analog stage computes
    them from the spikes so far (`bioconv.network.AnalogStage`), and drives perfect integrators such
    that their mean input is the layer's value at the mean rates.  Tokens are always numbers,
    whatever ``input`` is.

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
    remedy = (
        "More steps or a higher max_rate help, and a percentile of 100 if activations saturate."
    )

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Round activations to multiples of 1 / n_steps.

        The result is the nearest multiple if ``initial`` is "half", and the next lower one if it is
        "zero".  A perfect integrator with a constant current fires at exactly this rate (mueller
        Fig 4.3).
        """
        # The same tolerance as the network, whose membrane starts a hair above (`Grid`).
        start = (0.5 if self.initial == "half" else 0.0) + 1e-9
        spikes = np.floor(np.asarray(activation, np.float64) * n_steps + start)
        return np.clip(spikes / n_steps, 0.0, 1.0)
