"""Rate codes: the number of spikes matters, over time, runs or neurons (mueller 3.1.1, 3.1.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bioconv.encoders.encoder import EXACT, Encoder, Floats, checked, flat, repeated
from bioconv.encoders.raster import Shape, SpikeRaster
from bioconv.ground.options import choice, number, whole


@dataclass(frozen=True)
class CountRate(Encoder):
    """Average over time: the number of spikes in a window represents the value.

    Mueller 2023, thesis, 3.1.1, Eq 3.1.  Regular spikes have an error of the order 1 / N for N
    spikes, random ones of 1 / sqrt(N).

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_spikes : int
        Number of spikes of the largest value in a window.
    kind : {"regular", "poisson"}
        Regular spikes at equal distances, or a Poisson process.

    Examples
    --------
    >>> encoder = CountRate(interval=10.0, low=0.0, high=1.0, n_spikes=4)
    >>> raster = encoder.encode([0.5, 0.25])
    >>> raster.time.tolist(), encoder.decode(raster).tolist()
    ([2.5, 7.5, 15.0], [0.5, 0.25])
    """

    n_spikes: int = whole(20, 1, 10**6)
    kind: str = choice("regular", ("regular", "poisson"))

    name = "count"
    family = "rate"
    rates = True
    law = "r = N / interval, N = n_spikes a (Eq 3.1)"
    error = "1 / (2 n_spikes) regular, sqrt(a / n_spikes) Poisson"
    can_convert = True
    reason = "the rate and a ReLU are both linear in the input: the state of the art"
    random = True

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        shares = flat(self.shares(values))
        if self.kind == "poisson":
            counts = rng.poisson(shares * self.n_spikes)
        else:
            counts = np.floor(shares * self.n_spikes + 0.5).astype(np.int64)
        index, number = repeated(counts)
        window, unit = np.divmod(index, counts.shape[1])
        if self.kind == "poisson":
            place = 1.0 - rng.random(len(index))  # in (0, 1]
        else:
            place = (number + 0.5) / counts.ravel()[index]
        return self.raster(unit, (window + place) * self.interval, values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n = self.n_samples(raster)
        place = self.windows(raster) * raster.n_units + raster.unit
        counts = np.bincount(place, minlength=n * raster.n_units).reshape(n, *shape)
        return self.values(counts / self.n_spikes)

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the largest error of regular spikes, or the standard deviation of Poisson ones."""
        fitted = self.fitted(signal)
        shares = fitted.shares(checked(signal))
        if self.kind == "poisson":
            return fitted.span * np.sqrt(shares / self.n_spikes)
        return np.full(shares.shape, fitted.span * (0.5 / self.n_spikes + EXACT))


@dataclass(frozen=True)
class _Averaged(Encoder):
    """Poisson spikes whose rate is averaged over several units for each value."""

    max_rate: float = number(100.0, 0.0, above=True)

    random = True

    @property
    def n_averaged(self) -> int:
        """Number of units that represent one value."""
        return self.axis_lengths()[0]

    @property
    def largest(self) -> float:
        """Expected number of spikes of the largest value, over all units and one window."""
        return self.max_rate * 1e-3 * self.interval * self.n_averaged

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        expected = flat(self.shares(values)) * (self.largest / self.n_averaged)
        counts = rng.poisson(
            np.broadcast_to(expected[:, None], (len(expected), self.n_averaged, expected.shape[1]))
        )
        window, unit = np.divmod(repeated(counts)[0], self.n_averaged * expected.shape[1])
        time = (window + 1.0 - rng.random(len(unit))) * self.interval
        return self.raster(unit, time, values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n, n_values = self.n_samples(raster), raster.n_units // self.n_averaged
        place = self.windows(raster) * n_values + raster.unit % n_values
        counts = np.bincount(place, minlength=n * n_values).reshape(n, *shape)
        return self.values(counts / self.largest)

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the standard deviation of the error."""
        fitted = self.fitted(signal)
        return fitted.span * np.sqrt(fitted.shares(checked(signal)) / fitted.largest)


@dataclass(frozen=True)
class DensityRate(_Averaged):
    """Average over runs: a peri-stimulus time histogram of repeated presentations.

    Mueller 2023, thesis, 3.1.1, Eq 3.2: p(t) = N(t; t + interval) / (K interval) for K runs.

    Parameters
    ----------
    interval, low, high
        See `Encoder`; the interval is the width of a bin of the histogram.
    max_rate : float
        Rate in Hz of the largest value.
    n_runs : int
        Number K of runs, which are the first axis of the units.
    """

    n_runs: int = whole(100, 1)

    name = "density"
    family = "rate"
    law = "p(t) = N / (interval K) over K runs, p = max_rate a (Eq 3.2)"
    error = "sqrt(a / (K max_rate interval))"
    reason = "several runs of the same input are not applicable; useful to evaluate noisy networks"
    axes = ("runs",)

    def axis_lengths(self) -> Shape:
        """Return the number of runs."""
        return (self.n_runs,)


@dataclass(frozen=True)
class PopulationRate(_Averaged):
    """Average over neurons: the rate of a population of similar, independent neurons.

    Mueller 2023, thesis, 3.1.2, Eq 3.3: A(t) = N(t; t + interval) / (n interval) for n neurons.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    max_rate : float
        Rate in Hz of each neuron for the largest value.
    n_neurons : int
        Number of neurons for a value, which are the first axis of the units.
    """

    n_neurons: int = whole(100, 1)

    name = "population"
    family = "population"
    law = "A(t) = N / (interval n) over n neurons, A = max_rate a (Eq 3.3)"
    error = "sqrt(a / (n max_rate interval))"
    can_convert = True
    reason = "feasible, but needs many spikes: worth it for other benefits (mueller 5)"
    axes = ("neurons",)

    def axis_lengths(self) -> Shape:
        """Return the number of neurons."""
        return (self.n_neurons,)
