"""Thresholds of a population whose number of spikes represents a function of the input.

The share of neurons whose threshold an input reaches is the distribution function of the
thresholds (mueller Eq 5.1).  A bounded function that never decreases is such a distribution
function, up to its range; the thresholds are its quantiles, or are drawn from it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import (
    Elementwise,
    FICurve,
    Linear,
    LogSoftmax,
    NotEqual,
    Sigmoid,
    Softmax,
    Tanh,
    ThresholdCount,
)
from bioconv.codes.population.options import Placement
from bioconv.ground.errors import ParameterError
from bioconv.operators import Shape, precision

Floats = NDArray[np.float64]
Quantile = Callable[[Floats], Floats]

#: standard deviations of the thesis (sections 5.2.1 and 5.2.2)
THESIS: dict[type[Elementwise], float] = {Sigmoid: 1.75, Tanh: 0.88}
#: thresholds are odd multiples of half of this, so that no input in use equals one exactly
GRID = 2.0**-34
#: largest input at which a function is evaluated, and how close to its limit it must be there
_FAR, _CLOSE = 1e12, 1e-6
_HALVINGS = 160
#: functions of more than one element, or with arrays that belong to a layer
_NOT_ALONE = (FICurve, Linear, LogSoftmax, NotEqual, Softmax, ThresholdCount)
#: quantiles between which the normal curve is fitted, and the number of points
_TAIL, _POINTS = 1e-4, 4001


def is_bounded(function: Elementwise) -> bool:
    """Whether the function is elementwise, never decreases, and is bounded around 0."""
    return _range_of(function) is not None


def range_of(function: Elementwise) -> tuple[float, float]:
    """Return the lower and the upper limit of a function.

    Raises
    ------
    ParameterError
        If the function is not bounded, or decreases somewhere.
    """
    found = _range_of(function)
    if found is None:
        raise ParameterError(
            f"{type(function).__name__} decreases somewhere or is not bounded around 0. A "
            "population of thresholds cannot represent such a function."
        )
    return found


def quantile_of(function: Elementwise) -> Quantile:
    """Return the inverse of a bounded function that is scaled to the range from 0 to 1.

    Parameters
    ----------
    function : Elementwise

    Returns
    -------
    function of ndarray
        Takes shares between 0 and 1.

    Raises
    ------
    ParameterError
        If the function is not bounded, or decreases somewhere.
    """
    low, high = range_of(function)

    def quantile(shares: Floats) -> Floats:
        goal = low + (high - low) * np.asarray(shares, np.float64)
        below, above = np.full(goal.shape, -_FAR), np.full(goal.shape, _FAR)
        for _ in range(_HALVINGS):
            middle = (below + above) / 2
            reached = _values(function, middle) >= goal
            below, above = np.where(reached, below, middle), np.where(reached, middle, above)
        return above

    return quantile


@lru_cache(maxsize=64)
def fitted_normal(function: Elementwise) -> tuple[float, float]:
    """Return mean and standard deviation of the normal distribution closest to a bounded function.

    They minimise the squared distance between the distribution function and the function, scaled
    to [0, 1], at evenly spaced points from its 0.0001 to its 0.9999 quantile.  The deviation is
    1.70 for the sigmoid and half of that for tanh (1.7 in Fig 5.3 of the thesis, 1.75 in its text).

    Raises
    ------
    ParameterError
        If the function is not bounded, or decreases somewhere.
    """
    from scipy.optimize import least_squares  # takes long to import
    from scipy.special import ndtr

    low, high = range_of(function)
    first, median, last = quantile_of(function)(np.array([_TAIL, 0.5, 1 - _TAIL]))
    x = np.linspace(first, last, _POINTS)
    share = (_values(function, x) - low) / (high - low)

    def distance(sigma: Floats) -> Floats:
        return np.asarray(ndtr((x - median) / sigma[0]) - share)

    fit = least_squares(distance, x0=[(last - first) / 8], bounds=(1e-9, np.inf), xtol=1e-14)
    return float(median), float(fit.x[0])


def population_of(
    function: Elementwise, options: Placement, shape: Shape, rng: np.random.Generator
) -> ThresholdCount:
    """Return the population that represents a function.

    Parameters
    ----------
    function : Elementwise
    options : Placement
    shape : tuple of int
        Shape of the units; random thresholds are drawn for every unit.
    rng : numpy.random.Generator

    Returns
    -------
    ThresholdCount
        With inhibitory neurons if the function has values of both signs.

    Raises
    ------
    ParameterError
        If the function is not bounded or decreases somewhere, or if the thesis has no deviation
        for it.
    """
    low, high = range_of(function)
    quantile = _distribution(function, options)
    excitatory = _thresholds(quantile, options, shape, rng)
    if low == 0:
        return ThresholdCount(excitatory, None, high)
    other = excitatory
    if options.inhibition == "independent" and options.placement == "random":
        other = _thresholds(quantile, options, shape, rng)
    return ThresholdCount(excitatory, np.flip(-other, axis=-1), high, low)


def _distribution(function: Elementwise, options: Placement) -> Quantile:
    """Return the function whose values at the quantiles are the thresholds."""
    from scipy.special import ndtri  # takes long to import

    if options.curve == "own":
        return quantile_of(function)
    if isinstance(options.sigma, str):
        mean, sigma = fitted_normal(function)
        if options.sigma == "thesis":
            if type(function) not in THESIS:
                raise ParameterError(
                    f"sigma=thesis: the thesis gives deviations for sigmoid and tanh only, not for "
                    f"{type(function).__name__}. Use sigma=least_squares, or a number."
                )
            sigma = THESIS[type(function)]
    else:
        (mean,), sigma = quantile_of(function)(np.array([0.5])), float(options.sigma)
    return lambda shares: np.asarray(mean + sigma * ndtri(shares))


def _thresholds(
    quantile: Quantile, options: Placement, shape: Shape, rng: np.random.Generator
) -> Floats:
    """Return thresholds, ascending along the last axis: (n,), or (*shape, n) if drawn."""
    if options.placement == "quantile":
        values = quantile((np.arange(options.n) + 0.5) / options.n)
    else:
        tiny = np.finfo(np.float64).tiny
        values = np.sort(quantile(np.maximum(rng.random((*shape, options.n)), tiny)), axis=-1)
    return np.round(values / GRID) * GRID + GRID / 2


@lru_cache(maxsize=64)
def _range_of(function: Elementwise) -> tuple[float, float] | None:
    if isinstance(function, _NOT_ALONE):
        return None
    x = np.concatenate([-np.geomspace(_FAR, 1e-6, 400), [0.0], np.geomspace(1e-6, _FAR, 400)])
    try:
        y = _values(function, x)
    except (TypeError, ValueError):
        return None  # the arrays of the function have other shapes, so that it is not elementwise
    if y.shape != x.shape or not np.isfinite(y).all() or (np.diff(y) < 0).any():
        return None
    low, high = float(y[0]), float(y[-1])
    near = _values(function, np.array([-_FAR / 100, _FAR / 100]))
    if not low <= 0 < high or np.abs(near - [low, high]).max() > _CLOSE * (high - low):
        return None
    return low, high


def _values(function: Elementwise, x: Floats) -> Floats:
    """Evaluate the function element by element in float64."""
    with precision("float64"), jax.ensure_compile_time_eval():
        return np.asarray(function.value(np.asarray(x, np.float64)), np.float64)
