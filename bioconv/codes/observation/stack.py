"""The analog network of a stack of dense layers with observation periods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph, GraphInput, Term
from bioconv.analog.functions import FirstSpikes, ReLU
from bioconv.analog.graph import Layer
from bioconv.codes.observation.code import ObservationCode
from bioconv.ground.errors import ParameterError
from bioconv.operators import Reshape, identity, scaled

_INPUT, _ENCODER, _OUTPUT = "x", "encoder", "out"


def dense_graph(
    code: ObservationCode,
    weights: Sequence[NDArray],
    periods: Sequence[NDArray],
    shape: tuple[int, ...],
    *,
    highest: float = 1.0,
    name: str = "observation",
) -> AnalogGraph:
    """Return the analog network of dense layers, which `bioconv.convert` turns into a spiking one.

    Parameters
    ----------
    code : ObservationCode
    weights : sequence of ndarray, shape (n_pre, n)
        For each layer, the output included.
    periods : sequence of ndarray, shape (n,)
        Observation periods in units of T.
    shape : tuple of int
        Shape of one input.
    highest : float
        Input that fires first (Gamma_max of stanojevic Eq A.1).
    name : str

    Returns
    -------
    AnalogGraph
        Inputs are clipped to [0, 1], then follows one `bioconv.analog.functions.FirstSpikes` for
        each layer.  Outputs are larger for earlier spikes, and 0 without a spike.

    Raises
    ------
    ParameterError
        If shapes do not fit.
    """
    sizes = [int(np.prod(shape)), *(len(period) for period in periods)]
    right = list(zip(sizes, sizes[1:], strict=False))
    found = [np.shape(kernel) for kernel in weights]
    if found != right:
        raise ParameterError(
            f"dense_graph: weights must have the shapes {right} for inputs of shape {shape} and "
            f"these periods. Received: {found}."
        )
    horizon = 1.0 + float(sum(np.max(period) for period in periods))
    operator = scaled(identity(shape), post=1.0 / highest)
    given = Affine((Term(_INPUT, operator),), np.zeros((1,) * len(shape)), shape)
    layers = [Layer(_ENCODER, ReLU(max_value=1.0), (given,), shape)]
    for depth, (kernel, period) in enumerate(zip(weights, periods, strict=True), 1):
        before, n_pre = layers[-1], kernel.shape[:1]
        # The activation of an input is 1 - t: the next layer counts from the horizon.
        bias = np.full((1,), horizon - 1.0 if depth == 1 else 0.0)
        term = Term(before.name, Reshape(before.shape, n_pre))
        function = FirstSpikes(
            np.asarray(kernel, np.float64),
            np.full(len(period), code.alpha),
            np.asarray(period, np.float64),
            horizon,
            v_th=code.v_th,
            epsilon=code.epsilon,
        )
        own = _OUTPUT if depth == len(weights) else f"hidden_{depth}"
        layers.append(Layer(own, function, (Affine((term,), bias, n_pre),), kernel.shape[1:]))
    return AnalogGraph(name, (GraphInput(_INPUT, shape),), tuple(layers), (_OUTPUT,))
