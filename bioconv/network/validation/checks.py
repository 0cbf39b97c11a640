"""Small checks shared by the validation of models, graphs and networks.

Each check yields the problems that it finds.  Only stored arrays are accessed, so that a population
of 10¹² neurons costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ExpressionError, Problem
from bioconv.neurons.language.grammar import check_name, check_text
from bioconv.operators import Operator

Problems = Iterator[Problem]


def identifier_problems(where: str, what: str, name: str) -> Problems:
    """Check that ``name`` is a name of the closed grammar."""
    try:
        check_name(name)
    except ExpressionError as error:
        yield Problem(where, what, str(error))


def text_problems(where: str, what: str, text: str) -> Problems:
    """Check that ``text`` is safe in a comment of an exported program."""
    try:
        check_text(text, "The text")
    except ExpressionError as error:
        yield Problem(where, what, str(error))


def shape_problems(where: str, what: str, shape: tuple[int, ...]) -> Problems:
    """Check that a shape is a tuple of positive integers."""
    if not all(is_whole(n, 1) for n in shape):
        reason = f"the shape must be a tuple of positive integers. Received: {shape!r}."
        yield Problem(where, what, reason)


def value_problems(
    where: str,
    key: str,
    value: Any,
    shape: tuple[int, ...],
    bounds: tuple[float, float] | None = None,
) -> Problems:
    """Check that values are numbers, broadcastable, not NaN, and in ``bounds`` or finite."""
    array = np.asarray(value)
    if array.dtype.kind not in "iufb":
        yield Problem(where, key, f"must be numbers. Received: {array.dtype}.")
        return
    if not _broadcasts(array.shape, shape):
        reason = f"of shape {array.shape} does not broadcast to {tuple(shape)}."
        yield Problem(where, key, reason)
    if bounds is None and not np.isfinite(array).all():
        yield Problem(where, key, "has a value that is NaN or infinite.")
    elif bounds is not None and np.isnan(array).any():
        yield Problem(where, key, "has a value that is NaN.")
    elif bounds is not None and ((array < bounds[0]) | (array > bounds[1])).any():
        reason = f"must lie between {bounds[0]:g} and {bounds[1]:g}, "
        reason += f"but ranges from {array.min():g} to {array.max():g}."
        yield Problem(where, key, reason)


def operator_problems(
    where: str,
    what: str,
    operator: Operator,
    pre: tuple[int, ...] | None,
    post: tuple[int, ...] | None,
) -> Problems:
    """Check that an operator fits ``pre`` and ``post`` (None: unknown) and has finite weights."""
    if not isinstance(operator, Operator):
        reason = f"needs an operator. Received: {type(operator).__name__}."
        yield Problem(where, what, reason)
        return
    for side, expected, received in (
        ("in", pre, tuple(operator.in_shape)),
        ("out", post, tuple(operator.out_shape)),
    ):
        if expected is not None and received != tuple(expected):
            reason = f"the operator's {side}_shape is {received}, expected {tuple(expected)}."
            yield Problem(where, what, reason)
    if not is_finite(jax.tree_util.tree_leaves(operator)):
        yield Problem(where, what, "a weight is NaN or infinite.")


def repeated(where: str, names: Iterable[str]) -> Problems:
    """Check that all names are different."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield Problem(where, "name", f"{name!r} occurs twice.")
        seen.add(name)


def _broadcasts(source: tuple[int, ...], target: tuple[int, ...]) -> bool:
    if len(source) > len(target):
        return False
    tail = target[len(target) - len(source) :]
    return all(n in (1, m) for n, m in zip(source, tail, strict=True))


def is_finite(arrays: Iterable[Any]) -> bool:
    """Whether no array has a NaN or an infinity."""
    return all(np.isfinite(array).all() for array in _floats(arrays))


def has_nan(arrays: Iterable[Any]) -> bool:
    """Whether an array has a NaN."""
    return any(np.isnan(array).any() for array in _floats(arrays))


def _floats(arrays: Iterable[Any]) -> Iterator[NDArray]:
    return (array for array in map(np.asarray, arrays) if array.dtype.kind == "f")


def is_whole(value: Any, least: int) -> bool:
    """Whether ``value`` is an integer of at least ``least``."""
    return (
        isinstance(value, (int, np.integer))
        and not isinstance(value, bool)
        and bool(value >= least)
    )


def listed(names: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(map(str, names)) or "none"
