"""Results that say nothing, and the claims that hold for them all the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bioconv.paper_figures.frame import Claim, FigureModule, Result


#: what a figure's arithmetic may end in when its result makes no sense
_ERRORS = (ArithmeticError, LookupError, TypeError, ValueError)


#: kinds of arrays that are changed together: fractions alone, for whole numbers may be sizes and
#: places, and all numbers, for they may be counts of spikes, too
_KINDS = ("f", "fiub")


def constants(result: Result, kinds: str = "f") -> list[Result]:
    """The result with every array of some kinds filled with 0, with 1, or with its own mean."""
    fills = (lambda a: np.zeros_like(a), lambda a: np.ones_like(a), _mean)
    return [_mapped(result, kinds, fill) for fill in fills]


def shuffles(result: Result, kinds: str = "f") -> list[Result]:
    """The result with the numbers of each array, or of all, in another order, or with others.

    The others are uniform between 0 and 1: where a quick run has equal numbers only, another order
    is the same one.  Last, for claims that count entries, arrays change places, or are empty.
    """
    rng = np.random.default_rng(0)
    pool = [a.ravel() for a in result.values() if a.dtype.kind in kinds]
    numbers = np.concatenate(pool) if pool else np.zeros(1)
    changes = (
        lambda a: rng.permutation(a.ravel()).reshape(a.shape),
        lambda a: rng.choice(numbers, a.shape).astype(a.dtype),
        lambda a: rng.random(a.shape).astype(a.dtype),
        lambda a: a[:0] if a.ndim else a,
    )
    return [*(_mapped(result, kinds, change) for change in changes), _exchanged(result, kinds)]


def _exchanged(result: Result, kinds: str) -> Result:
    """Every array in the place of the next one with as many dimensions."""
    changed = dict(result)
    for n in {array.ndim for array in result.values()}:
        keys = [key for key, a in result.items() if a.dtype.kind in kinds and a.ndim == n]
        changed |= {
            key: result[other] for key, other in zip(keys, keys[1:] + keys[:1], strict=True)
        }
    return changed


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
    constant = _measured(figure, [r for kinds in _KINDS for r in constants(result, kinds)])
    shuffled = _measured(figure, [r for kinds in _KINDS for r in shuffles(result, kinds)])
    return [
        claim.name
        for claim in figure.MANIFEST.claims
        if _always(claim, constant) and (claim.kind != "within" or _always(claim, shuffled))
    ]


def _always(claim: Claim, measurements: list[Mapping[str, float]]) -> bool:
    return all(claim.holds(found[claim.name]) for found in measurements)


def _measured(figure: FigureModule, results: list[Result]) -> list[Mapping[str, float]]:
    """What the figure measures on each result that it can be measured on."""
    found = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for result in results:
            with suppress(*_ERRORS):
                found.append(figure.measure(result))
    return found


def _mapped(result: Result, kinds: str, change: Callable[[NDArray], NDArray]) -> Result:
    return {key: change(a) if a.dtype.kind in kinds else a for key, a in result.items()}


def _mean(array: NDArray) -> NDArray:
    finite = array[np.isfinite(array)]
    return np.full_like(array, finite.mean() if finite.size else 0)
