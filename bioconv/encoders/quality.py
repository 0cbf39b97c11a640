"""How well a signal is represented by spikes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bioconv.ground.errors import DataError


def rms_error(signal: ArrayLike, decoded: ArrayLike) -> float:
    """Return the root of the mean squared error, in the unit of the signal.

    Raises
    ------
    DataError
        If the shapes differ.
    """
    return float(np.sqrt(np.mean(_difference(signal, decoded) ** 2)))


def signal_to_noise(signal: ArrayLike, decoded: ArrayLike) -> float:
    """Return the signal-to-noise ratio of a reconstruction in dB.

    10 log10(sum s^2 / sum (s - r)^2), as Petro, Kasabov and Kiss 2020 define it; infinite if there
    is no error.

    Raises
    ------
    DataError
        If the shapes differ.

    Examples
    --------
    >>> round(signal_to_noise([1.0, 1.0], [0.9, 1.1]), 6)
    20.0
    """
    noise = float((_difference(signal, decoded) ** 2).sum())
    power = float((np.asarray(signal, np.float64) ** 2).sum())
    if not noise:
        return float("inf")
    return 10.0 * float(np.log10(power / noise)) if power else float("-inf")


def _difference(signal: ArrayLike, decoded: ArrayLike) -> np.ndarray:
    first, second = np.asarray(signal, np.float64), np.asarray(decoded, np.float64)
    if first.shape != second.shape:
        raise DataError(
            "signal and reconstruction must have the same shape. "
            f"Received: {first.shape} and {second.shape}."
        )
    return first - second
