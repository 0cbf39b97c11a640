"""The tables of a few-spikes neuron: threshold T(t), reset h(t) and spike weight d(t)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import ParameterError

Floats = NDArray[np.float64]

#: T, h and d of fitted tables are integer multiples of this, so that their sums are exact
GRID = 2.0**-12
#: number of values that are computed together, so that they stay in the cache of a processor
_CHUNK = 1 << 15


@dataclass(frozen=True, eq=False)
class Table:
    """Parameters of a neuron in the steps t = 1 ... K (Stoeckl and Maass 2021, Eqs 1 to 3).

    Parameters
    ----------
    threshold, fall, worth : ndarray of float64, shape (K,)
        T(t), h(t) and d(t).
    grid : float
        All values are integer multiples of this.
    reach : float
        The fit was limited to values between -reach and reach; inf for no limit.
    """

    threshold: Floats
    fall: Floats
    worth: Floats
    grid: float
    reach: float = np.inf

    def __len__(self) -> int:
        return len(self.threshold)

    def spikes(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Return the spikes z(t) for each input, shape (K, *x.shape) (Eq 2)."""
        v = np.array(x, np.float64)
        fired = np.zeros((len(self), *v.shape), np.bool_)
        for step, (threshold, fall) in enumerate(zip(self.threshold, self.fall, strict=True)):
            fired[step] = v >= threshold
            v -= fall * fired[step]
        return fired

    def value(self, x: ArrayLike) -> Floats:
        """Return the output for each input, the sum of d(t) z(t) (Eq 3)."""
        v = np.array(x, np.float64, order="C")
        total = np.zeros(v.shape)
        potentials, sums = v.reshape(-1), total.reshape(-1)
        for first in range(0, v.size, _CHUNK):
            part, out = (array[first : first + _CHUNK] for array in (potentials, sums))
            for threshold, fall, worth in zip(self.threshold, self.fall, self.worth, strict=True):
                fired = part >= threshold
                part -= fall * fired
                out += worth * fired
        return total

    def same_worth(self, other: Table) -> bool:
        """Whether both tables have the same spike weights."""
        return np.array_equal(self.worth, other.worth)

    def limited(self, bits: int) -> Table:
        """Return the table with parameters rounded to signed fixed-point numbers of ``bits`` bits.

        Fig 5e and f.  The ``2**bits`` values are evenly spaced from -reach to reach, excluding the
        upper end: from -8 to 8, as in the paper, for the tables of named functions.  If reach is
        infinite, the smallest power of 2 that covers all parameters is used instead.

        Parameters
        ----------
        bits : int
            0 for no limit.
        """
        if not bits:
            return self
        tables = (self.threshold, self.fall, self.worth)
        largest = max(np.abs(values).max() for values in tables)
        reach = self.reach if np.isfinite(self.reach) else 2.0 ** np.ceil(np.log2(largest))
        step = 2 * reach / 2**bits
        rounded = [
            np.clip(np.round(values / step) * step, -reach, reach - step) for values in tables
        ]
        return Table(rounded[0], rounded[1], rounded[2], float(min(self.grid, step)), self.reach)


def relu_table(k: int) -> Table:
    """Return the table of ReLU in units of alpha, T(t) = h(t) = d(t) = 2^-t.

    Stoeckl and Maass 2021, "Approximating the ReLU activation function": the spikes are the
    binary digits of x / alpha, rounded down; alpha is 2^K in the units of the paper.  According
    to its text, values between two multiples of alpha 2^-K are rounded down "to the next larger
    multiple"; according to its Eqs 1 to 3, they are rounded to the next smaller one, as here.
    """
    if not 1 <= k <= 20:
        raise ParameterError(f"k must be an integer from 1 to 20. Received: {k!r}.")
    powers = np.asarray(2.0 ** -np.arange(1, k + 1), np.float64)
    return Table(powers, powers, powers, float(powers[-1]))
