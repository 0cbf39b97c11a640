"""Spike rasters: which unit fires when, whatever signal or network the spikes come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.extras import required

Shape = tuple[int, ...]

#: share of a step or window by which a time may be too late because of rounding
SLACK = 1e-6
#: largest number of entries of a dense array
_MOST = 2**31


@dataclass(frozen=True, eq=False)
class SpikeRaster:
    """Spikes of a set of units, sorted by time and, at the same time, by unit.

    Parameters
    ----------
    unit : array of int, shape (n_spikes,)
        Flat index of the unit of each spike, in C order of ``shape``.
    time : array of float, shape (n_spikes,)
        Time of each spike in ms, from 0 to ``duration``.
    shape : tuple of int
        Shape of the units; empty for a single one.  ON and OFF units have a first axis of length 2,
        ON first.
    duration : float
        ms.

    Raises
    ------
    DataError
        If arrays differ in length, if units or times are out of range, or if times are not finite.

    Notes
    -----
    On a grid, a spike of step t has the time (t + 1) dt, the end of the step, as in NEST and in
    `bioconv.Recording.to_neo`.  A time between two ends belongs to the step that contains it.

    Examples
    --------
    >>> raster = SpikeRaster([1, 0], [2.0, 1.0], (2,), 3.0)
    >>> raster.unit.tolist(), raster.to_dense(1.0).astype(int).tolist()
    ([0, 1], [[1, 0], [0, 1], [0, 0]])
    """

    unit: NDArray[np.int64]
    time: NDArray[np.floating[Any]]
    shape: Shape
    duration: float

    def __post_init__(self) -> None:
        unit, time = np.asarray(self.unit), np.asarray(self.time, np.float64)
        shape = tuple(int(n) for n in self.shape)
        problems = _problems(unit, time, shape, self.duration)
        if problems:
            raise DataError("\n".join(["SpikeRaster:", *(f"  - {p}" for p in problems)]))
        unit = unit.astype(np.int64)
        later = np.diff(time)
        if not ((later > 0) | ((later == 0) & (np.diff(unit) >= 0))).all():
            order = np.lexsort((unit, time))
            unit, time = unit[order], time[order]
        for name, value in (("unit", unit), ("time", time)):
            value = value.view()  # the array of the caller stays writable
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "duration", float(self.duration))

    @property
    def n_units(self) -> int:
        """Number of units."""
        return prod(self.shape)

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return len(self.time)

    def __repr__(self) -> str:
        return (
            f"SpikeRaster({self.n_spikes:,} spikes of {self.n_units:,} units {self.shape} "
            f"in {self.duration:g} ms)"
        )

    def counts(self) -> NDArray[np.int64]:
        """Return the number of spikes of each unit, shape ``shape``."""
        return np.bincount(self.unit, minlength=self.n_units).reshape(self.shape)

    def steps(self, dt: float) -> NDArray[np.int64]:
        """Return the step of ``dt`` ms that contains each spike, shape (n_spikes,)."""
        return steps_of(self.time, dt)

    def on_grid(self, dt: float) -> SpikeRaster:
        """Return the raster with times at the ends of steps, and one spike a unit and step.

        Further spikes of a unit in the same step are dropped.

        Parameters
        ----------
        dt : float
            ms.
        """
        n_steps = n_steps_of(self.duration, dt)
        kept = np.unique(np.minimum(self.steps(dt), n_steps - 1) * self.n_units + self.unit)
        step, unit = np.divmod(kept, self.n_units)
        return SpikeRaster(unit, (step + 1) * dt, self.shape, n_steps * dt)

    def split(self, interval: float) -> list[SpikeRaster]:
        """Return one raster for each window of a duration, such as one for each sample.

        Parameters
        ----------
        interval : float
            Duration of a window in ms.  A window contains its end, as a step does.

        Returns
        -------
        list of SpikeRaster
            Each of ``interval`` ms, with times from the start of its window.

        Raises
        ------
        ParameterError
            If the interval is not above 0, or if the duration is no multiple of it.

        Examples
        --------
        >>> parts = SpikeRaster([0, 1, 0], [1.0, 2.0, 3.5], (2,), 4.0).split(2.0)
        >>> [part.time.tolist() for part in parts]
        [[1.0, 2.0], [1.5]]
        """
        n_windows = n_steps_of(self.duration, interval)
        if not np.isclose(n_windows * interval, self.duration, rtol=SLACK, atol=0.0):
            raise ParameterError(
                f"{self.duration:g} ms are no multiple of {interval:g} ms. Choose an interval that "
                "divides the duration."
            )
        window = np.minimum(steps_of(self.time, interval), n_windows - 1)
        time = np.clip(self.time - window * interval, 0.0, interval)
        ends = np.cumsum(np.bincount(window, minlength=n_windows))[:-1]
        return [
            SpikeRaster(unit, moments, self.shape, interval)
            for unit, moments in zip(np.split(self.unit, ends), np.split(time, ends), strict=True)
        ]

    def to_dense(self, dt: float) -> NDArray[np.int64]:
        """Return the number of spikes in each step, shape (n_steps, *shape).

        Parameters
        ----------
        dt : float
            Step in ms.  The last step may extend beyond the duration.

        Raises
        ------
        ParameterError
            If the array would have more than 2**31 entries.
        """
        n_steps = n_steps_of(self.duration, dt)
        if n_steps * self.n_units > _MOST:
            raise ParameterError(
                f"{n_steps:,} steps of {self.n_units:,} units are too many for a dense array. "
                "Use a longer dt, or the spikes themselves (unit, time)."
            )
        place = np.minimum(self.steps(dt), n_steps - 1) * self.n_units + self.unit
        return np.bincount(place, minlength=n_steps * self.n_units).reshape(n_steps, *self.shape)

    @staticmethod
    def from_dense(spikes: ArrayLike, dt: float) -> SpikeRaster:
        """Return the raster of an array of spikes or spike counts.

        Parameters
        ----------
        spikes : array of bool or int, shape (n_steps, *shape)
        dt : float
            Step in ms.
        """
        array = np.asarray(spikes)
        if not array.size or array.dtype.kind not in "biu" or array.min() < 0:
            raise DataError(
                "a dense raster must contain spikes (bool) or spike counts (int) with the steps "
                f"first. Received: shape {array.shape}, dtype {array.dtype}."
            )
        step, unit = np.nonzero(array.reshape(len(array), -1))
        times = array.reshape(len(array), -1)[step, unit].astype(np.int64)
        step, unit = np.repeat(step, times), np.repeat(unit, times)
        return SpikeRaster(unit, (step + 1) * dt, array.shape[1:], len(array) * dt)

    def to_neo(self) -> list[Any]:
        """Return one ``neo.SpikeTrain`` in ms for each unit, in the order of the units.

        Raises
        ------
        SimulatorMissingError
            If Neo is not installed.
        """
        neo = required("neo")
        order = np.argsort(self.unit, kind="stable")
        ends = np.cumsum(np.bincount(self.unit, minlength=self.n_units))[:-1]
        trains = np.split(self.time[order], ends)
        return [
            neo.SpikeTrain(train, units="ms", t_stop=self.duration, source_index=index)
            for index, train in enumerate(trains)
        ]

    @staticmethod
    def from_neo(trains: Sequence[Any], shape: Shape | None = None) -> SpikeRaster:
        """Return the raster of Neo spike trains, one for each unit.

        Parameters
        ----------
        trains : sequence of neo.SpikeTrain
            Times are counted from the earliest ``t_start``; the raster ends with the latest
            ``t_stop``.
        shape : tuple of int, optional
            Shape of the units; by default ``(len(trains),)``.

        Raises
        ------
        DataError
            If there are no trains, or if their number does not agree with ``shape``.
        """
        if not len(trains) or prod(shape or (len(trains),)) != len(trains):
            raise DataError(
                "from_neo requires one spike train for each unit. "
                f"Received: {len(trains)} trains, shape {shape}."
            )
        start = min(float(train.t_start.rescale("ms")) for train in trains)
        stop = max(float(train.t_stop.rescale("ms")) for train in trains)
        times = [np.asarray(train.rescale("ms").magnitude, np.float64) - start for train in trains]
        unit = np.repeat(np.arange(len(trains)), [len(train) for train in times])
        return SpikeRaster(unit, np.concatenate(times), shape or (len(trains),), stop - start)


def n_steps_of(duration: float, dt: float) -> int:
    """Return the number of steps that a duration fills, of which the last may be cut."""
    if not (isfinite(dt) and dt > 0):
        raise ParameterError(f"dt must be a number above 0 ms. Received: {dt!r}.")
    return max(int(np.ceil(duration / dt - SLACK)), 1)


def steps_of(time: NDArray[Any], dt: float) -> NDArray[np.int64]:
    """Return the step of ``dt`` ms that contains each time: step t contains (t dt, (t + 1) dt]."""
    if not (isfinite(dt) and dt > 0):
        raise ParameterError(f"dt must be a number above 0 ms. Received: {dt!r}.")
    return np.maximum(np.ceil(time / dt - SLACK).astype(np.int64) - 1, 0)


def _problems(
    unit: NDArray[Any], time: NDArray[np.float64], shape: Shape, duration: float
) -> list[str]:
    problems = []
    if min(shape, default=1) < 1:
        problems.append(f"shape must consist of whole numbers of at least 1. Received: {shape}.")
    if not (isfinite(duration) and duration > 0):
        problems.append(f"duration must be a number above 0 ms. Received: {duration!r}.")
    if unit.ndim != 1 or unit.shape != time.shape:
        problems.append(
            "unit and time must be one-dimensional arrays of equal length. "
            f"Received: shapes {unit.shape} and {time.shape}."
        )
    if problems or not unit.size:
        return problems
    if unit.dtype.kind not in "iu":
        problems.append(f"unit must contain whole numbers. Received: dtype {unit.dtype}.")
    elif unit.min() < 0 or unit.max() >= prod(shape):
        problems.append(
            f"units must be from 0 to {prod(shape) - 1}. Received: {unit.min()} to {unit.max()}."
        )
    if not np.isfinite(time).all():
        problems.append("times must be finite. Received: NaN or infinite times.")
    elif time.min() < 0 or time.max() > duration * (1 + SLACK):
        problems.append(
            f"times must be from 0 to {duration:g} ms. "
            f"Received: {time.min():g} to {time.max():g} ms."
        )
    return problems
