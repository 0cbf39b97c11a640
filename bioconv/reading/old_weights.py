"""Convert weight arrays that older versions of Keras stored to the layout of Keras 3.

The layouts are those that Keras 2 converts when it loads such a file
(``preprocess_weights_for_loading``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import Era, LayerSpec

Arrays = list[NDArray]

#: layers whose kernel is stored flipped by Theano, whose convolution flips it
_FLIPPED = (
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
)
#: Keras 1 stored an LSTM as W, U, b of the gates i, c, f, o; the order of Keras 3 is i, f, c, o
_LSTM_GATES = (0, 2, 1, 3)
_GRU_GATES = (0, 1, 2)


def upgrade_weights(spec: LayerSpec, arrays: Arrays, era: Era) -> Arrays:
    """Return the arrays of a layer in the number, order and layout of Keras 3.

    Parameters
    ----------
    spec : LayerSpec
        The upgraded specification.  Wrappers are upgraded like the layer that they wrap.
    arrays : list of ndarray
        The stored arrays.
    era : Era

    Returns
    -------
    list of ndarray

    Raises
    ------
    Refusal
        If the arrays do not have the shapes of the old layout.
    """
    if spec.kind == "TimeDistributed" and isinstance(spec.inner, LayerSpec):
        return upgrade_weights(spec.inner, arrays, era)
    if spec.kind == "Bidirectional" and isinstance(spec.inner, LayerSpec):
        half = len(arrays) // 2
        ways = (arrays[:half], arrays[half:])
        return [array for way in ways for array in upgrade_weights(spec.inner, way, era)]
    try:
        if era.keras == 1:
            arrays = _FROM_KERAS_1.get(spec.kind, _same)(spec, arrays)
        if spec.config.get("cudnn"):
            arrays = _from_cudnn(spec, arrays)
    except (IndexError, ValueError):
        shapes = [array.shape for array in arrays]
        raise Refusal(f"its weights have incompatible shapes: {shapes}.") from None
    if era.backend == "theano" and spec.kind in _FLIPPED and arrays:
        axes = tuple(range(arrays[0].ndim - 2))
        arrays = [np.flip(arrays[0], axes), *arrays[1:]]
    return arrays


def _same(spec: LayerSpec, arrays: Arrays) -> Arrays:
    return arrays


def _conv1d(spec: LayerSpec, arrays: Arrays) -> Arrays:
    """Convert (length, 1, channels, filters) or, before Keras 1.2, its channels-first form."""
    kernel = arrays[0]
    if kernel.ndim != 4:
        return arrays
    length, filters = spec.config.integer("kernel_size"), spec.config.integer("filters")
    if kernel.shape[:2] != (length, 1) or kernel.shape[3] != filters:
        kernel = kernel.transpose(2, 3, 1, 0)
    return [kernel[:, 0], *arrays[1:]]


def _first_is_last(spec: LayerSpec, arrays: Arrays) -> Arrays:
    """Convert (filters, channels, *size) to (*size, channels, filters)."""
    if spec.config.get("data_format") != "channels_first":
        return arrays
    return [np.moveaxis(arrays[0], (1, 0), (-2, -1)), *arrays[1:]]


def _transposed(spec: LayerSpec, arrays: Arrays) -> Arrays:
    """Convert (filters, channels, ...) or (..., filters) to (rows, columns, filters, channels)."""
    if spec.config.get("data_format") == "channels_first":
        return [np.moveaxis(arrays[0], (0, 1), (-2, -1)), *arrays[1:]]
    return [arrays[0].swapaxes(-1, -2), *arrays[1:]]


def _gates(order: tuple[int, ...]) -> Callable[[LayerSpec, Arrays], Arrays]:
    """Join W, U, b of all gates to a kernel, a recurrent kernel and a bias in ``order``."""

    def joined(spec: LayerSpec, arrays: Arrays) -> Arrays:
        if len(arrays) != 3 * len(order):
            return arrays
        return [
            np.concatenate([arrays[3 * gate + part] for gate in order], axis=-1)
            for part in range(3)
        ]

    return joined


def _from_cudnn(spec: LayerSpec, arrays: Arrays) -> Arrays:
    """Convert from cuDNN, which multiplies from the left and has two separate biases."""
    n_gates = 4 if spec.kind == "LSTM" else 3
    kernel, recurrent, bias = arrays
    parts = np.split(kernel, n_gates, axis=1)
    kernel = np.concatenate([part.T.reshape(part.shape, order="F") for part in parts], axis=1)
    recurrent = np.concatenate([part.T for part in np.split(recurrent, n_gates, axis=1)], axis=1)
    both = bias.reshape(2, -1)
    return [kernel, recurrent, both if spec.kind == "GRU" else both.sum(axis=0)]


_FROM_KERAS_1: Mapping[str, Callable[[LayerSpec, Arrays], Arrays]] = {
    "Conv1D": _conv1d,
    "Conv2D": _first_is_last,
    "Conv3D": _first_is_last,
    "Conv2DTranspose": _transposed,
    "LSTM": _gates(_LSTM_GATES),
    "GRU": _gates(_GRU_GATES),
}
