"""The first-spike code, with constant or dynamic threshold: activations are inverse times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.ground.options import check, choice, number, whole


@dataclass(frozen=True, repr=False)
class FirstSpikeCode(Code):
    """Represent an activation a by one spike at ``unit_steps * scale / a``.

    Rueckauer and Liu 2018, as in mueller 6.1.  A spike switches on a current that never decays
    (Eq 6.1), and a neuron fires once, when its potential reaches the threshold (Eq 6.2); the
    inverse of that time is its instantaneous rate.  Neurons do not wait for all of their input,
    and the code is approximate for two reasons.  First, a neuron fires as soon as its potential
    reaches the threshold, possibly before inputs of the other sign have arrived, and later input
    is lost; `bioconv.premature_spikes` counts how often this happens.  Second, a current flows only
    from the arrival of a spike on, so that the delays of successive layers add up: activations of
    deep layers become smaller and more similar to each other, but keep their order.  With more
    steps, smaller activations can arrive, but outputs become more similar.  For exact codes see
    `bioconv.OscillationCode` and `bioconv.FirstSpikeExactCode`.

    With the threshold "dynamic", a neuron fires twice.  The first spike, when its potential crosses
    the threshold for the first time, announces an activation and lowers the potential by one
    threshold; the second spike, when the potential crosses the threshold again, transmits the
    activation.  An announcement raises the thresholds of all targets by the magnitude of the
    weight, and the second spike lowers them again, so that targets wait for the announced input.

    A ReLU with a threshold below which it is zero (`bioconv.keras.ClampedReLU`) is supported: it
    stops firing at the time that represents the threshold.  A ReLU with an upper limit starts
    firing at the time that represents the limit.

    Parameters
    ----------
    threshold : {"base", "dynamic"}
        Constant or dynamic threshold.
    unit_steps : int
        Number of steps after which a neuron with input of the full scale fires.  With a dynamic
        threshold this applies to the second spike, and the first occurs after half as many steps.
    missing : float
        Share of an announced weight by which it raises a dynamic threshold; 1 is the whole weight.
    readout : {"level", "first_spike"}
        Outputs are read from the potential of neurons that never fire, as the mean current, or
        from the times of the first spikes.  In the latter case outputs are not activations, but
        have the same order.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

    Notes
    -----
    About the dynamic threshold, the thesis states that "neurons fire twice: first, to signal a
    missing input and second, to contain the encoded information", but not when the first spike is
    emitted.  Three interpretations were tested on the LeNet-5 of its Table 6.1, which reports 1.92
    times the spikes of the base code and less than half of its loss of accuracy.  (1) The first
    spike is emitted as soon as the current is positive, as in the published program of Rueckauer
    and Liu: most announced neurons never fire, so that there are about four times as many spikes,
    and with the whole weight the following layers are blocked.  (2) It is emitted at the first
    crossing, without a reset: the second spike follows immediately, and the loss of the base code
    remains.  (3) It is emitted at the first crossing, with a reset ("resetting the neuron's state
    to zero"), which results in about twice as many spikes.  The third interpretation is
    implemented.  Whether it loses less accuracy than the base code depends on the network and on
    the duration; `python -m paper_figures run mueller_table_6_1` compares both with the thesis.

    The second spike is a crossing of twice the threshold, starting from zero.  It is implemented by
    a potential that starts one threshold below zero, and a second population with the same input,
    which starts at zero and emits the announcements.

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
    remedy = 'threshold="dynamic" and more unit_steps help, or the code first_spike_exact.'

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Round activations down to inverse numbers of steps, or to 0 beyond n_steps."""
        value = np.clip(np.asarray(activation, np.float64), 1e-12, 1.0)
        steps = np.ceil(self.unit_steps / value - 1e-6)
        return np.where(steps <= n_steps, self.unit_steps / steps, 0.0)
