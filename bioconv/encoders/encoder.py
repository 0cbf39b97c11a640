"""What every encoder is: a signal becomes a spike raster, and the raster a signal again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders.raster import SLACK, Shape, SpikeRaster, steps_of
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.options import check, number
from bioconv.ground.references import citation

Floats = NDArray[np.float64]
#: error of a code that represents values exactly, because times carry rounding errors
EXACT = 4 * SLACK


@dataclass(frozen=True)
class Encoder(ABC):
    """A code for signals.  Concrete encoders are frozen dataclasses of options.

    Class attributes: ``name``; ``law``, the equation of the code for a value a from 0 to 1;
    ``error``, its theoretical error in words; ``family``, as in the survey; ``can_convert``,
    whether networks can be converted to it, and ``reason``, why or why not (Mueller 2023, 3.1);
    ``axes``, the names of the axes of units that precede those of the signal; ``references``, keys
    of `bioconv.ground.references.PUBLICATIONS`; ``random``, whether the spikes depend on the seed.

    Parameters
    ----------
    interval : float
        Sampling interval of the signal in ms; codes with a window use one window a sample.
    low, high : float or None
        Range of the signal, which the code represents as 0 to 1; None: that of the signal.
    """

    interval: float = number(1.0, 0.0, above=True)
    low: float | None = number(None, besides=(None,))
    high: float | None = number(None, besides=(None,))

    name: ClassVar[str]
    law: ClassVar[str]
    error: ClassVar[str]
    family: ClassVar[str]
    can_convert: ClassVar[bool] = False
    reason: ClassVar[str]
    axes: ClassVar[tuple[str, ...]] = ()
    references: ClassVar[tuple[str, ...]] = ("mueller2023",)
    random: ClassVar[bool] = False
    #: whether the number of spikes of a unit in an interval stands for a value
    rates: ClassVar[bool] = False
    #: whether a sample is encoded together with those before and after it
    of_series: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check(self, self._conflicts())

    def _conflicts(self) -> list[str]:
        """Return problems that concern more than one option."""
        if self.low is not None and self.high is not None and not self.low <= self.high:
            return [f"low must be at most high. Received: {self.low:g} and {self.high:g}."]
        return []

    def fitted(self, signal: ArrayLike) -> Self:
        """Return the encoder with all options that depend on the signal.

        `decode` requires them; a fitted encoder encodes other signals with the same options.

        Parameters
        ----------
        signal : array, shape (n_samples, *shape)

        Raises
        ------
        DataError
            If the signal is empty or not finite, or a single sample of an encoder of time series.
        """
        values = checked(signal)
        if self.of_series and len(values) == 1 and values.size > 1:
            raise DataError(
                f"{self.name} encodes a series, whose first axis is time. Received: a single "
                f"sample of shape {values.shape[1:]}. If its values are samples, give the signal "
                f"the shape ({values.size},)."
            )
        low = float(values.min()) if self.low is None else self.low
        high = max(float(values.max()), low) if self.high is None else self.high
        return self._completed(replace(self, low=low, high=high), values)

    def _completed(self, ranged: Self, values: Floats) -> Self:
        """Return an encoder that has a range with its further options that depend on the signal."""
        return ranged

    def encode(self, signal: ArrayLike, seed: int = 0) -> SpikeRaster:
        """Return the spikes of a signal.

        Parameters
        ----------
        signal : array, shape (n_samples, *shape)
            Samples of one or several channels, or one or several images.
        seed : int
            Seed of random spikes.

        Returns
        -------
        SpikeRaster
            Of ``n_samples * interval`` ms; its units have the shape of a sample, preceded by the
            axes of the code.

        Raises
        ------
        DataError
            If the signal is empty, not finite or out of range.
        """
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ParameterError(f"seed must be an integer of at least 0. Received: {seed!r}.")
        values = checked(signal)
        return self.fitted(values)._spikes(values, np.random.default_rng(int(seed)))

    def encode_each(self, samples: ArrayLike, seed: int = 0) -> list[SpikeRaster]:
        """Return one raster for each sample, such as images for a network.

        Parameters
        ----------
        samples : array, shape (n_samples, *shape)
            Options that depend on the signal are those of all samples together.
        seed : int
            Random spikes of a sample depend on the seed and the number of the sample.

        Returns
        -------
        list of SpikeRaster
            Each of ``interval`` ms.
        """
        values = checked(samples)
        fitted = self.fitted(values)
        return [
            fitted._spikes(values[n : n + 1], np.random.default_rng([int(seed), n]))
            for n in range(len(values))
        ]

    @abstractmethod
    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        """Return the spikes of a signal that was checked; the encoder is fitted."""

    def decode(self, raster: SpikeRaster) -> Floats:
        """Return the signal that the spikes represent, shape (n_samples, *shape).

        Raises
        ------
        ParameterError
            If the encoder is not fitted.
        DataError
            If the units do not have the axes of the code.
        """
        self._check_fitted()
        axes = self.axis_lengths()
        if raster.shape[: len(axes)] != axes:
            raise DataError(
                f"the units of {self.name} have {self._axes_text()} first, followed by those of "
                f"the signal. Received: units of shape {raster.shape}."
            )
        return self._signal(raster, raster.shape[len(axes) :])

    @abstractmethod
    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        """Return the signal of a raster that was checked; ``shape`` is that of a sample."""

    @abstractmethod
    def bound(self, signal: ArrayLike) -> Floats | None:
        """Return the theoretical error of each value, in the unit of the signal.

        Parameters
        ----------
        signal : array, shape (n_samples, *shape)

        Returns
        -------
        ndarray broadcastable to the signal, or None
            Largest error; for codes with random spikes, the standard deviation of the error.  None
            if the code does not bound the error of single values (see ``error``).
        """

    def axis_lengths(self) -> Shape:
        """Return the lengths of the axes that precede those of the signal."""
        return ()

    def citation(self) -> str:
        """Return the publications to cite, in BibTeX."""
        return citation(*self.references)

    @property
    def span(self) -> float:
        """Range of the signal; 1 if it is constant."""
        if self.low is None or self.high is None:
            raise ParameterError(f"{self.name} is not fitted: use encoder.fitted(signal).")
        return (self.high - self.low) or 1.0

    def n_samples(self, raster: SpikeRaster) -> int:
        """Return the number of samples that a raster represents."""
        return max(round(raster.duration / self.interval), 1)

    def shares(self, values: Floats) -> Floats:
        """Return the values as shares of the range, from 0 to 1."""
        span, low = self.span, float(self.low or 0.0)
        share = (values - low) / span
        if share.min() < -SLACK or share.max() > 1 + SLACK:
            raise DataError(
                f"{self.name} represents values from {self.low:g} to {self.high:g}. Received: "
                f"{values.min():g} to {values.max():g}. Change low and high, or omit them."
            )
        return np.clip(share, 0.0, 1.0) + 0.0  # no -0, whose inverse is not late

    def values(self, shares: Floats) -> Floats:
        """Return shares of the range as values of the signal."""
        return float(self.low or 0.0) + self.span * shares

    def raster(self, unit: NDArray[Any], time: NDArray[Any], values: Floats) -> SpikeRaster:
        """Return a raster for a signal, from units and times."""
        shape = (*self.axis_lengths(), *values.shape[1:])
        return SpikeRaster(unit, time, shape, len(values) * self.interval)

    def windows(self, raster: SpikeRaster) -> NDArray[np.int64]:
        """Return the sample to whose window each spike belongs."""
        return np.minimum(steps_of(raster.time, self.interval), self.n_samples(raster) - 1)

    def _check_fitted(self) -> None:
        open_options = [f.name for f in fields(self) if getattr(self, f.name) is None]
        if open_options:
            raise ParameterError(
                f"{self.name} cannot decode without {', '.join(open_options)}. Give them, or use "
                "encoder.fitted(signal), which takes them from the signal."
            )

    def _axes_text(self) -> str:
        pairs = zip(self.axes, self.axis_lengths(), strict=True)
        return ", ".join(f"{length} {axis}" for axis, length in pairs) or "no axes"


def checked(signal: ArrayLike) -> Floats:
    """Return a signal as an array of floats, shape (n_samples, *shape).

    Raises
    ------
    DataError
    """
    values = np.asarray(signal)
    if values.dtype.kind not in "fiub" or not values.ndim or not values.size:
        raise DataError(
            "a signal must be an array of real numbers with the samples first. "
            f"Received: shape {values.shape}, dtype {values.dtype}."
        )
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise DataError("the signal contains NaN or infinite values. Remove them first.")
    return values


def flat(values: NDArray[Any]) -> NDArray[Any]:
    """Return values with all axes but the first in one, shape (n_samples, n_values)."""
    return values.reshape(len(values), -1)


def repeated(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the flat index of each repetition, and its number within its index, from 0.

    Examples
    --------
    >>> [found.tolist() for found in repeated(np.array([2, 0, 1]))]
    [[0, 0, 2], [0, 1, 0]]
    """
    n = counts.ravel()
    index = np.repeat(np.arange(n.size), n)
    return index, np.arange(len(index)) - np.repeat(np.cumsum(n) - n, n)
