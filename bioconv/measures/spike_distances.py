"""Distances of spike trains."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np
from numpy.typing import NDArray

from bioconv.encoders import SpikeRaster
from bioconv.export.support.readouts import pattern_distances
from bioconv.ground.errors import DataError, ParameterError
from bioconv.ground.options import is_number


def van_rossum(
    first: Sequence[SpikeRaster],
    second: Sequence[SpikeRaster],
    *,
    tau: float,
    dt: float = 1.0,
    absolute: bool = False,
) -> NDArray[np.float64]:
    """Return the van Rossum distances of rasters on a time grid.

    Spikes are convolved with an exponential of time constant ``tau``.  The distance is the sum of
    the squared differences over units and steps, divided by tau in steps (stanojevic 2023, thesis,
    Eqs A.14 and A.15), which is van Rossum's squared distance of 2001; or the sum of absolute
    differences (Eq A.19).

    Parameters
    ----------
    first, second : sequence of SpikeRaster
        All with the same shape and duration.
    tau : float
        ms.
    dt : float
        Step in ms.
    absolute : bool

    Returns
    -------
    ndarray, shape (len(first), len(second))

    Raises
    ------
    DataError
        If there are no rasters, or their shapes or durations differ.
    ParameterError
        If ``tau`` is not a number above 0.

    Examples
    --------
    >>> silent, spike = SpikeRaster([], [], (1,), 200.0), SpikeRaster([0], [1.0], (1,), 200.0)
    >>> van_rossum([silent], [spike], tau=10.0).round(3).tolist()  # 1 / (tau (1 - exp(-2 / tau)))
    [[0.552]]
    """
    for name, value in (("tau", tau), ("dt", dt)):
        if not (is_number(value) and value > 0):
            raise ParameterError(f"{name} must be a number above 0 ms. Received: {value!r}.")
    if not 0 < exp(-dt / tau) < 1:
        raise ParameterError(
            f"tau must be comparable with dt = {dt:g} ms, so that exp(-dt / tau) is above 0 and "
            f"below 1. Received: {tau!r}."
        )
    if isinstance(first, SpikeRaster) or isinstance(second, SpikeRaster):
        raise DataError(
            "van_rossum expects lists of rasters on both sides, such as [raster]. "
            "Received: a single SpikeRaster."
        )
    kinds = {(raster.shape, raster.duration) for raster in (*first, *second)}
    if len(kinds) != 1 or not first or not second:
        raise DataError(
            "van_rossum needs rasters of the same shape and duration on both sides. "
            f"Received: {len(first)} and {len(second)} with {sorted(kinds)}."
        )
    each = pattern_distances(
        _dense(first, dt), _dense(second, dt), exp(-dt / tau), absolute=absolute
    )
    return each.sum(axis=2)


def _dense(rasters: Sequence[SpikeRaster], dt: float) -> NDArray[np.float64]:
    """Return spikes of shape (n_rasters, n_steps, n_units)."""
    return np.stack([r.to_dense(dt).reshape(-1, r.n_units) for r in rasters]).astype(np.float64)
