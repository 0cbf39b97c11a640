"""A three-layer fully connected network for the percentile search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    Mueller's thesis, Fig 3.12, uses "an exemplary 3-layer fully connected" network. The thesis
    does not give the widths; 64 neurons in each hidden layer keep the weights file small.

    Returns
    -------
    keras.Model
        Input (28, 28, 1) in [0, 1], flattened; output ten probabilities.
    """
    keras = import_keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="mlp_3layer",
    )


NETWORK = Network(
    name="mlp_3layer",
    description="784-64-64-10 for MNIST",
    source="E. Mueller, thesis, TU Munich, Fig 3.12 (widths are ours)",
    build=build,
    recipe=Recipe(dataset="mnist", epochs=30, shift=1),
)
