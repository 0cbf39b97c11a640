"""Algebra of Keras tensors, each of which is an affine map of non-linear layers and inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, Term
from bioconv.operators import Broadcast, Operator, Scale, compact, compose, identity, is_identity
from bioconv.reading.config import shown
from bioconv.reading.refusal import Refusal

Shape = tuple[int, ...]

#: values of one tensor and one sample; a file that asks for more is refused before memory is
_LARGEST = 2**26
#: terms of one sum, which double with each tensor that is added to itself
_MOST_TERMS = 2**14


@dataclass(frozen=True)
class Tensor:
    """A Keras tensor.

    Parameters
    ----------
    affine : Affine
        Its value as a function of non-linear layers and inputs of the graph.
    members : tuple of str
        Names of the linear Keras layers in between, in order.
    mask : Tensor, optional
        Keras's mask of shape (steps,).  Recurrent layers skip the steps where it is 0.
    boolean : bool
        Whether all values are 0 or 1 because Keras computes them as false or true.
    """

    affine: Affine
    members: tuple[str, ...] = ()
    mask: Tensor | None = None
    boolean: bool = False

    @property
    def shape(self) -> Shape:
        """Shape of one sample in Keras's layout."""
        return self.affine.shape


def checked(shape: Sequence[int]) -> Shape:
    """Return the shape of a tensor if it is neither empty nor excessively large."""
    if any(size < 1 for size in shape):
        raise Refusal(
            f"its output would have the shape {shown(tuple(shape))} and be empty.",
            "The input is too small for it.",
        )
    if prod(shape) > _LARGEST or len(shape) > 8:
        raise Refusal(f"its output would have the shape {shown(tuple(shape))}, which is too large.")
    return tuple(shape)


def source(name: str, shape: Shape) -> Tensor:
    """Return the value of a layer or input as a tensor."""
    return Tensor(Affine((Term(name, identity(shape)),), _zeros(shape), shape))


def origin(tensor: Tensor) -> str | None:
    """Return the name of the layer or input that the tensor equals, or None."""
    terms = tensor.affine.terms
    unchanged = len(terms) == 1 and is_identity(terms[0].operator)
    return terms[0].source if unchanged and not np.any(tensor.affine.bias) else None


def linear(tensor: Tensor, *operators: Operator) -> Tensor:
    """Apply one or more linear operators to the tensor."""
    for operator in operators:
        tensor = _linear(tensor, operator)
    return tensor


def _linear(tensor: Tensor, operator: Operator) -> Tensor:
    shape = checked(operator.out_shape)
    terms = tuple(
        Term(term.source, compose(term.operator, operator)) for term in tensor.affine.terms
    )
    bias = _carried(tensor.affine.bias, tensor.shape, operator)
    return Tensor(Affine(terms, bias, shape), tensor.members)


def _carried(bias: NDArray[np.float64], shape: Shape, operator: Operator) -> NDArray[np.float64]:
    """Apply an operator to a bias, which becomes an array of the full shape if necessary."""
    if not np.any(bias):
        return _zeros(operator.out_shape)
    if isinstance(operator, Scale):
        return compact(bias * operator.factor, shape)
    full = np.ascontiguousarray(np.broadcast_to(bias, shape), np.float64)
    with jax.enable_x64(True):
        placed, x = jax.device_put((operator, full[None]))
        return compact(np.asarray(placed.apply(x))[0], operator.out_shape)


def _zeros(shape: Shape) -> NDArray[np.float64]:
    return np.zeros((1,) * len(shape))


def along(values: NDArray, rank: int, axis: int) -> NDArray[np.float64]:
    """Return a vector as an array with ``rank`` axes that varies along ``axis``."""
    shape = [1] * rank
    shape[axis] = -1
    return np.asarray(values, np.float64).reshape(shape)


def shifted(tensor: Tensor, bias: NDArray) -> Tensor:
    """Return the sum of the tensor and an array that is broadcastable to it."""
    affine = tensor.affine
    total = compact(affine.bias + bias, affine.shape)
    return Tensor(Affine(affine.terms, total, affine.shape), tensor.members)


def scaled(tensor: Tensor, factor: NDArray | float) -> Tensor:
    """Return the product of the tensor and an array that is broadcastable to it."""
    factor = compact(np.asarray(factor, np.float64), tensor.shape)
    return linear(tensor, Scale(tensor.shape, factor))


def total(tensors: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors whose shapes broadcast."""
    shape = broadcast_shape(tensors)
    parts = [broadcast(tensor, shape) for tensor in tensors]
    terms = tuple(term for part in parts for term in part.affine.terms)
    if len(terms) > _MOST_TERMS:
        raise Refusal(f"it is the sum of {len(terms):,} terms, more than {_MOST_TERMS:,}.")
    bias = sum((part.affine.bias for part in parts), _zeros(shape))
    affine = Affine(terms, compact(bias, shape), shape)
    return Tensor(affine, united(parts))


def broadcast_shape(tensors: Sequence[Tensor]) -> Shape:
    """Return the broadcast shape of tensors of equal rank."""
    shapes = [tensor.shape for tensor in tensors]
    try:
        common = checked(np.broadcast_shapes(*shapes))
    except ValueError:
        raise Refusal(f"its inputs have incompatible shapes: {shapes}.") from None
    if any(len(shape) != len(common) for shape in shapes):
        raise Refusal(
            f"its inputs have different numbers of axes: {shapes}.",
            "Reshape them to the same number of axes first.",
        )
    return common


def broadcast(tensor: Tensor, shape: Shape) -> Tensor:
    """Broadcast the tensor to a shape."""
    return tensor if tensor.shape == shape else linear(tensor, Broadcast(tensor.shape, shape))


def united(tensors: Iterable[Tensor]) -> tuple[str, ...]:
    """Return the members of all tensors in order, without duplicates."""
    return tuple(dict.fromkeys(name for tensor in tensors for name in tensor.members))


def joined(tensor: Tensor, *names: str) -> Tensor:
    """Return the tensor with additional members."""
    members = tuple(dict.fromkeys((*tensor.members, *names)))
    return replace(tensor, members=members)


def with_mask(tensor: Tensor, mask: Tensor | None) -> Tensor:
    """Return the tensor with another mask."""
    return replace(tensor, mask=mask)


def boolean(tensor: Tensor, flag: bool = True) -> Tensor:
    """Return the tensor of values that are only false or true, or not if ``flag`` is False."""
    return replace(tensor, boolean=flag)


def constant(value: float, shape: Shape) -> Tensor:
    """Return a tensor of equal values."""
    return Tensor(Affine((), compact(np.full(shape, float(value)), shape), shape))
