"""The algebra of Keras tensors: each one is an affine map of non-linear layers and inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Tensor:
    """A Keras tensor.

    Parameters
    ----------
    affine : Affine
        Its value, in terms of non-linear layers and inputs of the graph.
    members : tuple of str
        Names of the linear Keras layers between those and here, in order.
    mask : Tensor, optional
        Keras's mask, shape (steps,): recurrent layers skip the steps where it is 0.
    """

    affine: Affine
    members: tuple[str, ...] = ()
    mask: Tensor | None = None

    @property
    def shape(self) -> Shape:
        """Shape of one sample, in Keras's own layout."""
        return self.affine.shape


def checked(shape: Sequence[int]) -> Shape:
    """A tensor's shape, if it can be and is not absurdly large."""
    if any(size < 1 for size in shape):
        raise Refusal(
            f"its output would have the shape {shown(tuple(shape))}: nothing is left.",
            "The input is too small for it.",
        )
    if prod(shape) > _LARGEST or len(shape) > 8:
        raise Refusal(f"its output would have the shape {shown(tuple(shape))}, which is too large.")
    return tuple(shape)


def source(name: str, shape: Shape) -> Tensor:
    """The value of a layer or input itself."""
    return Tensor(Affine((Term(name, identity(shape)),), _zeros(shape), shape))


def origin(tensor: Tensor) -> str | None:
    """Name of the layer or input that the tensor is, unchanged; else None."""
    terms = tensor.affine.terms
    unchanged = len(terms) == 1 and is_identity(terms[0].operator)
    return terms[0].source if unchanged and not np.any(tensor.affine.bias) else None


def linear(tensor: Tensor, *operators: Operator) -> Tensor:
    """The tensor after one or more linear operators."""
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
    """The bias behind an operator; a full array where the operator makes it one."""
    if not np.any(bias):
        return _zeros(operator.out_shape)
    if isinstance(operator, Scale):
        return compact(bias * operator.factor, shape)
    full = np.ascontiguousarray(np.broadcast_to(bias, shape), np.float64)
    with jax.enable_x64(True):
        return compact(np.asarray(operator.apply(full[None]))[0], operator.out_shape)


def _zeros(shape: Shape) -> NDArray[np.float64]:
    return np.zeros((1,) * len(shape))


def along(values: NDArray, rank: int, axis: int) -> NDArray[np.float64]:
    """A vector as an array of ``rank`` axes that differs along ``axis``."""
    shape = [1] * rank
    shape[axis] = -1
    return np.asarray(values, np.float64).reshape(shape)


def shifted(tensor: Tensor, bias: NDArray) -> Tensor:
    """The tensor plus an array that is broadcastable to it."""
    affine = tensor.affine
    total = compact(affine.bias + bias, affine.shape)
    return Tensor(Affine(affine.terms, total, affine.shape), tensor.members)


def scaled(tensor: Tensor, factor: NDArray | float) -> Tensor:
    """The tensor times an array that is broadcastable to it."""
    factor = compact(np.asarray(factor, np.float64), tensor.shape)
    return linear(tensor, Scale(tensor.shape, factor))


def total(tensors: Sequence[Tensor]) -> Tensor:
    """The sum of tensors whose shapes broadcast."""
    shape = broadcast_shape(tensors)
    parts = [broadcast(tensor, shape) for tensor in tensors]
    terms = tuple(term for part in parts for term in part.affine.terms)
    bias = sum((part.affine.bias for part in parts), _zeros(shape))
    affine = Affine(terms, compact(bias, shape), shape)
    return Tensor(affine, united(parts))


def broadcast_shape(tensors: Sequence[Tensor]) -> Shape:
    """Common shape of tensors of equal rank."""
    shapes = [tensor.shape for tensor in tensors]
    try:
        common = checked(np.broadcast_shapes(*shapes))
    except ValueError:
        raise Refusal(f"its inputs have shapes that do not fit together: {shapes}.") from None
    if any(len(shape) != len(common) for shape in shapes):
        raise Refusal(
            f"its inputs have different numbers of axes: {shapes}.",
            "Reshape them to the same number before it.",
        )
    return common


def broadcast(tensor: Tensor, shape: Shape) -> Tensor:
    """The tensor in a shape that it broadcasts to."""
    return tensor if tensor.shape == shape else linear(tensor, Broadcast(tensor.shape, shape))


def united(tensors: Iterable[Tensor]) -> tuple[str, ...]:
    """Members of all tensors, each once, in order."""
    return tuple(dict.fromkeys(name for tensor in tensors for name in tensor.members))


def joined(tensor: Tensor, *names: str) -> Tensor:
    """The tensor with further members."""
    members = tuple(dict.fromkeys((*tensor.members, *names)))
    return Tensor(tensor.affine, members, tensor.mask)


def with_mask(tensor: Tensor, mask: Tensor | None) -> Tensor:
    """The tensor with another mask."""
    return Tensor(tensor.affine, tensor.members, mask)


def common_mask(tensors: Sequence[Tensor]) -> Tensor | None:
    """The mask that all masked tensors share.

    Raises
    ------
    Refusal
        If they have different ones.
    """
    masks = [tensor.mask for tensor in tensors if tensor.mask is not None]
    if any(mask.affine is not masks[0].affine for mask in masks):
        raise Refusal("it joins sequences that are masked in different places.")
    return masks[0] if masks else None
