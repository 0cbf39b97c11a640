"""Training of the analog network itself, as the reference of training in spike times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import Affine, AnalogGraph, check_samples
from bioconv.analog.evaluate import value_of
from bioconv.analog.graph import Layer
from bioconv.analog.samples import Data
from bioconv.conversion import as_graph
from bioconv.ground.errors import ConversionError
from bioconv.operators import Array, all_with_kernels, kernels
from bioconv.training.loop import fit
from bioconv.training.losses import check_loss, check_targets, loss_and_measures
from bioconv.training.options import Training

Parameters = dict[str, list[dict[str, Any]]]


def train_analog(
    model: Any | str | Path | AnalogGraph,
    x: Data,
    y: ArrayLike,
    *,
    options: Training | None = None,
    loss: str = "cross_entropy",
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> tuple[AnalogGraph, dict[str, NDArray[np.float64]]]:
    """Train the weights and biases of an analog network with the loop of `bioconv.train`.

    With the same start values, options and seed, a ReLU network follows the network of exact first
    spikes with the linearly mappable condition (stanojevic 2023, thesis, Fig 3.3), so that
    differences between them are due to spikes alone.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        Batch normalization has been folded into the weights of the graph, and stays folded.
    x : ndarray, shape (n_samples, ...); mapping or sequence of ndarray for several inputs
    y : array_like
    options : Training, optional
    loss : {"cross_entropy", "mean_squared_error"}
    checkpoint : str or Path, optional
    progress : bool

    Returns
    -------
    graph : AnalogGraph
    history : dict of str to ndarray, shape (epochs,)

    Raises
    ------
    ReadError, DataError, ParameterError, TrainingError
        As in `bioconv.train`.
    ConversionError
        If the network has several outputs.
    """
    options = Training() if options is None else options
    check_loss(loss)
    graph = as_graph(model)
    if len(graph.outputs) != 1:
        raise ConversionError(f"{graph.name} has several outputs. Training supports one output.")
    samples = check_samples(x, {entry.name: entry.shape for entry in graph.inputs})
    samples = {name: np.asarray(values, np.float32) for name, values in samples.items()}
    n_samples = len(next(iter(samples.values())))
    targets = check_targets(y, n_samples, graph.layer(graph.outputs[0]).shape, loss)
    fitted = fit(
        partial(_objective, graph, loss),
        {layer.name: [_leaves(affine) for affine in layer.inputs] for layer in graph.layers},
        {},
        samples,
        targets,
        options,
        checkpoint=checkpoint,
        record={"loss": loss},
        progress=progress,
    )
    return _with_parameters(graph, fitted.parameters), fitted.history


def _leaves(affine: Affine) -> dict[str, Any]:
    weights = [np.asarray(k) for term in affine.terms for k in kernels(term.operator)]
    if not weights:  # a pooling or a shortcut, whose constant is no parameter
        return {"kernels": []}
    # A bias of equal entries is stored as one number, which would remain one number.
    shape = np.broadcast_shapes(affine.bias.shape, (*(1,) * (len(affine.shape) - 1), 1))
    if affine.shape and all(n == 1 for n in shape[:-1]):
        shape = (*shape[:-1], affine.shape[-1])
    return {"kernels": weights, "bias": np.array(np.broadcast_to(affine.bias, shape))}


def _affine(affine: Affine, own: Mapping[str, Any]) -> Affine:
    operators = all_with_kernels([term.operator for term in affine.terms], own["kernels"])
    pairs = zip(affine.terms, operators, strict=True)
    terms = [replace(term, operator=operator) for term, operator in pairs]
    return replace(affine, terms=tuple(terms), bias=own.get("bias", affine.bias))


def _objective(
    graph: AnalogGraph,
    loss: str,
    parameters: Parameters,
    state: Any,
    x: Mapping[str, Array],
    y: Array,
    key: Array,
) -> tuple[Array, tuple[Any, Mapping[str, Array]]]:
    """Return the loss of a batch before the last function; see `fit`."""
    values, n = dict(x), len(y)
    for layer in graph.layers:
        inputs = [value_of(_affine(a, own), values, n) for a, own in _pairs(layer, parameters)]
        last = layer.name in graph.outputs
        values[layer.name] = inputs[0] if last else layer.function.apply(inputs)
    value, measures = loss_and_measures(loss, values[graph.outputs[0]], y)
    return value, (state, measures)


def _pairs(layer: Layer, parameters: Parameters) -> Any:
    return zip(layer.inputs, parameters[layer.name], strict=True)


def _with_parameters(graph: AnalogGraph, parameters: Parameters) -> AnalogGraph:
    def plain(own: Mapping[str, Any]) -> dict[str, Any]:
        return jax.tree.map(lambda array: np.asarray(array, np.float64), dict(own))

    layers = [
        replace(
            layer,
            inputs=tuple(_affine(a, plain(own)) for a, own in _pairs(layer, parameters)),
        )
        for layer in graph.layers
    ]
    return replace(graph, layers=tuple(layers))
