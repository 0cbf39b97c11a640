"""First threshold crossings of potentials whose slope or value changes with every spike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.solving.piecewise import Synapses
from bioconv.codes.solving.stage import CHUNK, Times

Index = NDArray[np.int64]


def crossing(begin: Times, end: Times, missing: Times, slope: Times) -> Times:
    """Return when lines that are ``missing`` below threshold at ``begin`` reach it before ``end``.

    Returns
    -------
    ndarray
        Times in ms; inf where the threshold is not reached.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        reached = begin + np.where(missing <= 0, 0.0, missing / slope)
    found = ((missing <= 0) | (slope > 0)) & (reached < end)
    return np.where(found, reached, np.inf)


def first_crossing(
    height: tuple[Times, Times],
    events: tuple[Times, Times, Times],
    span: tuple[float, float],
    v_th: Times,
    opens: float = 0.0,
) -> Times:
    """Return the first threshold crossing of each of m potentials, computed spike by spike.

    Parameters
    ----------
    height : pair of ndarray, shape (m,)
        Potential and its slope at the beginning.
    events : three ndarrays, shape (m, k)
        Time of each event within the span, and the changes of the slope and of the potential.
        Unused entries have the time of the end and change nothing.
    span : pair of float
        Beginning and end in ms.
    v_th : ndarray, shape (m,)
    opens : float
        Time in ms before which no neuron fires; neurons above the threshold at this time fire at
        this time.

    Returns
    -------
    ndarray, shape (m,)
        Times in ms; inf where there is no crossing.
    """
    times = events[0]
    order = np.argsort(times, axis=1, kind="stable")
    times, slopes, jumps = (np.take_along_axis(part, order, axis=1) for part in events)
    zero = np.zeros((len(times), 1))
    begin = np.concatenate([zero + span[0], times], axis=1)
    end = np.concatenate([times, zero + span[1]], axis=1)
    slope = np.cumsum(np.concatenate([height[1][:, None], slopes], axis=1), axis=1)
    before = np.cumsum(np.concatenate([zero, (slope * (end - begin))[:, :-1]], axis=1), axis=1)
    lifted = np.cumsum(np.concatenate([zero, jumps], axis=1), axis=1)
    missing = v_th[:, None] - height[0][:, None] - before - lifted
    low = np.maximum(begin, opens)
    # Simultaneous events count as one: only the last of them is followed by a stretch of time.
    return np.min(crossing(low, end, missing - slope * (low - begin), slope), axis=1)


def spikes_by_neuron(
    synapses: Synapses, arrivals: Sequence[Times], image: Index, neuron: Index
) -> Iterator[tuple[slice, Times, Times, Index]]:
    """Yield the spikes that arrive at some neurons, in parts that fit into memory.

    Parameters
    ----------
    synapses : Synapses
    arrivals : sequence of ndarray, shape (batch, n_pre, k)
        Arrival times in ms, one array for each projection.
    image, neuron : ndarray of int, shape (m,)

    Yields
    ------
    part : slice
        The part of the m neurons.
    times, weights : ndarray, shape (length of the part, most spikes)
        Unordered; inf with an arbitrary weight where there is no spike.
    sources : ndarray of int, same shape
        Indices into the concatenated sources of all projections; -1 where there is no source.
    """
    k = max(times.shape[2] for times in arrivals)
    filled = [
        np.pad(t, ((0, 0), (0, 0), (0, k - t.shape[2])), constant_values=np.inf) for t in arrivals
    ]
    together = np.concatenate(filled, axis=1)
    index, weight = synapses.sources
    size = max(CHUNK // (index.shape[1] * max(k, 1) + 2), 1)
    for first in range(0, len(image), size):
        part = slice(first, first + size)
        sources = index[neuron[part]]
        times = np.where(sources[:, :, None] >= 0, together[image[part][:, None], sources], np.inf)
        flat = times.reshape(len(sources), -1)
        weights = np.repeat(weight[neuron[part]], k, axis=1)
        yield part, flat, weights, np.repeat(sources, k, axis=1)
