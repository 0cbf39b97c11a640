"""Scales of layers whose potentials must stay below the threshold while input is arriving.

A neuron that fires at a threshold may fire too early if positive inputs arrive before negative
ones that would have balanced them.  The potential cannot exceed the sum of its positive
contributions.  A layer that is normalised by the largest possible sum of this kind therefore stays
below the threshold for any input in any order (mueller 6.2.1, "Normalization").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph, iterate
from bioconv.analog.functions import Linear, MaxPool, ReLU
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.codes.common.affine import apply64, pre_activations
from bioconv.codes.common.calibration import Scales, pooled_scale
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.common.signs import signed_part

#: margin below the smallest output on the calibration data, as a share of the range of outputs, so
#: that the smallest output of a sample is not silent
_ROOM = 1 / 32
#: margin for the rounding of weights, so that a bound is strict
_ROUNDING = 2.0**-20


@dataclass
class Headroom:
    """Scales of all layers, and the activations that they represent.

    Parameters
    ----------
    scales : Scales
    largest : dict of str to ndarray, shape (channels,)
        Largest activation on the calibration data.
    """

    scales: Scales = field(default_factory=Scales)
    largest: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def ratios(self) -> Iterator[float]:
        """Scale divided by the largest activation of each layer, for its most active channel."""
        for name, largest in self.largest.items():
            if largest.max() > 0:
                yield float((np.ravel(self.scales.of[name]).max()) / largest.max())


def measure_headroom(
    normalization: str, rewritten: Rewritten, calibration: Mapping[str, NDArray]
) -> Headroom:
    """Return the scale of every layer and of every channel.

    Parameters
    ----------
    normalization : {"peak", "bound", "activation"}
        "bound": the largest sum of positive contributions for any input within the range of the
        calibration data, with all sources at their scales; it grows from layer to layer.
        "peak": the largest such sum on the calibration data.  "activation": the largest
        activation on the calibration data.
    rewritten : Rewritten
        With encoders (see `bioconv.codes.common.encoding`).
    calibration : mapping of str to ndarray

    Returns
    -------
    Headroom
        Inputs have one scale, maxima that of the layers that they pool, and outputs the range of
        the argument of their function and, in ``scales.shift``, its smallest value, at most zero.
    """
    inputs = {entry.name for entry in rewritten.inputs}
    peaks = {} if normalization != "peak" else _positive_layers(rewritten.layers, inputs)
    low, high = _extremes(rewritten, list(peaks.values()), calibration)
    found = Headroom()
    for layer in rewritten.layers:
        if isinstance(layer.function, MaxPool):
            found.scales.of[layer.name] = pooled_scale(layer, found.scales.of)
            continue
        largest = high[layer.name]
        found.largest[layer.name] = np.maximum(largest, 0.0)
        if {term.source for term in layer.inputs[0].terms} & inputs:
            largest = largest.max(keepdims=True)
        elif normalization == "peak":
            largest = high[peaks[layer.name].name]
        elif normalization == "bound":
            largest = _bound(layer, found.scales) * (1.0 + _ROUNDING)
        found.scales.of[layer.name] = _scale(largest, layer, found.scales)
    for layer in rewritten.readouts:
        lowest, highest = min(float(low[layer.name].min()), 0.0), float(high[layer.name].max())
        lowest -= _ROOM * (highest - lowest)
        found.scales.shift[layer.name] = np.asarray(lowest)
        found.scales.of[layer.name] = np.asarray(highest - lowest or 1.0)
    return found


def positive_part(layer: Layer) -> Affine:
    """Return the positive contributions to a layer, for sources that are not negative."""
    affine = layer.inputs[0]
    parts = ((t.source, signed_part(t.operator, 1, layer.name)) for t in affine.terms)
    terms = tuple(Term(source, part) for source, part in parts if part is not None)
    return Affine(terms, np.maximum(affine.bias, 0.0), affine.shape)


def _positive_layers(layers: list[Layer], inputs: set[str]) -> dict[str, Layer]:
    """Return a linear layer with the positive part of each rectification after the encoders."""
    wanted = (layer for layer in layers if not isinstance(layer.function, MaxPool))
    return {
        layer.name: Layer(f"peak of {layer.name}", Linear(), (positive_part(layer),), layer.shape)
        for layer in wanted
        if not inputs & {term.source for term in layer.inputs[0].terms}
    }


def _extremes(
    rewritten: Rewritten, extra: list[Layer], calibration: Mapping[str, NDArray]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Return the smallest and largest value of each channel of outputs before their function."""
    every = (*rewritten.layers, *pre_activations(rewritten.readouts), *extra)
    names = [layer.name for layer in every]
    graph = AnalogGraph(rewritten.name, rewritten.inputs, every, tuple(names))
    low: dict[str, NDArray[np.float64]] = {}
    high: dict[str, NDArray[np.float64]] = {}
    for batch in iterate(graph, calibration, names=names):
        for name, values in batch.items():
            flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
            low[name] = np.minimum(low.get(name, np.inf), flat.min(axis=0))
            high[name] = np.maximum(high.get(name, -np.inf), flat.max(axis=0))
    return low, high


def _bound(layer: Layer, scales: Scales) -> NDArray[np.float64]:
    """Return the largest positive contributions per channel with all sources at their scale."""
    affine = positive_part(layer)
    total = np.broadcast_to(affine.bias, affine.shape)
    for term in affine.terms:
        source = np.broadcast_to(scales.of[term.source], term.operator.in_shape)
        total = total + apply64(term.operator, np.ascontiguousarray(source)[None])
    return np.asarray(total.reshape(-1, affine.shape[-1]).max(axis=0))


def _scale(largest: NDArray[np.float64], layer: Layer, scales: Scales) -> NDArray[np.float64]:
    """Reshape to () or (1, ..., channels); channels without input get the scale of the layer."""
    silent = largest <= 0
    if np.all(silent):
        scales.silent_layers.append(layer.name)
        return np.ones(())
    scales.n_silent_channels += int(np.count_nonzero(silent))
    values = np.where(silent, largest.max(), largest)
    if isinstance(layer.function, ReLU):
        values = np.minimum(values, layer.function.max_value)
    if values.size == 1:
        return values.reshape(())
    return values.reshape((1,) * (len(layer.shape) - 1) + (-1,))
