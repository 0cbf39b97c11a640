"""Operators between units and their neurons, which form an additional last axis."""

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
    """Return an operator that sums the neurons of each unit, (*shape, n) -> shape."""
    return compose(Dense((*shape, n), np.ones((n, 1))), Reshape((*shape, 1), shape))


def spread(shape: Shape, n: int) -> Operator:
    """Return an operator that copies a value to all neurons of a unit, shape -> (*shape, n)."""
    return compose(Reshape(shape, (*shape, 1)), Broadcast((*shape, 1), (*shape, n)))


def lifted(operator: Operator, n: int) -> Operator:
    """Apply an operator that moves values to the k-th neurons of all units, for every k.

    Parameters
    ----------
    operator : Operator
        An operator that only moves values, in_shape -> out_shape.
    n : int

    Returns
    -------
    Operator
        (*in_shape, n) -> (*out_shape, n).

    Raises
    ------
    ConversionError
        If the operator does more than move values.
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
            # The neurons are merged with the channels, because a window treats all channels alike.
            *spatial, channels = operator.in_shape
            cell = replace(operator, in_shape=(*spatial, channels * n))
            after = Reshape(cell.out_shape, (*operator.out_shape, n))
            return compose(Reshape(shape, cell.in_shape), cell, after)
    kind = type(operator).__name__
    raise ConversionError(
        "The population code cannot represent a maximum:",
        [
            Problem(
                "max pooling",
                kind,
                "its input is weighted.",
                "Pool the outputs of layers directly.",
            )
        ],
    )
