"""Loops that every compiled population uses, whatever its neurons.

The arrays of spikes hold bytes, 0 or 1, eight of which are read at once as one integer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from bioconv.simulators.array.events.vectors import add_eight, trailing_zeros

#: neurons of a tile, whose variables lie next to each other, at distances known to the compiler
LANES = 512

#: options of all compiled loops: no lock of the interpreter, and a product and a sum in one
#: rounding where the processor has such an instruction, as in XLA; nothing else is rearranged
OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}

#: how spikes are counted before the rows: not at all, one by one, or eight neurons at once
PLAIN, SINGLY, WORDS = "plain", "singly", "words"

_ONE, _EIGHT, _BYTE = np.uint64(1), np.uint64(8), np.uint64(0xFF)


@njit(**OPTIONS)
def add_row(cell, factor, rows, arriving):  # type: ignore[no-untyped-def]
    """Add a row, times ``factor``, to the arriving input."""
    pattern, base, shift, start, segments, weight = rows
    kind = pattern[cell]
    first_post, first_weight = shift[cell], base[cell]
    for segment in range(start[kind], start[kind + 1]):
        i = np.uint64(first_post + segments[segment, 0])
        end = i + np.uint64(segments[segment, 1])
        k = np.uint64(first_weight + segments[segment, 2])
        while i + _EIGHT <= end:
            add_eight(arriving, i, weight, k, factor)
            i += _EIGHT
            k += _EIGHT
        while i < end:
            arriving[i] += factor * weight[k]
            i += _ONE
            k += _ONE


# The following functions add the rows of all neurons that spike, and return whether there are any.
# They all take
#
#     spikes : ndarray of uint64, shape (n_words,)
#     cells : ndarray, empty cells before and after the call (`rows.Rows.cells`)
#     target, sign, divisor, and the tuple of the fields from ``pattern`` on : see `rows.Rows`
#     arriving : ndarray of float, shape (n,)


@njit(**OPTIONS)
def scatter_plain(spikes, cells, target, sign, divisor, rows, arriving):  # type: ignore[no-untyped-def]
    one = divisor.dtype.type(1)
    found = False
    for word in range(spikes.shape[0]):
        rest = spikes[word]
        while rest != 0:
            found = True
            add_row(8 * word + (trailing_zeros(rest) >> 3), one, rows, arriving)
            rest &= rest - _ONE  # the lowest bit, of a byte that is 1
    return found


@njit(**OPTIONS)
def scatter_words(spikes, cells, target, sign, divisor, rows, arriving):  # type: ignore[no-untyped-def]
    found = np.uint64(0)
    for word in range(spikes.shape[0]):
        found |= spikes[word]
        cells[target[word]] += spikes[word]
    if found == 0:
        return False
    last = cells.shape[0] - 1  # of neurons that reach no cell
    cells[last] = 0
    for word in range(last):
        rest = cells[word]
        while rest != 0:
            place = trailing_zeros(rest) & ~7
            count = (rest >> np.uint64(place)) & _BYTE
            cell = 8 * word + (place >> 3)
            factor = divisor.dtype.type(np.int32(count)) / divisor[cell]
            add_row(cell, factor, rows, arriving)
            rest ^= count << np.uint64(place)
        cells[word] = 0
    return True


@njit(**OPTIONS)
def scatter_singly(spikes, cells, target, sign, divisor, rows, arriving):  # type: ignore[no-untyped-def]
    active = np.empty(target.shape[0], np.int32)  # the cells that are not empty
    n_active, found = 0, False
    for word in range(spikes.shape[0]):
        rest = spikes[word]
        while rest != 0:
            found = True
            neuron = 8 * word + (trailing_zeros(rest) >> 3)
            rest &= rest - _ONE
            cell = target[neuron]
            if cell >= 0:
                if cells[cell] == 0:
                    active[n_active] = cell
                    n_active += 1
                cells[cell] += sign[neuron]
    for place in range(n_active):
        cell = active[place]
        if cells[cell] != 0:  # not a cell whose spikes cancelled, or that is listed twice
            add_row(cell, divisor.dtype.type(cells[cell]) / divisor[cell], rows, arriving)
            cells[cell] = 0
    return found


@njit(**OPTIONS)
def add_counts(spikes, tally):  # type: ignore[no-untyped-def]
    """Add the spikes of one step, as bytes, to ``tally``, which may hold 255 of them."""
    for word in range(spikes.shape[0]):
        tally[word] += spikes[word]


@njit(**OPTIONS)
def empty_tally(tally, counts):  # type: ignore[no-untyped-def]
    """Move the bytes of ``tally`` to ``counts``, shape (n,)."""
    for neuron in range(counts.shape[0]):
        counts[neuron] += tally[neuron]
        tally[neuron] = 0


@njit(**OPTIONS)
def set_lanes(state, n, n_rows, row, values):  # type: ignore[no-untyped-def]
    """Set one variable of all neurons of a sample; ``values`` has shape (n,) or (1,)."""
    for neuron in range(n):
        tile = neuron // LANES
        value = values[neuron] if values.shape[0] > 1 else values[0]
        state[tile * LANES * n_rows + row * LANES + neuron % LANES] = value
