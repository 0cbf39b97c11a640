"""Globally referenced codes: when a spike comes within a window, or in which order (mueller 3.1.3).

With a ``resolution``, windows consist of steps, and a spike is at the end of one of them.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders.encoder import EXACT, Encoder, Floats, checked, flat
from bioconv.encoders.raster import SLACK, Shape, SpikeRaster, steps_of
from bioconv.ground.options import number, whole


@dataclass(frozen=True)
class _Latency(Encoder):
    """One spike in each window of one or several cycles; silence for the smallest values."""

    resolution: float = number(0.0, 0.0)

    @property
    def cycle(self) -> float:
        """Time in ms in which the spike of a value can occur."""
        return self.interval

    @property
    def n_cycles(self) -> int:
        """Number of cycles in a window."""
        return 1

    @abstractmethod
    def latencies(self, shares: Floats) -> Floats:
        """Return the times of spikes in a cycle, in ms; those after its end are left out."""

    @abstractmethod
    def shares_at(self, latency: Floats) -> Floats:
        """Return the shares that spikes at these times of a cycle represent."""

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        latency = flat(self.latencies(self.shares(values)))
        window, unit = np.nonzero(latency <= self.cycle - SLACK * self.interval)
        found = np.maximum(latency[window, unit], 2 * SLACK * self.interval)
        start = window[None] * self.n_cycles + np.arange(self.n_cycles)[:, None]
        time = start * self.cycle + found
        return self.raster(np.tile(unit, self.n_cycles), time.ravel(), values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        cycle = steps_of(raster.time, self.cycle)
        shares = self.shares_at(raster.time - cycle * self.cycle)
        n = self.n_samples(raster)
        place = self.windows(raster) * raster.n_units + raster.unit
        total = np.bincount(place, weights=shares, minlength=n * raster.n_units)
        return self.values(total.reshape(n, *shape) / self.n_cycles)


@dataclass(frozen=True)
class FirstSpike(_Latency):
    """Time to first spike, linear: large values spike early, the smallest ones not at all.

    Mueller 2023, thesis, 3.1.3: a spike after (1 - a) interval.

    Parameters
    ----------
    interval, low, high
        See `Encoder`; a window starts with each sample.
    resolution : float
        Time step in ms; 0 for exact times.

    Examples
    --------
    >>> encoder = FirstSpike(interval=10.0, low=0.0, high=1.0)
    >>> encoder.encode([0.8, 0.0]).time.round(6).tolist()
    [2.0]
    """

    name = "first_spike"
    family = "temporal, globally referenced"
    law = "t = (1 - a) interval"
    error = "0; resolution / (2 (interval - resolution)) on a grid"
    can_convert = True
    reason = "suitable, although it did not scale to deep networks in the thesis (mueller 6.1)"

    def _conflicts(self) -> list[str]:
        wrong = (
            []
            if 2 * self.resolution <= self.cycle
            else [
                f"resolution must be at most half of {self.cycle:g} ms. "
                f"Received: {self.resolution:g}."
            ]
        )
        return [*super()._conflicts(), *wrong]

    @property
    def n_levels(self) -> int:
        """Number of steps of a cycle, on a grid."""
        return int(np.floor(self.cycle / self.resolution + SLACK))

    def latencies(self, shares: Floats) -> Floats:
        """Return (1 - a) times the cycle, or the nearest step, of which the last is silence."""
        if not self.resolution:
            return (1.0 - shares) * self.cycle
        step = np.floor((1.0 - shares) * (self.n_levels - 1) + 0.5)
        return np.where(step < self.n_levels - 1, (step + 1) * self.resolution, np.inf)

    def shares_at(self, latency: Floats) -> Floats:
        """Return 1 - latency / cycle."""
        if not self.resolution:
            return 1.0 - latency / self.cycle
        return 1.0 - (latency / self.resolution - 1.0) / (self.n_levels - 1)

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the largest error: that of rounding to steps."""
        fitted = self.fitted(signal)
        share = 0.5 / (self.n_levels - 1) if self.resolution else 0.0
        return np.full(checked(signal).shape, fitted.span * (share + EXACT * self.n_cycles))


@dataclass(frozen=True)
class PhaseCode(FirstSpike):
    """Phase of an oscillation: in every cycle, large values spike early.

    Mueller 2023, thesis, 3.1.3: a spike at the phase 2 pi (1 - a) of a periodic reference.  The
    value is the mean over the cycles of a window.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    resolution : float
        Time step in ms; 0 for exact times.
    cycles : int
        Number of cycles of the oscillation in an interval.
    """

    cycles: int = whole(2, 1)

    name = "phase"
    law = "phase = 2 pi (1 - a) in each of the cycles of an interval"
    error = "0; as first_spike on a grid, with a cycle for the interval"
    reason = "very well suited: one reference oscillation for all layers (mueller 6)"

    @property
    def cycle(self) -> float:
        """Duration of a cycle in ms."""
        return self.interval / self.cycles

    @property
    def n_cycles(self) -> int:
        """Number of cycles in a window."""
        return self.cycles


