"""Sums of weighted spike values over the projections of a population, and bounds of them."""

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
    """Apply the operators of all projections to flat values, (batch, n), and sum the results."""
    parts = [
        operator.apply(x.reshape(len(x), *operator.in_shape)).reshape(len(x), -1)
        for operator, x in zip(operators, values, strict=True)
    ]
    return sum(parts[1:], start=parts[0]) if parts else jnp.zeros(())


def positive_bound(operator: Operator) -> Operator:
    """Return an upper bound of the positive part of an operator, in single precision.

    For a chain of several operators of both signs, it uses absolute values, which are a looser
    bound.
    """
    signed: list[bool] = []

    def look(weights: Any) -> Any:
        signed.append(bool(np.any(np.asarray(weights) < 0)))
        return weights

    operator.map_weights(look)
    keep = np.abs if sum(signed) > 1 else partial(np.maximum, 0.0)
    return operator.map_weights(lambda w: np.asarray(keep(np.asarray(w)), np.float32))
