"""Spikes whose convolution with a filter is the signal: HSA, modified HSA, BSA (mueller 3.1.3)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders.encoder import Encoder, Floats, checked, flat
from bioconv.encoders.raster import Shape, SpikeRaster
from bioconv.encoders.scanning import deconvolve
from bioconv.ground.options import number, whole

_REASON = "the output of the neuron would have to be known in advance"


@dataclass(frozen=True)
class Filtered(Encoder):
    """Decoding by a low-pass filter, at most one spike in a sampling interval.

    The filter is a window design of SciPy (`scipy.signal.firwin`, Hamming) without negative taps,
    and its taps have the sum 1: a spike in every interval represents the largest value.
    """

    n_taps: int = whole(24, 2, 10**4)
    cutoff: float = number(0.08, 0.0, 1.0, above=True, below=True)

    family = "temporal, filter and optimizer"
    reason = _REASON
    of_series = True

    def taps(self) -> Floats:
        """Return the filter, shape (n_taps,)."""
        from scipy.signal import firwin  # takes long to import

        taps = np.maximum(np.asarray(firwin(self.n_taps, self.cutoff), np.float64), 0.0)
        return taps / taps.sum()

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        fired = self.fired(flat(self.shares(values)))
        window, unit = np.nonzero(fired)
        return self.raster(unit, (window + 1.0) * self.interval, values)

    @abstractmethod
    def fired(self, rows: Floats) -> NDArray[np.bool_]:
        """Return the spikes of shares, shape (n_samples, n_values)."""

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n, n_units = self.n_samples(raster), raster.n_units
        place = self.windows(raster) * n_units + raster.unit
        dense = np.bincount(place, minlength=n * n_units).reshape(n, n_units)
        return self.values(self.convolved(dense)).reshape(n, *shape)

    def convolved(self, dense: NDArray[Any]) -> Floats:
        """Return the convolution of spikes with the filter, shape (n_samples, n_values)."""
        from scipy.signal import oaconvolve  # takes long to import

        kernel = self.taps()[:, None]
        return np.asarray(oaconvolve(dense.astype(np.float64), kernel, axes=0))[: len(dense)]

    def bound(self, signal: ArrayLike) -> None:
        """Return None: the errors of single values are not bounded (see ``error``)."""
        checked(signal)


@dataclass(frozen=True)
class HoughSpiker(Filtered):
    """Hough spiker algorithm (HSA): a spike where the filter is nowhere above the signal.

    Mueller 2023, thesis, 3.1.3; Hough et al. 1999.  What is decoded never exceeds the signal.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_taps : int
        Length of the filter in samples.
    cutoff : float
        Cutoff frequency of the filter as a share of half the sampling rate.
    """

    name = "hsa"
    law = "spike and s -= h if h(k) <= s(t + k) for all k; r = spikes * h"
    error = "decoded values never exceed the signal"
    references = ("mueller2023", "hough1999")

    def fired(self, rows: Floats) -> NDArray[np.bool_]:
        """Return the spikes of shares."""
        return deconvolve(rows, self.taps(), 0.0, "below")


@dataclass(frozen=True)
class _Searched(Filtered):
    """A spiker with a threshold, which is searched for if it is not given."""

    threshold: float | None = number(None, besides=(None,))
    rule: ClassVar[str]
    #: thresholds among which the search chooses
    candidates: ClassVar[tuple[float, ...]]

    def _completed(self, ranged: Self, values: Floats) -> Self:
        if self.threshold is not None:
            return ranged
        return replace(ranged, threshold=ranged.best_threshold(values))

    def best_threshold(self, values: Floats) -> float:
        """Return the threshold with the smallest squared error of all channels.

        All candidates are tried at once.  The first ``n_taps`` samples do not count, which no
        spikes precede.
        """
        rows = flat(self.shares(values))
        n, n_values = rows.shape
        trials = np.tile(rows, len(self.candidates))
        thresholds = np.repeat(self.candidates, n_values)
        decoded = self.convolved(deconvolve(trials, self.taps(), thresholds, self.rule))
        skipped = min(self.n_taps, n - 1)
        squares = ((decoded - trials)[skipped:] ** 2).sum(axis=0)
        return float(self.candidates[int(squares.reshape(-1, n_values).sum(axis=1).argmin())])

    def fired(self, rows: Floats) -> NDArray[np.bool_]:
        """Return the spikes of shares."""
        return deconvolve(rows, self.taps(), float(self.threshold or 0.0), self.rule)


@dataclass(frozen=True)
class ModifiedHoughSpiker(_Searched):
    """Modified Hough spiker: the filter may exceed the signal by a threshold in sum.

    Mueller 2023, thesis, 3.1.3; Schrauwen and Van Campenhout 2003.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_taps, cutoff
        See `HoughSpiker`.
    threshold : float or None
        At most 1 makes sense, the sum of the filter; None: the best of 41 for the signal.
    """

    name = "modified_hsa"
    law = "spike and s -= h if sum over k of max(0, h(k) - s(t + k)) <= threshold"
    error = "decoded values exceed the signal by n_spikes threshold in sum at most"
    references = ("mueller2023", "schrauwen2003")
    rule = "shortfall"
    candidates = tuple(np.linspace(0.0, 0.8, 41).tolist())


@dataclass(frozen=True)
class BensSpiker(_Searched):
    """Ben's spiker algorithm (BSA): a spike where subtracting the filter makes the signal smaller.

    Mueller 2023, thesis, 3.1.3; Schrauwen and Van Campenhout 2003.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_taps, cutoff
        See `HoughSpiker`.
    threshold : float or None
        From -1 to 1: by how much the sum of absolute values must decrease, relative to the filter;
        None: the best of 41 for the signal.
    """

    name = "bsa"
    law = "spike and s -= h if sum |s| - sum |s - h| >= threshold sum |h|"
    error = "mean absolute error at most that without spikes (threshold of at least 0)"
    references = ("mueller2023", "schrauwen2003")
    rule = "gain"
    candidates = tuple(np.linspace(0.0, 1.0, 41).tolist())
