"""Arguments of training functions that build a stack of dense layers themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import check_samples
from bioconv.ground.errors import ParameterError
from bioconv.ground.options import is_whole
from bioconv.training.losses import class_numbers


def size_problems(sizes: Sequence[int], fewest: int = 0) -> list[str]:
    """Return what is wrong with the numbers of neurons of the hidden layers."""
    if len(sizes) >= fewest and all(is_whole(n) and n >= 1 for n in sizes):
        return []
    many = f", {fewest} or more of them" if fewest else ""
    return [f"sizes must be whole numbers of at least 1{many}. Received: {tuple(sizes)}"]


def samples_of(x: ArrayLike) -> NDArray[np.float64]:
    """Return samples of a network with one input; `DataError` if they are not finite numbers."""
    samples = np.asarray(x)
    return check_samples(samples, {"x": samples.shape[1:]})["x"].astype(np.float64)


def classes_of(
    y: ArrayLike, n_samples: int, n_classes: int | None = None
) -> tuple[NDArray[np.int32], int]:
    """Return class numbers from 0, and of how many classes.

    Parameters
    ----------
    y : array_like
    n_samples : int
    n_classes : int, optional
        By default the largest class number and 1, at least 2.

    Raises
    ------
    DataError
        If there is not one class number for each sample, or if one is not below ``n_classes``.
    ParameterError
        If ``n_classes`` is no whole number of at least 2.
    """
    if n_classes is not None and not (is_whole(n_classes) and n_classes >= 2):
        raise ParameterError(
            f"n_classes must be a whole number of at least 2. Received: {n_classes!r}."
        )
    classes = np.asarray(y)
    if n_classes is None:
        numbers = classes.dtype.kind in "iuf" and np.all(np.isfinite(classes))
        n_classes = int(np.max(classes, initial=1)) + 1 if numbers else 2
    return class_numbers(classes, n_samples, n_classes), n_classes
