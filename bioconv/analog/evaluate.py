"""Evaluate an analog network in batches, optionally with layers replaced or clipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog.graph import Affine, AnalogGraph
from bioconv.analog.samples import BatchedSamples, Data, batches, check_samples
from bioconv.analog.tokens import check_tokens
from bioconv.ground.compiled import release_compiled
from bioconv.ground.errors import ParameterError
from bioconv.operators import Array, placed, precision

#: largest default number of samples at once, and of values that are computed for them: the
#: activations that are returned, and the layers that are in memory on the way
_MOST_SAMPLES, _MOST_VALUES, _LAYERS_IN_MEMORY = 256, 1 << 24, 4


def evaluate(
    graph: AnalogGraph,
    x: Data,
    *,
    replace: Mapping[str, ArrayLike] | None = None,
    ceilings: Mapping[str, ArrayLike] | None = None,
    names: Sequence[str] | None = None,
    batch_size: int | None = None,
    dtype: str = "float32",
) -> dict[str, NDArray]:
    """Evaluate an analog network, some of whose layers may be replaced or clipped.

    If every layer up to some depth is replaced by the values that spiking populations represent,
    the outputs are those of a network of which only these layers spike.  If every rectification is
    clipped at the scale of its population, they are an estimate of those of the spiking network
    before any simulation ("ReLU1", mueller 3.3.3).

    Parameters
    ----------
    graph : AnalogGraph
    x : array, or a sequence or mapping of arrays
        One array (n_samples, *shape) for each input.
    replace : mapping of str to array (n_samples, *layer shape), optional
        Activations to use instead of computing them.
    ceilings : mapping of str to float or array broadcastable to the layer's shape, optional
        Upper bounds, at which activations are clipped.
    names : sequence of str, optional
        Layers (or inputs) whose activations are returned.  Default: the outputs.
    batch_size : int, optional
        Samples at once.  Default: that of `BatchedSamples`; else 256, or fewer of a large network,
        so that memory does not grow with its size.
    dtype : {"float32", "float64"}

    Returns
    -------
    dict of str to ndarray, shape (n_samples, *layer shape)

    Raises
    ------
    DataError
        If ``x`` or a replacement does not fit.
    ParameterError
        If there is no layer of a given name, or if a setting is out of range.
    """
    parts: dict[str, list[NDArray]] = {}
    wanted = graph.outputs if names is None else tuple(names)
    for batch in iterate(
        graph,
        x,
        replace=replace,
        ceilings=ceilings,
        names=wanted,
        batch_size=batch_size,
        dtype=dtype,
    ):
        for name, value in batch.items():
            parts.setdefault(name, []).append(value)
    return {name: np.concatenate(parts[name]) for name in wanted}


def activations(
    graph: AnalogGraph,
    x: Data,
    names: Sequence[str] | None = None,
    *,
    batch_size: int | None = None,
    dtype: str = "float32",
) -> dict[str, NDArray]:
    """Return activations of the named layers, by default of all.

    See `evaluate` for parameters, return value and errors.
    """
    wanted = [layer.name for layer in graph.layers] if names is None else names
    return evaluate(graph, x, names=wanted, batch_size=batch_size, dtype=dtype)


def iterate(
    graph: AnalogGraph,
    x: Data,
    *,
    replace: Mapping[str, ArrayLike] | None = None,
    ceilings: Mapping[str, ArrayLike] | None = None,
    names: Sequence[str] | None = None,
    batch_size: int | None = None,
    dtype: str = "float32",
) -> Iterator[dict[str, NDArray]]:
    """Iterate over activations batch by batch, for data whose activations do not fit into memory.

    Without ``names``, all layers are included.  See `evaluate` for the other parameters and for
    errors, which are raised before the first batch.
    """
    release_compiled()
    wanted = tuple(layer.name for layer in graph.layers) if names is None else tuple(names)
    shapes = graph.shapes()
    if batch_size is None and isinstance(x, BatchedSamples):
        batch_size = x.batch_size
    if batch_size is not None and batch_size < 1:
        raise ParameterError(f"batch_size must be at least 1. Received: {batch_size}")
    replace, ceilings = dict(replace or {}), dict(ceilings or {})
    _check_names(shapes, wanted, replace, ceilings)
    samples = check_samples(x, {entry.name: entry.shape for entry in graph.inputs})
    check_tokens(graph, samples)
    if replace:  # together with the inputs, so that unequal lengths are noticed
        both = {**samples, **replace}
        samples = check_samples(both, {name: shapes[name] for name in both})
    at_once = _samples_at_once(graph, wanted) if batch_size is None else batch_size
    with precision(dtype):
        weights, limits = _cast((graph, ceilings), dtype)

    def one(n: int, batch: Mapping[str, NDArray]) -> dict[str, NDArray]:
        # not around a yield: the caller keeps its own settings
        with precision(dtype), jax.default_matmul_precision("highest"):
            values = _forward(weights, _cast(batch, dtype), limits, wanted)
            return {name: np.asarray(value)[:n] for name, value in values.items()}

    # nothing of a batch stays here while the next one is computed
    return (one(n, batch) for n, batch in batches(samples, at_once))


def _samples_at_once(graph: AnalogGraph, wanted: Sequence[str]) -> int:
    """Return the default number of samples whose activations are computed together."""
    shapes = graph.shapes()
    within = (x.function.n_within([affine.shape for affine in x.inputs]) for x in graph.layers)
    largest = max([*map(prod, shapes.values()), *within])
    values = sum(prod(shapes[name]) for name in wanted) + _LAYERS_IN_MEMORY * largest
    return max(1, min(_MOST_SAMPLES, _MOST_VALUES // max(values, 1)))


def _cast(tree: Any, dtype: str) -> Any:
    """Return the same structure with every array as a JAX array of type ``dtype``."""
    return jax.tree.map(lambda array: placed(array, dtype), tree)


def traced(
    graph: AnalogGraph, x: Mapping[str, Array], names: Sequence[str], dtype: str
) -> dict[str, Array]:
    """Return activations of the named layers, within a function that JAX compiles.

    Parameters
    ----------
    graph : AnalogGraph
    x : mapping of str to array, shape (n_samples, *shape)
        Samples for each input.
    names : sequence of str
    dtype : {"float32", "float64"}
    """
    return _forward(_cast(graph, dtype), _cast(dict(x), dtype), {}, tuple(names))


@partial(jax.jit, static_argnames="wanted")
def _forward(
    graph: AnalogGraph,
    known: dict[str, Array],
    ceilings: dict[str, Array],
    wanted: tuple[str, ...],
) -> dict[str, Array]:
    """Return activations of the requested layers, computing only the layers they depend on."""
    values = dict(known)
    n = next(iter(known.values())).shape[0]
    for layer in graph.layers:
        if layer.name in known:
            continue
        value = layer.function.apply([value_of(affine, values, n) for affine in layer.inputs])
        if layer.name in ceilings:
            value = jnp.minimum(value, ceilings[layer.name])
        values[layer.name] = value
    return {name: values[name] for name in wanted}


def value_of(affine: Affine, values: Mapping[str, Array], n: int) -> Array:
    """Return the value of an affine map for ``n`` samples, shape (n, *affine.shape)."""
    terms = [term.operator.apply(values[term.source]) for term in affine.terms]
    return jnp.broadcast_to(sum(terms, start=affine.bias), (n, *affine.shape))


def _check_names(shapes: Mapping[str, tuple[int, ...]], *groups: Sequence[str] | Mapping) -> None:
    unknown = sorted({name for group in groups for name in group} - set(shapes))
    if unknown:
        raise ParameterError(
            f"there is no layer {', '.join(map(repr, unknown))}. Layers: {', '.join(shapes)}"
        )
