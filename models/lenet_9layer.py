"""LeNet-5 with four more convolutions: nine layers with weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    Mueller's thesis, Table 6.1: "a variant of the LeNet-5 architecture with additional
    convolutional layers", 9 layers with 13,900 neurons in total. The thesis does not say where
    the layers are: these six convolutions and three dense layers have 13,538 neurons with the
    input.

    Returns
    -------
    keras.Model
        Input (28, 28, 1) in [0, 1], output ten probabilities.
    """
    keras = import_keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.Conv2D(16, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="lenet_9layer",
    )


NETWORK = Network(
    name="lenet_9layer",
    description="LeNet-5 with four more convolutions for MNIST, average pooling",
    source="E. Mueller, thesis, Table 6.1; the places of the layers are our choice",
    build=build,
    recipe=Recipe(dataset="mnist", epochs=3, learning_rate=2e-3, shift=1),
)
