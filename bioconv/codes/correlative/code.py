"""The correlative code: classes are spike patterns, and networks are trained to emit them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.correlative.shifts import LARGEST_ERROR, Shifts, readout_shifts, unit_shifts
from bioconv.ground.errors import ParameterError
from bioconv.ground.options import check, flag, number, refuse, whole

#: time constants in steps whose decay a float is above 0 and below 1
_SHORTEST, _LONGEST = 0.01, 1e6


@dataclass(frozen=True, repr=False)
class CorrelativeCode(Code):
    """Networks trained to answer spike patterns of samples with the spike pattern of their class.

    Stanojevic 2023, thesis, appendix A.2.  An encoder (`cte` or `ecte`, see
    `bioconv.encoders.correlative`) turns similar samples into correlated spikes.
    Layers of leaky integrate-and-fire neurons follow, then output neurons without memory, several
    for each class.  The class is that whose target pattern has the smallest van Rossum distance
    from the spikes of the outputs.

    A Keras network is not what such neurons compute, and therefore is not converted:
    `bioconv.training.train_correlative` trains the weights.

    Parameters
    ----------
    decay : float
        Factor v by which a potential decays in a step (Eq A.11).
    v_th : float
        Threshold beta at the start of the training, which changes it.
    n_outputs : int
        Output neurons O_c for each class.
    n_target_spikes : float
        Spikes d_c that an output neuron would emit in a whole target pattern.
    first_step : int
        Step in which target spikes begin.
    target_seed : int
        Seed of the target patterns.
    tau : float
        Time constant tau_m of the van Rossum distance in steps (Eq A.14).
    omega : float
        Weight of the steps with a target spike in the loss (Eq A.13).
    dropout : float
        Share of hidden neurons that are left out for a sample in training.
    width : float
        Width of the pseudo-derivative of spikes, ``1 - tanh(d / width)**2`` for a distance d from
        the threshold.
    multiplication_free : bool
        Whether decays are sums of shifts (Eqs A.17, A.18), the distance is that of absolute values
        (Eq A.19), and the network is trained with this arithmetic.  A decay whose nearest sum has a
        relative error of more than a third, or of what it takes away, is refused.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

    Notes
    -----
    The output neurons are those of the hidden layers with a time constant of a thousandth of a
    step.  The outputs of the thesis are sigmoids; here, an output neuron spikes where the sigmoid
    is at least a half, so that the network consists of spikes alone.

    The pseudo-derivative must be narrow: with that of tanh as it is (width 1), training hardly
    learns, because the thresholds are small compared with its width.

    Every neuron trains a threshold of its own, where Eqs A.11 to A.13 have one for each layer.
    """

    decay: float = number(0.8, 0.0, 1.0, above=True, below=True)
    v_th: float = number(0.07, 0.0, above=True)
    n_outputs: int = whole(5, 1)
    n_target_spikes: float = number(10.0, 0.0, above=True)
    first_step: int = whole(40, 0)
    target_seed: int = whole(0, 0)
    tau: float = number(50.0, _SHORTEST, _LONGEST)
    omega: float = number(20.0, 1.0)
    dropout: float = number(0.0, 0.0, 1.0, below=True)
    width: float = number(0.3, 0.0, above=True)
    multiplication_free: bool = flag(False)

    name = "correlative"
    references = ("stanojevic2023", "stanojevic2023b")
    builder = "bioconv.codes.correlative.network"
    remedy = "Train longer, or with the encoder ecte."
    trained = True

    def __post_init__(self) -> None:
        check(self)
        refuse(self, list(self._far()))

    def _far(self) -> Iterator[str]:
        """Return which decays are far from every sum of shifts."""
        if not self.multiplication_free:
            return
        for name, decay, shifts in (
            ("decay", self.decay, self.unit_shifts),
            ("exp(-1 / tau)", exp(-1.0 / self.tau), self.readout_shifts),
        ):
            error = shifts.error(decay)
            if error > LARGEST_ERROR:
                yield (
                    f"{name} = {decay:.4g} is no sum of {shifts.n_additions} shifts, the nearest "
                    f"of which is {shifts.factor:.4g}: a relative error of {error:.0%}, of it "
                    f"or of 1 minus it, where at most {LARGEST_ERROR:.0%} are allowed. Choose a "
                    "value that is nearer to it, or multiplication_free=False."
                )

    @property
    def unit_shifts(self) -> Shifts:
        """The sum of shifts that stands for ``decay``: 1/2 + 1/4 + 1/16 for 0.8."""
        return unit_shifts(self.decay)

    @property
    def readout_shifts(self) -> Shifts:
        """The sum of shifts that stands for exp(-1 / tau): 1 - 1/64 for 50 steps."""
        return readout_shifts(exp(-1.0 / self.tau))

    @property
    def unit_decay(self) -> float:
        """Factor of the potentials in a step."""
        return self.unit_shifts.factor if self.multiplication_free else self.decay

    @property
    def readout_decay(self) -> float:
        """Factor of the traces of the readout in a step."""
        return self.readout_shifts.factor if self.multiplication_free else exp(-1.0 / self.tau)

    def targets(self, n_classes: int, n_steps: int) -> NDArray[np.bool_]:
        """Return the target patterns; see `bioconv.encoders.target_patterns`."""
        from bioconv.encoders.patterns import target_patterns  # imports JAX

        return target_patterns(
            n_classes,
            self.n_outputs,
            n_steps,
            n_spikes=self.n_target_spikes,
            first_step=self.first_step,
            seed=self.target_seed,
        )

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Refuse, because the encoder that a network was trained with has the levels of values."""
        raise ParameterError(
            "correlative: which values can be represented depends on the encoder, not on the code. "
            "Use encoder.decode(encoder.encode(x))."
        )
