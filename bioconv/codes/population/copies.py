"""Operators between units and their neurons: the neurons are one axis more, the last."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bioconv.ground.errors import ConversionError, Problem
from bioconv.operators import (
    Broadcast,
    Chain,
    Crop,
    Dense,
    Operator,
    Pad,
    Permute,
    Place,
    Reshape,
    Shape,
    Upsample,
    WindowCell,
    compose,
)


def gather(shape: Shape, n: int) -> Operator:
    """Add up the neurons of each unit: (*shape, n) -> shape."""
    return compose(Dense((*shape, n), np.ones((n, 1))), Reshape((*shape, 1), shape))


def spread(shape: Shape, n: int) -> Operator:
    """Copy to the neurons of each unit: shape -> (*shape, n)."""
    return compose(Reshape(shape, (*shape, 1)), Broadcast((*shape, 1), (*shape, n)))


def lifted(operator: Operator, n: int) -> Operator:
    """The same moves of values for the k-th neurons of units, for every k.

    Parameters
    ----------
    operator : Operator
        One that only moves values, in_shape -> out_shape.
    n : int

    Returns
    -------
    Operator
        (*in_shape, n) -> (*out_shape, n).

    Raises
    ------
    ConversionError
        The operator does more than to move values.
    """
    shape = (*operator.in_shape, n)
    match operator:
        case Chain(operators=parts):
            return compose(*(lifted(part, n) for part in parts))
        case Reshape(new_shape=new):
            return Reshape(shape, (*new, n))
        case Permute(axes=axes):
            return Permute(shape, (*axes, len(axes)))
        case Pad(padding=padding):
            return Pad(shape, (*padding, (0, 0)))
        case Crop(cropping=cropping):
            return Crop(shape, (*cropping, (0, 0)))
        case Broadcast(shape=new):
            before = (1,) * (len(new) - len(operator.in_shape))
            full = (*before, *shape)
            return compose(Reshape(shape, full), Broadcast(full, (*new, n)))
        case Place():
            return replace(operator, in_shape=shape)
        case Upsample(factors=factors):
            return Upsample(shape, (*factors, 1))
        case WindowCell():
            # The neurons join the channels: a window treats every channel alike.
            *spatial, channels = operator.in_shape
            cell = replace(operator, in_shape=(*spatial, channels * n))
            after = Reshape(cell.out_shape, (*operator.out_shape, n))
            return compose(Reshape(shape, cell.in_shape), cell, after)
    kind = type(operator).__name__
    raise ConversionError(
        "The population code cannot carry a maximum:",
        [Problem("max pooling", kind, "what it pools is more than moved.", "Pool plain layers.")],
    )
