"""General linear map with an individual weight for each synapse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import prod

import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.operators.base import LEAF, Array, Edges, Operator, Shape, register
from bioconv.operators.compose import compose
from bioconv.operators.dense import Dense
from bioconv.operators.selection import Reshape

#: number of synapses of a neuron that XLA sums in one pass over the totals
_UNROLL = 8
#: number of entries of a full matrix that take as much time as one gathered synapse
_FILL = 6


@register
@dataclass(frozen=True, eq=False)
class Sparse(Operator):
    """Individual synapses of every postsynaptic neuron, padded with zeros to equal numbers.

    Parameters
    ----------
    in_shape, new_shape : tuple of int
        Shapes of the input and of the output.
    weight : ndarray, shape (most synapses of a neuron, n_out)
    source : ndarray of int32, same shape
        Flat index of the presynaptic neuron.
    """

    in_shape: Shape
    new_shape: Shape
    weight: NDArray = field(metadata=LEAF)
    source: NDArray = field(metadata=LEAF)

    def __post_init__(self) -> None:
        object.__setattr__(self, "in_shape", tuple(self.in_shape))
        object.__setattr__(self, "new_shape", tuple(self.new_shape))
        if not isinstance(self.weight, np.ndarray) or not isinstance(self.source, np.ndarray):
            return  # tracers or placeholders of JAX
        shape, kind = self.source.shape, self.source.dtype.kind
        wide = self.weight.shape == shape and len(shape) == 2 and shape[1] == self.n_out
        low, high = self.source.min(initial=0), self.source.max(initial=0)
        if not wide or kind != "i" or low < 0 or high >= self.n_in:
            raise ParameterError(
                f"Sparse: expected weights and sources of shape (k, {self.n_out}), and sources "
                f"from 0 to {self.n_in - 1}. Received: {self.weight.shape}, {shape} of "
                f"{self.source.dtype} from {low} to {high}."
            )

    @property
    def out_shape(self) -> Shape:
        return self.new_shape

    def apply(self, x: Array) -> Array:
        x, weight, source = jnp.asarray(x), jnp.asarray(self.weight), jnp.asarray(self.source)
        dtype = jnp.result_type(x, weight)
        # With neurons first, a synapse is a contiguous row, which takes a tenth of the time.
        rows = x.astype(dtype).reshape(x.shape[0], -1).T

        def add(total: Array, synapse: tuple[Array, Array]) -> tuple[Array, None]:
            weights, sources = synapse
            return total + rows[sources] * weights[:, None], None

        nothing = jnp.zeros((prod(self.new_shape), x.shape[0]), dtype)
        total, _ = lax.scan(add, nothing, (weight.astype(dtype), source), unroll=_UNROLL)
        return total.T.reshape(x.shape[0], *self.new_shape)

    def edges(self) -> Edges:
        import scipy.sparse as sp  # takes long to import

        weight = np.asarray(self.weight, np.float64)
        post = np.broadcast_to(np.arange(self.n_out), weight.shape)
        shape = (self.n_out, self.n_in)
        entries = (weight.ravel(), (post.ravel(), np.asarray(self.source).ravel()))
        summed = sp.coo_array(entries, shape=shape).tocsr()
        summed.eliminate_zeros()
        found = summed.tocoo()
        post, pre = (index.astype(np.int32) for index in found.coords)
        return Edges(pre, post, found.data)

    def absorb(self, pre: NDArray | None, post: NDArray | None) -> Sparse:
        weight = self.weight
        if pre is not None:
            weight = weight * np.broadcast_to(pre, self.in_shape).ravel()[self.source]
        if post is not None:
            weight = weight * np.broadcast_to(post, self.new_shape).ravel()
        return replace(self, weight=weight)

    def map_weights(self, function: Callable[[NDArray], NDArray]) -> Sparse:
        return replace(self, weight=function(self.weight))


def sparse(in_shape: Shape, out_shape: Shape, edges: Edges) -> Sparse:
    """Return the operator with these synapses."""
    n_out = prod(out_shape)
    order = np.argsort(edges.post, kind="stable")
    post = edges.post[order]
    counts = np.bincount(post, minlength=n_out)
    slot = np.arange(len(post)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (int(counts.max(initial=0)), n_out)
    weight, source = np.zeros(shape), np.zeros(shape, np.int32)
    weight[slot, post], source[slot, post] = edges.weight[order], edges.pre[order]
    return Sparse(in_shape, out_shape, weight, source)


def reweighted(operator: Operator, change: Callable[[Edges], NDArray]) -> Operator:
    """Return the operator with new individual weights of its synapses.

    A convolution loses its shared kernel, and a pooling its equal weights.

    Parameters
    ----------
    operator : Operator
    change : function
        Function from the synapses to their new weights, in the same order.  A weight of 0 removes
        a synapse.

    Returns
    -------
    Operator
        A `Dense` if the matrix of synapses is dense, else a `Sparse`.
    """
    edges = operator.edges()
    new = Edges(edges.pre, edges.post, np.asarray(change(edges), np.float64))
    if operator.n_in * operator.n_out > _FILL * len(edges):
        return sparse(operator.in_shape, operator.out_shape, new)
    kernel = np.zeros((operator.n_in, operator.n_out))
    kernel[new.pre, new.post] = new.weight
    return compose(
        Reshape(operator.in_shape, (operator.n_in,)),
        Dense((operator.n_in,), kernel),
        Reshape((operator.n_out,), operator.out_shape),
    )
