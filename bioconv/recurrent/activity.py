"""Activity of populations: inputs, spike counts, single spikes and density rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.analog import AnalogGraph, evaluate
from bioconv.analog.functions import CountingCell, Linear, Recurrent, ThresholdCount
from bioconv.analog.graph import Layer
from bioconv.analog.samples import Data
from bioconv.ground.errors import ParameterError
from bioconv.operators import placed, precision
from bioconv.recurrent.places import sides


def inputs(
    graph: AnalogGraph, x: Data, *, batch_size: int = 256, dtype: str = "float32"
) -> dict[str, NDArray]:
    """Return the input of the neurons of every population.

    Parameters
    ----------
    graph : AnalogGraph
        A graph from `populate`.
    x : array, or a sequence or mapping of arrays
    batch_size : int
    dtype : {"float32", "float64"}

    Returns
    -------
    dict of str to ndarray, shape (n_samples, *shape)
        By place; the shape is (n_samples, steps, units) in recurrent layers.

    Raises
    ------
    DataError
        If ``x`` does not fit.
    ParameterError
        If the graph contains no populations.
    """
    before = {name: layer for layer in graph.layers for name, layer in _before(layer)}
    if not before:
        raise ParameterError(f"{graph.name} has no populations: use bioconv.recurrent.populate.")
    # Extra layers after the others return the arguments of the functions.
    asked = replace(graph, layers=(*graph.layers, *before.values()))
    values = evaluate(asked, x, names=tuple(before), batch_size=batch_size, dtype=dtype)
    found: dict[str, NDArray] = {}
    for layer in graph.layers:
        if isinstance(layer.function, ThresholdCount):
            found[layer.name] = values[_name(layer, 0)]
        for front, cell in sides(layer):
            if isinstance(cell, CountingCell):
                arrays = [values[_name(layer, n)] for n in range(len(layer.inputs))]
                traces = _traces(cell, arrays, batch_size, dtype)
                found |= {f"{front}/{part}": traces[part] for part in cell.replaced}
    return found


def received(
    graph: AnalogGraph, x: Data, layer: str, *, batch_size: int = 256, dtype: str = "float32"
) -> list[NDArray]:
    """Return the inputs of a layer: its sequence and, if it has one, its mask.

    Parameters
    ----------
    graph : AnalogGraph
    x : array, or a sequence or mapping of arrays
    layer : str
    batch_size : int
    dtype : {"float32", "float64"}

    Returns
    -------
    list of ndarray, shape (n_samples, ...)
    """
    before = dict(_inputs_of(graph.layer(layer)))
    asked = replace(graph, layers=(*graph.layers, *before.values()))
    values = evaluate(asked, x, names=tuple(before), batch_size=batch_size, dtype=dtype)
    return list(values.values())


def counts(
    graph: AnalogGraph, x: Data, *, batch_size: int = 256, dtype: str = "float32"
) -> dict[str, NDArray[np.int64]]:
    """Return the spike counts of every population, computed without simulating its neurons.

    See `inputs` for parameters and errors.

    Returns
    -------
    dict of str to ndarray of int, shape (n_samples, *shape)
        By place; the counts of inhibitory neurons are stored under ``PLACE/inhibitory``.
    """
    return _told(graph, inputs(graph, x, batch_size=batch_size, dtype=dtype), "counts", dtype)


def spikes(
    graph: AnalogGraph, x: Data, *, batch_size: int = 256, dtype: str = "float32"
) -> dict[str, NDArray[np.bool_]]:
    """Return which neurons fire, computed for every single neuron of a small network.

    See `inputs` for parameters and errors.

    Returns
    -------
    dict of str to ndarray of bool, shape (n_samples, *shape, n)
        By place; the spikes of inhibitory neurons are stored under ``PLACE/inhibitory``.  Their
        sums over the last axis are the `counts`.
    """
    return _told(graph, inputs(graph, x, batch_size=batch_size, dtype=dtype), "spikes", dtype)


def density_rate(spikes: ArrayLike, dt: float, window_steps: int = 1) -> NDArray[np.float64]:
    """Return the spike density over runs, p(t) = N(t; t + Δt) / (K Δt) (mueller Eq 3.2).

    Parameters
    ----------
    spikes : array of bool or int, shape (runs, steps, ...)
        Spikes of each run in each step.
    dt : float
        Step in ms.
    window_steps : int
        Δt in steps.  Steps at the end that do not fill a window are ignored.

    Returns
    -------
    ndarray, shape (steps // window_steps, ...)
        Density in Hz.

    Raises
    ------
    ParameterError
        If there are no runs, if the window is longer than the runs, or if a setting is out of
        range.

    Examples
    --------
    >>> density_rate([[1, 0, 0, 0], [1, 1, 0, 0]], dt=1.0, window_steps=2).tolist()
    [750.0, 0.0]
    """
    raster = np.asarray(spikes)
    whole = isinstance(window_steps, int | np.integer) and window_steps >= 1
    if raster.ndim < 2 or not len(raster) or not whole or not raster.shape[1] >= window_steps:
        raise ParameterError(
            "density_rate requires an array (runs, steps, ...) with at least one run and a window "
            f"that fits. Received: shape {raster.shape}, window_steps={window_steps!r}."
        )
    if not (np.isfinite(dt) and dt > 0):
        raise ParameterError(f"dt must be above 0 ms. Received: {dt!r}.")
    n_windows = raster.shape[1] // window_steps
    kept = raster[:, : n_windows * window_steps]
    binned = kept.reshape(len(raster), n_windows, window_steps, *raster.shape[2:])
    return np.asarray(binned.sum(axis=(0, 2)) / (len(raster) * window_steps * dt * 1e-3))


def _before(layer: Layer) -> list[tuple[str, Layer]]:
    """Return the layers of `_inputs_of` if the layer contains populations, else none."""
    cells = [cell for _, cell in sides(layer) if isinstance(cell, CountingCell)]
    if not cells and not isinstance(layer.function, ThresholdCount):
        return []
    return _inputs_of(layer)


def _inputs_of(layer: Layer) -> list[tuple[str, Layer]]:
    """Return, with its name, a linear layer for each input of a layer."""
    return [
        (_name(layer, n), Layer(_name(layer, n), Linear(), (affine,), affine.shape))
        for n, affine in enumerate(layer.inputs)
    ]


def _name(layer: Layer, n: int) -> str:
    return f"{layer.name}/before/{n}"


def _traces(
    cell: CountingCell, arrays: Sequence[NDArray], batch_size: int, dtype: str
) -> dict[str, NDArray]:
    """Return the inputs of the parts of a cell in every step, computed batch by batch."""
    parts: dict[str, list[NDArray]] = {}
    with precision(dtype), jax.default_matmul_precision("highest"):
        weights = jax.tree.map(lambda array: placed(array, dtype), cell)
        for first in range(0, len(arrays[0]), batch_size):
            batch = [placed(a[first : first + batch_size], dtype) for a in arrays]
            for part, values in _trace(weights, batch).items():
                parts.setdefault(part, []).append(np.asarray(values))
    return {part: np.concatenate(values) for part, values in parts.items()}


@jax.jit
def _trace(cell: CountingCell, arrays: list) -> dict:
    return cell.trace(arrays)[1]


def _told(graph: AnalogGraph, heard: dict[str, NDArray], what: str, dtype: str) -> dict:
    """Apply the method ``what`` of the `ThresholdCount` of every place to its input."""
    functions = dict(_populations(graph))
    found: dict[str, NDArray] = {}
    with precision(dtype):
        for place, values in heard.items():
            function = functions[place]
            thresholds = jax.tree.map(lambda array: placed(array, dtype), function)
            excited, inhibited = getattr(thresholds, what)(values)
            found[place] = np.asarray(excited)
            if inhibited is not None:
                found[f"{place}/inhibitory"] = np.asarray(inhibited)
    return found


def _populations(graph: AnalogGraph) -> list[tuple[str, ThresholdCount]]:
    found = [
        (layer.name, layer.function)
        for layer in graph.layers
        if isinstance(layer.function, ThresholdCount)
    ]
    for layer in graph.layers:
        for front, cell in sides(layer):
            if not isinstance(cell, Recurrent):
                found += [
                    (f"{front}/{part}", function)
                    for part, function in cell.parts.items()
                    if isinstance(function, ThresholdCount)
                ]
    return found
