"""Exact percentiles of more activations than fit into memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor

import numpy as np
from numpy.typing import NDArray


@dataclass
class Tail:
    """Largest values in each column of a stream, for exact high percentiles.

    Of n values, only the largest (100 - p) % are relevant for percentiles of at least p, so that
    only these are kept: 0.1 % of all activations for p = 99.9.  The result equals
    ``numpy.percentile`` over the positive values or over all values.

    Parameters
    ----------
    n_values : int
        Maximum number of values in each column.
    lowest : float
        The lowest percentile that will be requested, in (0, 100].
    n_columns : int
        1 for a whole layer, the number of channels for channel-wise normalisation.
    over : {"positive", "all"}
        Values over which the percentiles are taken.

    Attributes
    ----------
    positives : ndarray of int, shape (n_columns,)
        Number of positive values so far.
    n_seen : int
        Number of values so far in each column.
    minimum, maximum : ndarray, shape (n_columns,)
        Minimum and maximum of all values so far.
    """

    n_values: int
    lowest: float
    n_columns: int = 1
    over: str = "positive"
    positives: NDArray[np.int64] = field(init=False)
    n_seen: int = field(init=False, default=0)
    minimum: NDArray[np.float64] = field(init=False)
    maximum: NDArray[np.float64] = field(init=False)
    _top: NDArray = field(init=False, repr=False)
    _floor: float = field(init=False)

    def __post_init__(self) -> None:
        self.positives = np.zeros(self.n_columns, np.int64)
        self.minimum = np.full(self.n_columns, np.inf)
        self.maximum = np.full(self.n_columns, -np.inf)
        self._top = np.zeros((0, self.n_columns), np.float32)
        self._floor = -np.inf if self.over == "all" else 0.0

    @property
    def _kept(self) -> int:
        rank = floor((1 - self.lowest / 100) * max(self.n_values - 1, 0)) + 2
        return min(rank, self.n_values)

    def update(self, values: NDArray) -> None:
        """Add values of shape (n, n_columns)."""
        self.positives += np.count_nonzero(values > 0, axis=0)
        self.n_seen += len(values)
        self.minimum = np.minimum(self.minimum, values.min(axis=0))
        self.maximum = np.maximum(self.maximum, values.max(axis=0))
        if self.n_columns == 1:  # most values of a layer are smaller than all values that are kept
            values = values[values > self._floor][:, None]
        top = np.concatenate([self._top, values])
        if len(top) > self._kept:
            top = np.partition(top, len(top) - self._kept, axis=0)[-self._kept :]
            if self.n_columns == 1:
                self._floor = max(self._floor, float(top.min()))
        self._top = top

    def percentile(self, p: float) -> NDArray[np.float64]:
        """Return the p-th percentile of the values of each column, 0 if there are none.

        Parameters
        ----------
        p : float
            Percentile, from ``lowest`` to 100.

        Returns
        -------
        ndarray, shape (n_columns,)
        """
        if not len(self._top):
            return np.zeros(self.n_columns)
        # convert to float64 before the interpolation, like numpy.percentile for float64 data
        descending = np.sort(self._top.astype(np.float64), axis=0)[::-1]
        counts = np.full_like(self.positives, self.n_seen) if self.over == "all" else self.positives
        last = np.maximum(counts - 1, 0)
        place = np.minimum((1 - p / 100) * last, len(descending) - 1)
        low = np.floor(place).astype(np.int64)
        high = np.minimum(np.minimum(low + 1, last), len(descending) - 1)
        columns = np.arange(self.n_columns)
        upper, lower = descending[low, columns], descending[high, columns]
        value = upper + (lower - upper) * (place - low)
        return np.where(counts > 0, value, 0.0)
