"""Losses of the outputs of a network, before their last function."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import ArrayLike, NDArray

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
    values = np.asarray(y)
    if values.shape[:1] != (n_samples,):
        raise DataError(
            f"expected one target for each of {n_samples} samples. Received an array of shape "
            f"{values.shape}."
        )
    if values.dtype.kind not in "biuf" or not np.all(np.isfinite(values)):
        raise DataError("targets must be finite numbers.")
    if loss == "mean_squared_error":
        if values[0].size != prod(shape):
            raise DataError(f"targets must have the shape {shape}. Received: {values.shape[1:]}.")
        return values.astype(np.float64).reshape(n_samples, *shape)
    return class_numbers(values, prod(shape))


def class_numbers(values: NDArray, n_classes: int) -> NDArray[np.int32]:
    """Return class numbers from 0, of class numbers or one-hot labels; see `check_targets`."""
    if n_classes < 2:
        raise DataError(
            "the cross-entropy requires at least two outputs. Received: one. Use "
            'loss="mean_squared_error".'
        )
    if values.ndim == 2 and values.shape[1] == n_classes and n_classes > 1:
        one_hot = np.all((values == 0) | (values == 1)) and np.all(values.sum(axis=1) == 1)
        if not one_hot:
            raise DataError("targets with one column for each class must be one-hot.")
        return values.argmax(axis=1).astype(np.int32)
    flat = values.reshape(len(values), -1)
    if flat.shape[1] != 1:
        raise DataError(
            f"expected one class number for each sample, or {n_classes} columns. Received an "
            f"array of shape {values.shape}."
        )
    numbers = flat[:, 0]
    if np.any(numbers != np.floor(numbers)) or numbers.min() < 0 or numbers.max() >= n_classes:
        raise DataError(
            f"class numbers must be integers from 0 to {n_classes - 1}. Received values from "
            f"{numbers.min():g} to {numbers.max():g}."
        )
    return numbers.astype(np.int32)


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
    measures["accuracy"] = jnp.mean((logits.argmax(axis=1) == y).astype(logits.dtype))
    return jnp.mean(losses), measures
