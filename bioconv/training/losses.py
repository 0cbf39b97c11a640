"""Losses of the outputs of a network, before their last function."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.decisions import LARGEST, Decision
from bioconv.ground.errors import DataError, ParameterError
from bioconv.operators import Array

#: names of the losses
LOSSES = ("cross_entropy", "mean_squared_error")


def check_loss(loss: str) -> None:
    """Raise `ParameterError` unless ``loss`` is one of `LOSSES`."""
    if loss not in LOSSES:
        raise ParameterError(f"loss must be one of {', '.join(LOSSES)}. Received: {loss!r}.")


def check_targets(
    y: ArrayLike, n_samples: int, shape: tuple[int, ...], loss: str = "cross_entropy"
) -> NDArray:
    """Return the targets of a training run after validation.

    Parameters
    ----------
    y : array_like
        For the cross-entropy, class numbers of shape (n_samples,), or one-hot labels of shape
        (n_samples, n_classes); for the mean squared error, values of shape (n_samples, *shape).
    n_samples : int
    shape : tuple of int
        Shape of the output.
    loss : {"cross_entropy", "mean_squared_error"}

    Returns
    -------
    ndarray
        Class numbers as int32, or values as float64.

    Raises
    ------
    DataError
        If the number of targets, their shape or their values do not fit.
    """
    if loss == "mean_squared_error":
        return Decision("value").labels(y, shape, n_samples).reshape(n_samples, *shape)
    return class_numbers(y, n_samples, prod(shape))


def class_numbers(y: ArrayLike, n_samples: int, n_classes: int) -> NDArray[np.int32]:
    """Return class numbers from 0, of class numbers or one-hot labels; see `check_targets`."""
    if n_classes < 2:
        raise DataError(
            "the cross-entropy requires at least two outputs. Received: one. Use "
            'loss="mean_squared_error".'
        )
    return LARGEST.labels(y, (n_classes,), n_samples).astype(np.int32)


def loss_and_measures(loss: str, outputs: Array, y: Array) -> tuple[Array, Mapping[str, Array]]:
    """Return the mean loss of a batch, and the accuracy if targets are classes.

    Parameters
    ----------
    loss : {"cross_entropy", "mean_squared_error"}
    outputs : array, shape (batch, *shape)
        Logits, for the cross-entropy.
    y : array, shape (batch,) or (batch, *shape)
    """
    measures: dict[str, Any] = {}
    if loss == "mean_squared_error":
        return jnp.mean((outputs - y.astype(outputs.dtype)) ** 2), measures
    logits = outputs.reshape(len(outputs), -1)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
    measures["accuracy"] = jnp.mean(
        (LARGEST.decide(logits, logits.shape[1:]) == y).astype(logits.dtype)
    )
    return jnp.mean(losses), measures
