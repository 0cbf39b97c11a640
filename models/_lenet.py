"""The LeNet of Yousefzadeh et al. 2019, with maximum or average pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Recipe

if TYPE_CHECKING:
    from keras import Model

#: training of both networks
RECIPE = Recipe(dataset="mnist", epochs=20, learning_rate=2e-3, shift=1)


def build_lenet(name: str, pooling: str) -> Model:
    """Build the untrained network.

    Yousefzadeh et al. 2019, section on MNIST and Table I:
    16C5-2MP2-8C5-2MP2-256FC[50% dropout]-10FC. The paper does not give the padding, which is
    "same" in the first convolution and "valid" in the second here, as in LeNet-5.

    Parameters
    ----------
    name : str
    pooling : {"MaxPooling2D", "AveragePooling2D"}

    Returns
    -------
    keras.Model
        Input (28, 28, 1) in [0, 1], output ten probabilities.
    """
    keras = import_keras()
    layers = keras.layers
    pool = getattr(layers, pooling)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, padding="same", activation="relu"),
            pool(2),
            layers.Conv2D(8, 5, activation="relu"),
            pool(2),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name=name,
    )
