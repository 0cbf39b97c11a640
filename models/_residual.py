"""Residual networks of any depth for CIFAR-10."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bioconv.ground.keras_engine import import_keras

if TYPE_CHECKING:
    from keras import Model

#: mean and standard deviation of the red, green and blue of the training images of CIFAR-10, in
#: [0, 1], for networks that standardize their input
_MEAN = (0.4914, 0.4822, 0.4465)
_DEVIATION = (0.2470, 0.2435, 0.2616)
#: factor by which the output of a bottleneck is wider than its 3×3 convolution
_EXPANSION = 4


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
    x = layers.ReLU()(convolution(layers, inputs, 16, 3, 1))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(n_blocks):
            x = _block(layers, x, filters, 2 if stage > 0 and block == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10, activation="softmax", kernel_initializer="he_normal")(x)
    return keras.Model(inputs, outputs, name=name)


def build_imagenet_resnet(
    name: str, n_blocks: Sequence[int], *, bottleneck: bool, filters: int = 32
) -> Model:
    """Build a residual network of He et al. 2016 (arXiv:1512.03385), Table 1, for small images.

    As in mueller 4.2.1, the first convolution is 3×3 with stride 1, no max pooling follows it, and
    all convolutions have half the channels of the original.  The channels of the input are
    standardized.  A batch normalisation follows every convolution.  Where the shape changes, the
    shortcut is a 1×1 convolution with a batch normalisation (option B of He et al.).  A bottleneck
    reduces the maps in its 3×3 convolution.

    Parameters
    ----------
    name : str
        Name of the Keras model.
    n_blocks : sequence of int
        Number of blocks of each stage; the maps are reduced to half their size, and the channels
        doubled, from stage to stage.
    bottleneck : bool
        Whether a block is 1×1, 3×3, 1×1 with four times as many channels at its end, as from 50
        layers on, and not two 3×3 convolutions.
    filters : int
        Channels of the first stage: 32 in the thesis, 64 in the original.

    Returns
    -------
    keras.Model
        Input (32, 32, 3) in [0, 1], output ten probabilities.
    """
    keras = import_keras()
    layers = keras.layers
    inputs = keras.Input((32, 32, 3))
    x = layers.Normalization(mean=_MEAN, variance=[value**2 for value in _DEVIATION])(inputs)
    x = layers.ReLU()(convolution(layers, x, filters, 3, 1, bias=False))
    block = _bottleneck if bottleneck else basic_block
    for stage, n in enumerate(n_blocks):
        for place in range(n):
            x = block(layers, x, filters << stage, 2 if stage > 0 and place == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, outputs, name=name)


def convolution(
    layers: Any, x: Any, filters: int, size: int, stride: int, *, bias: bool = True
) -> Any:
    """Apply a convolution and a batch normalisation."""
    x = layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        use_bias=bias,
        kernel_initializer="he_normal",
    )(x)
    return layers.BatchNormalization()(x)


def basic_block(layers: Any, x: Any, filters: int, stride: int) -> Any:
    """Apply two convolutions, and add the shortcut before the last ReLU."""
    return _added(layers, _two(layers, x, filters, stride, bias=False), x, stride)


def _two(layers: Any, x: Any, filters: int, stride: int, *, bias: bool) -> Any:
    """Apply two 3×3 convolutions with a ReLU between them."""
    main = layers.ReLU()(convolution(layers, x, filters, 3, stride, bias=bias))
    return convolution(layers, main, filters, 3, 1, bias=bias)


def _bottleneck(layers: Any, x: Any, filters: int, stride: int) -> Any:
    """Apply three convolutions, the last of which is wider, and add the shortcut."""
    main = layers.ReLU()(convolution(layers, x, filters, 1, 1, bias=False))
    main = layers.ReLU()(convolution(layers, main, filters, 3, stride, bias=False))
    main = convolution(layers, main, _EXPANSION * filters, 1, 1, bias=False)
    return _added(layers, main, x, stride)


def _added(layers: Any, main: Any, x: Any, stride: int) -> Any:
    """Add the shortcut of a block, which is projected if the shapes differ, and apply ReLU."""
    if main.shape != x.shape:
        x = convolution(layers, x, main.shape[-1], 1, stride, bias=False)
    return layers.ReLU()(layers.Add()([main, x]))


def _block(layers: Any, x: Any, filters: int, stride: int) -> Any:
    """Apply two convolutions, and add a shortcut before the last ReLU."""
    main = _two(layers, x, filters, stride, bias=True)
    if stride > 1:
        x = layers.Conv2D(
            filters, 1, strides=stride, padding="same", kernel_initializer="he_normal"
        )(x)
    return layers.ReLU()(layers.Add()([x, main]))
