"""Splitting of operators with weights of both signs into two with non-negative weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ConversionError, Problem
from bioconv.operators import Chain, Dense, Operator, Polarity, Reshape, compose

#: largest number of entries of the matrix to which an operator is expanded (400 MB)
_MOST_ENTRIES = 50_000_000


def signed_parts(operator: Operator, layer: str) -> tuple[Operator | None, Operator | None]:
    """Return two operators with non-negative weights whose difference is ``operator``.

    If one operator in a chain has negative weights, it is split by their sign.  If several have (or
    if ON and OFF cells precede one), they are multiplied first, because the sign of a synapse is
    that of the product.

    Parameters
    ----------
    operator : Operator
    layer : str
        Name of the layer for error messages.

    Returns
    -------
    positive, negative : Operator or None
        None if there is no weight of this sign.

    Raises
    ------
    ConversionError
        The matrix of several signed operators would be too large.
    """
    parts = operator.operators if isinstance(operator, Chain) else (operator,)
    signed = [index for index, part in enumerate(parts) if _has_negative(part)]
    polar = any(isinstance(part, Polarity) for part in parts)
    if len(signed) > 1 or polar:
        return signed_parts(_written_out(operator, layer), layer)
    if not signed:
        return operator, None
    (index,) = signed
    return _half(parts, index, 1.0), _half(parts, index, -1.0)


def signed_part(operator: Operator, sign: int, layer: str) -> Operator | None:
    """Return the positive (1) or negative (-1) part of an operator, or the operator itself (0)."""
    return operator if sign == 0 else signed_parts(operator, layer)[0 if sign > 0 else 1]


def _half(parts: tuple[Operator, ...], index: int, sign: float) -> Operator | None:
    """Return a chain with the absolute weights of one sign; None if there are none."""
    kept = parts[index].map_weights(lambda w: np.maximum(sign * np.asarray(w), 0.0))
    if not _any(kept, lambda w: w > 0):
        return None
    return compose(*parts[:index], kept, *parts[index + 1 :])


def _has_negative(operator: Operator) -> bool:
    return _any(operator, lambda w: w < 0)


def _any(operator: Operator, condition: object) -> bool:
    """Whether any weight fulfils a condition."""
    found = []

    def look(weights: NDArray) -> NDArray:
        found.append(bool(np.any(condition(np.asarray(weights)))))  # type: ignore[operator]
        return weights

    operator.map_weights(look)
    return any(found)


def _written_out(operator: Operator, layer: str) -> Operator:
    if operator.n_in * operator.n_out > _MOST_ENTRIES:
        reason = "several signed linear maps in a row have no single sign for each synapse."
        advice = "Use a current synapse, for example synapse='exponential'."
        raise ConversionError(
            "Conductance synapses cannot represent this network:",
            [Problem(layer, type(operator).__name__, reason, advice)],
        )
    matrix = operator.matrix().toarray()
    flat = Dense((operator.n_in,), matrix)
    before = Reshape(operator.in_shape, (operator.n_in,))
    after = Reshape((operator.n_out,), operator.out_shape)
    return compose(before, flat, after)
