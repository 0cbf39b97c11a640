"""Correlative time encoding: similar values become correlated spike patterns (stanojevic A.2.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bioconv.encoders.encoder import Floats
from bioconv.encoders.level_patterns import Bools, Ints, LevelEncoder
from bioconv.ground.options import whole


@dataclass(frozen=True)
class CorrelativeTime(LevelEncoder):
    """Correlative time encoding (CTE): each level of each feature has a random pattern of spikes.

    Stanojevic 2023, thesis, appendix A.2.3, Eqs A.20 to A.30.  Non-zero values are sorted into
    levels of equal frequency; a zero is silent.  The patterns of different levels have hardly a
    spike in common, so that the cosine similarity of the spikes of two samples is the share of
    features with the same level.

    Parameters
    ----------
    interval, low, high
        See `Encoder`; the pattern of a sample takes one interval.
    n_steps : int
        Number T of time steps of a pattern.
    n_neurons : int
        Number N_f of neurons for a value, which are the first axis of the units.
    n_levels : int
        Largest number Q of levels of a feature; levels with equal edges are merged.
    n_spikes : float
        Mean number d_f of spikes of a pattern.
    pattern_seed : int
        Seed of the patterns, which are the same for all signals.
    edges, means : tuple of tuple of float, or None
        Edges between the levels of every feature, and the mean value of each level.  None: those of
        the signal.

    Examples
    --------
    >>> encoder = CorrelativeTime(n_levels=2).fitted([[1.0], [2.0], [3.0], [4.0]])
    >>> encoder.decode(encoder.encode([[0.0], [1.2], [9.0]])).tolist()
    [[0.0], [1.5], [3.5]]
    """

    name = "cte"
    law = "level i of a feature: n_spikes random spikes, other ones for each i; 0: no spike (A.28)"
    error = "extent of a level, which contains 1 / n_levels of the non-zero values"

    def _vectors(self, rng: np.random.Generator, n_features: int) -> Bools:
        return self._poisson(rng, n_features)

    def similarity(self, signal: ArrayLike) -> Floats:
        """Return the similarity of all pairs of samples (Eq A.22); see `CorrelativeTime`."""
        levels = self.levels(signal)
        return self._shared(levels, np.ones(levels.shape[1], np.int64))


@dataclass(frozen=True)
class ExtendedCorrelativeTime(LevelEncoder):
    """Extended correlative time encoding (ECTE): neighbouring levels have spikes in common.

    Stanojevic 2023, thesis, appendix A.2.3, Algorithm 3 and Eqs A.31 to A.37.  In the pattern of
    level i, the segments i to i + mu - 1 of ``segment`` steps contain exactly ``eta`` spikes each,
    the same for all levels that include the segment.  The cosine similarity of two values is about
    ``max(0, 1 - |i - j| / mu)``.

    Parameters
    ----------
    interval, low, high, n_steps, n_neurons, n_levels, n_spikes, pattern_seed, edges, means
        See `CorrelativeTime`.
    n_neighbours : int
        Number mu of levels, including its own, with which a level has spikes in common; at most
        the number of levels of the feature.
    eta : int
        Spikes of a segment.
    segment : int
        Length delta n of a segment in steps.

    Raises
    ------
    ParameterError
        If options are invalid, among them ``segment (n_neighbours + n_levels - 1) < n_steps
        n_neurons`` (Eq A.33), ``eta n_neighbours > n_spikes`` (Eq A.34), ``eta <= segment``
        (Eq A.35).

    Notes
    -----
    Eq A.34 requires *much* more spikes in segments than in the random rest of the pattern; only
    fewer are refused.
    """

    n_neighbours: int = whole(5, 1)
    eta: int = whole(6, 1)
    segment: int = whole(6, 1)

    name = "ecte"
    law = "level i of a feature: eta spikes in each of the segments i to i + mu - 1 (Algorithm 3)"
    error = CorrelativeTime.error

    def _conflicts(self) -> list[str]:
        problems = super()._conflicts()
        needed = self.segment * (self.n_neighbours + self.n_levels - 1)
        if not needed < self.length:
            most = (self.length - 1) // self.segment - self.n_neighbours + 1
            problems.append(
                f"segment (n_neighbours + n_levels - 1) = {needed} must be below n_steps n_neurons "
                f"= {self.length} (Eq A.33): "
                + (f"n_levels can be at most {most}." if most > 0 else "use longer patterns.")
            )
        if self.eta > self.segment:
            problems.append(
                f"eta must be at most segment (Eq A.35). Received: {self.eta} and {self.segment}."
            )
        if not self.eta * self.n_neighbours > self.n_spikes:
            problems.append(
                "eta n_neighbours must be above n_spikes (Eq A.34). "
                f"Received: {self.eta * self.n_neighbours} and {self.n_spikes:g}."
            )
        return problems

    @property
    def neighbour_counts(self) -> Ints:
        """Number mu_f of neighbours of every feature, at most its levels (A.36)."""
        return np.minimum(self.n_neighbours, self.level_counts)

    def _vectors(self, rng: np.random.Generator, n_features: int) -> Bools:
        vectors = self._poisson(rng, n_features)
        n_segments = self.n_neighbours + self.n_levels - 1
        # The eta smallest of the random numbers of a segment are its spikes.
        draws = rng.random((n_features, n_segments, self.segment))
        fixed = (draws.argsort(axis=2).argsort(axis=2) < self.eta).reshape(n_features, -1)
        offset = np.arange(n_segments) - np.arange(self.n_levels)[:, None]
        held = (offset >= 0) & (offset < self.neighbour_counts[:, None, None])
        held = np.repeat(held, self.segment, axis=2)
        part = vectors[..., : fixed.shape[1]]
        part[:] = np.where(held, fixed[:, None], part)
        return vectors

    def similarity(self, signal: ArrayLike) -> Floats:
        """Return the similarity of all pairs of samples (Eq A.32); see `CorrelativeTime`."""
        return self._shared(self.levels(signal), self.neighbour_counts)
