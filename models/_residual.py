"""Residual networks of any depth for CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioconv.ground.keras_engine import import_keras

if TYPE_CHECKING:
    from keras import Model


def build_resnet(name: str, n_blocks: int) -> Model:
    """Build a residual network of He et al. 2016 (arXiv:1512.03385), section 4.2.

    The network has three stages of 16, 32 and 64 feature maps, each of `n_blocks` blocks of two
    convolutions. A batch normalisation follows every convolution before the ReLU. Where the maps
    are reduced to half their size, the shortcut is a 1×1 convolution (option B of the paper) and
    not the parameter-free option A.

    Parameters
    ----------
    name : str
        Name of the Keras model.
    n_blocks : int
        Number of blocks per stage; the network has 6 · n_blocks + 2 layers with weights.

    Returns
    -------
    keras.Model
        Input (32, 32, 3) in [0, 1], output ten probabilities.
    """
    keras = import_keras()
    layers = keras.layers
    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(_convolution(layers, inputs, 16, 3, 1))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(n_blocks):
            x = _block(layers, x, filters, 2 if stage > 0 and block == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10, activation="softmax", kernel_initializer="he_normal")(x)
    return keras.Model(inputs, outputs, name=name)


def _convolution(layers: Any, x: Any, filters: int, size: int, stride: int) -> Any:
    """Apply a convolution and a batch normalisation."""
    x = layers.Conv2D(
        filters, size, strides=stride, padding="same", kernel_initializer="he_normal"
    )(x)
    return layers.BatchNormalization()(x)


def _block(layers: Any, x: Any, filters: int, stride: int) -> Any:
    """Apply two convolutions, and add a shortcut before the last ReLU."""
    main = layers.ReLU()(_convolution(layers, x, filters, 3, stride))
    main = _convolution(layers, main, filters, 3, 1)
    if stride > 1:
        x = layers.Conv2D(
            filters, 1, strides=stride, padding="same", kernel_initializer="he_normal"
        )(x)
    return layers.ReLU()(layers.Add()([x, main]))
