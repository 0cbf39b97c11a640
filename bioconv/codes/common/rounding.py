"""Rounding of activations by spike times on a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def nearest(activation: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
    """Return activations, clipped to [0, 1], rounded to the nearest of ``n_steps + 1`` values."""
    rounded = np.floor(np.asarray(activation, np.float64) * n_steps + 0.5)
    return np.clip(rounded / n_steps, 0.0, 1.0)
