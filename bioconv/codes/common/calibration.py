"""Scales of layers and inputs from calibration data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph, iterate
from bioconv.analog.functions import FICurve, Linear, MaxPool, ReLU
from bioconv.analog.graph import Layer
from bioconv.codes.common.affine import apply64, pre_activations
from bioconv.codes.common.percentiles import Tail
from bioconv.codes.common.rewritten import Rewritten
from bioconv.operators import compact

Samples = Mapping[str, NDArray]

#: number of samples that determine the quantiles and the lowest values of activations
_SAMPLES = 32
#: number of samples over which the fluctuation of the input is averaged
_FLUCTUATING_SAMPLES = 8
#: number of quantiles of the activations of each layer for the fit of the drive: every half percent
_QUANTILES = 201
#: functions whose values are rates
RECTIFIERS = (ReLU, FICurve)


@dataclass
class Scales:
    """Activations that are represented by one spike in every step.

    Parameters
    ----------
    of : dict of str to ndarray
        Scale of each layer and readout, shape () or (1, ..., channels).
    shift : dict of str to ndarray
        For outputs read from spike counts: value that is subtracted so that no count is negative.
    silent_layers : list of str
        Layers without a positive activation on the calibration data; their scale is 1.
    n_silent_channels : int
        Number of channels without a positive activation in other layers; their scale is the
        largest of their layer.
    """

    of: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    shift: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    silent_layers: list[str] = field(default_factory=list)
    n_silent_channels: int = 0


def measure(
    rewritten: Rewritten,
    calibration: Samples,
    *,
    percentile: float,
    normalization: str,
    over: str = "positive",
    readout: str = "potential",
) -> Scales:
    """Return the scale of every layer, a percentile of its activations (mueller 3.3.1, 4.1.2).

    Activations are streamed; percentiles are exact, see `Tail`.  The scale of a rectification with
    an upper limit does not exceed the limit, so that the rate saturates where the function does.
    Maxima have the scale of the layers that they pool; a measured curve has its own, and an analog
    stage has none.

    Parameters
    ----------
    rewritten : Rewritten
    calibration : mapping of str to ndarray
        Samples for each input.
    percentile : float
        In (0, 100]; 100 is the maximum.
    normalization : {"layer", "channel", "none"}
        Use one scale per layer, one per channel (mueller Eq 4.5), or 1 everywhere.
    over : {"positive", "all"}
        Activations over which the percentile is taken.  If the percentile of all of them is 0,
        because hardly any is positive, the scale is the largest activation.
    readout : str
        How outputs are read; outputs read from spike counts ("count") are shifted to be positive.
    """
    by_channel = normalization == "channel"
    tails = measure_tails(rewritten, calibration, percentile, by_channel=by_channel, over=over)
    scales = Scales()
    for layer in rewritten.layers:
        if layer.name in rewritten.analog:
            continue
        if isinstance(layer.function, MaxPool):
            scales.of[layer.name] = pooled_scale(layer, scales.of)
            continue
        if isinstance(layer.function, FICurve):
            scales.of[layer.name] = np.asarray(layer.function.scale, np.float64)
            continue
        if normalization == "none":
            scale = np.ones(())
        else:
            scale = _scale(layer, tails[layer.name], percentile, scales)
        if isinstance(layer.function, ReLU):
            scale = np.minimum(scale, layer.function.max_value)
        scales.of[layer.name] = scale
    for layer in rewritten.readouts:
        _scale_readout(layer, tails[layer.name], scales, counted=readout == "count")
    return scales


def measure_tails(
    rewritten: Rewritten, calibration: Samples, percentile: float, *, by_channel: bool, over: str
) -> dict[str, Tail]:
    """Return the largest values of all rectifications and of the arguments of output functions."""
    readouts = pre_activations(rewritten.readouts)
    names = tuple(layer.name for layer in readouts)
    graph = AnalogGraph(rewritten.name, rewritten.inputs, (*rewritten.layers, *readouts), names)
    unscaled = rewritten.analog
    wanted = [
        layer
        for layer in graph.layers
        if not isinstance(layer.function, MaxPool) and layer.name not in unscaled
    ]
    n_samples = len(next(iter(calibration.values())))
    tails = {}
    for layer in wanted:
        columns = layer.shape[-1] if by_channel and layer.name not in names else 1
        n_values = n_samples * int(np.prod(layer.shape)) // columns
        tails[layer.name] = Tail(n_values, percentile, columns, over)
    for batch in iterate(graph, calibration, names=list(tails)):
        for name, values in batch.items():
            tails[name].update(values.reshape(-1, tails[name].n_columns))
    return tails


def activity_of(
    rewritten: Rewritten, scales: Scales, calibration: Samples
) -> dict[str, Callable[[], Any]]:
    """Return lazily evaluated statistics of the calibration data for `Membrane.of`."""
    return {
        "activations": lambda: typical_activations(rewritten, scales, calibration),
        "lowest": lambda: lowest_activation(rewritten, scales, calibration),
        "fluctuation": lambda: fluctuation(rewritten, scales, calibration),
    }


def typical_activations(
    rewritten: Rewritten, scales: Scales, calibration: Samples
) -> NDArray[np.float64]:
    """Return 201 quantiles of the positive activations of each layer, in units of its scale.

    Only the first 32 samples are used, and every layer has the same weight.  The quantiles show
    in which range the f-I curve of a neuron has to be linear, for which these samples are
    sufficient.
    """
    names = [entry.name for entry in rewritten.layers if isinstance(entry.function, RECTIFIERS)]
    few = {name: x[:_SAMPLES] for name, x in calibration.items()}
    quantiles = []
    for batch in iterate(rewritten.graph(), few, names=names):
        for name, values in batch.items():
            share = values / scales.of[name]
            if np.any(share > 0):
                quantiles.append(np.quantile(share[share > 0], np.linspace(0, 1, _QUANTILES)))
    return np.sort(np.clip(quantiles, 0, 1).ravel()) if quantiles else np.linspace(0, 1, _QUANTILES)


def fluctuation(rewritten: Rewritten, scales: Scales, calibration: Samples) -> float:
    """Return the variance of the input of a neuron that is caused by spikes.

    If the sources of a layer fire as Poisson processes, the weighted sum of their spikes during the
    mean interval at the largest rate has this variance: the sum of squared weights times
    activations, in units of the squared scale.  The result is the largest of the means of the
    layers.
    """
    names = [layer.name for layer in rewritten.layers if layer.name not in rewritten.analog]
    few = {name: x[:_FLUCTUATING_SAMPLES] for name, x in calibration.items()}
    random, found = np.random.default_rng(0), {0.0}
    for batch in iterate(rewritten.graph(), few, names=names):
        spread = {}
        for name, values in batch.items():
            rate = np.maximum(values / scales.of[name], 0.0)
            spread[name] = (random.poisson(rate) - rate) * scales.of[name]
        for layer in rewritten.layers:
            terms = [t for t in layer.inputs[0].terms if t.source in spread]
            if isinstance(layer.function, RECTIFIERS) and terms:
                total = sum(np.asarray(t.operator.apply(spread[t.source])) for t in terms)
                found.add(float(np.mean((total / scales.of[layer.name]) ** 2)))
    return max(found)


def lowest_activation(rewritten: Rewritten, scales: Scales, calibration: Samples) -> float:
    """Return the lowest input of a rectification in units of its scale (0 if none is negative)."""
    layers = [entry for entry in rewritten.layers if isinstance(entry.function, RECTIFIERS)]
    probes = {f"what {layer.name} rectifies": layer for layer in layers}
    extra = [replace(layer, name=name, function=Linear()) for name, layer in probes.items()]
    names = (*(layer.name for layer in rewritten.readouts), *probes)
    every = (*rewritten.layers, *rewritten.readouts, *extra)
    graph = AnalogGraph(rewritten.name, rewritten.inputs, every, names)
    few = {name: x[:_SAMPLES] for name, x in calibration.items()}
    lowest = 0.0
    for batch in iterate(graph, few, names=list(probes)):
        for name, values in batch.items():
            lowest = min(lowest, float((values / scales.of[probes[name].name]).min()))
    return lowest


class LowestValues:
    """Smallest value of each channel in the input of every max pooling, measured on first use.

    Parameters
    ----------
    graph : AnalogGraph
    calibration : mapping of str to ndarray
        Samples for each input.
    """

    def __init__(self, graph: AnalogGraph, calibration: Samples) -> None:
        self._graph, self._calibration = graph, calibration
        self._lowest: dict[str, NDArray[np.float64]] = {}

    def __call__(self, layer: Layer) -> NDArray[np.float64]:
        """Return the smallest values of one max-pooling layer of the graph, shape (channels,)."""
        if not self._lowest:
            self._measure()
        return self._lowest[layer.name]

    def _measure(self) -> None:
        """Measure the smallest values of all layers in one pass over the data."""
        graph = self._graph
        pools = [layer for layer in graph.layers if isinstance(layer.function, MaxPool)]
        probes = {f"what {layer.name} pools": layer for layer in pools}
        extra = [
            Layer(name, Linear(), layer.inputs, layer.inputs[0].shape)
            for name, layer in probes.items()
        ]
        whole = AnalogGraph(graph.name, graph.inputs, (*graph.layers, *extra), graph.outputs)
        for batch in iterate(whole, self._calibration, names=list(probes)):
            for name, values in batch.items():
                found = values.reshape(-1, values.shape[-1]).min(axis=0)
                before = self._lowest.get(probes[name].name, np.inf)
                self._lowest[probes[name].name] = np.minimum(before, found)


def input_scales(x: NDArray) -> tuple[float, bool]:
    """Return the largest magnitude of samples (1 if all are 0), and whether some are negative."""
    low, high = float(x.min()), float(x.max())
    return max(high, -low) or 1.0, low < 0


def _scale(layer: Layer, tail: Tail, percentile: float, scales: Scales) -> NDArray[np.float64]:
    """Return the percentiles of the channels of a layer, or of the whole layer, without zeros."""
    values = tail.percentile(percentile)
    values = np.where(values > 0, values, tail.maximum)
    silent = values <= 0
    if np.all(silent):
        scales.silent_layers.append(layer.name)
        return np.ones(())
    scales.n_silent_channels += int(np.count_nonzero(silent))
    values = np.where(silent, values.max(), values)
    if tail.n_columns == 1:
        return values.reshape(())
    return values.reshape((1,) * (len(layer.shape) - 1) + (-1,))


def pooled_scale(layer: Layer, scales: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the scale of a maximum, that of its sources, which is the same within a window."""
    (affine,) = layer.inputs
    total = np.zeros(affine.shape)
    for term in affine.terms:
        scale = np.broadcast_to(scales[term.source], term.operator.in_shape)
        total += apply64(term.operator, np.ascontiguousarray(scale)[None])
    by_channel = total.reshape(-1, affine.shape[-1]).max(axis=0)  # padding has no scale
    by_channel = by_channel.reshape((1,) * (len(affine.shape) - 1) + (-1,))
    scale = compact(np.where(by_channel > 0, by_channel, 1.0), layer.shape)
    return scale.reshape(()) if scale.size == 1 else scale


def _scale_readout(layer: Layer, tail: Tail, scales: Scales, *, counted: bool) -> None:
    """Return one scale for all output neurons, so that potentials or counts can be compared."""
    lowest, highest = float(tail.minimum[0]), float(tail.maximum[0])
    shift = 0.0 if isinstance(layer.function, ReLU) else min(lowest, 0.0)
    largest = highest - shift if counted else max(highest, -lowest)
    scales.shift[layer.name] = np.asarray(shift)
    scales.of[layer.name] = np.asarray(largest if largest > 0 else 1.0)
