"""What spikes add up to at the other end: operators on values of spikes, and bounds of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bioconv.operators import Array, Operator


@jax.jit
def synaptic(operators: Sequence[Operator], values: Sequence[Array]) -> Array:
    """Sum over the projections of the operators applied to flat values, (batch, n)."""
    parts = [
        operator.apply(x.reshape(len(x), *operator.in_shape)).reshape(len(x), -1)
        for operator, x in zip(operators, values, strict=True)
    ]
    return sum(parts[1:], start=parts[0]) if parts else jnp.zeros(())


def positive_bound(operator: Operator) -> Operator:
    """At least the positive part of an operator, in single precision.

    For a chain of several operators of both signs the absolute values: more than that.
    """
    signed: list[bool] = []

    def look(weights: Any) -> Any:
        signed.append(bool(np.any(np.asarray(weights) < 0)))
        return weights

    operator.map_weights(look)
    keep = np.abs if sum(signed) > 1 else partial(np.maximum, 0.0)
    return operator.map_weights(lambda w: np.asarray(keep(np.asarray(w)), np.float32))
