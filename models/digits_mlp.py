"""A fully connected network for the 8×8 digits of scikit-learn, without any download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    It is a small version of the fully connected networks that are converted by Rueckauer et al.
    2016 (arXiv:1612.04052) and in Mueller's thesis (Fig 3.12).

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
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits_mlp",
    )


NETWORK = Network(
    name="digits_mlp",
    description="64-64-32-10 for the 8×8 digits of scikit-learn",
    source="after E. Mueller, thesis, TU Munich, Fig 3.12",
    build=build,
    recipe=Recipe(dataset="digits", epochs=80, batch_size=32, learning_rate=3e-3),
)
