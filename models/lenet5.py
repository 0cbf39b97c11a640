"""LeNet-5 for MNIST, with ReLU and average pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    It is the network of LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", Fig 2, in the form that conversion papers use (Stanojevic's thesis, Fig 1.7d and
    Table 2.1; for Mueller's see `lenet_5layer`), with ReLU in place of the sigmoid, full
    connections between the maps, and softmax in place of the radial basis functions. The padding
    of the first convolution replaces the 32×32 frame of the original.

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
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="lenet5",
    )


NETWORK = Network(
    name="lenet5",
    description="LeNet-5, 6C5-P2-16C5-P2-120-84-10 for MNIST, average pooling",
    source="LeCun et al. 1998, Proc. IEEE 86(11), Fig 2; A. Stanojevic, thesis, Fig 1.7d",
    build=build,
    recipe=Recipe(dataset="mnist", epochs=20, learning_rate=2e-3, shift=1),
)
