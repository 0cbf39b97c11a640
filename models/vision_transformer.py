"""A transformer that classifies the digits of MNIST from 49 patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioconv.ground.keras_engine import import_keras
from bioconv.models._transformer import encoder, placed
from bioconv.models.network import Network, Recipe

if TYPE_CHECKING:
    from keras import Model


def build() -> Model:
    """Build the untrained network.

    It is the vision transformer of Mueller's thesis, section 4.4.3, Fig 4.9: 49 patches of 4×4
    pixels and a class token, one encoder, average pooling, a dense layer with ReLU and one with
    softmax.  The thesis gives no widths; these are ours.  A convolution whose stride is its size is
    the linear embedding of the patches.  The class token enters as zeros, to which the embedding of
    the first position is added.

    Returns
    -------
    keras.Model
        Input (28, 28, 1) in [0, 1], output ten probabilities.
    """
    keras = import_keras()
    layers = keras.layers
    given = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 4, strides=4, name="patches")(given)
    x = layers.ZeroPadding1D((1, 0))(layers.Reshape((49, 32))(x))
    x = encoder(placed(x, 32), heads=2, hidden=64)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(given, layers.Dense(10, activation="softmax")(x), name="vision_transformer")


NETWORK = Network(
    name="vision_transformer",
    description="Vision transformer for MNIST: 49 patches of 4x4, class token, one encoder",
    source="E. Mueller, thesis, TU Munich, section 4.4.3, Fig 4.9 (the widths are ours)",
    build=build,
    recipe=Recipe(dataset="mnist", epochs=4, batch_size=64, learning_rate=3e-3),
)
