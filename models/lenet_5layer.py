"""The LeNet-5 of Mueller's thesis, with 3×3 kernels without padding and pools of neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    Mueller's thesis, Table 6.1: "The LeNet-5 architecture contains 7620 neurons (7625 including
    the bias lane)". The thesis does not show the layers, but 6C3-P2-16C3-P2-120-84-10 without
    padding has 4,056 + 1,014 + 1,936 + 400 + 120 + 84 + 10 = 7,620 neurons, if those of the pools
    are counted, and five layers with a bias. The rectification after each pool does not change
    values, since averages of rectified values are not negative, but it makes the values of pools
    neurons of the spiking network.

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
            layers.Conv2D(6, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.ReLU(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="lenet_5layer",
    )


NETWORK = Network(
    name="lenet_5layer",
    description="LeNet-5 as 6C3-P2-16C3-P2-120-84-10 for MNIST, average pools as neurons",
    source="E. Mueller, thesis, Table 6.1; the layers follow from its 7,620 neurons",
    build=build,
    recipe=Recipe(dataset="mnist", epochs=10, learning_rate=2e-3, shift=1),
)
