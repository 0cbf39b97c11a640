"""The arrays of weights of an operator: all of them, or its kernels alone.

Training in spike times changes the kernels of convolutions, matrices and single synapses; factors
and averages belong to the structure of the network (`kernels`).  Training through the equations of
neurons changes every synapse, whatever its weight stems from (`weights_of`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import Array, Operator
from bioconv.operators.chain import Chain
from bioconv.operators.conv import Conv
from bioconv.operators.dense import Dense
from bioconv.operators.sparse import Sparse


def kernels(operator: Operator) -> tuple[Any, ...]:
    """Return the weights of all convolutions, matrices and synapses of an operator.

    Factors of a `Scale` and averages are not included: they are part of the structure.

    Parameters
    ----------
    operator : Operator

    Returns
    -------
    tuple of array
        In the order in which they are applied.
    """
    match operator:
        case Chain(operators=parts):
            return tuple(kernel for part in parts for kernel in kernels(part))
        case Conv(kernel=kernel) | Dense(kernel=kernel):
            return (kernel,)
        case Sparse(weight=weight):
            return (weight,)
        case _:
            return ()


def with_kernels(operator: Operator, new: Sequence[Any]) -> Operator:
    """Return an operator with other weights, in the order of `kernels`.

    Parameters
    ----------
    operator : Operator
    new : sequence of array
        One for each kernel, of the same shape.

    Raises
    ------
    ParameterError
        If their number differs from that of the kernels.
    """
    expected = len(kernels(operator))
    if len(new) != expected:
        raise ParameterError(f"expected {expected} kernels. Received: {len(new)}")
    match operator:
        case Chain(operators=parts):
            return Chain(tuple(all_with_kernels(parts, new)))
        case Conv() | Dense():
            return replace(operator, kernel=new[0])
        case Sparse():
            return replace(operator, weight=new[0])
        case _:
            return operator


def all_with_kernels(operators: Sequence[Operator], new: Sequence[Any]) -> list[Operator]:
    """Return operators with other kernels, given one after the other for all of them."""
    changed, first = [], 0
    for operator in operators:
        last = first + len(kernels(operator))
        changed.append(with_kernels(operator, new[first:last]))
        first = last
    return changed


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
