"""Composition of several operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import LEAF, Array, Edges, Operator, Shape, register

if TYPE_CHECKING:
    import scipy.sparse as sp

#: largest number of partial products in memory in `Chain.edges` (12 bytes each, a few copies)
_BLOCK = 8_000_000


@register
@dataclass(frozen=True, eq=False)
class Chain(Operator):
    """Apply ``operators`` in order.

    Parameters
    ----------
    operators : tuple of Operator
        At least one.  The input shape of each is the output shape of its predecessor.
    """

    operators: tuple[Operator, ...] = field(metadata=LEAF)

    def __post_init__(self) -> None:
        if not all(isinstance(operator, Operator) for operator in self.operators):
            return  # placeholders of JAX
        object.__setattr__(self, "operators", tuple(self.operators))
        if not self.operators:
            raise ParameterError("Chain: expected at least one operator. Received: none")
        for first, second in zip(self.operators, self.operators[1:], strict=False):
            if first.out_shape != second.in_shape:
                raise ParameterError(
                    f"Chain: the output of {type(first).__name__} has shape {first.out_shape}, but "
                    f"{type(second).__name__} expects {second.in_shape}"
                )

    @property
    def in_shape(self) -> Shape:  # type: ignore[override]
        return self.operators[0].in_shape

    @property
    def out_shape(self) -> Shape:
        return self.operators[-1].out_shape

    def apply(self, x: Array) -> Array:
        return reduce(lambda value, operator: operator.apply(value), self.operators, x)

    def transmit(self, spikes: Array, dtype: Any) -> Array:
        first, *rest = self.operators
        value = first.transmit(spikes, dtype)
        return reduce(lambda value, operator: operator.apply(value), rest, value)

    def edges(self) -> Edges:
        if len(self.operators) == 1:
            return self.operators[0].edges()
        matrices = [operator.matrix() for operator in self.operators]
        pre, post, weight = [], [], []
        for start, stop in _blocks(matrices):
            product = reduce(lambda a, b: a @ b, matrices[1:], matrices[0][start:stop])
            product.eliminate_zeros()
            block = product.tocoo()
            pre.append((block.coords[0] + start).astype(np.int32))
            post.append(block.coords[1].astype(np.int32))
            weight.append(block.data)
        return Edges(np.concatenate(pre), np.concatenate(post), np.concatenate(weight))

    def map_weights(self, function: Callable[[NDArray], NDArray]) -> Chain:
        return replace(self, operators=tuple(op.map_weights(function) for op in self.operators))


def _blocks(matrices: list[sp.csr_array]) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows of the first matrix whose products have at most `_BLOCK` entries."""
    import scipy.sparse as sp  # takes long to import

    paths = np.ones(matrices[-1].shape[1])
    largest = np.zeros(matrices[0].shape[0])
    for stop in range(1, len(matrices) + 1):  # paths through the first `stop` matrices
        paths = np.ones(matrices[stop - 1].shape[1])
        for matrix in reversed(matrices[:stop]):
            ones = sp.csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape)
            paths = ones @ paths
        largest = np.maximum(largest, paths)
    block = np.floor(np.cumsum(largest) / _BLOCK)
    cuts = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(block)]
    return zip(cuts[:-1], cuts[1:], strict=True)
