"""The analog network of a stack of dense layers of spiking units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Term
from bioconv.analog.functions import LevelPatterns, PatternDistances, SpikingUnits
from bioconv.analog.graph import Layer
from bioconv.codes.correlative.code import CorrelativeCode
from bioconv.encoders import Encoder
from bioconv.encoders.level_patterns import LevelEncoder
from bioconv.ground.errors import ParameterError
from bioconv.operators import identity

_INPUT, _ENCODER, _UNITS, _OUTPUT = "x", "encoder", "outputs", "distances"


def dense_graph(
    code: CorrelativeCode,
    encoder: Encoder,
    weights: Sequence[NDArray],
    thresholds: Sequence[NDArray],
    shape: tuple[int, ...],
    *,
    name: str = "correlative",
) -> AnalogGraph:
    """Return the analog network of dense layers, which `bioconv.convert` turns into a spiking one.

    Parameters
    ----------
    code : CorrelativeCode
    encoder : CorrelativeTime or ExtendedCorrelativeTime
        Fitted to the training data.
    weights : sequence of ndarray, shape (n_pre, n)
        For each layer, the output included.
    thresholds : sequence of ndarray, shape (n,)
    shape : tuple of int
        Shape of one sample.
    name : str

    Returns
    -------
    AnalogGraph
        Outputs are negative distances from the target pattern of each class.

    Raises
    ------
    ParameterError
        If the encoder has no patterns or shapes do not fit.
    """
    encoder = check_encoder(encoder)
    sizes = [encoder.n_neurons * int(np.prod(shape)), *(len(one) for one in thresholds)]
    right = list(zip(sizes, sizes[1:], strict=False))
    found = [np.shape(kernel) for kernel in weights]
    if found != right or sizes[-1] % code.n_outputs:
        raise ParameterError(
            f"dense_graph: weights must have the shapes {right} for samples of shape {shape} and "
            f"these thresholds, the last of them for {code.n_outputs} neurons a class. "
            f"Received: {found}."
        )
    targets = code.targets(sizes[-1] // code.n_outputs, encoder.n_steps)
    layers = [_layer(_ENCODER, LevelPatterns(encoder.edge_table, encoder.patterns), _INPUT, shape)]
    for depth, (kernel, v_th) in enumerate(zip(weights, thresholds, strict=True), 1):
        last = depth == len(weights)
        function = SpikingUnits(
            np.asarray(kernel, np.float64),
            np.asarray(v_th, np.float64),
            0.0 if last else code.unit_decay,
        )
        own = _UNITS if last else f"hidden_{depth}"
        layers.append(_layer(own, function, layers[-1].name, layers[-1].shape))
    distances = PatternDistances(targets, code.readout_decay, code.multiplication_free)
    layers.append(_layer(_OUTPUT, distances, layers[-1].name, layers[-1].shape))
    return AnalogGraph(name, (GraphInput(_INPUT, shape),), tuple(layers), (_OUTPUT,))


def check_encoder(encoder: Encoder) -> LevelEncoder:
    """Return the encoder; `ParameterError` if it has no spike patterns."""
    if not isinstance(encoder, LevelEncoder):
        raise ParameterError(
            "the correlative code needs an encoder with spike patterns, cte or ecte. "
            f"Received: {type(encoder).__name__}."
        )
    return encoder


def _layer(
    name: str,
    function: LevelPatterns | SpikingUnits | PatternDistances,
    source: str,
    shape: tuple[int, ...],
) -> Layer:
    affine = Affine((Term(source, identity(shape)),), np.zeros((1,) * len(shape)), shape)
    return Layer(name, function, (affine,), function.out_shape([shape]))
