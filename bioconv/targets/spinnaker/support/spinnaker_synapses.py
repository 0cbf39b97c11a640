"""Projections as lists of synapses, split into those between the populations of a board.

On the board, an image of several channels is one population per channel: neuron ``i`` of channel
``c`` is neuron ``i * channels + c`` of the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Synapses = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def of_projection(
    projection: Mapping[str, Any], weights: Mapping[str, NDArray], populations: Mapping[str, Any]
) -> Synapses:
    """Return presynaptic neurons, postsynaptic neurons and weights, numbered as in the network."""
    key = projection["weights"]
    if projection["connector"] == "list":
        parts = (weights[f"{key}.{part}"] for part in ("pre", "post", "weight"))
        return tuple(parts)  # type: ignore[return-value]
    edge, channels = populations[projection["pre"]]["image"]
    if projection["connector"] == "convolution":
        behind, _ = populations[projection["post"]]["image"]
        return convolution(weights[key], edge, behind, projection["pool"], projection["padding"])
    return pooled_dense(weights[key], edge, channels, projection["pool"])


def convolution(kernel: NDArray, edge: int, behind: int, pool: int, padding: int) -> Synapses:
    """Return the synapses of a convolution with stride 1 after a pooling, as Keras computes it.

    Parameters
    ----------
    kernel : ndarray, shape (size, size, channels before, channels behind)
    edge, behind : int
        Edges of the square images before and behind.
    pool, padding : int
    """
    size, _, n_before, n_behind = kernel.shape
    row, column, up, left = np.indices((edge, edge, size, size), dtype=np.int64)
    # A neuron is under tap (up, left) of the neuron that lies that far above and to the left.
    target_row = row // pool + padding - up
    target_column = column // pool + padding - left
    inside = (target_row >= 0) & (target_row < behind)
    inside &= (target_column >= 0) & (target_column < behind)
    pre = (row * edge + column)[inside][:, None, None] * n_before + np.arange(n_before)[:, None]
    post = (target_row * behind + target_column)[inside][:, None, None] * n_behind
    weight = kernel[up[inside], left[inside]] / pool**2
    pre, post = np.broadcast_arrays(pre, post + np.arange(n_behind))
    real = weight != 0
    return pre[real], post[real], weight[real]


def pooled_dense(matrix: NDArray, edge: int, channels: int, pool: int) -> Synapses:
    """Return the synapses of a dense layer after a pooling.

    Parameters
    ----------
    matrix : ndarray, shape (rows, columns, channels, neurons behind)
    edge, channels : int
        Edge and number of channels of the image before.
    pool : int
    """
    row, column, channel = np.indices((edge, edge, channels))
    weight = matrix[row // pool, column // pool, channel] / pool**2
    pre = np.arange(edge * edge * channels).reshape(edge, edge, channels)[..., None]
    pre, post = np.broadcast_arrays(pre, np.arange(matrix.shape[-1]))
    real = weight != 0
    return pre[real], post[real], weight[real]


def of_sign(synapses: Synapses, sign: int) -> Synapses:
    """Return the synapses with weights above (1) or below (-1) 0."""
    pre, post, weight = synapses
    chosen = sign * weight > 0
    return pre[chosen], post[chosen], weight[chosen]


def between_channels(
    synapses: Synapses, before: int, behind: int
) -> Iterator[tuple[int, int, Synapses]]:
    """Yield the synapses between each pair of connected channels, numbered within the channels.

    Parameters
    ----------
    synapses : (pre, post, weight)
    before, behind : int
        Channels of the populations; 1 for populations that are not images.
    """
    pre, post, weight = synapses
    if not len(pre):
        return
    pair = (pre % before) * behind + post % behind
    order = np.argsort(pair, kind="stable")
    names, starts = np.unique(pair[order], return_index=True)
    for name, chosen in zip(names, np.split(order, starts[1:]), strict=True):
        part = pre[chosen] // before, post[chosen] // behind, weight[chosen]
        yield int(name) // behind, int(name) % behind, part
