"""Activations for codes with thresholds: the cumulative normal, the clamped ReLU.

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
    """Activation that a population of normal thresholds has: between 0 and 1, near the sigmoid.

    To constrain, then train (mueller 5.4, 8.2): a network trained with it, in a Dense layer or as
    ``recurrent_activation`` of an LSTM, loses nothing to the shape of the curve when populations
    take its place.  Its deviation is 1.70.  Import `bioconv.keras` before
    ``keras.models.load_model``.

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
    """The same between -1 and 1, near tanh, with the deviation 0.85."""
    return _error_function(x, ACTIVATIONS["bioconv>cumulative_normal_tanh"])


def _error_function(x: Any, normal: Any) -> Any:
    return keras.ops.erf(x / (normal.sigma * 2**0.5))


@keras.saving.register_keras_serializable("bioconv")
class ClampedReLU(keras.layers.Layer):
    """Rectification whose small values are zero: x from ``lowest`` to ``highest``.

    For networks that are converted with `bioconv.FirstSpikeCode`: an activation is a spike at
    the inverse of its value, so small ones come late and are lost where the network ends.  Trained
    without them, it does not miss them (mueller 6.1, the variant "TTFS clamped" of Rueckauer and
    Liu 2018).  Its configuration holds two numbers, so a saved model is safe to load; import
    `bioconv.keras` before ``keras.models.load_model``.

    Parameters
    ----------
    lowest : float
        Values not above it become 0.
    highest : float
        Larger values become this.
    **arguments
        Of ``keras.layers.Layer``: name, dtype, trainable.

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
                "ClampedReLU needs finite numbers 0 <= lowest < highest. "
                f"Received: lowest={lowest!r}, highest={highest!r}."
            )
        self.lowest, self.highest = float(lowest), float(highest)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The activation of a tensor of any shape."""
        return keras.ops.relu(keras.ops.minimum(inputs, self.highest)) * keras.ops.cast(
            inputs > self.lowest, inputs.dtype
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Two numbers."""
        return {**super().get_config(), "lowest": self.lowest, "highest": self.highest}
