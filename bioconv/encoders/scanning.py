"""Encoders with a memory: the loops over time, compiled by XLA, all channels at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike, NDArray


def following(rows: NDArray[np.float64], first: float, threshold: float) -> NDArray[np.int8]:
    """Return the steps of a base that follows a signal.

    Parameters
    ----------
    rows : ndarray, shape (n_samples, n_channels)
    first : float
        Start of the base.
    threshold : float
        Size of a step.

    Returns
    -------
    ndarray of int8, shape (n_samples, n_channels)
        1, 0 or -1: a step towards the signal if it is further away than the threshold.
    """
    with jax.enable_x64(True):
        return np.asarray(_following(rows, first, threshold))


@jax.jit
def _following(rows: Any, first: Any, threshold: Any) -> Any:
    # The base is counted in whole steps, so that sums are not rounded.
    def step(base: Any, now: Any) -> tuple[Any, Any]:
        left = now - (first + threshold * base)
        sign = jnp.where(left > threshold, 1, 0) - jnp.where(left < -threshold, 1, 0)
        return base + sign, sign.astype(jnp.int8)

    return lax.scan(step, jnp.zeros(rows.shape[1]), rows)[1]


def deconvolve(
    rows: NDArray[np.float64],
    kernel: NDArray[np.float64],
    threshold: ArrayLike,
    rule: str,
) -> NDArray[np.bool_]:
    """Return spikes whose convolution with a filter resembles a signal.

    Where the rule holds for the samples from one on, there is a spike, and the filter is subtracted
    from them.

    Parameters
    ----------
    rows : ndarray, shape (n_samples, n_channels)
        Beyond its end, the signal is taken as constant.
    kernel : ndarray, shape (n_taps,)
    threshold : float, or ndarray of shape (n_channels,)
    rule : {"below", "shortfall", "gain"}
        "below": the filter is nowhere above the signal (HSA).  "shortfall": the sum by which it
        is above is at most the threshold (modified HSA).  "gain": subtracting it makes the sum of
        the absolute values smaller by at least the threshold times that of the filter (BSA).

    Returns
    -------
    ndarray of bool, shape (n_samples, n_channels)
    """
    with jax.enable_x64(True):
        return np.asarray(_deconvolve(rows, kernel, jnp.asarray(threshold), rule))


@partial(jax.jit, static_argnames=("rule",))
def _deconvolve(rows: Any, kernel: Any, threshold: Any, rule: str) -> Any:
    taps = kernel[:, None]
    n_taps = len(kernel)
    padded = jnp.concatenate([rows, jnp.broadcast_to(rows[-1:], (n_taps, rows.shape[1]))])

    def step(window: Any, following: Any) -> tuple[Any, Any]:
        if rule == "below":
            fires = (window >= taps).all(axis=0)
        elif rule == "shortfall":
            fires = jnp.maximum(taps - window, 0.0).sum(axis=0) <= threshold
        else:
            gain = jnp.abs(window).sum(axis=0) - jnp.abs(window - taps).sum(axis=0)
            fires = gain >= threshold * jnp.abs(kernel).sum()
        window = jnp.where(fires, window - taps, window)
        return jnp.concatenate([window[1:], following[None]]), fires

    return lax.scan(step, padded[:n_taps], padded[n_taps:])[1]
