"""Loops that every compiled population uses, whatever its neurons.

The arrays of spikes hold bytes, 0 or 1, eight of which are read at once as one integer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from bioconv.simulators.array.events.vectors import add_8, add_32, trailing_zeros

#: neurons of a tile, whose variables lie next to each other, at distances known to the compiler
LANES = 512

#: options of all compiled loops: no lock of the interpreter, and a product and a sum in one
#: rounding where the processor has such an instruction, as in XLA; nothing else is rearranged
OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}

#: how spikes are counted before the rows: not at all, one by one, or eight neurons at once
PLAIN, SINGLY, WORDS = "plain", "singly", "words"

_ONE, _BYTE = np.uint64(1), np.uint64(0xFF)
_8, _32 = np.uint64(8), np.uint64(32)


@njit(**OPTIONS)
def add_rows(n, found, factors, bases, rows, arriving):
    """Add the rows of the first ``n`` cells that were found, times their factors.

    The rows of cells with the same pattern that follow each other are added together.
    """
    pattern, base, shift, stops, start, segments, weight = rows
    for place in range(n):
        bases[place] = base[found[place]]
    begin = 0
    while begin < n:
        cell = found[begin]
        kind, first, other = pattern[cell], shift[cell], stops[cell]
        end = begin + 1
        while end < n and found[end] < other:
            end += 1
        for segment in range(start[kind], start[kind + 1]):
            i = np.uint64(first + segments[segment, 0])
            stop = i + np.uint64(segments[segment, 1])
            k = np.uint64(segments[segment, 2])
            while i + _32 <= stop:
                add_32(arriving, i, weight, k, bases, factors, begin, end)
                i += _32
                k += _32
            while i + _8 <= stop:
                add_8(arriving, i, weight, k, bases, factors, begin, end)
                i += _8
                k += _8
            while i < stop:
                for place in range(begin, end):
                    arriving[i] += factors[place] * weight[np.uint64(bases[place]) + k]
                i += _ONE
                k += _ONE
        begin = end


# The following functions find the cells that are not empty, and their factors, and return how many
# there are.  They all take
#
#     spikes : ndarray of uint64, shape (n_words,)
#     cells : ndarray, empty cells before and after the call (`rows.Rows.cells`)
#     target, sign, divisor : see `rows.Rows`
#     found, factors : ndarray of int32 and of float, shape (n_cells,)


@njit(**OPTIONS)
def find_plain(spikes, cells, target, sign, divisor, found, factors):
    """Find the neurons that spike, each of which is a cell."""
    n = 0
    for word in range(spikes.shape[0]):
        rest = spikes[word]
        while rest != 0:
            found[n] = 8 * word + (trailing_zeros(rest) >> 3)
            factors[n] = 1
            n += 1
            rest &= rest - _ONE  # the lowest bit, of a byte that is 1
    return n


@njit(**OPTIONS)
def find_words(spikes, cells, target, sign, divisor, found, factors):
    """Find the cells by adding eight neurons at once."""
    any_spike = np.uint64(0)
    for word in range(spikes.shape[0]):
        any_spike |= spikes[word]
        cells[target[word]] += spikes[word]
    if any_spike == 0:
        return 0
    n, last = 0, cells.shape[0] - 1
    cells[last] = 0  # of neurons that reach no cell
    for word in range(last):
        rest = cells[word]
        if rest == 0:
            continue
        cells[word] = 0
        while rest != 0:
            place = trailing_zeros(rest) & ~7
            count = (rest >> np.uint64(place)) & _BYTE
            cell = 8 * word + (place >> 3)
            found[n] = cell
            factors[n] = divisor.dtype.type(np.int32(count)) / divisor[cell]
            n += 1
            rest ^= count << np.uint64(place)
    return n


@njit(**OPTIONS)
def find_singly(spikes, cells, target, sign, divisor, found, factors):
    """Find the cells by adding neurons one by one."""
    reached = False
    for word in range(spikes.shape[0]):
        rest = spikes[word]
        while rest != 0:
            neuron = 8 * word + (trailing_zeros(rest) >> 3)
            rest &= rest - _ONE
            if target[neuron] >= 0:
                cells[target[neuron]] += sign[neuron]
                reached = True
    if not reached:
        return 0
    n = 0
    for cell in range(cells.shape[0]):
        if cells[cell] != 0:
            found[n] = cell
            factors[n] = divisor.dtype.type(cells[cell]) / divisor[cell]
            n += 1
            cells[cell] = 0
    return n


@njit(**OPTIONS)
def add_counts(spikes, tally):
    """Add the spikes of one step, as bytes, to ``tally``, which may hold 255 of them."""
    for word in range(spikes.shape[0]):
        tally[word] += spikes[word]


@njit(**OPTIONS)
def empty_tally(tally, counts):
    """Move the bytes of ``tally`` to ``counts``, shape (n,)."""
    for neuron in range(counts.shape[0]):
        counts[neuron] += tally[neuron]
        tally[neuron] = 0


@njit(**OPTIONS)
def set_lanes(state, n, n_rows, row, values):
    """Set one variable of all neurons of a sample; ``values`` has shape (n,) or (1,)."""
    for neuron in range(n):
        tile = neuron // LANES
        value = values[neuron] if values.shape[0] > 1 else values[0]
        state[tile * LANES * n_rows + row * LANES + neuron % LANES] = value
