"""Temporal contrast: ON and OFF spikes for changes of the signal (mueller 3.1.3).

The algorithms are those of Petro, Kasabov and Kiss 2020.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders.encoder import EXACT, Encoder, Floats, checked, flat
from bioconv.encoders.raster import Shape, SpikeRaster
from bioconv.encoders.scanning import following
from bioconv.ground.options import number, whole

_REASON = "changes of the input are encoded, which analog networks do not work on"


@dataclass(frozen=True)
class _Contrast(Encoder):
    """Spikes of both signs, at most one in a sampling interval, each for a step of a threshold."""

    threshold: float | None = number(None, 0.0, above=True, besides=(None,))
    start: float | None = number(None, besides=(None,))

    family = "temporal, contrast"
    reason = _REASON
    of_series = True
    axes = ("polarities",)
    references: ClassVar[tuple[str, ...]] = ("mueller2023", "petro2020")

    def axis_lengths(self) -> Shape:
        """Return 2: ON units are the first, OFF units the second."""
        return (2,)

    def _completed(self, ranged: Self, values: Floats) -> Self:
        start = float(flat(values)[0].mean()) if self.start is None else self.start
        threshold = self.threshold
        if threshold is None:
            threshold = self.usual_threshold(values) or 1.0
        return replace(ranged, start=start, threshold=threshold)

    def usual_threshold(self, values: Floats) -> float:
        """Return the threshold for a signal if none is given."""
        changes = np.abs(np.diff(values, axis=0))
        return float(changes.max()) if changes.size else 0.0

    @abstractmethod
    def signs(self, rows: Floats) -> NDArray[np.int8]:
        """Return 1, 0 or -1 for each value, shape (n_samples, n_values)."""

    @abstractmethod
    def following_signs(self, signs: NDArray[Any]) -> Floats:
        """Return the signal that spikes stand for, shape (n_samples, n_values)."""

    @property
    def first(self) -> float:
        """Value before the first sample."""
        return float(self.start or 0.0)

    @property
    def size(self) -> float:
        """Threshold of the fitted encoder."""
        return float(self.threshold or 0.0)

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        signs = self.signs(flat(values))
        window, unit = np.nonzero(signs)
        off = signs[window, unit] < 0
        return self.raster(unit + off * signs.shape[1], (window + 1.0) * self.interval, values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n, n_values = self.n_samples(raster), raster.n_units // 2
        off, unit = np.divmod(raster.unit, n_values)
        place = self.windows(raster) * n_values + unit
        signs = np.bincount(place, weights=1.0 - 2.0 * off, minlength=n * n_values)
        return self.following_signs(signs.reshape(n, n_values)).reshape(n, *shape)


@dataclass(frozen=True)
class ThresholdBased(_Contrast):
    """Threshold-based representation: a spike for a change between samples above a threshold.

    Mueller 2023, thesis, 3.1.3; Delbruck and Lichtsteiner 2007.  The threshold is the mean of the
    changes plus ``factor`` times their standard deviation.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    threshold : float or None
        In the unit of the signal; None: from the signal.
    start : float or None
        Value before the first sample; None: that of the signal, as the mean of the channels.
    factor : float
    """

    factor: float = number(0.5, 0.0)

    name = "threshold_based"
    law = "spike of the sign of s(t) - s(t-1) if its size exceeds mean + factor std"
    error = "sum over time of what the spikes leave of each change"

    def usual_threshold(self, values: Floats) -> float:
        """Return the mean plus ``factor`` standard deviations of the absolute changes."""
        changes = np.abs(np.diff(values, axis=0))
        return float(changes.mean() + self.factor * changes.std()) if changes.size else 0.0

    def changes(self, rows: Floats) -> Floats:
        """Return the change of each sample."""
        return np.diff(rows, axis=0, prepend=np.full((1, rows.shape[1]), self.first))

    def signs(self, rows: Floats) -> NDArray[np.int8]:
        """Return the signs of changes above the threshold."""
        changes = self.changes(rows)
        return (np.sign(changes) * (np.abs(changes) > self.size)).astype(np.int8)

    def following_signs(self, signs: NDArray[Any]) -> Floats:
        """Return the sum of the spikes, each of which is a threshold."""
        return self.first + self.size * np.cumsum(signs, axis=0)

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the sum of what is left of each change, which adds up over time."""
        values = checked(signal)
        fitted = self.fitted(values)
        changes = np.abs(fitted.changes(flat(values)))
        left = np.where(changes > fitted.size, changes - fitted.size, changes)
        return np.cumsum(left, axis=0).reshape(values.shape) + fitted.span * EXACT


