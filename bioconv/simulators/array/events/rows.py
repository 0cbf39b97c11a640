"""The synapses of each input neuron as rows of weights, as a spike needs them.

A spike adds a row to the arriving input of the next population.  A row is a list of segments, each
of which adds consecutive weights to consecutive neurons.  Neurons in the same place of a
convolution share the segments, and those of the same channel the weights, so that rows take as
much memory as the kernel.

Before the rows, spikes are counted where every input neuron reaches at most one cell, as in average
pooling.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioconv.operators import AveragePool, Chain, Conv, Dense, Operator, Polarity, Reshape
from bioconv.operators.counting import fan_out, targets
from bioconv.operators.selection import Selection
from bioconv.operators.windows import outer_index, taps
from bioconv.simulators.array.events.kernels import PLAIN, SINGLY, WORDS

Ints = NDArray[np.int32]

_MOST_IN_A_BYTE = 255
#: largest number of synapses that are listed one by one, where an operator has no structure: a
#: list takes some 100 bytes a synapse while it is made
MOST_LISTED = 30_000_000


class Rows(NamedTuple):
    """Rows of weights, and the counting of spikes before them.

    Parameters
    ----------
    counting : str
        How spikes are counted in cells (`kernels.PLAIN`, `kernels.SINGLY`, `kernels.WORDS`); if
        not, every neuron is a cell of its own.
    target : ndarray of int32, shape (n_in,) or (n_words,)
        Cell of each neuron, -1 for none; or the word of cells of each word of neurons, the one
        after the last for none.
    sign : ndarray of int32, shape (n_in,)
        The number that a spike adds to the cell.
    divisor : ndarray of float, shape (n_cells,)
        Number by which the count of a cell is divided.
    pattern, base, shift : ndarray of int32, shape (n_cells,)
        Pattern of each cell, place of its first weight, and first neuron that it can reach.
    stop : ndarray of int32, shape (n_cells,)
        The first of the following cells that has another pattern or shift.
    start : ndarray of int32, shape (n_patterns + 1,)
        Place of the first segment of each pattern.
    segments : ndarray of int32, shape (n_segments, 3)
        First neuron (from ``shift`` on), number of neurons, and first weight (from ``base`` on).
    weight : ndarray of float
    """

    counting: str
    target: Ints
    sign: Ints
    divisor: NDArray
    pattern: Ints
    base: Ints
    shift: Ints
    stop: Ints
    start: Ints
    segments: Ints
    weight: NDArray

    @property
    def cells(self) -> NDArray:
        """Empty cells, as the functions of `kernels` that find cells need them."""
        n = len(self.divisor)
        if self.counting == WORDS:
            return np.zeros(-(-n // 8) + 1, np.uint64)
        return np.zeros(n, np.int32)

    def cast(self, dtype: Any) -> Rows:
        """Return the rows with numbers of a precision."""
        return self._replace(divisor=self.divisor.astype(dtype), weight=self.weight.astype(dtype))


@dataclass(frozen=True)
class _Cells:
    """Where spikes are counted: cell, sign and divisor, as in `Rows`."""

    counted: bool
    target: Ints
    sign: Ints
    divisor: NDArray[np.float64]


@dataclass(frozen=True)
class _Segments:
    pattern: Ints
    base: Ints
    shift: Ints
    owner: Ints  # pattern of each segment, not decreasing
    post: Ints
    length: Ints
    place: Ints
    weight: NDArray[np.float64]


def has_rows(operator: Operator) -> bool:
    """Whether the rows of an operator fit into memory."""
    rest = _count(_parts(operator))[1]
    return not _is_listed(rest) or _most_synapses(Chain(tuple(rest))) <= MOST_LISTED


def rows_of(operator: Operator) -> Rows:
    """Return the rows of an operator in float64.

    Scattering the rows is the same map as `Operator.apply`; sums are in the order of input neurons.
    """
    cells, rest = _count(_parts(operator))
    segments = _segments(rest, len(cells.divisor))
    n_patterns = int(segments.pattern.max(initial=-1)) + 1
    counts = np.bincount(segments.owner, minlength=n_patterns)
    return Rows(
        *_counting(cells),
        cells.sign,
        cells.divisor,
        segments.pattern,
        segments.base,
        segments.shift,
        _stops(segments.pattern, segments.shift),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        np.stack([segments.post, segments.length, segments.place], axis=1).astype(np.int32),
        np.ascontiguousarray(segments.weight, np.float64),
    )


def _stops(pattern: Ints, shift: Ints) -> Ints:
    """Return, for each cell, the first of the following cells that differs; see `Rows`."""
    other = (pattern[1:] != pattern[:-1]) | (shift[1:] != shift[:-1])
    ends = np.append(np.flatnonzero(other) + 1, len(pattern)).astype(np.int32)
    return ends[np.searchsorted(ends, np.arange(len(pattern)), side="right")]


def _parts(operator: Operator) -> list[Operator]:
    return list(operator.operators) if isinstance(operator, Chain) else [operator]


def _count(parts: list[Operator]) -> tuple[_Cells, list[Operator]]:
    """Return where the first operators count spikes, and the operators after them."""
    n = parts[0].n_in
    cells = _Cells(False, np.arange(n, dtype=np.int32), np.ones(n, np.int32), np.ones(n))
    for index, part in enumerate(parts):
        if isinstance(part, Reshape):
            continue
        target = _cells_of(part, cells)
        if target is None:
            return cells, parts[index:]
        sign = np.ones(part.n_in, np.int32)
        if isinstance(part, Polarity):
            sign[part.n_out :] = -1
        known = np.maximum(cells.target, 0)
        divisor = np.ones(part.n_out)
        if isinstance(part, AveragePool):
            divisor = np.broadcast_to(part.counts, part.out_shape).ravel().astype(np.float64)
        cells = _Cells(
            True,
            np.where(cells.target >= 0, target[known], -1).astype(np.int32),
            cells.sign * sign[known],
            divisor,
        )
    return cells, []


def _counting(cells: _Cells) -> tuple[str, Ints]:
    """Return how spikes are counted, and the target of each neuron or word of eight neurons.

    Words are added where eight neurons reach eight cells in order, as in pooling of channels.
    """
    if not cells.counted:
        return PLAIN, cells.target
    n, n_cells = len(cells.target), len(cells.divisor)
    words = -(-n // 8)
    padded = np.full(8 * words, -1, np.int32)
    padded[:n] = cells.target
    target = padded.reshape(words, 8)
    first = target[:, :1]
    whole = (first % 8 == 0) & (target == first + np.arange(8))
    in_order = np.all(np.where(first < 0, target == first, whole))
    fits = n_cells % 8 == 0 and np.all(cells.sign == 1)
    most = np.bincount(cells.target[cells.target >= 0], minlength=1).max()
    if not (in_order and fits and most <= _MOST_IN_A_BYTE):
        return SINGLY, cells.target
    return WORDS, np.where(first < 0, n_cells // 8, first // 8).ravel().astype(np.int32)


def _cells_of(part: Operator, before: _Cells) -> NDArray[np.int64] | None:
    """Return the cell of each input of an operator that counts, else None."""
    if not isinstance(part, AveragePool | Selection | Polarity) or np.any(before.divisor != 1):
        return None
    return targets(part)


def _is_listed(parts: list[Operator]) -> bool:
    """Whether the synapses of some operators have no structure that rows could use."""
    shapes = [part for part in parts if not isinstance(part, Reshape)]
    return bool(shapes) and not (len(shapes) == 1 and isinstance(shapes[0], Dense | Conv))


def _segments(parts: list[Operator], n: int) -> _Segments:
    if _is_listed(parts):
        return _listed(Chain(tuple(parts)))
    for part in parts:
        if isinstance(part, Dense):
            return _dense(part)
        if isinstance(part, Conv):
            return _convolution(part)
    every, one = np.arange(n, dtype=np.int32), np.zeros(1, np.int32)
    nothing = np.zeros(n, np.int32)
    return _Segments(nothing, nothing, every, one, one, one + np.int32(1), one, np.ones(1))


def _dense(operator: Dense) -> _Segments:
    n_in, n_out = operator.kernel.shape
    places = np.arange(prod(operator.in_shape[:-1]), dtype=np.int32)
    one = np.zeros(1, np.int32)
    return _Segments(
        np.zeros(operator.n_in, np.int32),
        np.tile(np.arange(n_in, dtype=np.int32) * n_out, len(places)).astype(np.int32),
        np.repeat(places * np.int32(n_out), n_in).astype(np.int32),
        one,
        one,
        one + np.int32(n_out),
        one,
        np.asarray(operator.kernel, np.float64).ravel(),
    )


def _convolution(operator: Conv) -> _Segments:
    """Return the segments of a convolution, one pattern for each place of its input.

    Kernels are stored backwards along their axes, so that the weights of consecutive neurons are
    consecutive as well.
    """
    spatial, groups = operator.in_shape[:-1], operator.groups
    *size, within, filters = operator.kernel.shape
    each = filters // groups
    axes = [taps(*axis) for axis in operator.axes]
    place = outer_index([axis[0] for axis in axes], spatial).ravel()
    cell = outer_index([axis[1] for axis in axes], operator.out_shape[:-1]).ravel()
    last = [n - 1 - axis[2] for axis, n in zip(axes, size, strict=True)]
    tap = outer_index(last, size).ravel()
    order = np.lexsort((cell, place))
    owner, post, weights = place[order], cell[order] * np.int32(filters), tap[order] * each
    # (*size, channels, filters) -> (groups, channels, *backwards, filters of the group)
    rank = len(size)
    kernel = np.flip(np.asarray(operator.kernel, np.float64), axis=tuple(range(rank)))
    kernel = kernel.reshape(*size, within, groups, each)
    kernel = np.moveaxis(kernel, (rank + 1, rank), (0, 1))
    channel = np.arange(operator.in_shape[-1], dtype=np.int32)
    n_places = prod(spatial)
    length = np.full(len(owner), each, np.int32)
    joined = _joined(owner, post, length, weights.astype(np.int32), groups == 1)
    return _Segments(
        np.repeat(np.arange(n_places, dtype=np.int32), len(channel)),
        np.tile(channel * np.int32(prod(size) * each), n_places),
        np.tile(channel // np.int32(within) * np.int32(each), n_places),
        *joined,
        kernel.ravel(),
    )


def _listed(operator: Operator) -> _Segments:
    """Return the segments of any operator from its synapses."""
    edges = operator.edges()
    order = np.lexsort((edges.post, edges.pre))
    owner, post, weight = (part[order] for part in (edges.pre, edges.post, edges.weight))
    ones, place = np.ones(len(owner), np.int32), np.arange(len(owner), dtype=np.int32)
    nothing = np.zeros(operator.n_in, np.int32)
    pattern = np.arange(operator.n_in, dtype=np.int32)
    return _Segments(pattern, nothing, nothing, *_joined(owner, post, ones, place, True), weight)


def _joined(
    owner: Ints, post: Ints, length: Ints, place: Ints, join: bool
) -> tuple[Ints, Ints, Ints, Ints]:
    """Join segments that continue each other: owner, post, length, place."""
    if not join or not len(owner):
        return owner, post, length, place
    goes_on = (owner[1:] == owner[:-1]) & (post[1:] == post[:-1] + length[:-1])
    goes_on &= place[1:] == place[:-1] + length[:-1]
    first = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    total = np.add.reduceat(length, first).astype(np.int32)
    return owner[first], post[first], total, place[first]


def _most_synapses(operator: Chain) -> int:
    """Return an upper bound of the number of synapses of an operator, without listing them."""
    parts = operator.operators
    per_input = prod(int(fan_out(part).max(initial=0)) for part in parts)
    return parts[0].n_in * min(per_input, parts[-1].n_out)
