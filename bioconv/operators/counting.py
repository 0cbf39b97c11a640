"""Count synapses, from the structure of operators where possible, without listing edges."""

from __future__ import annotations

from functools import reduce, singledispatch

import numpy as np
from numpy.typing import NDArray

from bioconv.operators.base import Operator
from bioconv.operators.chain import Chain
from bioconv.operators.conv import Conv
from bioconv.operators.dense import Dense
from bioconv.operators.pool import AveragePool
from bioconv.operators.scale import Scale
from bioconv.operators.selection import Broadcast, Polarity, Selection
from bioconv.operators.windows import taps

Counts = NDArray[np.int64]


def n_synapses(operator: Operator) -> int:
    """Return the number of non-zero synapses."""
    return int(fan_out(operator).sum())


@singledispatch
def fan_out(operator: Operator) -> Counts:
    """Return the number of non-zero synapses of each input neuron.

    Parameters
    ----------
    operator : Operator

    Returns
    -------
    ndarray of int64, shape (n_in,)
    """
    return np.bincount(operator.edges().pre, minlength=operator.n_in)


@fan_out.register
def _(operator: Dense) -> Counts:
    rows = np.count_nonzero(operator.kernel, axis=1)
    return np.tile(rows, operator.n_in // len(rows))


@fan_out.register
def _(operator: Scale) -> Counts:
    return np.broadcast_to(operator.factor != 0, operator.in_shape).ravel().astype(np.int64)


@fan_out.register
def _(operator: Polarity) -> Counts:
    return np.ones(operator.n_in, np.int64)


@fan_out.register
def _(operator: Selection) -> Counts:
    source = operator.sources()
    return np.bincount(source[source >= 0], minlength=operator.n_in)


@fan_out.register
def _(operator: AveragePool) -> Counts:
    spatial = operator.in_shape[:-1]
    axes = zip(spatial, operator.size, operator.strides, operator.padding, strict=True)
    windows = [np.bincount(taps(*axis)[0], minlength=axis[0]) for axis in axes]
    return np.repeat(reduce(np.multiply.outer, windows).ravel(), operator.in_shape[-1])


@fan_out.register
def _(operator: Conv) -> Counts:
    by_filter = operator.kernel.reshape(*operator.kernel.shape[:-1], operator.groups, -1) != 0
    by_tap = by_filter.sum(axis=-1).swapaxes(-1, -2)  # (*size, groups, channels of the group)
    counts = by_tap.reshape(*operator.size, operator.in_shape[-1])
    for axis, setting in enumerate(operator.axes):
        cell, _, tap = taps(*setting)
        meets = np.zeros((setting[0], setting[1]), np.int64)  # a tap covers a cell at most once
        meets[cell, tap] = 1
        counts = np.moveaxis(np.tensordot(meets, counts, axes=(1, axis)), 0, axis)
    return counts.ravel()


@fan_out.register
def _(operator: Chain) -> Counts:
    first, rest = operator.operators[0], operator.operators[1:]
    if not rest:
        return fan_out(first)
    target = targets(first)
    if target is not None:
        behind = fan_out(Chain(rest))
        return np.where(target >= 0, behind[target], 0)
    *most, last = operator.operators
    if isinstance(last, Broadcast):  # copies of every value at different positions
        return fan_out(Chain(tuple(most))) * (last.n_out // last.n_in)
    target = targets(last)
    if target is not None and _is_injective(target):
        return fan_out(Chain(tuple(most)))
    return np.bincount(operator.edges().pre, minlength=operator.n_in)


def _is_injective(target: Counts) -> bool:
    return bool(np.all(target >= 0)) and len(np.unique(target)) == len(target)


def targets(operator: Operator) -> Counts | None:
    """Return the output that each input reaches (-1 for none), or None if any reaches several."""
    structured = isinstance(operator, Selection | AveragePool | Scale | Polarity)
    # a sum over the last axis has one output for each input as well
    structured |= isinstance(operator, Dense) and operator.kernel.shape[1] == 1
    if not structured or np.any(fan_out(operator) > 1):
        return None
    edges = operator.edges()
    target = np.full(operator.n_in, -1, np.int64)
    target[edges.pre] = edges.post
    return target
