"""Activations for codes with thresholds: the cumulative normal and the clamped ReLU.

The names are public in `bioconv.keras`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioconv.ground.errors import ParameterError
from bioconv.ground.keras_engine import import_keras
from bioconv.reading.layers.activation import ACTIVATIONS

if TYPE_CHECKING:
    import keras
else:
    keras = import_keras()


@keras.saving.register_keras_serializable("bioconv")
def cumulative_normal(x: Any) -> Any:
    """Cumulative normal distribution, the activation of a population with normal thresholds.

    Its values lie between 0 and 1, and with its standard deviation of 1.70 it approximates the
    sigmoid.  A network that is trained with it (mueller 5.4, 8.2), in a Dense layer or as
    ``recurrent_activation`` of an LSTM, loses no accuracy to the shape of the curve when
    populations replace it.  Import `bioconv.keras` before ``keras.models.load_model``.

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor
    """
    return (1 + _error_function(x, ACTIVATIONS["bioconv>cumulative_normal"])) / 2


@keras.saving.register_keras_serializable("bioconv")
def cumulative_normal_tanh(x: Any) -> Any:
    """Cumulative normal between -1 and 1, which approximates tanh (standard deviation 0.85)."""
    return _error_function(x, ACTIVATIONS["bioconv>cumulative_normal_tanh"])


def _error_function(x: Any, normal: Any) -> Any:
    return keras.ops.erf(x / (normal.sigma * 2**0.5))


@keras.saving.register_keras_serializable("bioconv")
class ClampedReLU(keras.layers.Layer):
    """Rectification that sets small values to zero and is limited to ``highest``.

    It is meant for networks that are converted with `bioconv.FirstSpikeCode`.  This code represents
    an activation by a spike at the inverse of its value, so that small activations come late and
    are lost at the end of the simulation.  A network trained with this layer does not depend on
    them (mueller 6.1, the variant "TTFS clamped" of Rueckauer and Liu 2018).  The configuration of
    the layer consists of two numbers, so that a saved model is safe to load.  Import
    `bioconv.keras` before ``keras.models.load_model``.

    Parameters
    ----------
    lowest : float
        Values that are not above this become 0.
    highest : float
        Larger values are clipped to this.
    **arguments
        Arguments of ``keras.layers.Layer``: name, dtype, trainable.

    Raises
    ------
    ParameterError
        Unless 0 <= lowest < highest, both finite.
    """

    def __init__(self, lowest: float = 0.1, highest: float = 1.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        numbers = all(isinstance(v, int | float | np.number) for v in (lowest, highest))
        if not (numbers and 0 <= lowest < highest and np.isfinite(highest)):
            raise ParameterError(
                "ClampedReLU requires finite numbers 0 <= lowest < highest. "
                f"Received: lowest={lowest!r}, highest={highest!r}."
            )
        self.lowest, self.highest = float(lowest), float(highest)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Apply the activation to a tensor of any shape."""
        return keras.ops.relu(keras.ops.minimum(inputs, self.highest)) * keras.ops.cast(
            inputs > self.lowest, inputs.dtype
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Two numbers."""
        return {**super().get_config(), "lowest": self.lowest, "highest": self.highest}
