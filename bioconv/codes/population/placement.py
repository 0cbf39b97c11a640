"""Where the thresholds of a population lie, so that the number of its spikes is a function.

The share of neurons whose threshold an input reaches is the distribution function of the
thresholds (mueller Eq 5.1).  A bounded function that never falls is, up to its range, such a
distribution function; the thresholds are its quantiles, or drawn from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import jax
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import ndtr, ndtri

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
from bioconv.ground.errors import ParameterError
from bioconv.ground.options import is_number
from bioconv.network.validation import checks
from bioconv.operators import Shape, precision

Floats = NDArray[np.float64]
Quantile = Callable[[Floats], Floats]

PLACEMENTS, CURVES = ("quantile", "random"), ("own", "normal")
INHIBITIONS = ("mirrored", "independent")
#: deviations of the thesis (sections 5.2.1 and 5.2.2)
THESIS: dict[type[Elementwise], float] = {Sigmoid: 1.75, Tanh: 0.88}
#: thresholds are whole multiples of this, and half a one more: no input in use meets one exactly
GRID = 2.0**-34
#: how far a function is followed, and how close to its limit it must come by then
_FAR, _CLOSE = 1e12, 1e-6
_HALVINGS = 160
#: functions of more than one element, or with arrays of a layer's own
_NOT_ALONE = (FICurve, Linear, LogSoftmax, NotEqual, Softmax, ThresholdCount)
#: shares between which the normal curve is fitted, and the number of points
_TAIL, _POINTS = 1e-4, 4001


@dataclass(frozen=True)
class Placement:
    """How the thresholds of a population are chosen.

    Parameters
    ----------
    n : int
        Neurons of a unit; of each kind where there are inhibitory ones.
    placement : {"quantile", "random"}
        At the quantiles (k + 1/2) / n, alike for all units; or drawn for each unit, as the
        mismatch of hardware does it (mueller 5.2.1).
    curve : {"own", "normal"}
        The distribution of the thresholds: that whose distribution function is the function
        itself (its derivative is the density), or normal.
    sigma : float or {"least_squares", "thesis"}
        Deviation of a normal distribution: that with the least squared distance to the function,
        1.75 for the sigmoid and 0.88 for tanh, or a number.
    inhibition : {"mirrored", "independent"}
        Of functions with both signs: inhibitory neurons have the thresholds of the excitatory ones
        with the sign reversed (mueller 5.2.2), or draws of their own.

    Raises
    ------
    ParameterError
        With all options that are wrong.
    """

    n: int = 100
    placement: str = "quantile"
    curve: str = "own"
    sigma: float | str = "least_squares"
    inhibition: str = "mirrored"

    def __post_init__(self) -> None:
        problems = placement_problems(self)
        if problems:
            raise ParameterError("\n".join(["Placement:", *(f"  - {p}" for p in problems)]))


def placement_problems(options: object) -> list[str]:
    """What is wrong with the options of a `Placement`, or of what has the same fields."""

    def of(name: str) -> object:
        return getattr(options, name)

    problems = [
        f"{name} must be one of {', '.join(valid)}. Received: {of(name)!r}."
        for name, valid in (
            ("placement", PLACEMENTS),
            ("curve", CURVES),
            ("inhibition", INHIBITIONS),
        )
        if of(name) not in valid
    ]
    n, sigma = of("n"), of("sigma")
    if not checks.is_whole(n, 1):
        problems.append(f"n must be a whole number from 1. Received: {n!r}.")
    known = sigma in ("least_squares", "thesis")
    if not known and not (is_number(sigma) and sigma > 0):
        problems.append(
            f"sigma must be least_squares, thesis or a number above 0. Received: {sigma!r}."
        )
    return problems


def is_bounded(function: Elementwise) -> bool:
    """Whether the function maps each element alone, never falls, and is bounded around 0."""
    return _range_of(function) is not None


def range_of(function: Elementwise) -> tuple[float, float]:
    """Lower and upper limit of a function.

    Raises
    ------
    ParameterError
        It has none, or falls somewhere.
    """
    found = _range_of(function)
    if found is None:
        raise ParameterError(
            f"{type(function).__name__} falls somewhere, or is not bounded around 0: a population "
            "of thresholds cannot have its shape."
        )
    return found


def quantile_of(function: Elementwise) -> Quantile:
    """The inverse of a bounded function: the input at which it has come a share of its way.

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
        The function is not bounded, or falls somewhere.
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
    """Mean and deviation of the normal distribution nearest to a bounded function.

    The squared distance between the distribution function and the function, scaled to [0, 1], is
    smallest on evenly spaced points from its 0.0001 to its 0.9999 quantile.  For the sigmoid it is
    1.70, for tanh half of that (Fig 5.3 of the thesis says 1.7, its text 1.75).

    Raises
    ------
    ParameterError
        The function is not bounded, or falls somewhere.
    """
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
    """The population that stands for a function.

    Parameters
    ----------
    function : Elementwise
    options : Placement
    shape : tuple of int
        Shape of the units; for random thresholds every unit has its own.
    rng : numpy.random.Generator

    Returns
    -------
    ThresholdCount
        With inhibitory neurons where the function has both signs.

    Raises
    ------
    ParameterError
        The function is not bounded or falls somewhere, or the thesis has no deviation for it.
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
    """The quantiles from which thresholds are taken."""
    if options.curve == "own":
        return quantile_of(function)
    if isinstance(options.sigma, str):
        mean, sigma = fitted_normal(function)
        if options.sigma == "thesis":
            if type(function) not in THESIS:
                raise ParameterError(
                    f"sigma=thesis: the thesis has a deviation for sigmoid and tanh only, not for "
                    f"{type(function).__name__}. Use sigma=least_squares, or a number."
                )
            sigma = THESIS[type(function)]
    else:
        (mean,), sigma = quantile_of(function)(np.array([0.5])), float(options.sigma)
    return lambda shares: np.asarray(mean + sigma * ndtri(shares))


def _thresholds(
    quantile: Quantile, options: Placement, shape: Shape, rng: np.random.Generator
) -> Floats:
    """Thresholds in rising order along the last axis: (n,), or (*shape, n) if drawn."""
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
        return None  # its own arrays do not fit: not a function of each element alone
    if y.shape != x.shape or not np.isfinite(y).all() or (np.diff(y) < 0).any():
        return None
    low, high = float(y[0]), float(y[-1])
    near = _values(function, np.array([-_FAR / 100, _FAR / 100]))
    if not low <= 0 < high or np.abs(near - [low, high]).max() > _CLOSE * (high - low):
        return None
    return low, high


def _values(function: Elementwise, x: Floats) -> Floats:
    """The function in float64, element by element."""
    with precision("float64"), jax.ensure_compile_time_eval():
        return np.asarray(function.value(np.asarray(x, np.float64)), np.float64)
