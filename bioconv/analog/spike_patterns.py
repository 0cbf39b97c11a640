"""Networks of spike patterns as functions: levels, layers of spiking units, distances.

Stanojevic 2023, thesis, appendix A.2.  A pattern is an array of zeros and ones with the time steps
first and the neurons second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.base import Function
from bioconv.ground.errors import ParameterError
from bioconv.operators import LEAF, Array, register


def heaviside(distance: Array) -> Array:
    """Return 1 where a distance from the threshold is at least 0, else 0."""
    return (distance >= 0).astype(distance.dtype)


def unit_spikes(
    current: Array,
    v_th: Array,
    decay: float,
    fires: Callable[[Array], Array] = heaviside,
) -> Array:
    """Return the spikes of spiking units (Eqs A.11 and A.12).

    The potential decays by the factor ``decay`` a step, unless the unit has just fired, which
    resets it to 0; then the input is added.

    Parameters
    ----------
    current : array, shape (n_steps, ..., n)
        Input of every step, the weights of the spikes that arrive.
    v_th : array, shape (n,)
        Threshold beta.
    decay : float
        Factor v of Eq A.11; 0 for units without memory, as in the output layer.
    fires : function
        Spikes as a function of the distance of the potential from the threshold.

    Returns
    -------
    array, shape (n_steps, ..., n)
    """
    if not decay:
        return fires(current - v_th)

    def step(before: tuple[Array, Array], arrived: Array) -> tuple[tuple[Array, Array], Array]:
        potential, spikes = before
        potential = arrived + decay * potential * (1.0 - spikes)
        spikes = fires(potential - v_th)
        return (potential, spikes), spikes

    silent = jnp.zeros(current.shape[1:], current.dtype)
    return jax.lax.scan(step, (silent, silent), current)[1]


def trace(spikes: Array, decay: float) -> Array:
    """Return the convolution of spikes with a decaying exponential (Eq A.14).

    Parameters
    ----------
    spikes : array, shape (n_steps, ...)
    decay : float
        Factor of a step.
    """

    def step(before: Array, arrived: Array) -> tuple[Array, Array]:
        now = decay * before + arrived
        return now, now

    return jax.lax.scan(step, jnp.zeros(spikes.shape[1:], spikes.dtype), spikes)[1]


@register
@dataclass(frozen=True, eq=False)
class LevelPatterns(Function):
    """Correlative time encoding: values are sorted into levels, each of which has a pattern.

    Parameters
    ----------
    edges : ndarray, shape (n_features, n_levels - 1)
        Edges between the levels of every feature; infinite where there are fewer levels.
    patterns : ndarray of bool, shape (n_features, n_levels, n_neurons, n_steps)
        See `bioconv.encoders.correlative.CorrelativeTime`.  A zero is silent.

    Raises
    ------
    ParameterError
        If shapes do not fit.
    """

    edges: NDArray = field(metadata=LEAF)
    patterns: NDArray = field(metadata=LEAF)

    def __post_init__(self) -> None:
        if not isinstance(self.edges, np.ndarray) or not isinstance(self.patterns, np.ndarray):
            return  # a tracer or placeholder of JAX
        found = (self.edges.shape, self.patterns.shape[:2], self.patterns.ndim)
        n_features, n_levels = self.patterns.shape[:2]
        if found != ((n_features, n_levels - 1), (n_features, n_levels), 4):
            raise ParameterError(
                "LevelPatterns: patterns must have the shape (n_features, n_levels, n_neurons, "
                "n_steps), and edges (n_features, n_levels - 1). "
                f"Received: {self.patterns.shape} and {self.edges.shape}."
            )

    def apply(self, inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        values = jnp.asarray(x).reshape(len(x), -1)
        edges = jnp.asarray(self.edges, values.dtype)
        level = (values[..., None] >= edges).sum(axis=2)
        found = jnp.asarray(self.patterns)[jnp.arange(values.shape[1]), level]
        found = jnp.where((values != 0)[..., None, None], found, False)
        # (batch, feature, neuron, step) -> (batch, step, neuron, feature)
        return (
            jnp.moveaxis(found, (3, 2), (1, 2))
            .reshape(len(x), found.shape[3], -1)
            .astype(values.dtype)
        )


@register
@dataclass(frozen=True, eq=False)
class SpikingUnits(Function):
    """A dense layer of spiking units; see `unit_spikes`.

    Parameters
    ----------
    weights : ndarray, shape (n_pre, n)
    v_th : ndarray, shape (n,)
    decay : float
        Factor of the potential in a step; 0 for units without memory.

    Raises
    ------
    ParameterError
        If shapes do not fit, or thresholds are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> layer = SpikingUnits(np.array([[0.5]]), np.array([0.8]), decay=0.8)
    >>> layer.apply([np.ones((1, 5, 1))]).ravel().tolist()
    [0.0, 1.0, 0.0, 1.0, 0.0]
    """

    weights: NDArray = field(metadata=LEAF)
    v_th: NDArray = field(metadata=LEAF)
    decay: float

    def __post_init__(self) -> None:
        if not isinstance(self.weights, np.ndarray) or not isinstance(self.v_th, np.ndarray):
            return  # a tracer or placeholder of JAX
        if self.weights.ndim != 2 or self.v_th.shape != self.weights.shape[1:]:
            raise ParameterError(
                "SpikingUnits: weights must have shape (n_pre, n), and v_th (n,). "
                f"Received: {self.weights.shape} and {self.v_th.shape}."
            )
        if not (self.v_th > 0).all() or not 0 <= self.decay < 1:
            raise ParameterError(
                "SpikingUnits: v_th must be positive, and decay from 0 to less than 1. "
                f"Received: {self.v_th.min():g} and {self.decay:g}."
            )

    def apply(self, inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        spikes = jnp.swapaxes(jnp.asarray(x), 0, 1)
        weights, v_th = (jnp.asarray(part, spikes.dtype) for part in (self.weights, self.v_th))
        return jnp.swapaxes(unit_spikes(spikes @ weights, v_th, self.decay), 0, 1)


@register
@dataclass(frozen=True, eq=False)
class PatternDistances(Function):
    """Negative van Rossum distances of spikes from patterns (Eqs A.14, A.15 and A.19).

    Parameters
    ----------
    patterns : ndarray of bool, shape (n_patterns, n_steps, n_neurons)
    decay : float
        Factor of a step, exp(-1 / tau).
    absolute : bool
        Whether absolute values take the place of squares.

    Raises
    ------
    ParameterError
        If ``decay`` is not above 0 and below 1, or spikes do not have the shape of the patterns.
    """

    patterns: NDArray = field(metadata=LEAF)
    decay: float
    absolute: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.patterns, np.ndarray):
            return  # a tracer or placeholder of JAX
        if self.patterns.ndim != 3 or not 0 < self.decay < 1:
            raise ParameterError(
                "PatternDistances: patterns must have the shape (n_patterns, n_steps, n_neurons), "
                "and decay must be above 0 and below 1. "
                f"Received: {self.patterns.shape} and {self.decay:g}."
            )

    def apply(self, inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        if x.shape[1:] != self.patterns.shape[1:]:
            raise ParameterError(
                "PatternDistances: expected spikes of the shape (n_samples, n_steps, n_neurons) "
                f"with {self.patterns.shape[1:]} after the samples. Received: {x.shape}."
            )
        spikes = trace(jnp.swapaxes(jnp.asarray(x), 0, 1), self.decay)
        goals = jnp.swapaxes(jnp.asarray(self.patterns, spikes.dtype), 0, 1)
        goals = trace(goals, self.decay)
        size = jnp.abs if self.absolute else jnp.square

        def distance(goal: Array) -> Array:
            return size(spikes - goal[:, None]).sum(axis=(0, 2))

        total = jax.lax.map(distance, jnp.swapaxes(goals, 0, 1))
        return np.log(self.decay) * total.T
