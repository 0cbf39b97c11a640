"""Measured f-I curves of neurons as activations, and networks that use them.

The names are public in `bioconv.keras`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import FICurve as CurveFunction
from bioconv.analog.functions import ReLU
from bioconv.analog.measured import check_entries, curve_of, interpolate
from bioconv.codes import RateCode
from bioconv.codes.common.calibration import LowestValues, activity_of, measure
from bioconv.codes.common.membrane import Membrane
from bioconv.codes.common.rewriting import rewrite
from bioconv.codes.rate.curve import activation_curve, layer_curves
from bioconv.conversion import calibration_of
from bioconv.ground.errors import ParameterError
from bioconv.ground.keras_engine import import_keras
from bioconv.neurons import Neuron, make
from bioconv.reading import read

if TYPE_CHECKING:
    import keras
else:
    keras = import_keras()


@keras.saving.register_keras_serializable("bioconv")
class FICurve(keras.layers.Layer):
    """The measured f-I curve of a neuron, under the affine drive of the rate code, as activation.

    The activation ``scale * f(current + gain * x / scale) / max_rate`` is once continuously
    differentiable, preserves the monotonicity of the curve, and is as close to ReLU as the neuron
    allows.  The configuration of the layer consists of numbers and strings only, so that a saved
    model is safe to load.  Import `bioconv.keras` before ``keras.models.load_model``.

    Parameters
    ----------
    neuron : Neuron or str, optional
        Neuron to which the network will be converted, or its name in `bioconv.neurons.make`.  Its
        curve is measured, which takes about a second.
    scale : float or array of float, shape (channels,)
        Activation that ``max_rate`` represents; an array applies along the last axis.
    max_rate : float
        Rate in Hz.  With 0, the rate that the rate code uses for this neuron, see
        `bioconv.RateCode`.
    dt : float, optional
        Step in ms with which the network will be simulated; by default as the neuron requires.
    noise : {"auto", "none"} or float
        As in `bioconv.RateCode`: current noise smooths the curve of a neuron that jumps at onset.
    curve : mapping, optional
        The curve from `get_config` of such a layer, in place of a neuron.
    **arguments
        Arguments of ``keras.layers.Layer``: name, dtype, trainable.

    Raises
    ------
    ParameterError
        Unless exactly one of neuron and curve is given, or if the curve is invalid or an option is
        out of range.
    ConversionError
        If the neuron cannot represent values by rates.
    """

    def __init__(
        self,
        neuron: Neuron | str | None = None,
        *,
        scale: ArrayLike = 1.0,
        max_rate: float = 0.0,
        dt: float | None = None,
        noise: str | float = "none",
        curve: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        if (neuron is None) == (curve is None):
            raise ParameterError("FICurve requires either a neuron or a curve, not both.")
        if neuron is not None:
            code = RateCode(max_rate=max_rate, noise=noise)
            check_entries({"scale": scale})
            measured = activation_curve(
                _neuron_of(neuron), max_rate=code.max_rate, dt=_step_of(dt), noise=code.noise
            )
            curve = {**plain_curve(measured), "scale": scale}
        # Measured curves take the same path as loaded ones, so every layer can be loaded again.
        self.function = curve_of(curve or {})
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Apply the activation to a tensor of any shape."""
        ops, curve = keras.ops, self.function
        # Half precision has too few digits to distinguish the 321 points of a curve.
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        scale, values, slopes = (
            ops.convert_to_tensor(array, dtype=dtype)
            for array in (curve.scale, curve.values, curve.slopes)
        )
        x = ops.cast(inputs, dtype) / scale
        share = interpolate(x, values, slopes, curve.low, curve.high, ops, _integers)
        return ops.cast(scale * share, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the configuration as plain numbers and strings."""
        return {**super().get_config(), "curve": plain_curve(self.function)}


def plain_curve(function: CurveFunction) -> dict[str, Any]:
    """Return a curve as numbers, lists of numbers and strings."""
    entries = {entry.name: getattr(function, entry.name) for entry in fields(function)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in entries.items()
        if name != "slopes"
    }


def constrain(
    model: Any,
    neuron: Neuron | str,
    *,
    calibration: Any,
    code: RateCode | None = None,
    dt: float | None = None,
) -> Any:
    """Return a copy of a Keras model with every ReLU replaced by the f-I curve of a neuron.

    The copy has the weights of the model and is not compiled.  Compile it and fine-tune it for a
    few epochs with a small learning rate, then convert it to the same neuron.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional model, with ReLUs as layers or as ``activation``.
    neuron : Neuron or str
        A neuron, or its name in `bioconv.neurons.make`.
    calibration : array, or a sequence or mapping of arrays
        Samples that set each layer's scale, as in `bioconv.convert`.
    code : RateCode, optional
        Code whose options percentile, over, normalization, max_rate and noise are used.  Default:
        ``RateCode(normalization="layer")``.
    dt : float, optional
        Step in ms with which the network will be simulated; by default as the neuron requires.

    Returns
    -------
    keras.Model

    Raises
    ------
    ReadError, ConversionError
        If the model or the neuron is not supported.
    ParameterError
        If there is no ReLU in the model, or if an option is out of range.
    """
    code = RateCode(normalization="layer") if code is None else code
    neuron, dt = _neuron_of(neuron), _step_of(dt)
    graph = read(model)
    curves = _curves(graph, neuron, calibration_of(graph, calibration), code, dt)
    used: set[str] = set()

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        wanted = curves.get(layer.name)
        if wanted is None:
            return layer.__class__.from_config(config)
        used.add(layer.name)
        if isinstance(layer, keras.layers.ReLU | keras.layers.Activation):
            return FICurve(curve=wanted, name=layer.name, dtype=layer.dtype_policy)
        activation = FICurve(curve=wanted, dtype=layer.dtype_policy)
        return layer.__class__.from_config({**config, "activation": activation})

    copy = keras.models.clone_model(model, clone_function=clone)
    missing = sorted(set(curves) - used)
    if missing:
        raise ParameterError(
            f"{', '.join(missing)}: a ReLU in a nested model cannot be replaced. "
            "Rebuild the model without nesting, or insert FICurve layers yourself."
        )
    copy.set_weights(model.get_weights())
    return copy


def _curves(
    graph: AnalogGraph, neuron: Neuron, samples: Any, code: RateCode, dt: float | None
) -> dict[str, dict[str, Any]]:
    """Return the curve of every ReLU, by name of the Keras layer."""
    plain = ReLU()
    names = [
        layer.name
        for layer in graph.layers
        if isinstance(layer.function, ReLU) and vars(layer.function) == vars(plain)
    ]
    if not names:
        raise ParameterError(f"{graph.name} has no plain ReLU that a curve could replace.")
    rewritten = rewrite(graph, LowestValues(graph, samples))
    scales = measure(
        rewritten,
        samples,
        percentile=code.percentile,
        normalization=code.normalization,
        over=code.over,
    )
    activity = activity_of(rewritten, scales, samples)
    membrane = Membrane.of(neuron, dt, code.max_rate, **activity, noise=code.noise)
    curves = layer_curves(code, rewritten, scales, membrane, neuron, activity)
    return {
        name: {**plain_curve(curves[name]), "scale": np.ravel(scales.of[name]).tolist()}
        for name in names
    }


def _neuron_of(neuron: Neuron | str) -> Neuron:
    """Return the neuron, or the neuron of this name."""
    if isinstance(neuron, str):
        return make(neuron)
    if not isinstance(neuron, Neuron):
        raise ParameterError(
            "neuron must be a neuron such as neurons.IntegrateAndFire(), or its name. "
            f"Received: {neuron!r}."
        )
    return neuron


def _step_of(dt: float | None) -> float | None:
    """Return the step, which must not be 0 because other functions interpret 0 as no step."""
    if dt is None:
        return None
    check_entries({"dt": dt})
    return float(dt)


def _integers(x: Any) -> Any:
    return keras.ops.cast(x, "int32")
