"""Readers of activations, both as arguments of other layers and as separate layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from bioconv.analog.functions import (
    Celu,
    CumulativeNormal,
    Elementwise,
    Elu,
    Exponential,
    FICurve,
    Gelu,
    HardSigmoid,
    HardSilu,
    HardTanh,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Softsign,
    Squareplus,
    Tanh,
)
from bioconv.analog.measured import curve_of
from bioconv.ground.errors import ParameterError
from bioconv.reading.config import Config, shown
from bioconv.reading.context import Context
from bioconv.reading.refusal import Refusal, UnsafeCode
from bioconv.reading.spec import LayerSpec
from bioconv.reading.tensors import Tensor
from bioconv.reading.upgrade_arguments import CLASSES

#: name of an activation -> its function; None for the identity
ACTIVATIONS: Mapping[str, Elementwise | None] = {
    "linear": None,
    "relu": ReLU(),
    "relu6": ReLU(max_value=6.0),
    "leaky_relu": ReLU(negative_slope=0.2),
    "elu": Elu(),
    "selu": Selu(),
    "celu": Celu(),
    "softmax": Softmax(),
    "log_softmax": LogSoftmax(),
    "softplus": Softplus(),
    "softsign": Softsign(),
    "sigmoid": Sigmoid(),
    "log_sigmoid": LogSigmoid(),
    "tanh": Tanh(),
    "hard_tanh": HardTanh(),
    "hard_sigmoid": HardSigmoid(),
    "keras2_hard_sigmoid": HardSigmoid(slope=0.2),
    "silu": Silu(),
    "swish": Silu(),
    "hard_silu": HardSilu(),
    "hard_swish": HardSilu(),
    "gelu": Gelu(),
    "exponential": Exponential(),
    "mish": Mish(),
    "squareplus": Squareplus(),
    # `bioconv.keras` registers them under these names
    "bioconv>cumulative_normal": CumulativeNormal(1.70),
    "bioconv>cumulative_normal_tanh": CumulativeNormal(0.85, symmetric=True),
}


def _relu(config: Config) -> Elementwise:
    limit = config.optional_number("max_value")
    slope = config.optional_number("negative_slope")
    threshold = config.optional_number("threshold")
    return ReLU(slope or 0.0, inf if limit is None else limit, threshold or 0.0)


def _leaky_relu(config: Config) -> Elementwise:
    return ReLU(negative_slope=config.number("negative_slope", 0.3))


def _thresholded_relu(config: Config) -> Elementwise:
    return ReLU(threshold=config.number("theta", 1.0))


def _clamped_relu(config: Config) -> Elementwise:
    return ReLU(max_value=config.number("highest", 1.0), threshold=config.number("lowest", 0.1))


def _elu(config: Config) -> Elementwise:
    return Elu(config.number("alpha", 1.0))


def _softmax(config: Config) -> Softmax:
    axis = config.get("axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    if not axes or any(isinstance(a, bool) or not isinstance(a, int) or a == 0 for a in axes):
        raise Refusal(f"its axis must be one or several integers other than 0, not {shown(axis)}.")
    return Softmax(tuple(axes) if len(axes) > 1 else axes[0])


def _fi_curve(config: Config) -> FICurve:
    try:
        return curve_of(config.get("curve", {}))
    except ParameterError as error:
        raise Refusal(str(error)) from None


#: class of an activation layer without weights -> function of its configuration
LAYERS: Mapping[str, Callable[[Config], Elementwise]] = {
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ThresholdedReLU": _thresholded_relu,
    "ELU": _elu,
    "Softmax": _softmax,
    "FICurve": _fi_curve,
    "ClampedReLU": _clamped_relu,
}


def function_of(value: Any) -> Elementwise | None:
    """Return the function of an ``activation`` argument, or None for the identity.

    Parameters
    ----------
    value : None, str or mapping
        A name, or the configuration of an activation layer.

    Raises
    ------
    Refusal
        If the activation is not one of Keras's.
    UnsafeCode
        If the activation is Python code.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        kind, inner = value.get("class_name"), value.get("config")
        kind = CLASSES.get(kind, kind) if isinstance(kind, str) else kind
        # Keras 3 stores a lambda as ("__lambda__", ...) or as its bare marshalled code.
        if kind in ("__lambda__", "Lambda") or (kind is None and "value" in value):
            raise UnsafeCode("its activation is Python code, which is never run.")
        if "module" in value and value["module"] is None:
            raise Refusal(f"its activation {shown(kind)} is a custom class.")
        if isinstance(kind, str) and kind in LAYERS and isinstance(inner, Mapping):
            renamed = {"negative_slope": inner["alpha"]} if "alpha" in inner else {}
            return LAYERS[kind](Config({**inner, **(renamed if kind == "LeakyReLU" else {})}))
        if kind == "function" and "module" in value and not str(inner).startswith("bioconv>"):
            raise Refusal(f"its activation {shown(inner)} is a custom function.")
        value = inner if kind == "function" else kind
    if not isinstance(value, str) or value not in ACTIVATIONS:
        ours = ("keras2", "bioconv")
        known = ", ".join(name for name in ACTIVATIONS if not name.startswith(ours))
        raise Refusal(f"its activation {shown(value)} cannot be read.", f"Known: {known}.")
    return ACTIVATIONS[value]


