"""Linear maps between populations, which ``apply`` to arrays and list synapses as ``edges``."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar, cast

import jax
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import scipy.sparse as sp

Array = Any  # a NumPy or a JAX array
Shape = tuple[int, ...]
_Op = TypeVar("_Op", bound="Operator")
_T = TypeVar("_T")

#: precision of products, as accelerators would otherwise round float32 to 10 or 7 bits
EXACT = jax.lax.Precision.HIGHEST
#: metadata of a field that contains data, which is a weight array or nested operators
LEAF = {"leaf": True}


@dataclass(frozen=True)
class Edges:
    """A projection with one entry for each synapse.

    Parameters
    ----------
    pre, post : ndarray of int32, shape (n_synapses,)
        Flat (C order) indices of the presynaptic and the postsynaptic neuron.
    weight : ndarray of float64, shape (n_synapses,)
        Weights.  No entry is zero, and no pair (pre, post) occurs twice.
    """

    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weight)


class Operator(ABC):
    """A linear map from arrays of ``in_shape`` to arrays of ``out_shape``.

    The batch is the first axis, channels are the last axis, and flattening is in C order.
    Operators are frozen dataclasses and JAX pytrees whose arrays are leaves, so that a compiled
    function takes an operator as an argument and does not contain its weights as constants.

    The sum over ``edges()`` equals ``apply`` for every operator.
    """

    in_shape: Shape

    @property
    @abstractmethod
    def out_shape(self) -> Shape:
        """Shape of one output, without the batch."""

    @abstractmethod
    def apply(self, x: Array) -> Array:
        """Map ``x`` of shape (batch, *in_shape) to (batch, *out_shape)."""

    def transmit(self, spikes: Array, dtype: Any) -> Array:
        """Apply the map to spikes (booleans), which some operators sum faster as integers."""
        return self.apply(spikes.astype(dtype))

    @abstractmethod
    def edges(self) -> Edges:
        """Return every non-zero entry of the map, with duplicates summed."""

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return prod(self.in_shape)

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return prod(self.out_shape)

    def matrix(self) -> sp.csr_array:
        """Return the matrix (n_in, n_out) with ``x.ravel() @ matrix == apply(x).ravel()``."""
        import scipy.sparse as sp  # takes long to import

        edges = self.edges()
        return sp.coo_array(
            (edges.weight, (edges.pre, edges.post)), shape=(self.n_in, self.n_out)
        ).tocsr()

    def absorb(self, pre: NDArray | None, post: NDArray | None) -> Operator | None:
        """Return this operator with elementwise factors folded into its weights if possible.

        Parameters
        ----------
        pre : ndarray broadcastable to in_shape, or None
            Factor of the input.
        post : ndarray broadcastable to out_shape, or None
            Factor of the output.

        Returns
        -------
        Operator or None
            None if the weights cannot include the factors; the caller then keeps a `Scale`.
        """
        return None

    def map_weights(self: _Op, function: Callable[[NDArray], NDArray]) -> _Op:
        """Return a copy with ``function`` applied to all weight arrays."""
        return self


def is_data(field: dataclasses.Field[Any]) -> bool:
    """Whether a field has the metadata `LEAF`."""
    return bool(field.metadata.get("leaf"))


def register(cls: type[_T]) -> type[_T]:
    """Make a frozen dataclass a JAX pytree.

    Fields with the metadata `LEAF` are data; all others are static and hashable.
    `jax.tree_util.register_dataclass` is not used, because the structures of two classes with equal
    fields then compare equal: a compiled function may take one class for the other.
    """
    fields = dataclasses.fields(cast(Any, cls))
    data = [field.name for field in fields if is_data(field)]
    meta = [field.name for field in fields if not is_data(field)]
    keys = [jax.tree_util.GetAttrKey(name) for name in data]

    def flatten(value: _T) -> tuple[list[Any], tuple[Any, ...]]:
        static = tuple([getattr(value, name) for name in meta])
        return [getattr(value, name) for name in data], static

    def flatten_with_keys(value: _T) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        children, static = flatten(value)
        return list(zip(keys, children, strict=True)), static

    def unflatten(static: tuple[Any, ...], children: Iterable[Any]) -> _T:
        given = dict(zip(meta, static, strict=True)) | dict(zip(data, children, strict=True))
        return cls(**given)

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls


def compact(factor: NDArray, shape: Shape) -> NDArray[np.float64]:
    """Return factors with every axis along which they are constant reduced to length 1.

    Parameters
    ----------
    factor : ndarray broadcastable to ``shape``
    shape : tuple of int

    Returns
    -------
    ndarray of float64 with ``len(shape)`` axes
    """
    factor = np.asarray(factor, np.float64)
    factor = factor.reshape((1,) * (len(shape) - factor.ndim) + factor.shape)
    for axis in range(factor.ndim):
        first = factor.take([0], axis=axis)
        if np.array_equal(np.broadcast_to(first, factor.shape), factor):
            factor = first
    return factor


def last_axis_factor(factor: NDArray | None, shape: Shape) -> NDArray[np.float64] | None:
    """Return factors as a vector along the last axis, or None if they depend on other axes."""
    if factor is None:
        return np.ones(shape[-1])
    factor = compact(factor, shape)
    if factor.size != factor.shape[-1]:
        return None
    return np.broadcast_to(factor.ravel(), shape[-1:])
