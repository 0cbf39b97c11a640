"""Codes of correlation and synchrony: which group of units spikes together (mueller 3.1.3)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bioconv.encoders.encoder import EXACT, Encoder, Floats, checked, flat
from bioconv.encoders.raster import Shape, SpikeRaster
from bioconv.ground.options import whole

_NEIGHBOURS = "would need connections between the neurons of a layer"


@dataclass(frozen=True)
class _Places(Encoder):
    """Each level has a group of successive units, which spike together."""

    axes = ("units",)

    @property
    @abstractmethod
    def n_levels(self) -> int:
        """Number of levels to which values are rounded."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Number of units that spike together."""

    @property
    @abstractmethod
    def stride(self) -> int:
        """Distance of the groups of neighbouring levels in units."""

    def axis_lengths(self) -> Shape:
        """Return the number of units for a value."""
        return ((self.n_levels - 1) * self.stride + self.width,)

    def _spikes(self, values: Floats, rng: np.random.Generator) -> SpikeRaster:
        level = np.floor(flat(self.shares(values)) * (self.n_levels - 1) + 0.5).astype(np.int64)
        window, unit = np.indices(level.shape)
        place = level[..., None] * self.stride + np.arange(self.width)
        units = place * level.shape[1] + unit[..., None]
        time = np.repeat((window.ravel() + 1.0) * self.interval, self.width)
        return self.raster(units.ravel(), time, values)

    def _signal(self, raster: SpikeRaster, shape: Shape) -> Floats:
        n, n_values = self.n_samples(raster), raster.n_units // self.axis_lengths()[0]
        place, unit = np.divmod(raster.unit, n_values)
        index = self.windows(raster) * n_values + unit
        spikes = np.bincount(index, minlength=n * n_values)
        total = np.bincount(index, weights=place, minlength=n * n_values)
        # The middle of the active units; a value without spikes is the smallest one.
        middle = total / np.maximum(spikes, 1) - (self.width - 1) / 2
        level = np.clip(np.floor(middle / self.stride + 0.5), 0, self.n_levels - 1)
        return self.values((level / (self.n_levels - 1)).reshape(n, *shape))

    def bound(self, signal: ArrayLike) -> Floats:
        """Return the largest error: half of a level."""
        fitted = self.fitted(signal)
        error = fitted.span * (0.5 / (self.n_levels - 1) + EXACT)
        return np.full(checked(signal).shape, error)


@dataclass(frozen=True)
class Amplitude(_Places):
    """A single active unit: the one whose level is nearest to the value.

    Mueller 2023, thesis, 3.1.3: the extreme case of a sparse distributed representation.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_units : int
        Number of units, which is that of the levels.
    """

    n_units: int = whole(32, 2)

    name = "amplitude"
    family = "temporal, correlation and synchrony"
    law = "unit round(a (n_units - 1)) spikes"
    error = "1 / (2 (n_units - 1))"
    reason = _NEIGHBOURS

    @property
    def n_levels(self) -> int:
        """One level for each unit."""
        return self.n_units

    @property
    def width(self) -> int:
        """One."""
        return 1

    @property
    def stride(self) -> int:
        """One."""
        return 1


@dataclass(frozen=True)
class Synchrony(_Places):
    """Synchronous groups: each level has a group of units of its own, which spike together.

    Mueller 2023, thesis, 3.1.3, as in place cells.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_groups : int
        Number of groups, which is that of the levels.
    group_size : int
        Number of units in a group.
    """

    n_groups: int = whole(16, 2)
    group_size: int = whole(4, 1)

    name = "synchrony"
    family = "temporal, correlation and synchrony"
    law = "all units of group round(a (n_groups - 1)) spike"
    error = "1 / (2 (n_groups - 1))"
    reason = _NEIGHBOURS

    @property
    def n_levels(self) -> int:
        """One level for each group."""
        return self.n_groups

    @property
    def width(self) -> int:
        """Size of a group."""
        return self.group_size

    @property
    def stride(self) -> int:
        """Size of a group, because groups have no common units."""
        return self.group_size


@dataclass(frozen=True)
class SparseDistributed(_Places):
    """A sparse distributed representation: similar values have active units in common.

    Mueller 2023, thesis, 3.1.3; the encoder of scalars is that of Purdy 2016.

    Parameters
    ----------
    interval, low, high
        See `Encoder`.
    n_units, n_active : int
        Number of units, and of those that spike for a value.

    Raises
    ------
    ParameterError
        If options are invalid, or if ``n_active`` leaves fewer than two levels.
    """

    n_units: int = whole(64, 2)
    n_active: int = whole(8, 1)

    name = "sparse_distributed"
    family = "temporal, correlation and synchrony"
    law = "units k to k + n_active - 1 spike, k = round(a (n_units - n_active))"
    error = "1 / (2 (n_units - n_active))"
    reason = _NEIGHBOURS
    references = ("mueller2023", "purdy2016")

    def _conflicts(self) -> list[str]:
        wrong = (
            []
            if self.n_active < self.n_units
            else [f"n_active must be below n_units. Received: {self.n_active} and {self.n_units}."]
        )
        return [*super()._conflicts(), *wrong]

    @property
    def n_levels(self) -> int:
        """One level for each first active unit."""
        return self.n_units - self.n_active + 1

    @property
    def width(self) -> int:
        """Number of active units."""
        return self.n_active

    @property
    def stride(self) -> int:
        """One, so that neighbouring levels have all active units but one in common."""
        return 1
