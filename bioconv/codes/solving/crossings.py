"""First threshold crossings of potentials that change their slope, or jump, with every spike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bioconv.codes.solving.piecewise import Synapses
from bioconv.codes.solving.stage import CHUNK, Times

Index = NDArray[np.int64]


def crossing(begin: Times, end: Times, missing: Times, slope: Times) -> Times:
    """Where lines that miss the threshold by ``missing`` at ``begin`` reach it before ``end``.

    Returns
    -------
    ndarray
        ms; inf where they do not.
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
    """The first crossing of each of m potentials, spike by spike.

    Parameters
    ----------
    height : pair of ndarray, shape (m,)
        Potential, and its slope, at the beginning.
    events : three ndarrays, shape (m, k)
        Time of each event within the span, by how much it changes the slope, and the potential.
        What is no event has the time of the end and changes nothing.
    span : pair of float
        Beginning and end in ms.
    v_th : ndarray, shape (m,)
    opens : float
        ms; nobody fires before, and who is above the threshold then fires then.

    Returns
    -------
    ndarray, shape (m,)
        ms; inf where there is none.
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
    # Events at one time are one event: only the last of them has a stretch behind it.
    return np.min(crossing(low, end, missing - slope * (low - begin), slope), axis=1)


def spikes_by_neuron(
    synapses: Synapses, arrivals: Sequence[Times], image: Index, neuron: Index
) -> Iterator[tuple[slice, Times, Times, Index]]:
    """What arrives at some neurons, in parts that fit into memory.

    Parameters
    ----------
    synapses : Synapses
    arrivals : sequence of ndarray, shape (batch, n_pre, k)
        One for each projection, in ms.
    image, neuron : ndarray of int, shape (m,)

    Yields
    ------
    part : slice
        Which of the m neurons.
    times, weights : ndarray, shape (length of the part, most spikes)
        In no order; inf and any weight where there is no spike.
    sources : ndarray of int, same shape
        Of all projections side by side; -1 where there is none.
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
