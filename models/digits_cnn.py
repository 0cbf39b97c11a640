"""A small convolutional network for the 8×8 digits of scikit-learn, without any download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    The architecture follows Rueckauer et al. 2016 (arXiv:1612.04052, section 3.1), with
    convolutions and ReLU, average pooling and softmax, but for very small images.

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
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.AveragePooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits_cnn",
    )


NETWORK = Network(
    name="digits_cnn",
    description="16C3-P2-32C3-P2-64-10 for the 8×8 digits of scikit-learn, average pooling",
    source="after Rueckauer et al. 2016, arXiv:1612.04052, section 3.1",
    build=build,
    recipe=Recipe(dataset="digits", epochs=120, batch_size=32, learning_rate=3e-3, shift=1),
)
