"""Rates and intervals of spikes, beside those of cortical neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster

#: intervals of a train from which on their coefficient of variation is determined.  That of few
#: intervals is too small: of exponential ones (CV 1), it is 0.5 in the mean for two, and 0.88 for
#: ten.
FEWEST_INTERVALS = 10


@dataclass(frozen=True)
class Range:
    """What is observed of cortical neurons.

    Parameters
    ----------
    what : str
    low, high : float
    unit : str
    source : str
    """

    what: str
    low: float
    high: float
    unit: str
    source: str

    def judge(self, value: float | None) -> str:
        """Return "within", "below" or "above" the range; empty without a value (None or NaN)."""
        if value is None or np.isnan(value):
            return ""
        return "below" if value < self.low else "above" if value > self.high else "within"

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} {self.unit}".strip()


_SHADLEN = (
    "Shadlen and Newsome 1998, Journal of Neuroscience 18:3870, Table 1 "
    "(response from 0 to 200 spikes/s; intervals approximately exponential)"
)
#: sustained firing rate while a stimulus is presented
RATES = Range("firing rate", 0.0, 200.0, "Hz", _SHADLEN)
#: standard deviation of the intervals between spikes, divided by their mean
VARIATION = Range(
    "coefficient of variation of intervals",
    0.5,
    1.0,
    "",
    f"above 0.5: Feng and Brown 1999, Biological Cybernetics 80:291, doi:10.1007/s004220050526, "
    f"abstract; 1, as of exponential intervals: {_SHADLEN}",
)


@dataclass(frozen=True)
class PopulationIntervals:
    """Intervals between the spikes of the neurons of a population, over all samples.

    Parameters
    ----------
    population : str
    trains : int
        Number of pairs of neuron and sample with at least `FEWEST_INTERVALS` intervals, from which
        ``variation`` is determined.
    shortest, median : float or None
        Interval in ms; None if no neuron spikes twice in a sample.
    variation : float or None
        Mean over these trains of the coefficient of variation of their intervals; None without
        any.
    """

    population: str
    trains: int
    shortest: float | None
    median: float | None
    variation: float | None


def intervals(recording: Recording) -> list[PopulationIntervals]:
    """Return the intervals between spikes of every population whose spikes were recorded.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    list of PopulationIntervals
        In the order of ``recording.rasters``.
    """
    return [_summary(recording, name) for name in recording.rasters]


def variations(
    raster: Raster, n_neurons: int, dt: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the coefficient of variation of each train with at least ten intervals.

    Trains whose spikes are all at the same time have none.

    Parameters
    ----------
    raster : Raster
    n_neurons : int
    dt : float
        ms

    Returns
    -------
    train : ndarray of int, shape (n_trains,)
        ``image * n_neurons + neuron``.
    variation : ndarray of float, shape (n_trains,)
    """
    train, length = _trains(raster, n_neurons, dt)
    names, place, n = np.unique(train, return_inverse=True, return_counts=True)
    mean = np.bincount(place, length, len(n)) / np.maximum(n, 1)
    square = np.bincount(place, (length - mean[place]) ** 2, len(n)) / np.maximum(n, 1)
    enough = (n >= FEWEST_INTERVALS) & (mean > 0)
    return names[enough], np.sqrt(square[enough]) / mean[enough]


def _summary(recording: Recording, name: str) -> PopulationIntervals:
    raster, n_neurons = recording.rasters[name], len(recording.spikes_per_neuron[name])
    _, length = _trains(raster, n_neurons, recording.dt)
    _, variation = variations(raster, n_neurons, recording.dt)
    return PopulationIntervals(
        name,
        len(variation),
        float(length.min()) if length.size else None,
        float(np.median(length)) if length.size else None,
        float(variation.mean()) if variation.size else None,
    )


def _trains(
    raster: Raster, n_neurons: int, dt: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the train and the length in ms of every interval between spikes of a neuron."""
    time = raster.moments(dt)
    train = raster.image * n_neurons + raster.neuron
    order = np.lexsort((time, train))
    train, time = train[order], time[order]
    same = train[1:] == train[:-1]
    return train[1:][same], np.diff(time)[same]
