"""Convert operators to the linear nodes of NIR.

NIR has the channels first and defines convolutions as PyTorch does, but supports fewer of them:
padding is the same on both sides, and nir 1.0.8 uses the height of a kernel as its width and the
channels of a group as all channels.  Adding zeros around a kernel gives an equivalent convolution
in all these cases.  Average pooling is written as a sum (which more platforms read), and the
division is included in the weights that follow.  Operators without such a form become matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.operators import (
    AveragePool,
    Chain,
    Conv,
    Dense,
    Operator,
    Reshape,
    Scale,
    compose,
    n_windows,
    ungrouped,
)
from bioconv.targets.nir.graph import Node, Shape, first

Array = NDArray[Any]

#: largest number of weights of one node
MOST_WEIGHTS = 2**26
#: largest number of neurons that are connected one to one
_MOST_COPIED = 4096


def structured(operator: Operator) -> list[Operator] | None:
    """Return the operator as sums, convolutions, one flattening and matrices, or None."""
    found: list[Operator] = []
    for part in _parts(operator):
        forms = _form(part)
        if forms is None:
            return None
        found += forms
    if not found or not isinstance(found[-1], Conv | Dense):
        copied = _copy(found[-1].out_shape if found else operator.out_shape)
        if copied is None:
            return None
        found.append(copied)
    return found


def _parts(operator: Operator) -> Iterator[Operator]:
    simple = compose(operator)
    yield from simple.operators if isinstance(simple, Chain) else (simple,)


def _form(part: Operator) -> list[Operator] | None:
    rank = len(part.in_shape)
    if isinstance(part, AveragePool) and rank == 3 and not np.any(part.padding):
        return [part]
    if isinstance(part, Conv) and rank in (2, 3):
        return _convolution(part)
    if isinstance(part, Dense):
        return [part] if rank == 1 else _pointwise(part.in_shape, part.kernel)
    if isinstance(part, Reshape):
        if part.in_shape == part.out_shape:
            return []
        return [part] if len(part.out_shape) == 1 and rank in (2, 3) else None
    if isinstance(part, Scale):
        return _factors(part)
    return None


def _factors(part: Scale) -> list[Operator] | None:
    factor = np.asarray(part.factor)
    if factor.size not in (1, factor.shape[-1] if factor.ndim else 1):
        return None
    n = part.in_shape[-1]
    diagonal = np.diag(np.broadcast_to(factor.ravel(), (n,))) if n <= _MOST_COPIED else None
    if diagonal is None:
        return None
    if len(part.in_shape) == 1:
        return [Dense(part.in_shape, diagonal)]
    return _pointwise(part.in_shape, diagonal)


def _pointwise(shape: Shape, kernel: Array) -> list[Operator] | None:
    if len(shape) not in (2, 3):
        return None
    return [Conv(shape, np.asarray(kernel).reshape(*(1,) * (len(shape) - 1), *kernel.shape))]


def _copy(shape: Shape) -> Operator | None:
    """Return an operator that connects every neuron to the one in the same place."""
    n = shape[-1]
    if len(shape) > 3 or n > _MOST_COPIED:
        return None
    if len(shape) == 1:
        return Dense(shape, np.eye(n))
    return Conv(shape, np.eye(n).reshape(*(1,) * (len(shape) - 1), n, n))


def _convolution(conv: Conv) -> list[Operator] | None:
    """Return the convolution with zeros around its kernel, so that NIR can represent it."""
    if any(d != 1 for d in conv.input_dilation) or np.min(conv.padding) < 0:
        return None
    if conv.kernel.size * conv.groups > MOST_WEIGHTS:
        return None
    whole = replace(conv, kernel=ungrouped(conv), groups=1)
    return _framed(whole) or _framed(_undilated(whole))


def _framed(conv: Conv) -> list[Operator] | None:
    """Return the convolution with equal padding on both sides and a square kernel."""
    most = max(conv.size)
    for wide in range(most, most + 3 * int(np.max(conv.padding)) + 2):
        leads = [_zeros_before(axis, wide) for axis in conv.axes]
        if None not in leads:
            before = [lead for lead in leads if lead is not None]
            zeros = [(a, wide - k - a) for a, k in zip(before, conv.size, strict=True)]
            starts = [low for low, _ in conv.padding]
            both = [low + a * d for low, a, d in zip(starts, before, conv.dilation, strict=True)]
            padded = np.pad(conv.kernel, (*zeros, (0, 0), (0, 0)))
            return [replace(conv, kernel=padded, padding=tuple((n, n) for n in both))]
    return None


def _undilated(conv: Conv) -> Conv:
    """Return the convolution with the gaps of its dilated kernel filled with zeros."""
    size = [(k - 1) * d + 1 for k, d in zip(conv.size, conv.dilation, strict=True)]
    kernel = np.zeros((*size, *conv.kernel.shape[-2:]))
    kernel[tuple(slice(None, None, d) for d in conv.dilation)] = conv.kernel
    return replace(conv, kernel=kernel, dilation=(1,) * len(size))


def _zeros_before(axis: tuple[int, int, int, tuple[int, int], int, int], wide: int) -> int | None:
    """Return the zeros before a kernel along one axis; with those behind, it is ``wide``.

    The padding then has to be the same on both sides, and the number of windows must not change.
    """
    n, size, stride, padding, dilation, _ = axis
    n_out = n_windows(n, size, stride, padding, dilation)
    for before in range(wide - size + 1):
        both = padding[0] + before * dilation
        if n_windows(n, wide, stride, (both, both), dilation) == n_out:
            return before
    return None


def structured_nodes(forms: list[Operator], bias: Array, flat: bool) -> Iterator[tuple[str, Node]]:
    """Yield the nodes of operators from `structured`, each with its description.

    Parameters
    ----------
    forms : list of Operator
    bias : ndarray of shape (n,)
        Bias of each channel, added by the last node; all zero if there is none.
    flat : bool
        Whether the input is flattened with the channels last; ``forms`` then begins with a Reshape.
    """
    shape, factor, order = forms[0].in_shape, 1.0, slice(None)
    for number, form in enumerate(forms):
        added = bias if number == len(forms) - 1 else np.zeros(form.out_shape[-1])
        if isinstance(form, AveragePool):
            yield "pool", _pool(form)
            factor /= prod(form.size)
        elif isinstance(form, Reshape) and not (flat and number == 0):
            yield "flatten", _flatten(shape)
            order = first_order(shape)  # type: ignore[assignment]
        elif isinstance(form, Conv):
            yield "conv", _conv(form, factor, added)
            factor = 1.0
        elif isinstance(form, Dense):
            yield "weight", matrix_node(factor * np.asarray(form.kernel)[order], added)
            factor, order = 1.0, slice(None)
        shape = form.out_shape


def first_order(shape: Shape) -> Array:
    """Return the channels-last index of each value of an array flattened with channels first."""
    return np.moveaxis(np.arange(prod(shape)).reshape(shape), -1, 0).ravel()


def matrix_nodes(operator: Operator, bias: Array, shape: Shape) -> Iterator[tuple[str, Node]]:
    """Yield the nodes of the operator as a matrix between flat arrays.

    Parameters
    ----------
    operator : Operator
        With at most `MOST_WEIGHTS` pairs of input and output.
    bias : ndarray, shape (n_out,)
    shape : tuple of int
        Shape of the input: that of the operator, or its flattened form.
    """
    weight = operator.matrix().toarray()
    if len(shape) > 1:
        yield "flatten", _flatten(shape)
        weight = weight[first_order(shape)]
    yield "weight", matrix_node(weight, bias)


def matrix_node(kernel: Array, bias: Array) -> Node:
    """Return the node of a matrix (n_in, n_out), with a bias if it has one."""
    weight = np.ascontiguousarray(kernel.T)
    if not np.any(bias):
        return Node("Linear", {"weight": weight})
    return Node("Affine", {"weight": weight, "bias": np.asarray(bias)})


def _flatten(shape: Shape) -> Node:
    values = {"input_type": np.array(first(shape)), "start_dim": 0, "end_dim": -1}
    return Node("Flatten", values)


def _pool(pool: AveragePool) -> Node:
    values = {
        "kernel_size": np.array(pool.size),
        "stride": np.array(pool.strides),
        "padding": np.zeros(2, np.int64),
    }
    return Node("SumPool2d", values)


def _conv(conv: Conv, factor: float, bias: Array) -> Node:
    rank = len(conv.size)
    kernel = factor * np.asarray(conv.kernel, np.float64)
    weight = kernel.transpose(rank + 1, rank, *range(rank))  # (filters, channels, *size)
    numbers = {
        "input_shape": conv.in_shape[:-1],
        "stride": conv.strides,
        "padding": tuple(low for low, _ in conv.padding),
        "dilation": conv.dilation,
    }
    values: dict[str, Any] = {
        name: np.array(entry) if rank > 1 else int(entry[0]) for name, entry in numbers.items()
    }
    values |= {
        "weight": np.ascontiguousarray(weight),
        "groups": 1,
        "bias": np.asarray(bias),
    }
    return Node(f"Conv{rank}d", values)
