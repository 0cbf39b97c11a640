"""The weight arrays of operators."""

from __future__ import annotations

from collections.abc import Sequence

from bioconv.operators.base import Array, Operator


def weights_of(operator: Operator) -> list[Array]:
    """Return all weight arrays, such as the kernels of the convolutions of a chain, in order."""
    found: list[Array] = []

    def note(weights: Array) -> Array:
        found.append(weights)
        return weights

    operator.map_weights(note)
    return found


def with_weights(operator: Operator, weights: Sequence[Array]) -> Operator:
    """Return the operator with other weight arrays, in the order of `weights_of`."""
    left = iter(weights)
    return operator.map_weights(lambda _: next(left))
