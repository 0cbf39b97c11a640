"""Expand the stages of an analog network to affine maps and functions of one variable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph, iterate
from bioconv.analog.functions import (
    AdditiveAttention,
    Attention,
    Dot,
    LayerNormalization,
    Linear,
    LogSoftmax,
    Maximum,
    Minimum,
    MultiHeadAttention,
    Multiply,
    RMSNormalization,
    Softmax,
    UnitNormalization,
)
from bioconv.analog.graph import Affine, Layer
from bioconv.codes.pointwise.attention import (
    expand_additive_attention,
    expand_attention,
    expand_dot,
    expand_multi_head,
)
from bioconv.codes.pointwise.builder import Balance, Builder
from bioconv.codes.pointwise.stages import (
    expand_layer_normalization,
    expand_maximum,
    expand_multiply,
    expand_rms_normalization,
    expand_softmax,
    expand_unit_normalization,
)

Expander = Callable[[Builder, Layer, Any], Affine]

#: number of calibration samples that determine the balances
_SAMPLES = 64

#: how layers with these functions are expanded
EXPANDERS: Mapping[type, Expander] = MappingProxyType(
    {
        AdditiveAttention: expand_additive_attention,
        Attention: expand_attention,
        Dot: expand_dot,
        LayerNormalization: expand_layer_normalization,
        LogSoftmax: expand_softmax,
        Maximum: expand_maximum,
        Minimum: expand_maximum,
        MultiHeadAttention: expand_multi_head,
        Multiply: expand_multiply,
        RMSNormalization: expand_rms_normalization,
        Softmax: expand_softmax,
        UnitNormalization: expand_unit_normalization,
    }
)


def expand(graph: AnalogGraph, balances: Mapping[str, Balance] | None = None) -> AnalogGraph:
    """Return an equivalent network in which every layer has a function of one variable.

    Layers with a function of `EXPANDERS` become linear layers of the same name, with the layers
    from which they are computed before them.  All others stay as they are; so does the softmax of
    an output that feeds no layer, which is where outputs are read.

    Parameters
    ----------
    graph : AnalogGraph
    balances : mapping of str to Balance, optional
        Of the factors of products and the arguments of functions; see `expanded_for`.

    Returns
    -------
    AnalogGraph
    """
    return _expanded(graph, balances or {})[0]


def expanded_for(graph: AnalogGraph, calibration: Mapping[str, NDArray]) -> AnalogGraph:
    """Return the expanded network, balanced for the values that occur on calibration data.

    Parameters
    ----------
    graph : AnalogGraph
    calibration : mapping of str to ndarray
        Samples for each input, of which the first 64 are used.
    """
    neutral, probes = _expanded(graph, {})
    if not probes:
        return neutral
    return expand(graph, _measured(neutral, probes, calibration))


def _expanded(
    graph: AnalogGraph, balances: Mapping[str, Balance]
) -> tuple[AnalogGraph, dict[str, Affine]]:
    build = Builder(set(graph.shapes()), balances)
    used = {source for layer in graph.layers for source in layer.sources}
    for layer in graph.layers:
        expander = EXPANDERS.get(type(layer.function))
        read = layer.name in graph.outputs and layer.name not in used
        if expander is None or (read and isinstance(layer.function, Softmax | LogSoftmax)):
            build.layers.append(layer)
            continue
        build.members = layer.members
        value = expander(build, layer, layer.function)
        build.layers.append(replace(layer, function=Linear(), inputs=(value,)))
    return replace(graph, layers=tuple(build.layers)), build.probes


def _measured(
    graph: AnalogGraph, probes: Mapping[str, Affine], calibration: Mapping[str, NDArray]
) -> dict[str, Balance]:
    """Return the balance of each probed value on the first calibration samples."""
    labels = {name: f"{name} of {graph.name}" for name in probes}
    extra = tuple(
        Layer(labels[name], Linear(), (probe,), probe.shape) for name, probe in probes.items()
    )
    probed = replace(graph, layers=(*graph.layers, *extra))
    few = {name: x[:_SAMPLES] for name, x in calibration.items()}
    n = len(next(iter(few.values())))
    sums = {layer.name: np.zeros(layer.shape) for layer in extra}
    squares = {layer.name: np.zeros(layer.shape) for layer in extra}
    least = dict.fromkeys(sums, np.inf)
    for batch in iterate(probed, few, names=list(sums)):
        for label, values in batch.items():
            exact = values.astype(np.float64)
            sums[label] += exact.sum(axis=0)
            squares[label] += np.square(exact).sum(axis=0)
            least[label] = min(least[label], float(exact.min()))
    found = {}
    for name, label in labels.items():
        centre = sums[label] / n
        variance = np.maximum(squares[label] / n - np.square(centre), 0.0)
        found[name] = Balance(centre, np.sqrt(variance), least[label])
    return found
