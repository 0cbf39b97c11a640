"""Layer of neurons that fire at most once, as a function of the times of their input spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.base import Function
from bioconv.analog.first_crossings import first_crossings
from bioconv.ground.errors import ParameterError
from bioconv.operators import LEAF, Array, register


def local_times(
    times: Array, weights: Array, alpha: Array, v_th: float, epsilon: float
) -> tuple[Array, Array]:
    """Return when neurons reach their threshold, on the clock that the first spike starts.

    The potential is ``alpha t + sum_j w_j max(t - x_j, 0)`` (stanojevic Eq A.2), where t = epsilon
    is the arrival of the first spike, so that the bias is one more spike at that time.

    Parameters
    ----------
    times : array, shape (batch, n_pre)
        Spike times; inf where there is no spike.
    weights : array, shape (n_pre, n)
    alpha : array, shape (n,)
        Positive bias.
    v_th, epsilon : float

    Returns
    -------
    local : array, shape (batch, n)
        Times t of Eq A.4; inf where the threshold is not reached.
    first : array, shape (batch, 1)
        Reference times R_l, those of the first spikes; inf without a spike.
    """
    first = jnp.min(times, axis=1, keepdims=True)
    some = jnp.isfinite(first)
    seen = times - jnp.where(some, first, 0.0) + epsilon
    bias = jnp.where(some, epsilon, jnp.inf).astype(seen.dtype)
    level = v_th - alpha * epsilon
    every = jnp.concatenate([bias, seen], axis=1)
    return first_crossings(every, jnp.concatenate([alpha[None], weights]), level), first


@register
@dataclass(frozen=True, eq=False)
class FirstSpikes(Function):
    """Spike times of a dense layer of neurons with an observation period (stanojevic A.1).

    A value a > 0 stands for a spike at the time ``horizon - a``, and a = 0 for no spike, both at
    the input and at the output, so that earlier spikes have larger values.  Times are in units of
    the period T of the input spikes.

    Parameters
    ----------
    weights : ndarray, shape (n_pre, n)
    alpha : ndarray, shape (n,)
        Bias, which acts from the first input spike on.
    t_obs : ndarray, shape (n,)
        Observation period on the clock of the layer: a later crossing has no effect.
    horizon : float
        Time of the value 0, later than all spikes.
    v_th : float
        Threshold.
    epsilon : float
        Time on the clock of the layer at which the first spike arrives.

    Raises
    ------
    ParameterError
        If shapes do not fit or values are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> weights, ones = np.array([[0.0], [1.0]]), np.ones(1)
    >>> layer = FirstSpikes(weights, ones, 2 * ones, horizon=4.0, epsilon=0.0)
    >>> layer.apply([np.array([[4.0, 3.5], [4.0, 0.0]])]).tolist()  # spikes at 0.75 and 1
    [[3.25], [3.0]]
    """

    weights: NDArray = field(metadata=LEAF)
    alpha: NDArray = field(metadata=LEAF)
    t_obs: NDArray = field(metadata=LEAF)
    horizon: float
    v_th: float = 1.0
    epsilon: float = 1e-4

    def __post_init__(self) -> None:
        if not isinstance(self.weights, np.ndarray):
            return  # a tracer or placeholder of JAX
        vectors = (np.shape(self.alpha), np.shape(self.t_obs))
        if self.weights.ndim != 2 or set(vectors) != {self.weights.shape[1:]}:
            raise ParameterError(
                "FirstSpikes: weights must have shape (n_pre, n), and alpha and t_obs (n,). "
                f"Received: {self.weights.shape}, {vectors[0]}, {vectors[1]}"
            )
        values = {"alpha": self.alpha, "t_obs": self.t_obs, "v_th": self.v_th}
        wrong = [name for name, value in values.items() if not np.all(np.asarray(value) > 0)]
        wrong += [] if self.epsilon >= 0 else ["epsilon"]
        if wrong:
            raise ParameterError(f"FirstSpikes: {', '.join(wrong)} must be positive.")

    def apply(self, inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        value = jnp.asarray(x).reshape(len(x), -1)
        times = jnp.where(value > 0, self.horizon - value, jnp.inf)
        weights, alpha, t_obs = (
            jnp.asarray(part, value.dtype) for part in (self.weights, self.alpha, self.t_obs)
        )
        local, first = local_times(times, weights, alpha, self.v_th, self.epsilon)
        return jnp.where(local <= t_obs, self.horizon - (first - self.epsilon + local), 0.0)
