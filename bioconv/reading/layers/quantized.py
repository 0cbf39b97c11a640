"""The parts of readers that quantized layers share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import Float8Rounding, IntegerRounding
from bioconv.reading.context import Context
from bioconv.reading.quantized import input_range, mode_of, true_weight
from bioconv.reading.tensors import Tensor


def weight(context: Context, name: str, shape: tuple[int, ...], n_in: int) -> NDArray[np.float64]:
    """Return a weight, of which the first ``n_in`` axes are summed over, quantized or not."""
    if not mode_of(context.spec):
        return context.weight(name, shape)
    return true_weight(context.spec, context.weights, shape, n_in)


def rounded(context: Context, x: Tensor, n_axes: int) -> Tensor:
    """Return the input as a quantized layer rounds it, together along its last axes."""
    mode = mode_of(context.spec)
    if mode == "float8":
        scale = Float8Rounding(float(context.weights["inputs_scale"]))
        return context.layer(scale, x, shape=x.shape, suffix="/rounded")
    limits = input_range(context.config, mode) if mode else None
    if limits is None:
        return x
    axes = tuple(range(len(x.shape) + 1 - n_axes, len(x.shape) + 1))
    return context.layer(IntegerRounding(axes, *limits), x, shape=x.shape, suffix="/rounded")


def bias(context: Context, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the bias, which has the precision of bfloat16 in a layer of 8-bit floats."""
    array = context.weight("bias", shape)
    if mode_of(context.spec) != "float8":
        return array
    import ml_dtypes

    return array.astype(ml_dtypes.bfloat16).astype(np.float64)
