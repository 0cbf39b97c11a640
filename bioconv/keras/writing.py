"""Write analog networks as Keras models, the inverse of `bioconv.read`.

The names are public in `bioconv.keras`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import Affine, AnalogGraph
from bioconv.analog.functions import Linear, Maximum, MaxPool, Minimum, Multiply, PReLU, ReLU
from bioconv.analog.graph import Layer
from bioconv.ground.errors import ConversionError, Problem
from bioconv.ground.keras_engine import import_keras
from bioconv.ground.naming import free_name
from bioconv.operators import (
    AveragePool,
    Chain,
    Conv,
    Crop,
    Dense,
    Operator,
    Pad,
    Permute,
    Reshape,
    Scale,
    Upsample,
    is_identity,
    keras_paddings,
)
from bioconv.operators.base import last_axis_factor
from bioconv.reading.layers.activation import ACTIVATIONS

if TYPE_CHECKING:
    import keras
else:
    keras = import_keras()

Pairs = tuple[tuple[int, int], ...]
_COMBINING = {Maximum: "Maximum", Minimum: "Minimum", Multiply: "Multiply"}


def write(graph: AnalogGraph) -> Any:
    """Return the Keras model that computes an analog network.

    It is the way back to Keras for a network that was trained as a spiking network (stanojevic
    2023, thesis, Eq 3.4).  Layers that were merged when a model was read, such as batch
    normalization, stay merged.

    Parameters
    ----------
    graph : AnalogGraph

    Returns
    -------
    keras.Model
        A functional model that is not compiled.  Its activations have the names of the layers of
        the graph.

    Raises
    ------
    ConversionError
        If there is no Keras layer for a part of the graph; the message lists all of them.

    Examples
    --------
    >>> import bioconv as bc
    >>> from bioconv.models import weights_path
    >>> model = bc.keras.write(bc.read(weights_path("digits_mlp")))
    >>> model.count_params()
    6570
    """
    writer = _Writer()
    values = {
        entry.name: keras.Input(entry.shape, name=_free(entry.name, writer.names))
        for entry in graph.inputs
    }
    inputs = list(values.values())
    for layer in graph.layers:
        values[layer.name] = writer.layer(layer, values)
    if writer.problems:
        raise ConversionError(f"{graph.name} cannot be written for Keras:", writer.problems)
    model = keras.Model(inputs, [values[name] for name in graph.outputs], name=_plain(graph.name))
    for layer, weights in writer.weights:
        layer.set_weights(weights)
    return model


def _plain(name: str) -> str:
    """Return a name that Keras accepts, which has no slash."""
    return name.replace("/", "_") or "model"


def _free(wanted: str, taken: set[str]) -> str:
    name = free_name(_plain(wanted), taken)
    taken.add(name)
    return name


class _Refused(Exception):
    """A part of a layer for which there is no Keras layer."""

    def __init__(self, what: str, reason: str) -> None:
        self.what, self.reason = what, reason
        super().__init__(f"{what} {reason}")


@dataclass
class _Writer:
    """Adds Keras layers one after the other; collects their weights and all problems."""

    names: set[str] = field(default_factory=set)
    weights: list[tuple[Any, list[NDArray]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def layer(self, layer: Layer, values: dict[str, Any]) -> Any:
        """Return the tensor of a layer; that of an input of its shape if it cannot be written."""
        try:
            return self._written(layer, values)
        except _Refused as refused:
            self.problems.append(Problem(layer.name, refused.what, refused.reason))
            return keras.Input(layer.shape)

    def _written(self, layer: Layer, values: dict[str, Any]) -> Any:
        function = _function_of(layer)
        name = layer.name if isinstance(layer.function, Linear) else f"{layer.name}_input"
        inputs = [self._affine(affine, values, name) for affine in layer.inputs]
        if function is None:
            return inputs[0]
        made = function(_free(layer.name, self.names))
        if isinstance(layer.function, PReLU):
            alpha = np.broadcast_to(layer.function.alpha, layer.shape)
            self.weights.append((made, [alpha.astype(np.float32)]))
        return made(inputs[0] if len(inputs) == 1 else inputs)

    def _affine(self, affine: Affine, values: dict[str, Any], name: str) -> Any:
        """Return the sum of all contributions and the bias."""
        parts, bias = [], np.asarray(affine.bias, np.float64)
        shared = last_axis_factor(bias, affine.shape)
        for number, term in enumerate(affine.terms):
            own = shared if number == 0 else None
            own_name = name if len(affine.terms) == 1 else f"{name}_{number + 1}"
            value, used = self._operator(term.operator, values[term.source], own_name, own)
            shared = None if used else shared
            bias = np.zeros(()) if used else bias
            parts.append(value)
        total = parts[0]
        if len(parts) > 1:
            total = keras.layers.Add(name=_free(f"{name}_sum", self.names))(parts)
        if np.any(bias):
            offset = bias.reshape(bias.shape[-len(affine.shape) :]).tolist()
            shift = keras.layers.Rescaling(1.0, offset, name=_free(f"{name}_bias", self.names))
            total = shift(total)
        return total

    def _operator(
        self, operator: Operator, value: Any, name: str, bias: NDArray | None
    ) -> tuple[Any, bool]:
        """Return the tensor after an operator, and whether its last layer has the bias."""
        parts = operator.operators if isinstance(operator, Chain) else (operator,)
        parts = tuple(part for part in parts if not is_identity(part))
        used = False
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            own = name if last else f"{name}_{type(part).__name__.lower()}"
            match part:
                case Dense() | Conv():
                    used = last and bias is not None and bool(np.any(bias))
                    value = self._weighted(part, value, own, bias if used else None)
                case _:
                    value = self._unweighted(part, value, own)
        return value, used

    def _weighted(self, part: Dense | Conv, value: Any, name: str, bias: NDArray | None) -> Any:
        kernel = np.asarray(part.kernel, np.float32)
        options = {"use_bias": bias is not None}
        if isinstance(part, Dense):
            made = keras.layers.Dense(kernel.shape[-1], name=_free(name, self.names), **options)
        else:
            if set(part.input_dilation) != {1} or len(part.size) > 3:
                raise _Refused("Conv", "is a transposed convolution, or has over three axes.")
            value, mode = self._padded(part, value, name)
            made = getattr(keras.layers, f"Conv{len(part.size)}D")(
                kernel.shape[-1],
                part.size,
                strides=part.strides,
                padding=mode,
                dilation_rate=part.dilation,
                groups=part.groups,
                name=_free(name, self.names),
                **options,
            )
        weights = [kernel] if bias is None else [kernel, np.asarray(bias, np.float32)]
        self.weights.append((made, weights))
        return made(value)

    def _padded(self, part: Any, value: Any, name: str) -> tuple[Any, str]:
        """Return the input of a convolution with zeros around it, and its kind of padding."""
        spatial = part.in_shape[:-1]
        same = keras_paddings(spatial, part.size, part.strides, part.dilation, "same")
        if tuple(part.padding) == same:
            return value, "same"
        low = tuple((max(a, 0), max(b, 0)) for a, b in part.padding)
        crop = tuple((max(-a, 0), max(-b, 0)) for a, b in part.padding)
        value = self._around("ZeroPadding", low, value, f"{name}_pad")
        return self._around("Cropping", crop, value, f"{name}_crop"), "valid"

    def _around(self, kind: str, pairs: Pairs, value: Any, name: str) -> Any:
        if not np.any(pairs):
            return value
        made = getattr(keras.layers, f"{kind}{len(pairs)}D")
        sizes = pairs[0] if len(pairs) == 1 else pairs
        return made(sizes, name=_free(name, self.names))(value)

    def _unweighted(self, part: Operator, value: Any, name: str) -> Any:
        match part:
            case Reshape(new_shape=shape):
                made = keras.layers.Reshape(shape, name=_free(name, self.names))
            case Permute(axes=axes):
                order = tuple(axis + 1 for axis in axes)
                made = keras.layers.Permute(order, name=_free(name, self.names))
            case Scale(factor=factor):
                values = np.asarray(factor).tolist()
                made = keras.layers.Rescaling(values, name=_free(name, self.names))
            case Pad(padding=pairs) if not any(pairs[-1]) and len(pairs) <= 4:
                return self._around("ZeroPadding", tuple(pairs[:-1]), value, name)
            case Crop(cropping=pairs) if not any(pairs[-1]) and len(pairs) <= 4:
                return self._around("Cropping", tuple(pairs[:-1]), value, name)
            case Upsample(factors=factors) if len(factors) <= 3:
                sizes = factors[0] if len(factors) == 1 else tuple(factors)
                kind = getattr(keras.layers, f"UpSampling{len(factors)}D")
                made = kind(sizes, name=_free(name, self.names))
            case AveragePool() if len(part.size) <= 3 and _mode_of(part) is not None:
                made = getattr(keras.layers, f"AveragePooling{len(part.size)}D")(
                    part.size,
                    strides=part.strides,
                    padding=_mode_of(part),
                    name=_free(name, self.names),
                )
            case _:
                raise _Refused(type(part).__name__, "has no Keras layer with these settings.")
        return made(value)


def _function_of(layer: Layer) -> Callable[[str], Any] | None:
    """Return the Keras layer of a function, as a function of its name; None if there is none."""
    function = layer.function
    match function:
        case Linear():
            return None
        case ReLU(negative_slope=slope, max_value=limit, threshold=threshold):
            most = limit if np.isfinite(limit) else None
            return lambda name: keras.layers.ReLU(most, slope, threshold, name=name)
        case PReLU():
            return lambda name: keras.layers.PReLU(name=name)
        case MaxPool(size=size, strides=strides, padding=padding) if len(size) <= 3:
            mode = _pool_mode(layer.inputs[0].shape, function)
            if mode is None:
                raise _Refused("MaxPool", f"has a padding that Keras does not have: {padding}.")
            kind = getattr(keras.layers, f"MaxPooling{len(size)}D")
            return lambda name: kind(size, strides=strides, padding=mode, name=name)
        case Maximum() | Minimum() | Multiply():
            kind = getattr(keras.layers, _COMBINING[type(function)])
            return lambda name: kind(name=name)
    for key, known in ACTIVATIONS.items():
        if known is not None and type(known) is type(function) and vars(known) == vars(function):
            return lambda name: keras.layers.Activation(key, name=name)
    raise _Refused(type(function).__name__, "has no Keras layer with these settings.")


def _mode_of(part: AveragePool) -> str | None:
    """Return the padding of an average pooling in Keras, which has two kinds."""
    return _mode(part.in_shape[:-1], part.size, part.strides, tuple(part.padding))


def _pool_mode(shape: tuple[int, ...], pool: MaxPool) -> str | None:
    return _mode(shape[:-1], pool.size, pool.strides, tuple(pool.padding))


def _mode(
    spatial: tuple[int, ...], size: tuple[int, ...], strides: tuple[int, ...], padding: Pairs
) -> str | None:
    if not np.any(padding):
        return "valid"
    same = keras_paddings(spatial, size, strides, (1,) * len(size), "same")
    return "same" if padding == same else None
