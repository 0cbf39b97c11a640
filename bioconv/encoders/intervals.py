"""Codes in the intervals between spikes, and bursts (mueller 3.1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders.encoder import EXACT, Encoder, Floats, checked, flat, repeated
from bioconv.encoders.raster import Shape, SpikeRaster
from bioconv.ground.options import number, whole

_NEIGHBOURS = (
    "spike times relate to those of neighbours, which would need connections between the neurons "
    "of a layer"
)


@dataclass(frozen=True)
class InterspikeInterval(Encoder):
    """The interval between two spikes represents the value: short for large values.

    Mueller 2023, thesis, 3.1.3.

    Parameters
    ----------
    interval, low, high
        See `Encoder`; each window contains two spikes.
    shortest, longest : float
        Intervals between spikes for the largest and the smallest value, as shares of a window.
        The first spike is half of what remains after the start of the window.

    Examples
    --------
    >>> encoder = InterspikeInterval(interval=10.0, low=0.0, high=1.0)
    >>> np.diff(encoder.encode([0.5]).time).round(6).tolist()
    [5.0]
    """

    shortest: float = number(0.1, 0.0, 1.0, above=True, below=True)
    longest: float = number(0.9, 0.0, 1.0, above=True, below=True)

    name = "interspike_interval"
    family = "temporal, inter-spike interval"
    law = "t2 - t1 = interval (longest - (longest - shortest) a)"
    error = "0"
    reason = _NEIGHBOURS

    def _conflicts(self) -> list[str]:
        wrong = (
            []
            if self.shortest < self.longest
            else [
                f"shortest must be below longest. Received: {self.shortest:g} and {self.longest:g}."
            ]
        )
        return [*super()._conflicts(), *wrong]

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        gap = self.longest - (self.longest - self.shortest) * flat(self.shares(values))
        window, unit = (index.ravel() for index in np.indices(gap.shape))
        first = window + (1.0 - self.longest) / 2
        time = np.concatenate([first, first + gap.ravel()]) * self.interval
        return self.raster(np.tile(unit, 2), time, values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n, n_units = self.n_samples(raster), raster.n_units
        place = self.windows(raster) * n_units + raster.unit
        first, last = np.full(n * n_units, np.inf), np.full(n * n_units, -np.inf)
        np.minimum.at(first, place, raster.time)
        np.maximum.at(last, place, raster.time)
        gap = np.where(last > first, (last - first) / self.interval, self.longest)
        shares = (self.longest - gap) / (self.longest - self.shortest)
        return self.values(shares.reshape(n, *shape))

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the largest error, which is that of floating-point times."""
        fitted = self.fitted(signal)
        times = np.finfo(np.float64).eps * len(checked(signal)) / (self.longest - self.shortest)
        return np.full(checked(signal).shape, fitted.span * (EXACT + 8 * times))


@dataclass(frozen=True)
class Burst(Encoder):
    """A burst in each window: large values have more spikes at shorter intervals.

    Mueller 2023, thesis, 3.1.3; the law is that of Guo et al. 2021 (number of spikes, interval
    between them).  The number of spikes determines the decoded value.

    Parameters
    ----------
    interval, low, high
        See `Encoder`; each window starts with a burst.
    n_spikes : int
        Number of spikes of the largest value.
    shortest, longest : float
        Intervals within bursts for the largest and the smallest value, as shares of a window.

    Raises
    ------
    ParameterError
        If options are invalid, or if a burst does not fit into a window.
    """

    n_spikes: int = whole(5, 1, 10**4)
    shortest: float = number(0.02, 0.0, 1.0, above=True)
    longest: float = number(0.1, 0.0, 1.0, above=True)

    name = "burst"
    family = "temporal, inter-spike interval"
    law = "n = ceil(n_spikes a) spikes at intervals of longest - (longest - shortest) n / n_spikes"
    error = "1 / (2 n_spikes)"
    reason = _NEIGHBOURS
    references = ("mueller2023", "guo2021")

    def _conflicts(self) -> list[str]:
        problems = super()._conflicts()
        if self.shortest > self.longest:
            problems.append(
                "shortest must be at most longest. "
                f"Received: {self.shortest:g} and {self.longest:g}."
            )
        n = np.arange(1, self.n_spikes + 1)
        if (n * self._gaps(n)).max() > 1:
            problems.append(
                f"bursts of up to {self.n_spikes} spikes are longer than a window. Use fewer "
                "spikes, or shorter intervals between them."
            )
        return problems

    def _gaps(self, n: NDArray[Any]) -> NDArray[Any]:
        return self.longest - (self.longest - self.shortest) * n / self.n_spikes

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        n = np.ceil(flat(self.shares(values)) * self.n_spikes - EXACT).astype(np.int64)
        index, number = repeated(n)
        window, unit = np.divmod(index, n.shape[1])
        gap = self._gaps(n.ravel()[index])
        return self.raster(unit, (window + (number + 1) * gap) * self.interval, values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n, n_units = self.n_samples(raster), raster.n_units
        place = self.windows(raster) * n_units + raster.unit
        count = np.bincount(place, minlength=n * n_units).reshape(n, *shape)
        return self.values(np.maximum(count - 0.5, 0.0) / self.n_spikes)

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the largest error: half of a spike."""
        fitted = self.fitted(signal)
        return np.full(checked(signal).shape, fitted.span * (0.5 / self.n_spikes + EXACT))
