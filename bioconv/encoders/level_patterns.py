"""Encoders that give each level of each value a spike pattern of its own (stanojevic A.2.3)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.encoders.encoder import EXACT, Encoder, Floats, checked, flat, repeated
from bioconv.encoders.raster import Shape, SpikeRaster
from bioconv.ground.errors import DataError
from bioconv.ground.options import number, rows, rules, whole

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
#: level of a value that is zero, which is silent
SILENT = -1
#: entries of the dense patterns of the samples that are decoded together
_CHUNK = 2**24


@dataclass(frozen=True)
class LevelEncoder(Encoder):
    """Levels of equal frequency, each with a random spike pattern of its own for each feature.

    Parameters
    ----------
    interval, low, high, n_steps, n_neurons, n_levels, n_spikes, pattern_seed, edges, means
        See `bioconv.encoders.correlative.CorrelativeTime`.
    """

    interval: float = number(100.0, 0.0, above=True)
    n_steps: int = whole(100, 1)
    n_neurons: int = whole(1, 1)
    n_levels: int = whole(12, 1, 1000)
    n_spikes: float = number(5.0, 0.0, above=True)
    pattern_seed: int = whole(0, 0)
    edges: tuple[tuple[float, ...], ...] | None = rows()
    means: tuple[tuple[float, ...], ...] | None = rows()

    family = "temporal, spatio-temporal pattern"
    reason = "similar values share spikes, but no neuron computes a ReLU of them: it is trained"
    references = ("stanojevic2023", "stanojevic2023b")
    axes = ("neurons",)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("edges", "means"):  # lists, if they come from a file
            table = getattr(self, name)
            object.__setattr__(self, name, None if table is None else tuple(map(tuple, table)))

    def _conflicts(self) -> list[str]:
        problems = super()._conflicts()
        if not self.n_spikes < self.length:
            problems.append(
                f"n_spikes must be below n_steps n_neurons = {self.length}, because the patterns "
                f"are sparse (Def. 5). Received: {self.n_spikes:g}."
            )
        known = self.edges is not None and rules(self)["edges"].holds(self.edges)
        if known and not all(
            len(row) < self.n_levels and (np.diff(row) > 0).all() for row in self.edges or ()
        ):
            problems.append(
                f"edges must have at most n_levels - 1 = {self.n_levels - 1} numbers for each "
                "feature, in increasing order."
            )
        if self.edges is not None and self.means is not None:
            pairs = zip(self.edges, self.means, strict=False)
            fit = len(self.edges) == len(self.means) > 0
            if not (fit and all(len(m) == len(e) + 1 <= self.n_levels for e, m in pairs)):
                problems.append(
                    "edges and means must have a list for each feature, with one edge less than "
                    f"means and at most n_levels = {self.n_levels} means."
                )
        return problems

    @property
    def length(self) -> int:
        """Length n_f of the vector of a value."""
        return self.n_neurons * self.n_steps

    def axis_lengths(self) -> Shape:
        """Return the number of neurons for a value."""
        return (self.n_neurons,)

    def _completed(self, ranged: Self, values: Floats) -> Self:
        table = flat(values)
        edges = self._edges(table) if ranged.edges is None else ranged.edges
        ranged = replace(ranged, edges=edges)
        return replace(ranged, means=ranged._means(table) if ranged.means is None else ranged.means)

    def _edges(self, table: Floats) -> tuple[tuple[float, ...], ...]:
        """Return the edges between bins with equal numbers of non-zero values, merged if equal."""
        some = table != 0
        counts = some.sum(axis=0)
        ordered = np.sort(np.where(some, table, np.inf), axis=0)
        cuts = np.arange(1, self.n_levels)[:, None] * counts // self.n_levels
        found = np.take_along_axis(ordered, np.minimum(cuts, len(table) - 1), axis=0)
        below = np.concatenate([ordered[:1], found])[:-1] if self.n_levels > 1 else found
        kept = (found > below) & np.isfinite(found)
        return tuple(
            tuple(column[keep].tolist()) for column, keep in zip(found.T, kept.T, strict=True)
        )

    def _means(self, table: Floats) -> tuple[tuple[float, ...], ...]:
        """Return the mean value of every bin; that of all values for a feature without any."""
        levels, n = self._levels(table), table.shape[1]
        place = np.arange(n) * self.n_levels + levels
        kept = levels != SILENT
        size = n * self.n_levels
        total = np.bincount(place[kept], weights=table[kept], minlength=size)
        count = np.bincount(place[kept], minlength=size)
        usual = float(table[kept].mean()) if kept.any() else 0.0
        mean = np.where(count > 0, total / np.maximum(count, 1), usual).reshape(n, self.n_levels)
        return tuple(
            tuple(row[:m].tolist()) for row, m in zip(mean, self.level_counts, strict=True)
        )

    @cached_property
    def edge_table(self) -> Floats:
        """Edges, shape (n_features, n_levels - 1); infinite where levels were merged."""
        self._check_fitted_edges()
        return _padded(self.edges or (), self.n_levels - 1, np.inf)

    @cached_property
    def level_counts(self) -> Ints:
        """Number q_f of levels of every feature, shape (n_features,)."""
        self._check_fitted_edges()
        return np.array([len(row) + 1 for row in self.edges or ()])

    def _check_fitted_edges(self) -> None:
        if self.edges is None:
            self._check_fitted()

    def levels(self, signal: ArrayLike) -> Ints:
        """Return the level of every value, from 0, and `SILENT` for zeros.

        Parameters
        ----------
        signal : array, shape (n_samples, *shape)
            Values outside of the range of the data belong to the first or last level.

        Returns
        -------
        ndarray of int, shape (n_samples, n_features)

        Raises
        ------
        DataError
            If the number of features is not that of the data.
        """
        return self._levels(flat(checked(signal)))

    def _levels(self, table: Floats) -> Ints:
        if table.shape[1] != len(self.edge_table):
            raise DataError(
                f"{self.name} was fitted to samples of {len(self.edge_table)} values. "
                f"Received: samples of {table.shape[1]} values."
            )
        level = np.zeros(table.shape, np.int64)
        for edges in self.edge_table.T:
            level += table >= edges
        return np.where(table == 0, SILENT, level)

    @cached_property
    def patterns(self) -> Bools:
        """Vectors of all levels, shape (n_features, n_levels, n_neurons, n_steps)."""
        rng = np.random.default_rng(self.pattern_seed)
        vectors = self._vectors(rng, len(self.edge_table))
        return vectors.reshape(*vectors.shape[:2], self.n_neurons, self.n_steps)

    @abstractmethod
    def _vectors(self, rng: np.random.Generator, n_features: int) -> Bools:
        """Return the vectors, shape (n_features, n_levels, length)."""

    def _poisson(self, rng: np.random.Generator, n_features: int) -> Bools:
        """Return sparse vectors (Def. 6).  One without a spike would be a zero: it gets one."""
        shape = (n_features, self.n_levels, self.length)
        spikes = rng.random(shape) < self.n_spikes / self.length
        place = rng.integers(0, self.length, shape[:2])
        empty = ~spikes.any(axis=2)
        spikes[(*np.nonzero(empty), place[empty])] = True
        return spikes

    def dense(self, signal: ArrayLike) -> Bools:
        """Return the spikes of every sample as an array.

        Parameters
        ----------
        signal : array, shape (n_samples, *shape)

        Returns
        -------
        ndarray of bool, shape (n_samples, n_steps, n_neurons * n_features)
            Units in C order of (n_neurons, n_features).
        """
        levels = self.levels(signal)
        found = self.patterns[np.arange(levels.shape[1]), levels]
        found &= (levels != SILENT)[..., None, None]
        return np.moveaxis(found, (3, 2), (1, 2)).reshape(len(levels), self.n_steps, -1)

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        levels = self._levels(flat(values))
        n_samples, n_features = levels.shape
        n_units = self.n_neurons * n_features
        vectors = self.patterns.reshape(-1, self.length)
        counts = vectors.sum(axis=1)
        neuron, step = np.divmod(np.nonzero(vectors)[1], self.n_steps)
        place = step * n_units + neuron * n_features  # of every spike, among those of a sample
        row = (np.arange(n_features) * self.n_levels + levels).ravel()
        index, nth = repeated(np.where(levels == SILENT, 0, counts[row].reshape(levels.shape)))
        first = (np.cumsum(counts) - counts)[row]
        origin = np.arange(n_samples)[:, None] * (self.n_steps * n_units) + np.arange(n_features)
        order = np.sort(place[first[index] + nth] + origin.ravel()[index], kind="stable")
        steps, units = np.divmod(order, n_units)
        return self.raster(units, (steps + 1) * (self.interval / self.n_steps), values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n, n_features = self.n_samples(raster), len(self.edge_table)
        sample, step = np.divmod(raster.steps(self.interval / self.n_steps), self.n_steps)
        neuron, feature = np.divmod(raster.unit, n_features)
        vectors = self.patterns.reshape(n_features, self.n_levels, self.length)
        # Cosine similarity with each vector; the norm of the spikes is the same for all of them.
        scaled = (vectors / np.sqrt(vectors.sum(axis=2, keepdims=True))).astype(np.float32)
        known = np.arange(self.n_levels) < self.level_counts[:, None]
        means = _padded(self.means or (), self.n_levels, 0.0)
        found = np.zeros((n, n_features))
        size = max(_CHUNK // (n_features * self.length), 1)
        for first in range(0, n, size):
            part = slice(*np.searchsorted(sample, (first, first + size)))
            spikes = np.zeros((n_features, min(size, n - first), self.length), np.float32)
            spikes[
                feature[part], sample[part] - first, neuron[part] * self.n_steps + step[part]
            ] = 1
            alike = np.where(known[:, None], spikes @ scaled.swapaxes(1, 2), -1.0)
            value = np.take_along_axis(means, alike.argmax(axis=2), axis=1)
            found[first : first + size] = np.where(spikes.any(axis=2), value, 0.0).T
        return found.reshape(n, *shape)

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the largest distance of a value of the same level from the mean of the level."""
        values = checked(signal)
        fitted = self.fitted(values)
        levels = fitted.levels(values)
        low, high = float(fitted.low or 0.0), float(fitted.high or 0.0)
        n = len(fitted.edge_table)
        edges = np.clip(fitted.edge_table, low, high)
        ends = np.concatenate([np.full((n, 1), low), edges, np.full((n, 1), high)], axis=1)
        means = _padded(fitted.means or (), fitted.n_levels, 0.0)
        largest = np.maximum(means - ends[:, :-1], ends[:, 1:] - means)
        found = np.where(levels == SILENT, 0.0, largest[np.arange(n), levels])
        return (found + EXACT * fitted.span).reshape(values.shape)

    @abstractmethod
    def similarity(self, signal: ArrayLike) -> Floats:
        """Return the similarity Psi of all pairs of samples.

        Parameters
        ----------
        signal : array, shape (n_samples, *shape)

        Returns
        -------
        ndarray, shape (n_samples, n_samples)
            0 for samples without any non-zero value.
        """

    def _shared(self, levels: Ints, widths: Ints) -> Floats:
        """Return the similarity if level i occupies the places i to i + width - 1 of a feature."""
        n_places = self.n_levels + int(widths.max()) - 1
        offset = np.arange(n_places) - levels[..., None]
        held = (offset >= 0) & (offset < widths[:, None]) & (levels != SILENT)[..., None]
        scaled = (held / np.sqrt(widths[:, None])).reshape(len(levels), -1)
        size = np.sqrt((levels != SILENT).sum(axis=1))
        alpha = np.divide(1.0, size, out=np.zeros(len(size)), where=size > 0)
        return (scaled @ scaled.T) * alpha[:, None] * alpha


def _padded(table: tuple[tuple[float, ...], ...], width: int, filler: float) -> Floats:
    """Return rows of different lengths as one array."""
    lengths = np.array([len(row) for row in table])
    filled = np.full((len(table), width), filler)
    filled[np.arange(width) < lengths[:, None]] = [value for row in table for value in row]
    return filled
