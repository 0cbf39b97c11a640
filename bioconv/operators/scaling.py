"""Move elementwise factors through a chain of operators until weights absorb them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bioconv.operators.base import Operator, compact, last_axis_factor
from bioconv.operators.pool import AveragePool
from bioconv.operators.scale import Scale
from bioconv.operators.selection import Polarity, Selection

Factor = NDArray[np.float64]


def settle(operators: list[Operator]) -> list[Operator]:
    """Return the chain with every `Scale` folded into weights where possible."""
    place = 0
    while place < len(operators):
        if isinstance(operators[place], Scale):
            shorter = _fold(operators, place)
            if shorter is not None:
                operators = shorter
                continue  # the next operator is now at this place
        place += 1
    return operators


def _fold(operators: list[Operator], place: int) -> list[Operator] | None:
    """Return the chain without the Scale at ``place``, or None if no weights can absorb it."""
    scale = operators[place]
    if not isinstance(scale, Scale):
        return None
    rest = operators[:place] + operators[place + 1 :]
    behind = (range(place, len(rest)), push, lambda op, f: op.absorb(f, None))
    ahead = (range(place - 1, -1, -1), pull, lambda op, f: op.absorb(None, f))
    for indices, move, take in (behind, ahead):
        found = _walk(rest, scale.factor, indices, move, take)
        if found is not None:
            return found
    return None


def _walk(
    rest: list[Operator],
    factor: Factor,
    indices: range,
    move: Callable[[Operator, Factor], Factor | None],
    take: Callable[[Operator, Factor], Operator | None],
) -> list[Operator] | None:
    for index in indices:
        taken = take(rest[index], factor)
        if taken is not None:
            return [*rest[:index], taken, *rest[index + 1 :]]
        moved = move(rest[index], factor)
        if moved is None:
            return None
        factor = moved
    return None


def push(operator: Operator, factor: Factor) -> Factor | None:
    """Return ``g`` with ``operator(factor * x) == g * operator(x)`` for all x, or None."""
    if isinstance(operator, Selection):
        full = np.broadcast_to(factor, operator.in_shape)[None]
        return compact(operator.apply(np.ascontiguousarray(full))[0], operator.out_shape)
    if isinstance(operator, AveragePool):
        return last_axis_factor(factor, operator.in_shape)
    if isinstance(operator, Polarity):
        full = np.broadcast_to(factor, operator.in_shape)
        return compact(full[0], operator.out_shape) if np.array_equal(*full) else None
    return None


def pull(operator: Operator, factor: Factor) -> Factor | None:
    """Return ``g`` with ``operator(g * x) == factor * operator(x)`` for all x, or None."""
    if isinstance(operator, Selection):
        source = operator.sources()
        wanted = np.broadcast_to(factor, operator.out_shape).ravel()[source >= 0]
        given = np.ones(operator.n_in)
        given[source[source >= 0]] = wanted
        agreed = np.array_equal(given[source[source >= 0]], wanted)
        return compact(given.reshape(operator.in_shape), operator.in_shape) if agreed else None
    if isinstance(operator, AveragePool):
        return last_axis_factor(factor, operator.out_shape)
    if isinstance(operator, Polarity):
        return compact(np.broadcast_to(factor, operator.out_shape)[None], operator.in_shape)
    return None