@dataclass(frozen=True)
class StepForward(_Contrast):
    """Step-forward: a spike moves a base by a threshold towards the signal.

    Mueller 2023, thesis, 3.1.3; Kasabov et al. 2016.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    threshold : float or None
        In the unit of the signal; None: the largest change between samples, so that the base
        follows everywhere.
    start : float or None
        Start of the base; None: that of the signal, as the mean of the channels.

    Examples
    --------
    >>> encoder = StepForward(threshold=1.0, start=0.0).fitted([0.0, 1.5, 1.0])
    >>> encoder.decode(encoder.encode([0.0, 1.5, 1.0])).tolist()
    [0.0, 1.0, 1.0]
    """

    name = "step_forward"
    law = "spike and base += threshold if s > base + threshold, and likewise downwards"
    error = "threshold where no change exceeds it; what exceeds it adds up"
    references = ("mueller2023", "petro2020", "kasabov2016")

    def signs(self, rows: Floats) -> NDArray[np.int8]:
        """Return the signs of the steps of the base."""
        return following(rows, self.first, self.size)

    def following_signs(self, signs: NDArray[Any]) -> Floats:
        """Return the base after each sample."""
        return self.first + self.size * np.cumsum(signs, axis=0)

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the threshold and what changes faster than the base can follow.

        With e the error and d the change of a sample, e(t) <= max(threshold, e(t-1) + |d| -
        threshold); the solution is that of a queue (Lindley 1952).
        """
        values = checked(signal)
        fitted = self.fitted(values)
        rows = flat(values)
        changes = np.abs(np.diff(rows, axis=0, prepend=np.full((1, rows.shape[1]), fitted.first)))
        excess = np.cumsum(changes - fitted.size, axis=0)
        waiting = excess - np.minimum(np.minimum.accumulate(excess, axis=0), 0.0)
        return (fitted.size + waiting).reshape(values.shape) + fitted.span * EXACT


@dataclass(frozen=True)
class MovingWindow(_Contrast):
    """Moving window: a spike if the signal leaves the mean of the last samples by a threshold.

    Mueller 2023, thesis, 3.1.3; Petro et al. 2020, who decode by adding thresholds.  Here, each
    spike is added to the mean of the last decoded values, which inverts the law of the code.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    threshold : float or None
        In the unit of the signal; None: the mean size of the changes between samples.
    start : float or None
        Value before the first sample; None: that of the signal, as the mean of the channels.
    window : int
        Number of samples of the mean.
    """

    window: int = whole(5, 1)

    name = "moving_window"
    law = "spike of the sign of s - mean of the last window if its size exceeds the threshold"
    error = "what the spikes leave of each deviation, as the mean carries it on"

    def usual_threshold(self, values: Floats) -> float:
        """Return the mean size of the deviations from the moving mean."""
        rows = flat(values)
        first = float(rows[0].mean()) if self.start is None else self.start
        return float(np.abs(rows - self.means(rows, first)).mean())

    def means(self, rows: Floats, first: float) -> Floats:
        """Return the mean of the samples before each one, of which ``first`` precede the signal."""
        from scipy.signal import lfilter  # takes long to import

        padded = np.concatenate([np.full((self.window, rows.shape[1]), first), rows[:-1]])
        kernel = np.full(self.window, 1.0 / self.window)
        return np.asarray(lfilter(kernel, [1.0], padded, axis=0)[self.window - 1 :])

    def signs(self, rows: Floats) -> NDArray[np.int8]:
        """Return the signs of deviations above the threshold."""
        left = rows - self.means(rows, self.first)
        return (np.sign(left) * (np.abs(left) > self.size)).astype(np.int8)

    def following_signs(self, signs: NDArray[Any]) -> Floats:
        """Return the mean of the last decoded values plus each spike."""
        return self.first + self.carried(self.size * signs)

    def carried(self, added: Floats) -> Floats:
        """Return y with y(t) = mean of the last ``window`` y + added(t)."""
        from scipy.signal import lfilter  # takes long to import

        feedback = np.concatenate([[1.0], np.full(self.window, -1.0 / self.window)])
        return np.asarray(lfilter([1.0], feedback, added, axis=0))

    def bound(self, signal: ArrayLike) -> Floats:
        """Return what the spikes leave of each deviation, carried on by the mean."""
        values = checked(signal)
        fitted: Any = self.fitted(values)
        left = np.abs(flat(values) - fitted.means(flat(values), fitted.first))
        left = np.where(left > fitted.size, left - fitted.size, left)
        return fitted.carried(left).reshape(values.shape) + fitted.span * EXACT
