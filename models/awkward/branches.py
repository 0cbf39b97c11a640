"""Networks with branches, shared layers and models inside models."""

from __future__ import annotations

from typing import Any

from bioconv.models.awkward.case import Body, Case


def _merged(merge: str, **options: Any) -> Body:
    """Return a body that merges two convolutions of the same input."""

    def body(keras: Any, x: Any) -> Any:
        layers = keras.layers
        left = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        right = layers.Conv2D(4, 1, activation="relu")(x)
        x = getattr(layers, merge)(**options)([left, right])
        return layers.Conv2D(4, 3, activation="relu")(x)

    return body


def _residual(keras: Any, x: Any) -> Any:
    """Apply two residual blocks, one with a plain and one with a strided shortcut."""
    layers = keras.layers
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    for filters, stride in ((4, 1), (6, 2)):
        main = layers.Conv2D(filters, 3, strides=stride, padding="same")(x)
        main = layers.ReLU()(layers.BatchNormalization()(main))
        main = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(main))
        if stride > 1:
            x = layers.Conv2D(filters, 1, strides=stride, padding="same")(x)
        x = layers.ReLU()(layers.Add()([x, main]))
    return x


def _input_skip(keras: Any, x: Any) -> Any:
    """Add the input and a spiking layer."""
    layers = keras.layers
    hidden = layers.Conv2D(2, 3, padding="same", activation="relu")(x)
    return layers.ReLU()(layers.Add()([x, hidden]))


def _same_twice(keras: Any, x: Any) -> Any:
    """Use the output of a layer as both summands of an addition."""
    layers = keras.layers
    hidden = layers.Dense(6, activation="relu")(x)
    return layers.Dense(4, activation="relu")(layers.Add()([hidden, hidden]))


def _shared_layer(keras: Any, x: Any) -> Any:
    """Apply one layer twice in a row, and join both results."""
    layers = keras.layers
    shared = layers.Conv2D(4, 3, padding="same", activation="relu")
    once = shared(x)
    return layers.Concatenate()([once, shared(once)])


def _nested(keras: Any, x: Any) -> Any:
    """Put a sequential model inside a functional model inside the model."""
    layers = keras.layers
    inner = keras.Sequential(
        [keras.Input((8, 7, 4)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU()]
    )
    inputs = keras.Input((8, 7, 4))
    outer = keras.Model(inputs, layers.Conv2D(3, 2, activation="relu")(inner(inputs)))
    return outer(layers.Conv2D(4, 3, padding="same", activation="relu")(x))


CASES = {
    "add": Case("addition of two branches", (7, 6, 3), _merged("Add")),
    "subtract": Case("difference of two branches", (7, 6, 3), _merged("Subtract")),
    "average": Case("average of two branches", (7, 6, 3), _merged("Average")),
    "concatenate": Case("two branches joined by channel", (7, 6, 3), _merged("Concatenate")),
    "concatenate_rows": Case(
        "two branches joined by row, not by channel", (7, 6, 3), _merged("Concatenate", axis=1)
    ),
    "residual": Case("residual blocks, plain and strided shortcut", (9, 7, 2), _residual),
    "input_skip": Case("addition of the input and a spiking layer", (6, 5, 2), _input_skip),
    "same_twice": Case("a layer added to itself", (9,), _same_twice),
    "shared_layer": Case("one layer applied twice", (6, 7, 4), _shared_layer),
    "nested": Case("models inside models", (8, 7, 2), _nested),
}
