"""The population code: activations are represented by the number of neurons that fire."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.choices import OVER
from bioconv.codes.population.options import Placement, placement_problems
from bioconv.ground.options import check, choice, number


@dataclass(frozen=True, repr=False)
class PopulationCode(Code):
    """Represent an activation by the share of n neurons with different thresholds that fire.

    Mueller 2023, chapter 5.  Every unit is a population of neurons with the same input.  All
    neurons above their threshold fire once, in the single step in which their layer fires, so that
    a sample takes one step per layer.  The share as a function of the input is the distribution
    function of the thresholds (Eq 5.1): with thresholds at the quantiles of a function's own
    derivative, it equals that function up to 1/2n, for every bounded function that never decreases
    (sigmoid, tanh, hard sigmoid, softsign, ...).  Functions with values of both signs have the same
    number of inhibitory neurons in addition, with thresholds of reversed sign.

    A ReLU has evenly spaced thresholds up to the percentile of its activations ("with a linear
    distribution of these thresholds, the outcome would be identical to that of the rate-coded
    network").  Max pooling passes on the k-th spikes of its sources, in the order of thresholds.

    ``PopulationCode(placement="random", curve="normal", sigma="thesis")`` is the variant of the
    thesis.  Recurrent layers contain products of activations, which spikes cannot represent; see
    `bioconv.recurrent`.

    Parameters
    ----------
    n : int
        Number of neurons per unit; of each kind if there are inhibitory neurons.
    placement : {"quantile", "random"}
        Thresholds lie at the quantiles (k + 1/2) / n, the same for all units, or are drawn for
        each unit with the seed of the conversion, which models the mismatch of hardware.
    curve : {"own", "normal"}
        Density of the thresholds: the derivative of the function, or a normal distribution; the
        thresholds of a ReLU are always evenly distributed.
    sigma : float or {"least_squares", "thesis"}
        Standard deviation of normally distributed thresholds: the one that fits each function best
        (1.70 for the sigmoid, 0.85 for tanh), the one of the thesis (1.75 and 0.88), or a given
        number for all functions.
    inhibition : {"mirrored", "independent"}
        Whether random thresholds of inhibitory neurons are those of the excitatory ones with the
        sign reversed, as in the thesis, or drawn independently.
    percentile : float
        Percentile of the activations of a ReLU on the calibration data, in (0, 100]; 100 is the
        maximum.
    normalization : {"layer", "channel", "none"}
        Use one largest activation of a ReLU per layer, one per channel, or 1 everywhere.
    over : {"positive", "all"}
        Whether the percentile is taken over the positive activations or over all, including zeros.

    Raises
    ------
    ParameterError
        If options are invalid; the message lists all of them.

    Examples
    --------
    >>> PopulationCode(n=4).encode(np.array([0.3, 0.6, 2.0]), 1).tolist()
    [0.25, 0.5, 1.0]
    """

    n: int = 100
    placement: str = "quantile"
    curve: str = "own"
    sigma: float | str = "least_squares"
    inhibition: str = "mirrored"
    percentile: float = number(99.9, 0.0, 100.0, above=True)
    normalization: str = choice("channel", ("layer", "channel", "none"))
    over: str = choice("positive", OVER)

    name = "population"
    references = ("mueller2023", "mueller2022exploiting")
    builder = "bioconv.codes.population.network"
    remedy = "More neurons per unit help (n)."

    def __post_init__(self) -> None:
        check(self, placement_problems(self))

    @property
    def thresholds(self) -> Placement:
        """The options for the choice of thresholds."""
        return Placement(self.n, self.placement, self.curve, self.sigma, self.inhibition)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """Round activations to multiples of 1 / ``n``; the number of steps has no effect."""
        reached = np.floor(np.asarray(activation, np.float64) * self.n + 0.5)
        return np.clip(reached, 0, self.n) / self.n
