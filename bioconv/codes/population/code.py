"""The population code: an activation is the number of neurons that fire."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.code import Code
from bioconv.codes.common.calibration import OVER
from bioconv.codes.population.placement import Placement, placement_problems
from bioconv.ground.options import check, choice, number


@dataclass(frozen=True)
class PopulationCode(Code):
    """An activation is the share of n neurons with different thresholds that fire.

    Mueller 2023, chapter 5.  Every unit is a population of neurons with the same input; all that
    are above their threshold fire once, in the one step in which their layer speaks.  So a sample
    takes one step a layer.  The share is the distribution function of the thresholds (Eq 5.1):
    with thresholds at the quantiles of a function's own derivative it is that function up to 1/2n,
    for every bounded function that never falls (sigmoid, tanh, hard sigmoid, softsign, ...).
    Functions with both signs have as many inhibitory neurons, with the thresholds reversed.

    A ReLU has evenly spaced thresholds up to the percentile of its activations ("with a linear
    distribution of these thresholds, the outcome would be identical to that of the rate-coded
    network").  A maximum passes on the k-th spikes of its sources, in the order of thresholds.

    The thesis: ``PopulationCode(placement="random", curve="normal", sigma="thesis")``.  Recurrent
    layers hold products of activations, which no spikes carry: see `bioconv.recurrent`.

    Parameters
    ----------
    n : int
        Neurons of a unit; of each kind where there are inhibitory ones.
    placement : {"quantile", "random"}
        At the quantiles (k + 1/2) / n, alike for all units; or drawn for each unit with the seed
        of the conversion, as the mismatch of hardware does it.
    curve : {"own", "normal"}
        Thresholds are distributed as the function's own derivative, or normally; those of a ReLU
        are always evenly distributed.
    sigma : float or {"least_squares", "thesis"}
        Deviation of normal thresholds: nearest to each function (1.70 for the sigmoid, 0.85 for
        tanh), the thesis's (1.75 and 0.88), or one number for all.
    inhibition : {"mirrored", "independent"}
        Whether drawn thresholds of inhibitory neurons are those of the excitatory ones with the
        sign reversed, as in the thesis, or drawn for themselves.
    percentile : float
        In (0, 100]; 100 is the maximum of a ReLU on the calibration data.
    normalization : {"layer", "channel", "none"}
        One largest activation of a ReLU for each layer, for each channel, or 1 everywhere.
    over : {"positive", "all"}
        Whether the percentile is that of the positive activations or of all, zeros included.

    Raises
    ------
    ParameterError
        With all options that are wrong.

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

    def __post_init__(self) -> None:
        check(self, placement_problems(self))

    @property
    def thresholds(self) -> Placement:
        """How thresholds are chosen."""
        return Placement(self.n, self.placement, self.curve, self.sigma, self.inhibition)

    def encode(self, activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
        """The nearest number of ``n`` neurons, as a share; the steps make no difference."""
        reached = np.floor(np.asarray(activation, np.float64) * self.n + 0.5)
        return np.clip(reached, 0, self.n) / self.n
