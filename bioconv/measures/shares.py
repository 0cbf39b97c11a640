"""Shares of right decisions: how certain they are, and which classes are confused."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from bioconv.ground.errors import ParameterError
from bioconv.measures.diagnosis import first_decision, first_shape, labels_of
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording

#: probability with which an interval contains the share in all data
CONFIDENCE = 0.95


def wilson_interval(
    share: ArrayLike, n: int, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the score interval of Wilson for shares of ``n`` independent samples.

    Parameters
    ----------
    share : array_like of float
        Observed shares, from 0 to 1; NaN stays NaN.
    n : int
        Number of samples, at least 1.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : ndarray
        Of the shape of ``share``.

    Raises
    ------
    ParameterError

    Notes
    -----
    E. B. Wilson (1927), Journal of the American Statistical Association 22:209,
    doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> low, high = wilson_interval(0.98, 100)
    >>> round(float(low), 3), round(float(high), 3)
    (0.93, 0.994)
    """
    p = np.asarray(share, np.float64)
    if n < 1 or not 0 < confidence < 1 or np.any((p < 0) | (p > 1)):
        raise ParameterError(
            "an interval requires shares from 0 to 1, at least one sample and a confidence "
            f"between 0 and 1. Received: {share!r}, {n}, {confidence:g}."
        )
    z = float(ndtri(0.5 + confidence / 2))
    middle = p + z**2 / (2 * n)
    spread = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (middle - spread) / (1 + z**2 / n), (middle + spread) / (1 + z**2 / n)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def interval_of(
    recording: Recording, share: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the `wilson_interval` of shares of a recording's samples.

    None if a sample has several decisions (labels, positions or values), which are not
    independent of one another.
    """
    return wilson_interval(share, recording.n_images) if recording.n_decisions() == 1 else None


def confusion(
    network: SpikingNetwork, recording: Recording, y: ArrayLike
) -> NDArray[np.int64] | None:
    """Count how often each class was taken for each other one by the first output.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording of this network.
    y : array_like of int, shape (n_images, ...)
        Labels; see `bioconv.ground.decisions.Decision.labels`.

    Returns
    -------
    ndarray of int, shape (n_classes, n_classes + 1), or None
        Rows are the classes of the labels, columns the decisions; the last column counts
        decisions without an output.  None if the output stands for values.
    """
    decision = first_decision(network)
    n = decision.n_classes(first_shape(network))
    if not n:
        return None
    wanted = labels_of(network, y, recording.n_images).ravel()
    found = recording.predictions().ravel()
    places = wanted * (n + 1) + np.where(found < 0, n, found)
    return np.bincount(places, minlength=n * (n + 1)).reshape(n, n + 1)
