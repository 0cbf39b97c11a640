"""The observation code: trained spike times, and neurons that are observed for a while only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.rounding import nearest
from bioconv.ground.options import check, number


@dataclass(frozen=True, repr=False)
class ObservationCode(Code):
    """Networks trained in spike times, whose neurons fire at most once, each for half of the data.

    Stanojevic 2023, thesis, appendix A.1.  An input x fires at ``(1 - x / maximum) * time_unit``
    (Eq A.1).  Spikes add linear ramps to the potentials of their targets, and the first spike of a
    layer also starts the bias and the clock of the next layer.  A neuron that has not fired at the
    end of its observation period stays silent; the period is the median of its spike times, so that
    it takes the place of a batch normalization.  The class is that of the output that fires first.

    A Keras network is not what such neurons compute, and therefore is not converted:
    `bioconv.training.train_observation` trains the weights.  `bioconv.convert` accepts the
    analog network of a trained one, for example with another time step.

    Parameters
    ----------
    time_unit : float
        Time T in ms over which input spikes arrive.
    alpha, v_th, epsilon : float
        Bias, threshold, and time of the first spike on the clock of a layer, in units of T.
    beta : float
        Factor of the output times in the softmax of the loss (Eq A.7).
    kappa : float
        Factor of the penalty of neurons whose weights have a negative sum (Eq A.8).
    decay : float
        Factor lambda of the penalty of squared weights (Eq A.9).
    dropout : float
        Share of hidden spikes that are left out in training; the weights of the others are larger
        accordingly.
    momentum : float
        Share of the moving averages of observation periods that remains after a batch.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

    Notes
    -----
    The thesis states T = 1, a threshold of 1, alpha = 1, epsilon = 1e-4 and beta = 1000, but not
    kappa, lambda, the dropout rate and the momentum.

    With time steps, neurons fire at the step nearest to the crossing.  If input spikes lie on the
    grid, spikes of the first layer deviate from those of the event simulator by half a step at
    most.  A deviation of all spikes of a layer does not matter to the next one, whose clock is
    local; others are weighted, and divided by the slope at the crossing, so that they can exceed a
    step in deeper layers.

    Examples
    --------
    >>> ObservationCode().encode(np.array([0.524, 2.0, -1.0]), 100).tolist()
    [0.52, 1.0, 0.0]
    """

    time_unit: float = number(25.5, 0.0, above=True)
    alpha: float = number(1.0, 0.0, above=True)
    v_th: float = number(1.0, 0.0, above=True)
    epsilon: float = number(1e-4, 0.0, 0.1)
    beta: float = number(1000.0, 0.0, above=True)
    kappa: float = number(10.0, 0.0)
    decay: float = number(0.01, 0.0)
    dropout: float = number(0.0, 0.0, 1.0, below=True)
    momentum: float = number(0.9, 0.0, 1.0, below=True)

    name = "observation"
    references = ("stanojevic2023", "stanojevic2022a")
    builder = "bioconv.codes.observation.network"
    remedy = "A shorter dt helps, or simulator='event'."
    trained = True

    def __post_init__(self) -> None:
        check(self)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Round activations to the ``n_steps + 1`` spike times of an input within ``time_unit``."""
        return nearest(activation, n_steps)
