"""Factors as sums of powers of two, so that shifts and additions replace multiplications.

Stanojevic 2023, thesis, appendix A.2.2, Eqs A.17 and A.18.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

from bioconv.ground.errors import ParameterError

#: largest shift that is tried
_LONGEST = 8
#: terms of the sums that stand for the decay of units (Eq A.17) and of the readout (Eq A.18)
UNIT_TERMS, READOUT_TERMS = 3, 2
#: largest relative error of a sum, of the factor or of what it takes away.  A factor from 1/2 on is
#: at most a third from the nearest 1 - 2**-shift, so that every time constant up to 2**8 has one.
LARGEST_ERROR = 1 / 3


@dataclass(frozen=True)
class Shifts:
    """A factor as a sum of powers of two.

    Parameters
    ----------
    terms : tuple of (int, int)
        Sign and shift of each term: the factor is the sum of ``sign * 2**-shift``.

    Examples
    --------
    >>> Shifts(((1, 0), (-1, 6))).factor
    0.984375
    """

    terms: tuple[tuple[int, int], ...]

    @property
    def factor(self) -> float:
        """The factor."""
        return float(sum(sign * 2.0**-shift for sign, shift in self.terms))

    def error(self, factor: float) -> float:
        """Return the relative error as ``factor``: of it, or of 1 - factor, if that is larger."""
        change = abs(self.factor - factor)
        return change / min(factor, 1.0 - factor)

    @property
    def n_additions(self) -> int:
        """Additions that take the place of a multiplication: one for every term."""
        return len(self.terms)


def nearest_shifts(factor: float, n_terms: int, *, signed: bool = False) -> Shifts:
    """Return the sum of powers of two that is nearest to a factor below 1.

    Parameters
    ----------
    factor : float
    n_terms : int
        Number of terms, with different shifts of at most 8.
    signed : bool
        Whether terms may be negative and the first one may be 1.  Without, the sum of three terms
        is at most 0.875, and cannot be near e^(-1/50) = 0.980.

    Raises
    ------
    ParameterError
        If ``factor`` is not between 0 and 1, or ``n_terms`` not from 1 to 4.

    Examples
    --------
    >>> nearest_shifts(0.8, 3).terms
    ((1, 1), (1, 2), (1, 4))
    """
    if not 0 < factor < 1 or n_terms not in range(1, 5):
        raise ParameterError(
            "nearest_shifts needs a factor between 0 and 1, and n_terms from 1 to 4. "
            f"Received: {factor:g} and {n_terms!r}."
        )
    signs = list(product(*[(1, -1) if signed else (1,)] * n_terms))
    found = (
        Shifts(tuple(zip(chosen, shifts, strict=True)))
        for shifts in combinations(range(0 if signed else 1, _LONGEST + 1), n_terms)
        for chosen in signs
    )
    # A factor of 1 would never decay.
    valid = (one for one in found if 0 < one.factor < 1)
    return min(valid, key=lambda one: (abs(one.factor - factor), one.terms))


def unit_shifts(decay: float) -> Shifts:
    """Return the sum of shifts for the decay of units: 1/2 + 1/4 + 1/16 for 0.8 (Eq A.17)."""
    return nearest_shifts(decay, UNIT_TERMS)


def readout_shifts(decay: float) -> Shifts:
    """Return the sum of shifts for the decay of traces: 1 - 1/64 for 50 steps (Eq A.18)."""
    return nearest_shifts(decay, READOUT_TERMS, signed=True)
