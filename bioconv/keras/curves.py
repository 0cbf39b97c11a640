"""Activations that are measured curves of neurons, and networks made of them.

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
    """Activation that is the measured f-I curve of a neuron under the rate code's affine drive.

    ``scale * f(current + gain * x / scale) / max_rate``: smooth (once continuously
    differentiable), as monotone as the curve itself, near ReLU as far as the neuron allows.  Its
    configuration holds numbers and texts only, so a saved model is safe to load; import
    `bioconv.keras` before ``keras.models.load_model``.

    Parameters
    ----------
    neuron : Neuron or str, optional
        Whose curve is measured (a second or so); the neuron to convert to afterwards.  Or a name
        that `bioconv.neurons.make` knows.
    scale : float or array of float, shape (channels,)
        Activation that stands for ``max_rate``; an array goes along the last axis.
    max_rate : float
        Hz; 0: what the rate code takes for this neuron, see `bioconv.RateCode`.
    dt : float, optional
        Step in ms that the network will be simulated with; by default what the neuron needs.
    noise : {"auto", "none"} or float
        As in `bioconv.RateCode`: current noise smooths the curve of a neuron that jumps at onset.
    curve : mapping, optional
        In place of a neuron: what `get_config` of such a layer gave.
    **arguments
        Of ``keras.layers.Layer``: name, dtype, trainable.

    Raises
    ------
    ParameterError
        Neither neuron nor curve, or both; a curve that is none; an option out of range.
    ConversionError
        The neuron cannot carry a rate.
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
            raise ParameterError("FICurve needs a neuron, or the curve of one, not both.")
        if neuron is not None:
            code = RateCode(max_rate=max_rate, noise=noise)
            check_entries({"scale": scale})
            measured = activation_curve(
                _neuron_of(neuron), max_rate=code.max_rate, dt=_step_of(dt), noise=code.noise
            )
            curve = {**plain_curve(measured), "scale": scale}
        # A measured curve goes the way of a loaded one: what can be built can be loaded.
        self.function = curve_of(curve or {})
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The activation of a tensor of any shape."""
        ops, curve = keras.ops, self.function
        # Half precision has too few digits to tell the 321 points of a curve apart.
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        scale, values, slopes = (
            ops.convert_to_tensor(array, dtype=dtype)
            for array in (curve.scale, curve.values, curve.slopes)
        )
        x = ops.cast(inputs, dtype) / scale
        share = interpolate(x, values, slopes, curve.low, curve.high, ops, _integers)
        return ops.cast(scale * share, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {**super().get_config(), "curve": plain_curve(self.function)}


def plain_curve(function: CurveFunction) -> dict[str, Any]:
    """A curve as numbers, lists of numbers and texts."""
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
    """A copy of a Keras model with every ReLU replaced by the f-I curve of a neuron.

    The copy has the weights of the model and is not compiled: fine-tune it for a few epochs with
    a small learning rate, then convert it to the same neuron.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with ReLUs as layers or as ``activation``.
    neuron : Neuron or str
        A neuron, or a name that `bioconv.neurons.make` knows.
    calibration : array, or a sequence or mapping of arrays
        Samples that set each layer's scale, as in `bioconv.convert`.
    code : RateCode, optional
        For percentile, over, normalization, max_rate and noise.  Default:
        ``RateCode(normalization="layer")``.
    dt : float, optional
        Step in ms that the network will be simulated with; by default what the neuron needs.

    Returns
    -------
    keras.Model

    Raises
    ------
    ReadError, ConversionError
        The model or the neuron cannot be used.
    ParameterError
        There is no ReLU in the model; an option is out of range.
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
            "Rebuild the model without nesting, or put FICurve layers into it yourself."
        )
    copy.set_weights(model.get_weights())
    return copy


def _curves(
    graph: AnalogGraph, neuron: Neuron, samples: Any, code: RateCode, dt: float | None
) -> dict[str, dict[str, Any]]:
    """The curve of every ReLU, by name of the Keras layer."""
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
    """The neuron, or that of this name."""
    if isinstance(neuron, str):
        return make(neuron)
    if not isinstance(neuron, Neuron):
        raise ParameterError(
            "neuron must be a neuron such as neurons.IntegrateAndFire(), or the name of one. "
            f"Received: {neuron!r}."
        )
    return neuron


def _step_of(dt: float | None) -> float | None:
    """The step, which is not 0: other functions take that for none."""
    if dt is None:
        return None
    check_entries({"dt": dt})
    return float(dt)


def _integers(x: Any) -> Any:
    return keras.ops.cast(x, "int32")
