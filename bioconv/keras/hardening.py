"""Fine-tuning of a Keras network for hardware with rounded and noisy weights.

The names are public in `bioconv.keras`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bioconv.ground.errors import ParameterError
from bioconv.ground.keras_engine import import_keras
from bioconv.ground.options import Interval, refuse, wrong
from bioconv.noise.weights import WeightQuantization

if TYPE_CHECKING:
    import keras
else:
    keras = import_keras()

#: names of the variables that become synaptic weights
_WEIGHTS = frozenset({"kernel", "depthwise_kernel", "pointwise_kernel"})
#: layers of `keras.layers` whose kernels do not have the output channels on the last axis, as
#: operators do
_OTHERWISE = (
    *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    *("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"),
)
#: all layers with such weights
_LAYERS = ("Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", *_OTHERWISE)


@keras.saving.register_keras_serializable("bioconv")
class HardwareAware(keras.layers.Wrapper):
    """Wrapper that evaluates a layer with the weights of hardware while training exact ones.

    In the forward pass, the kernels are rounded and, during training, multiplied by noise.  In the
    backward pass, gradients are passed straight through to the exact kernels (Bengio, Leonard and
    Courville 2013, arXiv:1308.3432; Jacob et al. 2018, arXiv:1712.05877, section 3).  Import
    `bioconv.keras` before ``keras.models.load_model``.

    Parameters
    ----------
    layer : keras.layers.Layer
        A layer with kernels: Dense, EinsumDense or any convolution.  Biases are not changed.
    quantization : WeightQuantization, optional
        Rounding of weights to the nearest level, the imperfection of `bioconv.noise` that the
        network will have.  By default weights are not rounded.  Rounding by channel requires
        kernels with the output channels on the last axis, which transposed, depthwise and
        separable convolutions do not have, nor an EinsumDense with several output axes.
    noise : float
        Standard deviation of the random factors on weights during training, which are drawn anew
        for every batch.  They represent the mismatch of unknown chips.
    seed : int
        Seed of these factors.
    **arguments
        Arguments of ``keras.layers.Layer``: name, dtype, trainable.

    Raises
    ------
    ParameterError
        If options are invalid.  The message lists all of them.
    """

    def __init__(
        self,
        layer: Any,
        quantization: WeightQuantization | dict[str, Any] | None = None,
        noise: float = 0.0,
        seed: int = 0,
        **arguments: Any,
    ) -> None:
        super().__init__(layer, **arguments)
        if isinstance(quantization, dict):
            quantization = WeightQuantization(**quantization)
        self.quantization = quantization or WeightQuantization()
        problems = wrong("noise", noise, Interval(0.0))
        refuse(self, problems + _quantization_problems(self.quantization, [layer]))
        self.noise, self.seed = float(noise), int(seed)
        self.generator = keras.random.SeedGenerator(self.seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the output of the layer with the weights of hardware."""
        # A scope hides all variables of the enclosing scope, so every one has to be named.
        values = [(variable, self._value(variable, training)) for variable in self.layer.variables]
        with keras.StatelessScope(state_mapping=values):
            return self.layer.call(inputs)

    def _value(self, variable: Any, training: bool) -> Any:
        value = keras.ops.convert_to_tensor(variable)
        if variable.name not in _WEIGHTS:
            return value
        there = value
        if self.quantization.bits:
            there = self.quantization.rounded(there, ops=keras.ops)
        if self.noise and training:
            shape, dtype = value.shape, value.dtype
            normal = keras.random.normal(shape, dtype=dtype, seed=self.generator)
            there = there * (1.0 + self.noise * normal)
        return value + keras.ops.stop_gradient(there - value)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape of the layer."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration of the layer as numbers and strings."""
        return {
            **super().get_config(),
            "quantization": asdict(self.quantization),
            "noise": self.noise,
            "seed": self.seed,
        }


def harden(
    model: Any,
    quantization: WeightQuantization | None = None,
    *,
    noise: float = 0.0,
    seed: int = 0,
) -> Any:
    """Return a copy of a Keras model in which every layer with kernels is `HardwareAware`.

    The copy has the weights of the model and is not compiled.  Compile it and fine-tune it for a
    few epochs with a small learning rate, then apply `soften`, convert the result, and apply the
    same quantization to the spiking network.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional model without nested models.
    quantization : WeightQuantization, optional
    noise : float
    seed : int

    Returns
    -------
    keras.Model

    Raises
    ------
    ParameterError
        If no layer has a kernel, if a model is nested, or if an option is invalid.
    """
    problems = _quantization_problems(quantization or WeightQuantization(), model.layers)
    if problems:
        raise ParameterError(f"{model.name}: {' '.join(problems)}")
    nested = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    if nested:
        raise ParameterError(
            f"{model.name} has nested models: {', '.join(nested)}. Replace them by their layers."
        )
    wrapped: list[str] = []
    kinds = {getattr(keras.layers, name) for name in _LAYERS}

    def clone(layer: Any) -> Any:
        copy = layer.__class__.from_config(layer.get_config())
        if type(layer) not in kinds:
            return copy
        wrapped.append(layer.name)
        options = {"noise": noise, "seed": seed + len(wrapped), "name": layer.name}
        return HardwareAware(copy, quantization, **options)

    hardened = keras.models.clone_model(model, clone_function=clone)
    if not wrapped:
        raise ParameterError(f"{model.name} has no Dense layer and no convolution.")
    for mine, original in zip(hardened.layers, model.layers, strict=True):
        _inner(mine).set_weights(original.get_weights())
    return hardened


def soften(model: Any) -> Any:
    """Return a copy of a model from `harden` with plain layers and the trained weights.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    keras.Model
        A model with the layers of the original one, not compiled.
    """

    def clone(layer: Any) -> Any:
        plain = _inner(layer)
        return plain.__class__.from_config(plain.get_config())

    softened = keras.models.clone_model(model, clone_function=clone)
    for plain, learned in zip(softened.layers, model.layers, strict=True):
        plain.set_weights(_inner(learned).get_weights())
    return softened


def _quantization_problems(quantization: Any, layers: Sequence[Any]) -> list[str]:
    """Return the reasons why these layers cannot be rounded in this way."""
    if not isinstance(quantization, WeightQuantization):
        return [f"quantization must be a WeightQuantization. Received: {quantization!r}."]
    problems = []
    if quantization.rounding != "nearest":
        problems.append("rounding must be nearest; training does not support random rounding.")
    wrong = [f"{layer.name} ({type(layer).__name__})" for layer in layers if _elsewhere(layer)]
    if quantization.bits and quantization.per == "channel" and wrong:
        problems.append(
            f"the kernels of {', '.join(wrong)} do not have the output channels on the last axis. "
            'Use per="layer".'
        )
    return problems


def _elsewhere(layer: Any) -> bool:
    """Whether the kernel of the layer has its output channels elsewhere than on the last axis."""
    if isinstance(layer, keras.layers.EinsumDense):
        kernel, output = layer.equation.split(",")[1].split("->")
        return [axis for axis in kernel if axis in output] != [kernel[-1]]
    return isinstance(layer, tuple(getattr(keras.layers, name) for name in _OTHERWISE))


def _inner(layer: Any) -> Any:
    return layer.layer if isinstance(layer, HardwareAware) else layer
