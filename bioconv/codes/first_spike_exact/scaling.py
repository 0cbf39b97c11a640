"""Preprocessing of the exact first-spike code (stanojevic Algorithm 1).

Batch normalization has already been folded into operators and biases when the model was read, even
where zero padding makes the bias depend on the position (Eqs 2.7-2.11).  This module determines the
range of the inputs (Eqs 2.12-2.14), the scales of the layers (Eqs 2.15-2.19) and their largest
activations (Eq 2.24).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import iterate
from bioconv.analog.functions import MaxPool
from bioconv.analog.graph import Affine, Layer
from bioconv.codes.common.affine import apply64, channel_axis
from bioconv.codes.common.calibration import pooled_scale
from bioconv.codes.common.percentiles import Tail
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.common.signs import signed_parts
from bioconv.codes.first_spike_exact.code import FirstSpikeExactCode
from bioconv.operators import Operator

Floats = NDArray[np.float64]
Samples = Mapping[str, NDArray]


@dataclass(frozen=True)
class Scaling:
    """Factors that scale a ReLU network.

    Parameters
    ----------
    scale : dict of str to ndarray
        Activation of every input and layer that is scaled to 1, broadcastable to its shape.
    low : dict of str to float
        Value that is subtracted from each input before the division (p).
    sums : dict of str to ndarray
        Sum of the scaled weights of a neuron of each channel, including weights that zero padding
        cuts off (Eq 2.15).  Only for rectifications.
    largest : dict of str to float
        Largest scaled activation that each layer can represent: the largest one on the
        calibration data (X of Eq 2.24), or that at the percentile of the code.
    """

    scale: dict[str, Floats] = field(default_factory=dict)
    low: dict[str, float] = field(default_factory=dict)
    sums: dict[str, Floats] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)

    def bias(self, affine: Affine) -> Floats:
        """Return the bias including that of shifted inputs (Eqs 2.12, 2.14), broadcastable."""
        bias = np.asarray(affine.bias, np.float64)
        for term in affine.terms:
            if self.low.get(term.source, 0.0) != 0.0:
                bias = bias + apply64(term.operator, _full(self.low[term.source], term.operator))
        return bias


def measure(code: FirstSpikeExactCode, rewritten: Rewritten, calibration: Samples) -> Scaling:
    """Return the ranges, scales and largest activations of a network.

    Parameters
    ----------
    code : FirstSpikeExactCode
    rewritten : Rewritten
    calibration : mapping of str to ndarray
        Samples for each input.
    """
    scaling = Scaling()
    for entry in rewritten.inputs:
        low, high = code.input_range or _range(calibration[entry.name])
        scaling.low[entry.name] = float(low)
        scaling.scale[entry.name] = np.asarray(float(high) - float(low))
    maxima = _maxima(rewritten, calibration)
    common = {name: float(values.max()) for name, values in maxima.items()}
    if code.percentile < 100:
        common = _percentiles(code.percentile, rewritten, calibration, {})
    for layer in rewritten.layers:
        if isinstance(layer.function, MaxPool):
            scaling.scale[layer.name] = pooled_scale(layer, scaling.scale)
        else:
            _add_rectifier(code, layer, common[layer.name], scaling)
        largest = np.max(maxima[layer.name] / _by_channel(layer, scaling.scale[layer.name]))
        scaling.largest[layer.name] = float(largest)
    if code.percentile < 100:
        scaling.largest.update(_percentiles(code.percentile, rewritten, calibration, scaling.scale))
    return scaling


def _add_rectifier(
    code: FirstSpikeExactCode, layer: Layer, largest: float, scaling: Scaling
) -> None:
    """Return the smallest scale of a rectification that keeps its sums of weights within bounds."""
    total, positive = _weight_sums(code, layer, scaling)
    scale = np.ones(total.shape)
    if code.normalization == "layer" and largest > 0:
        scale *= largest
    if code.slope != "identical":
        most = positive if code.slope == "positive" else total
        scale = np.maximum(scale, most / (1.0 - code.delta))
        scale = np.maximum(scale, -total / code.b_low)
    if channel_axis(layer) is None:
        scale = np.full_like(scale, scale.max())
    scaling.scale[layer.name] = _spread(layer, scale)
    scaling.sums[layer.name] = _spread(layer, total / scale)


def _weight_sums(
    code: FirstSpikeExactCode, layer: Layer, scaling: Scaling
) -> tuple[Floats, Floats]:
    """Return the sum of all weights and of the positive weights of a neuron of each channel.

    If the neurons of a channel differ, as at a zero-padded border, the neuron with the largest
    sum of absolute weights is used.
    """
    total, size = np.zeros(layer.shape), np.zeros(layer.shape)
    positive = np.zeros(layer.shape)
    for term in layer.inputs[0].terms:
        scale = _full(scaling.scale[term.source], term.operator)
        total += apply64(term.operator, scale)
        size += apply64(term.operator.map_weights(np.abs), scale)
        if code.slope == "positive":
            part, _ = signed_parts(term.operator, layer.name)
            positive += 0.0 if part is None else apply64(part, scale)
    columns = [_columns(layer, values) for values in (total, size, positive)]
    place = columns[1].argmax(axis=0)
    along = np.arange(columns[0].shape[1])
    return columns[0][place, along], columns[2].max(axis=0)


def _columns(layer: Layer, values: NDArray) -> NDArray:
    """Reshape values of a layer to one column per channel or a single one; keep leading axes."""
    axis = channel_axis(layer)
    if axis is None:
        return values.reshape(-1, 1)
    axis += values.ndim - len(layer.shape)
    return np.moveaxis(values, axis, -1).reshape(-1, values.shape[axis])


def _spread(layer: Layer, values: Floats) -> Floats:
    """Reshape one value per channel such that it broadcasts to the shape of the layer."""
    axis = channel_axis(layer)
    if axis is None:
        return values.reshape(())
    return values.reshape([-1 if k == axis else 1 for k in range(len(layer.shape))])


def _by_channel(layer: Layer, scale: Floats) -> Floats:
    full = np.broadcast_to(scale, layer.shape)
    return _columns(layer, full)[0]


def _maxima(rewritten: Rewritten, calibration: Samples) -> dict[str, Floats]:
    """Return the largest activation of each layer and channel on the calibration data."""
    layers = {layer.name: layer for layer in rewritten.layers}
    found: dict[str, Floats] = {}
    for batch in iterate(rewritten.graph(), calibration, names=list(layers)):
        for name, values in batch.items():
            largest = _columns(layers[name], np.asarray(values, np.float64)).max(axis=0)
            found[name] = np.maximum(found.get(name, 0.0), largest)
    return found


def _percentiles(
    p: float, rewritten: Rewritten, calibration: Samples, scale: Mapping[str, Floats]
) -> dict[str, float]:
    """Return the p-th percentile of all outputs of each layer, in units of its scale if it has one.

    `Tail` counts positive values only, so that the rank among all values is first converted to a
    rank among the positive ones.
    """
    n_samples = len(next(iter(calibration.values())))
    sizes = {layer.name: n_samples * prod(layer.shape) for layer in rewritten.layers}
    tails = {name: Tail(size, p) for name, size in sizes.items()}
    for batch in iterate(rewritten.graph(), calibration, names=list(tails)):
        for name, values in batch.items():
            tails[name].update((values / scale.get(name, 1.0)).reshape(-1, 1))
    found = {}
    for name, tail in tails.items():
        rank, last = (1 - p / 100) * (sizes[name] - 1), int(tail.positives[0]) - 1
        among = 100 * (1 - rank / last) if last > 0 else 0.0
        found[name] = float(tail.percentile(among)[0]) if among > 0 else 0.0
    return found


def _range(x: NDArray) -> tuple[float, float]:
    """Return the smallest and the largest value of the samples and zero."""
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    return (low, high) if low < high else (0.0, 1.0)


def _full(value: NDArray | float, operator: Operator) -> Floats:
    full = np.broadcast_to(np.asarray(value, np.float64), operator.in_shape)
    return np.ascontiguousarray(full)[None]
