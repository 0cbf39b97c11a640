"""Compose operators, and simplify compositions to fewer and cheaper operators."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import Operator, Shape
from bioconv.operators.chain import Chain
from bioconv.operators.dense import Dense
from bioconv.operators.rules import RULES, is_identity
from bioconv.operators.scale import Scale
from bioconv.operators.scaling import settle
from bioconv.operators.selection import Reshape, Selection


def identity(shape: Shape) -> Operator:
    """Return the identity operator."""
    return Reshape(shape, shape)


def compose(*operators: Operator) -> Operator:
    """Compose and simplify operators, preserving the map up to rounding.

    Chains are flattened, identities are dropped, and neighbours are merged by the rules of
    `bioconv.operators.rules`: reshapes and permutations with each other, padding into a
    convolution, and factors into weights (also through pooling, padding, flattening, ...).  For a
    branch of a Concatenate, only the slice of the kernel that it uses is kept.

    Parameters
    ----------
    *operators : Operator
        At least one.

    Returns
    -------
    Operator
        A `Chain` if more than one operator remains, else this operator.
    """
    if not operators:
        raise ParameterError("compose: expected at least one operator. Received: none")
    chain = Chain(operators)  # checks that the shapes fit
    flat = settle(list(_flatten(operators)))
    left = _sort_rows(_simplify([op for op in flat if not is_identity(op)]))
    if not left:
        return identity(chain.in_shape)
    return left[0] if len(left) == 1 else Chain(tuple(left))


def scaled(
    operator: Operator, pre: NDArray | float | None = None, post: NDArray | float | None = None
) -> Operator:
    """Multiply the input and the output of an operator by factors, folded into its weights.

    Parameters
    ----------
    operator : Operator
    pre : float or ndarray broadcastable to in_shape, optional
    post : float or ndarray broadcastable to out_shape, optional
    """
    before = [] if pre is None else [Scale(operator.in_shape, np.asarray(pre, np.float64))]
    after = [] if post is None else [Scale(operator.out_shape, np.asarray(post, np.float64))]
    return compose(*before, operator, *after)


def _flatten(operators: Iterable[Operator]) -> Iterable[Operator]:
    for operator in operators:
        if isinstance(operator, Chain):
            yield from _flatten(operator.operators)
        else:
            yield operator


def _simplify(operators: list[Operator]) -> list[Operator]:
    """Merge neighbours until no rule applies."""
    place = 0
    while place < len(operators) - 1:
        merged = _merge(operators[place], operators[place + 1])
        if merged is None:
            place += 1
            continue
        operators[place : place + 2] = [op for op in merged if not is_identity(op)]
        place = max(place - 1, 0)
    return operators


def _merge(first: Operator, second: Operator) -> tuple[Operator, ...] | None:
    for rule in RULES:
        merged = rule(first, second)
        if merged is not None:
            return merged
    return None


def _sort_rows(operators: list[Operator]) -> list[Operator]:
    """Replace selections before a matrix on flat input by a permutation of its rows."""
    result: list[Operator] = []
    for operator in operators:
        start = len(result)
        while start and isinstance(result[start - 1], Selection):
            start -= 1
        if isinstance(operator, Dense) and len(operator.in_shape) == 1 and start < len(result):
            moved = Chain(tuple(result[start:]))
            if moved.n_in <= operator.n_in:
                flat = Dense((moved.n_in,), moved.matrix() @ operator.kernel)
                reshape = Reshape(moved.in_shape, (moved.n_in,))
                result[start:] = [] if is_identity(reshape) else [reshape]
                operator = flat
        result.append(operator)
    return result
