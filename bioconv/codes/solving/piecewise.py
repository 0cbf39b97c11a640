"""First threshold crossings of potentials that are linear between events.

Every spike changes the slope of the potentials of its targets, and so do the currents that start
with a ramp or with the opening of a window.  The events of each neuron are sorted, the potentials
at the events are cumulative sums, and the crossing lies in the first stretch of time that reaches
the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.solving.stage import CHUNK, Times
from bioconv.operators import Operator

if TYPE_CHECKING:
    import scipy.sparse as sp

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Synapses:
    """All synapses of a population by postsynaptic neuron; the arrays are built on first use."""

    operators: Sequence[Operator]

    @cached_property
    def by_target(self) -> sp.csr_array:
        """Weights, shape (n_neurons, n_sources), with concatenated sources of all projections."""
        import scipy.sparse as sp  # takes long to import

        return sp.hstack([operator.matrix().T for operator in self.operators]).tocsr()

    @cached_property
    def sources(self) -> tuple[Index, Times]:
        """Sources of each neuron and their weights, (n_neurons, most), padded with -1 and 0."""
        matrix = self.by_target
        counts = np.diff(matrix.indptr)
        slot = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], counts)
        row = np.repeat(np.arange(len(counts)), counts)
        index = np.full((len(counts), max(int(counts.max(initial=0)), 1)), -1, np.int64)
        weight = np.zeros(index.shape)
        index[row, slot], weight[row, slot] = matrix.indices, matrix.data
        return index, weight


@dataclass(frozen=True)
class Ramps:
    """Currents and times of a population of `bioconv.codes.first_spike_exact.neurons`.

    Parameters
    ----------
    start : ndarray, shape (n_neurons,)
        Potential at the time 0.
    values : mapping of str to ndarray, shape (n_neurons,)
        Parameters of the model.
    keeps : bool
        Whether the synaptic current persists when the window opens; otherwise i_open replaces it.
    """

    start: Times
    values: Mapping[str, Times]
    keeps: bool


def first_crossings(
    synapses: Synapses, ramps: Ramps, arrivals: Sequence[Times], image: Index, neuron: Index
) -> Times:
    """Return the times at which neurons first cross their threshold.

    Parameters
    ----------
    synapses : Synapses
    ramps : Ramps
    arrivals : sequence of ndarray, shape (batch, n_pre, k)
        Arrival times in ms, one array for each projection; inf where there is no spike.
    image, neuron : ndarray of int, shape (m,)
        The samples and neurons for which crossings are computed.

    Returns
    -------
    ndarray, shape (m,)
        Times in ms; inf where there is no crossing.
    """
    k = max(times.shape[2] for times in arrivals)
    filled = [
        np.pad(t, ((0, 0), (0, 0), (0, k - t.shape[2])), constant_values=np.inf) for t in arrivals
    ]
    together = np.concatenate(filled, axis=1)
    index, _ = synapses.sources
    size = max(CHUNK // (index.shape[1] * max(k, 1) + 3), 1)
    parts = [
        _crossings(synapses, ramps, together, image[i : i + size], neuron[i : i + size])
        for i in range(0, len(image), size)
    ]
    return np.concatenate(parts)


def _crossings(
    synapses: Synapses, ramps: Ramps, arrivals: Times, image: Index, neuron: Index
) -> Times:
    index, weight = (part[neuron] for part in synapses.sources)
    times = np.where(index[:, :, None] >= 0, arrivals[image[:, None], index], np.inf)
    weights = np.broadcast_to(weight[:, :, None], times.shape).reshape(len(neuron), -1)
    time, change = _events(times.reshape(len(neuron), -1), weights, ramps, neuron)
    order = np.argsort(time, axis=1, kind="stable")
    time = np.take_along_axis(time, order, axis=1)
    slope = np.cumsum(np.take_along_axis(change, order, axis=1), axis=1)
    c_m = ramps.values["c_m"][neuron, None]
    return _first(time, slope / c_m, ramps, neuron)


def _events(times: Times, weights: Times, ramps: Ramps, neuron: Index) -> tuple[Times, Times]:
    """Return the times of all events, including the time 0, and the change of current at each."""
    p = {name: value[neuron] for name, value in ramps.values.items()}
    opened = p["t_open"]
    if not ramps.keeps:
        times = np.where(times < opened[:, None], times, np.inf)
    weights = np.where(np.isfinite(times), weights, 0.0)
    at_open = p["i_open"] - p["i_offset"] - (0.0 if ramps.keeps else weights.sum(axis=1))
    own = [np.zeros(len(neuron)), np.minimum(p["t_start"], opened), opened]
    changes = [np.zeros(len(neuron)), p["i_offset"], at_open]
    return (
        np.concatenate([times, np.stack(own, axis=1)], axis=1),
        np.concatenate([weights, np.stack(changes, axis=1)], axis=1),
    )


def _first(time: Times, slope: Times, ramps: Ramps, neuron: Index) -> Times:
    """Return the first crossing in the stretches that begin at ``time`` (m, n) with ``slope``."""
    some = np.isfinite(time)
    begin = np.where(some, time, 0.0)
    length = np.diff(begin, axis=1) * some[:, 1:]
    rise = np.where(length > 0, slope[:, :-1], 0.0) * length
    v = ramps.start[neuron, None] + np.concatenate(
        [np.zeros((len(time), 1)), np.cumsum(rise, axis=1)], axis=1
    )
    end = np.concatenate([time[:, 1:], np.full((len(time), 1), np.inf)], axis=1)
    low = np.maximum(begin, ramps.values["t_first"][neuron, None])
    missing = ramps.values["v_th"][neuron, None] - v - slope * (low - begin)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = low + np.where(missing <= 0, 0.0, missing / slope)
    found = some & (low <= end) & ((missing <= 0) | (slope > 0)) & (crossing <= end)
    return np.min(np.where(found, crossing, np.inf), axis=1, initial=np.inf)
