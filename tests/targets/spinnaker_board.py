"""What a SpiNNaker core does with the words that it is sent, after sPyNNaker's C sources.

Nothing of bioconv: the functions of ``neural_modelling/src/neuron`` in Python, with whole numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int64]


def convolution(kernels: Words, edge: int, behind: int, pool: int, padding: int) -> Words:
    """``do_convolution_operation`` and ``map_pre_to_post`` of ``local_only_conv_impl.c``.

    Parameters
    ----------
    kernels : ndarray, shape (channels before, channels behind, size, size)
    edge, behind : int
        Edges of the images.

    Returns
    -------
    ndarray, shape (rows before, columns, channels, rows behind, columns, channels)
        What a spike of the first adds to the ring buffer of the second.
    """
    n_before, n_behind, size, _ = kernels.shape
    added = np.zeros((edge, edge, n_before, behind, behind, n_behind), np.int64)
    half = size // 2
    for row, column in np.ndindex(edge, edge):
        post_row = row // pool - half + padding
        post_column = column // pool - half + padding
        for kr, kc in np.ndindex(size, size):
            r, c = post_row + kr - half, post_column + kc - half
            if 0 <= r < behind and 0 <= c < behind:
                added[row, column, :, r, c, :] += kernels[:, :, kr, kc]
    return added


def pool_dense(words: Words, edge: int, pool: int) -> Words:
    """``get_conn_weights``: a spike in column x, row y takes the weights [x // pool, y // pool].

    The order is that of sPyNNaker's own test (``kernel[x // stride][y // stride][i]`` for the
    neuron ``y * width + x``).

    Parameters
    ----------
    words : ndarray, shape (channels, columns, rows, neurons behind)

    Returns
    -------
    ndarray, shape (rows, columns, channels, neurons behind)
    """
    added = np.zeros((edge, edge, len(words), words.shape[-1]), np.int64)
    for row, column in np.ndindex(edge, edge):
        added[row, column] = words[:, column // pool, row // pool]
    return added


def times(a: Words | int, b: Words | int) -> Words:
    """``MULT_ROUND_NEAREST_ACCUM``: product of two s16.15 numbers, rounded to nearest."""
    return (np.asarray(a) * b + (1 << 14)) >> 15


def leaky_neuron(
    inputs: Words,
    *,
    offset: Words,
    resistance: int,
    keep: int,
    threshold: Words,
    reset: int,
    rest: int,
    start: Words,
) -> tuple[NDArray[np.bool_], Words]:
    """``neuron_model_state_update`` and ``lif_neuron_closed_form``, all numbers s16.15 words.

    Parameters
    ----------
    inputs : ndarray, shape (steps, neurons)
        Input of each step, excitatory less inhibitory.

    Returns
    -------
    spikes, potential : ndarray, shape (steps, neurons)
        The potential after the reset.
    """
    v, spikes, potential = np.asarray(start).copy(), [], []
    for current in inputs:
        alpha = times(current + offset, resistance) + rest
        v = alpha - times(keep, alpha - v)
        fired = v >= threshold
        v = np.where(fired, reset, v)
        spikes.append(fired)
        potential.append(v)
    return np.array(spikes), np.array(potential)
