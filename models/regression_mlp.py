"""A regression network that fits one period of a sine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    It is used for Mueller's thesis, Fig 4.2a, the inference of a regression task after 25 time
    steps. The thesis specifies neither the task nor the network. A sine of one variable shows the
    same bias of the basic conversion, which accumulates in two hidden layers.

    Returns
    -------
    keras.Model
        Input (1,) in [0, 1], output (1,) linear.
    """
    keras = import_keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((1,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
        ],
        name="regression_mlp",
    )


NETWORK = Network(
    name="regression_mlp",
    description="1-32-32-1, fits 0.5 + 0.4 sin(2πx) on [0, 1]",
    source="E. Mueller, thesis, TU Munich, Fig 4.2a (task and widths are ours)",
    build=build,
    recipe=Recipe(
        dataset="sine",
        epochs=300,
        batch_size=32,
        learning_rate=5e-3,
        metric="mean_absolute_error",
    ),
)
