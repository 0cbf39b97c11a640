"""Spike count of a population of threshold neurons as a function of its input."""

from __future__ import annotations

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.elementwise import Elementwise
from bioconv.ground.errors import ParameterError
from bioconv.operators import LEAF, Array, register


@register
@dataclass(frozen=True, eq=False)
class ThresholdCount(Elementwise):
    """Value of a population in which a neuron fires once if its input reaches its threshold.

    It is ``excitation * n_exc(x) / n + inhibition * n_inh(x) / n``, where n_exc counts the
    thresholds of excitatory neurons that x reaches, and n_inh those of inhibitory neurons that -x
    reaches (mueller 5.2.1, 5.2.2, Eq 5.1).  Neurons are not simulated; the counts are found by a
    search in the sorted thresholds.

    Parameters
    ----------
    excitatory : ndarray, shape (n,) or (*shape, n)
        Thresholds of the neurons, common to all units or for each unit, in ascending order along
        the last axis.
    inhibitory : ndarray of such a shape, or None
        Thresholds of inhibitory neurons.
    excitation, inhibition : float
        Values that spikes of all excitatory, and of all inhibitory, neurons represent.

    Raises
    ------
    ParameterError
        If thresholds are missing or not in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> half = ThresholdCount(np.array([-1.0, 1.0]))
    >>> half.value(np.array([[-2.0, 0.0, 2.0]])).tolist()
    [[0.0, 0.5, 1.0]]
    """

    excitatory: NDArray = field(metadata=LEAF)
    inhibitory: NDArray | None = field(default=None, metadata=LEAF)
    excitation: float = 1.0
    inhibition: float = 0.0

    def __post_init__(self) -> None:
        for name in ("excitatory", "inhibitory"):
            values = getattr(self, name)
            if not isinstance(values, np.ndarray):
                continue  # none, or a placeholder of JAX
            if values.ndim < 1 or values.shape[-1] < 1 or not (np.diff(values) >= 0).all():
                raise ParameterError(
                    f"ThresholdCount: {name} must contain thresholds in ascending order along the "
                    f"last axis. Received: an array of shape {values.shape}."
                )

    @property
    def n(self) -> int:
        """Number of excitatory neurons of a unit."""
        return int(self.excitatory.shape[-1])

    def value(self, x: Array) -> Array:
        x = jnp.asarray(x)
        excited, inhibited = self.counts(x)
        total = excited.astype(x.dtype) * (self.excitation / self.n)
        if inhibited is not None and self.inhibitory is not None:
            share = self.inhibition / self.inhibitory.shape[-1]
            total = total + inhibited.astype(x.dtype) * share
        return total

    def counts(self, x: Array) -> tuple[Array, Array | None]:
        """Return the numbers of excitatory and of inhibitory spikes.

        Parameters
        ----------
        x : array, shape (..., *shape)

        Returns
        -------
        excited : array of int, shape (..., *shape)
        inhibited : array of int of that shape, or None
        """
        x = jnp.asarray(x)
        inhibited = None if self.inhibitory is None else _reached(self.inhibitory, -x)
        return _reached(self.excitatory, x), inhibited

    def spikes(self, x: Array) -> tuple[Array, Array | None]:
        """Return for every neuron whether it fires.

        Parameters
        ----------
        x : array, shape (..., *shape)

        Returns
        -------
        excited : array of bool, shape (..., *shape, n)
        inhibited : array of bool, or None
        """
        x = jnp.asarray(x)[..., None]
        inhibited = None if self.inhibitory is None else -x >= jnp.asarray(self.inhibitory)
        return x >= jnp.asarray(self.excitatory), inhibited


def _reached(thresholds: Array, x: Array) -> Array:
    """Return how many of the thresholds, sorted along the last axis, x reaches."""
    thresholds = jnp.asarray(thresholds)
    n, shape = thresholds.shape[-1], thresholds.shape[:-1]
    if not shape:
        return jnp.searchsorted(thresholds, x, side="right")
    flat = x.reshape(-1, int(np.prod(shape)))

    def of_unit(row: Array, values: Array) -> Array:
        return jnp.searchsorted(row, values, side="right")

    found = jax.vmap(of_unit, in_axes=(0, 1), out_axes=1)(thresholds.reshape(-1, n), flat)
    return found.reshape(x.shape)