@dataclass(frozen=True)
class InverseFirstSpike(_Latency):
    """Time to first spike, inverse: the latency is inversely proportional to the value.

    Mueller 2023, thesis, 3.1.3: a spike after ``fastest / a`` ms.  Values that would spike after
    the window are silent.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    resolution : float
        Time step in ms; 0 for exact times.
    fastest : float
        Latency of the largest value, as a share of the interval.
    """

    fastest: float = number(0.05, 0.0, 1.0, above=True, below=True)

    name = "first_spike_inverse"
    family = "temporal, globally referenced"
    law = "t = fastest interval / a"
    error = "0, and a below ``fastest``; about a^2 resolution / (2 fastest interval) on a grid"
    can_convert = True
    reason = FirstSpike.reason

    @property
    def unit(self) -> float:
        """Latency of the largest value in ms."""
        return self.fastest * self.interval

    def _conflicts(self) -> list[str]:
        wrong = (
            []
            if self.resolution <= self.unit
            else [
                f"resolution must be at most fastest times interval ({self.unit:g} ms). "
                f"Received: {self.resolution:g}."
            ]
        )
        return [*super()._conflicts(), *wrong]

    def latencies(self, shares: Floats) -> Floats:
        """Return ``fastest * interval / a`` or the nearest step."""
        with np.errstate(divide="ignore", over="ignore"):
            latency = self.unit / shares
        if not self.resolution:
            return latency
        # A sum, so that infinity stays infinite; later than the window is silent.
        return (
            np.floor(np.minimum(latency, 2 * self.interval) / self.resolution + 0.5)
            * self.resolution
        )

    def shares_at(self, latency: Floats) -> Floats:
        """Return ``fastest * interval / latency``."""
        return self.unit / latency

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the largest error: of values without a spike all, of others that of rounding."""
        fitted = self.fitted(signal)
        shares = fitted.shares(checked(signal))
        half = self.resolution / 2
        rounding = shares**2 * half / (self.unit - shares * half)
        last = self.unit / (self.interval - half) * (1 + EXACT)
        return fitted.span * (np.where(shares <= last, shares, rounding) + EXACT)


@dataclass(frozen=True)
class RankOrder(Encoder):
    """Rank order: all units of a sample spike once, in the order of their values.

    Mueller 2023, thesis, 3.1.3; Thorpe and Gautrais 1998.  The order is exact and the amplitude is
    lost.  Equal values spike in the order of their indices.  Decoding gives ranks from 0 (the last
    unit) to 1 (the first), as values from ``low`` to ``high``.

    Parameters
    ----------
    interval, low, high
        See `Encoder`; all units of a sample spike within an interval.
    """

    name = "rank_order"
    family = "temporal, globally referenced"
    law = "t = interval (rank + 1) / n, rank 0 for the largest of n values"
    error = "order exact, amplitude lost"
    reason = "loses the absolute amplitude, so that neither it nor a constant can be recovered"
    references = ("mueller2023", "thorpe1998")

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        unit = np.argsort(-flat(values), axis=1, kind="stable")
        n = unit.shape[1]
        time = (np.arange(len(unit))[:, None] + np.arange(1, n + 1) / n) * self.interval
        return self.raster(unit.ravel(), time.ravel(), values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n, n_units = self.n_samples(raster), raster.n_units
        ranks = self.ranks(raster).reshape(n, n_units)
        return self.values(1.0 - ranks / max(n_units - 1, 1)).reshape(n, *shape)

    def ranks(self, raster: SpikeRaster) -> NDArray[np.int64]:
        """Return the rank of each unit in each window, 0 for the first to spike.

        Units that do not spike in a window have the last rank.
        """
        n, n_units = self.n_samples(raster), raster.n_units
        window = self.windows(raster)
        first = np.searchsorted(window, np.arange(n))
        ranks = np.full((n, n_units), n_units - 1)
        # Spikes are sorted by time; of several spikes of a unit, the first counts.
        place = np.arange(raster.n_spikes) - first[window]
        ranks[window[::-1], raster.unit[::-1]] = np.minimum(place[::-1], n_units - 1)
        return ranks.reshape(n, *raster.shape)

    def bound(self, signal: ArrayLike) -> None:
        """Return None, because the amplitude is lost."""
        checked(signal)