def check_activations(spec: LayerSpec) -> None:
    """Check all activations of a layer, and of the layer that it wraps, by `function_of`."""
    for key in ("activation", "recurrent_activation"):
        function_of(spec.config.get(key))
    if isinstance(spec.inner, LayerSpec):
        check_activations(spec.inner)


def activated(context: Context, x: Tensor) -> Tensor:
    """Apply the ``activation`` argument of the layer to ``x``."""
    return applied(context, x, function_of(context.config.get("activation")))


def applied(context: Context, x: Tensor, function: Elementwise | None) -> Tensor:
    """Apply a function of one array to ``x``, without a layer for the identity."""
    return x if function is None else context.layer(function, x, shape=x.shape)


def activation(context: Context) -> Tensor:
    """Read Activation."""
    return activated(context, context.only())


def activation_layer(context: Context) -> Tensor:
    """Read ReLU, LeakyReLU, ThresholdedReLU, ELU, Softmax and the layers of `bioconv.keras`."""
    if context.spec.kind == "Softmax":
        return softmax(context)
    return applied(context, context.only(), LAYERS[context.spec.kind](context.config))


def softmax(context: Context, logarithm: bool = False) -> Tensor:
    """Read a softmax along one or several axes, or its logarithm along one."""
    x = context.only()
    function = _softmax(context.config)
    _check_axes(function.axis, len(x.shape))
    if not logarithm:
        return applied(context, x, function)
    if isinstance(function.axis, tuple):
        raise Refusal(f"its axis must be a single integer. Received: {shown(function.axis)}.")
    return applied(context, x, LogSoftmax(function.axis))


def _check_axes(axis: int | tuple[int, ...], rank: int) -> None:
    axes = axis if isinstance(axis, tuple) else (axis,)
    if any(not -rank <= a <= rank for a in axes):
        raise Refusal(
            f"its axis is {shown(axis)}, but the input has {rank} axes and the batch axis."
        )


def prelu(context: Context) -> Tensor:
    """Read PReLU, with a trained slope for every element that is shared along ``shared_axes``."""
    x = context.only()
    alpha = context.weights["alpha"]
    axes = zip(alpha.shape, x.shape, strict=False)
    if alpha.ndim != len(x.shape) or any(size not in (1, full) for size, full in axes):
        raise Refusal(
            f"its weight 'alpha' of shape {alpha.shape} does not fit its input of shape {x.shape}."
        )
    return applied(context, x, PReLU(alpha))
