"""The two faces of a linear map between populations: ``apply`` on arrays, ``edges`` as synapses."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar, cast

import jax
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = Any  # a NumPy or a JAX array
Shape = tuple[int, ...]
_Op = TypeVar("_Op", bound="Operator")


@dataclass(frozen=True)
class Edges:
    """A projection written out, one entry a synapse.

    Parameters
    ----------
    pre, post : ndarray of int32, shape (n_synapses,)
        Flat (C order) indices of the sending and the receiving neuron.
    weight : ndarray of float64, shape (n_synapses,)
        Weights; no entry is zero and no (pre, post) pair stands twice.
    """

    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weight)


class Operator(ABC):
    """A linear map from arrays of ``in_shape`` to arrays of ``out_shape``.

    Batch comes first, channels come last, flattening is C order.  Operators are frozen
    dataclasses and JAX pytrees: their arrays are leaves, so a compiled function takes an
    operator as an argument and its weights are never baked into the program.

    Law (tested on random shapes): scattering ``edges()`` equals ``apply``.
    """

    in_shape: Shape

    @property
    @abstractmethod
    def out_shape(self) -> Shape:
        """Shape of one output, without the batch."""

    @abstractmethod
    def apply(self, x: Array) -> Array:
        """Map ``x`` of shape (batch, *in_shape) to (batch, *out_shape)."""

    @abstractmethod
    def edges(self) -> Edges:
        """Every non-zero entry of the map, duplicates summed."""

    @property
    def n_in(self) -> int:
        return prod(self.in_shape)

    @property
    def n_out(self) -> int:
        return prod(self.out_shape)

    def matrix(self) -> sp.csr_array:
        """Sparse matrix of shape (n_in, n_out): ``x.ravel() @ matrix == apply(x).ravel()``."""
        edges = self.edges()
        return sp.coo_array(
            (edges.weight, (edges.pre, edges.post)), shape=(self.n_in, self.n_out)
        ).tocsr()

    def absorb(self, pre: NDArray | None, post: NDArray | None) -> "Operator | None":
        """This operator with elementwise factors folded into its own weights, if it can.

        Parameters
        ----------
        pre : ndarray broadcastable to in_shape, or None
            Factor on the input.
        post : ndarray broadcastable to out_shape, or None
            Factor on the output.

        Returns
        -------
        Operator or None
            None when the factors do not fit into the weights (the caller then keeps a `Scale`).
        """
        return None

    def map_weights(self: _Op, function: Callable[[NDArray], NDArray]) -> _Op:
        """A copy whose weight arrays went through ``function`` (structure unchanged)."""
        return self


def register(cls: type[_Op]) -> type[_Op]:
    """Make an operator class a frozen dataclass and a JAX pytree.

    Fields typed ``NDArray`` or ``Operator`` are leaves; everything else is static structure.
    """
    new = cast(type, dataclass(frozen=True, eq=False)(cls))
    data = [f.name for f in dataclasses.fields(new) if f.metadata.get("leaf")]
    meta = [f.name for f in dataclasses.fields(new) if not f.metadata.get("leaf")]
    jax.tree_util.register_dataclass(new, data_fields=data, meta_fields=meta)
    return new


def leaf() -> Any:
    """Mark a dataclass field as data: a weight array, or nested operators."""
    return dataclasses.field(metadata={"leaf": True})
