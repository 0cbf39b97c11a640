"""The 9-layer LeNet of Mueller's thesis, which is LeNet-5 with four additional convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    Mueller's thesis, Table 6.1: "a variant of the LeNet-5 architecture with additional
    convolutional layer[s]" with 13,900 neurons in total (13,909 including the bias lane). The
    thesis does not show the layers, but 6C3-6C3-6C3-P2-16C3-16C3-16C3-P2-120-84-10 without padding
    has 4,056 + 3,456 + 2,904 + 726 + 1,296 + 784 + 400 + 64 + 120 + 84 + 10 = 13,900 neurons, if
    those of the pools are counted, and nine layers with a bias. The rectifications after the pools
    do not change values, as in `lenet_5layer`.

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
            layers.Conv2D(6, 3, activation="relu"),
            layers.Conv2D(6, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.ReLU(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(16, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="lenet_9layer",
    )


NETWORK = Network(
    name="lenet_9layer",
    description="6C3-6C3-6C3-P2-16C3-16C3-16C3-P2-120-84-10 for MNIST, average pools as neurons",
    source="E. Mueller, thesis, Table 6.1; the layers follow from its 13,900 neurons",
    build=build,
    recipe=Recipe(dataset="mnist", epochs=4, learning_rate=2e-3, shift=1),
)
