"""Results that say nothing, and the claims that hold for them all the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, FigureModule, Result

#: what goes wrong in a figure's arithmetic when its result says nothing
_ERRORS = (ArithmeticError, LookupError, ValueError)


def constants(result: Result) -> list[Result]:
    """The result with every array of fractions filled with 0, with 1, or with its own mean."""
    fills = (lambda a: np.zeros_like(a), lambda a: np.ones_like(a), _mean)
    return [_mapped(result, fill) for fill in fills]


def shuffles(result: Result) -> list[Result]:
    """The result with the fractions of each array, or of all, in another order, or with others.

    The others are uniform between 0 and 1: where a quick run has equal fractions only, another
    order is the same one.
    """
    rng = np.random.default_rng(0)
    within = _mapped(result, lambda a: rng.permutation(a.ravel()).reshape(a.shape))
    arrays = {key: a for key, a in result.items() if _counts(a)}
    pool = rng.permutation(np.concatenate([a.ravel() for a in arrays.values()] or [np.zeros(0)]))
    ends = np.cumsum([a.size for a in arrays.values()])
    parts = np.split(pool, ends[:-1]) if arrays else []
    across = {
        key: part.reshape(a.shape) for (key, a), part in zip(arrays.items(), parts, strict=True)
    }
    return [within, {**result, **across}, _mapped(result, lambda a: rng.random(a.shape))]


def indifferent(figure: FigureModule, result: Result) -> list[str]:
    """Claims that say nothing about the result.

    One that holds for all constant, shuffled and random results cannot fail.  One with a single
    bound may not even hold for all constant ones, since an experiment in which nothing has any
    effect would pass it; a difference of zero within a tolerance may.

    Parameters
    ----------
    figure : FigureModule
    result : mapping of str to ndarray
        What the figure computed.

    Returns
    -------
    list of str
        Names of claims.
    """
    constant = [_measured(figure, entry) for entry in constants(result)]
    shuffled = [_measured(figure, entry) for entry in shuffles(result)]
    return [
        claim.name
        for claim in figure.MANIFEST.claims
        if _always(claim, constant) and (claim.kind != "within" or _always(claim, shuffled))
    ]


def _always(claim: Claim, measurements: list[Mapping[str, float]]) -> bool:
    return all(claim.holds(found.get(claim.name, np.nan)) for found in measurements)


def _measured(figure: FigureModule, result: Result) -> Mapping[str, float]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return figure.measure(result)
        except _ERRORS:
            return {}


def _counts(array: NDArray) -> bool:
    """Whether an array holds measurements: whole numbers are sizes, steps and places."""
    return array.dtype.kind == "f"


def _mapped(result: Result, change: Callable[[NDArray], NDArray]) -> Result:
    return {key: change(a) if _counts(a) else a for key, a in result.items()}


def _mean(array: NDArray) -> NDArray:
    finite = array[np.isfinite(array)]
    return np.full_like(array, finite.mean() if finite.size else 0.0)
