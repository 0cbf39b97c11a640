"""The LeNet of Yousefzadeh et al. 2019, with max pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models._keras import import_keras
from models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    Yousefzadeh et al. 2019, section on MNIST and Table I:
    16C5-2MP2-8C5-2MP2-256FC[50% dropout]-10FC. The paper does not give the padding: "same" in
    the first convolution and "valid" in the second, as in LeNet-5.

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
            layers.Conv2D(16, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(8, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="lenet_maxpool",
    )


NETWORK = Network(
    name="lenet_maxpool",
    description="16C5-MP2-8C5-MP2-256-10 for MNIST, max pooling",
    source="Yousefzadeh et al. 2019, Table I",
    build=build,
    recipe=Recipe(dataset="mnist", epochs=20, learning_rate=2e-3, shift=1),
)
