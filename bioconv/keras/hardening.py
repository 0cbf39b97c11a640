"""Fine-tuning of a Keras network under the hardware it goes to: rounded and noisy weights.

The names are public in `bioconv.keras`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bioconv.ground.errors import ParameterError
from bioconv.ground.keras_engine import import_keras
from bioconv.noise.options import number_from, refuse
from bioconv.noise.weights import WeightQuantization

if TYPE_CHECKING:
    import keras
else:
    keras = import_keras()

#: names of the variables that are weights of synapses
_WEIGHTS = frozenset({"kernel", "depthwise_kernel", "pointwise_kernel"})
#: layers of `keras.layers` whose kernels have the output channels elsewhere than operators do
_OTHERWISE = (
    *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    *("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"),
)
#: all layers that have them
_LAYERS = ("Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", *_OTHERWISE)


@keras.saving.register_keras_serializable("bioconv")
class HardwareAware(keras.layers.Wrapper):
    """A layer that computes with the weights that hardware would have, and learns its own.

    Forward, its kernels are rounded and, in training, multiplied with noise; backward, gradients
    go straight through to the kernels themselves (Bengio, Leonard and Courville 2013,
    arXiv:1308.3432; Jacob et al. 2018, arXiv:1712.05877, section 3).  Import `bioconv.keras`
    before ``keras.models.load_model``.

    Parameters
    ----------
    layer : keras.layers.Layer
        With kernels: a Dense or any convolution.  Biases are left as they are.
    quantization : WeightQuantization, optional
        How weights are rounded, to the nearest; the imperfection of `bioconv.noise` that the
        network will have.  Default: not at all.  By channels only where the kernel has the output
        channels on its last axis: not in transposed, depthwise and separable convolutions, nor
        in an EinsumDense with several output axes.
    noise : float
        Standard deviation of the factors on weights in training, drawn anew for every batch:
        the mismatch of chips that are not known.
    seed : int
    **arguments
        Of ``keras.layers.Layer``: name, dtype, trainable.

    Raises
    ------
    ParameterError
        With all options that are wrong.
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
        problems = number_from("noise", noise, 0.0)
        refuse(self, problems + _quantization_problems(self.quantization, [layer]))
        self.noise, self.seed = float(noise), int(seed)
        self.generator = keras.random.SeedGenerator(self.seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """What the layer gives with the weights of hardware."""
        # A scope hides all variables of the scope around it, so it has to name every one.
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
        """That of the layer."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The layer's configuration, numbers and texts."""
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
    """A copy of a Keras model for fine-tuning, every Dense and convolution `HardwareAware`.

    The copy has the weights of the model and is not compiled.  Fine-tune it for a few epochs with
    a small learning rate, then `soften` it, convert the result, and disturb that with the same
    quantization.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, without nested models, which are refused.
    quantization : WeightQuantization, optional
    noise : float
    seed : int

    Returns
    -------
    keras.Model

    Raises
    ------
    ParameterError
        There is no layer with a kernel; a model is nested; an option is wrong.
    """
    problems = _quantization_problems(quantization or WeightQuantization(), model.layers)
    if problems:
        raise ParameterError(f"{model.name}: {' '.join(problems)}")
    nested = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    if nested:
        raise ParameterError(
            f"{model.name} has nested models: {', '.join(nested)}. Put their layers in its place."
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
        raise ParameterError(f"{model.name} has no Dense and no convolution to make aware.")
    for mine, original in zip(hardened.layers, model.layers, strict=True):
        _inner(mine).set_weights(original.get_weights())
    return hardened


def soften(model: Any) -> Any:
    """A copy of a model that was made by `harden` with its plain layers, and what they learned.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    keras.Model
        As the one that was hardened; not compiled.
    """

    def clone(layer: Any) -> Any:
        plain = _inner(layer)
        return plain.__class__.from_config(plain.get_config())

    softened = keras.models.clone_model(model, clone_function=clone)
    for plain, learned in zip(softened.layers, model.layers, strict=True):
        plain.set_weights(_inner(learned).get_weights())
    return softened


def _quantization_problems(quantization: Any, layers: Sequence[Any]) -> list[str]:
    """What is wrong with rounding these layers so."""
    if not isinstance(quantization, WeightQuantization):
        return [f"quantization must be a WeightQuantization. Received: {quantization!r}."]
    problems = []
    if quantization.rounding != "nearest":
        problems.append("rounding must be nearest: gradients take no chances.")
    wrong = [f"{layer.name} ({type(layer).__name__})" for layer in layers if _elsewhere(layer)]
    if quantization.bits and quantization.per == "channel" and wrong:
        problems.append(
            f'the network has the channels of {", ".join(wrong)} in another place: use per="layer".'
        )
    return problems


def _elsewhere(layer: Any) -> bool:
    """Whether its kernel has the channels of the operator elsewhere than on the last axis."""
    if isinstance(layer, keras.layers.EinsumDense):
        kernel, output = layer.equation.split(",")[1].split("->")
        return [axis for axis in kernel if axis in output] != [kernel[-1]]
    return isinstance(layer, tuple(getattr(keras.layers, name) for name in _OTHERWISE))


def _inner(layer: Any) -> Any:
    return layer.layer if isinstance(layer, HardwareAware) else layer
