"""A long short-term memory of 25 cells for the 8×8 digits, whose lines are its time steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    The recurrent layer is that of Mueller's thesis, section 5.3.2, but the task is one that needs
    no download: the input is one line of eight pixels per step, and the output after the last line
    is the class.

    Returns
    -------
    keras.Model
        Input (8, 8, 1) in [0, 1], output ten probabilities.
    """
    keras = import_keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Reshape((8, 8)),
            layers.LSTM(25, name="lstm"),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits_lstm",
    )


NETWORK = Network(
    name="digits_lstm",
    description="LSTM of 25 cells that reads the 8×8 digits of scikit-learn line by line",
    source="E. Mueller, thesis, TU Munich, section 5.3.2 (the cell; the task is ours)",
    build=build,
    recipe=Recipe(dataset="digits", epochs=120, batch_size=32, learning_rate=1e-2),
)
