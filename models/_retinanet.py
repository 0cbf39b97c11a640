"""A small RetinaNet: residual backbone, feature pyramid from P3 to P7, and shared heads."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from bioconv.detection import Anchors
from bioconv.detection.anchors import CORNER_UNIT
from bioconv.ground.keras_engine import import_keras
from bioconv.models._residual import basic_block, convolution

if TYPE_CHECKING:
    from keras import Model

#: nine anchors at each place, for objects that are small compared with the image
ANCHORS = Anchors(size=1.5)
#: channels of the first convolution and of C2 to C5
_WIDTHS = (16, 16, 24, 32, 32)
#: channels of the pyramid and of the heads
_FEATURES = 24
#: stride of C5, to a multiple of which images are padded
_LARGEST_STRIDE = 32
#: score of every anchor at the start of the training (Lin et al. 2017, section 4.1)
_PRIOR = 0.01


def build_retinanet(name: str, shape: tuple[int, int, int], n_classes: int) -> Model:
    """Build a RetinaNet of Lin et al. 2017 (arXiv:1708.02002), Fig 3, for small images.

    The pyramid is that of section 4 there: P3 to P5 from C3 to C5 with a path from the top down, P6
    by a 3×3 convolution with stride 2 of C5, and P7 by another one of P6 after a ReLU.  The heads,
    of one hidden convolution each, are the same for all levels.  The offsets of the boxes are
    linear (`bioconv.detection.decode_boxes`, "corners"), so that the network contains the anchors,
    and its boxes are in pixels.

    Parameters
    ----------
    name : str
        Name of the Keras model.
    shape : tuple of int
        Height, width and channels of an image.
    n_classes : int

    Returns
    -------
    keras.Model
        Input in [0, 1]; outputs ``scores`` (n_anchors, n_classes) between 0 and 1 and ``boxes``
        (n_anchors, 4), with the anchors of `ANCHORS` for the padded image.
    """
    keras = import_keras()
    layers = keras.layers
    given = keras.Input(shape)
    below, beside = (-size % _LARGEST_STRIDE for size in shape[:2])
    x = layers.ZeroPadding2D(((0, below), (0, beside)))(given) if below or beside else given
    levels = _pyramid(layers, _backbone(layers, x))
    anchors = ANCHORS.boxes(*x.shape[1:3])
    n = ANCHORS.n_each
    prior = keras.initializers.Constant(-log(1 / _PRIOR - 1))
    scores = _head(layers, levels, "class", n, n_classes, activation="sigmoid", bias=prior)
    offsets = _head(layers, levels, "box", n, 4)
    size = anchors[:, 2:] - anchors[:, :2]
    unit = CORNER_UNIT * np.tile(size, 2)
    boxes = layers.Rescaling(unit.tolist(), anchors.tolist(), name="boxes")(offsets)
    joined = layers.Activation("linear", name="scores")(scores)
    return keras.Model(given, [joined, boxes], name=name)


def padded_anchors(shape: tuple[int, ...]) -> np.ndarray:
    """Return the anchors of a network of `build_retinanet` for images of this shape."""
    return ANCHORS.boxes(*(size + -size % _LARGEST_STRIDE for size in shape[:2]))


def _backbone(layers: Any, x: Any) -> list[Any]:
    """Return C3, C4 and C5: a convolution with stride 2, then a residual block for each stage."""
    x = layers.ReLU()(convolution(layers, x, _WIDTHS[0], 3, 2, bias=False))
    stages = []
    for width in _WIDTHS[1:]:
        x = basic_block(layers, x, width, 2)
        stages.append(x)
    return stages[1:]


def _pyramid(layers: Any, stages: list[Any]) -> list[Any]:
    """Return P3 to P7."""
    p6 = layers.Conv2D(_FEATURES, 3, strides=2, padding="same", name="p6")(stages[-1])
    p7 = layers.Conv2D(_FEATURES, 3, strides=2, padding="same", name="p7")(layers.ReLU()(p6))
    merged, top = [], None
    for stage, number in zip(stages[::-1], (5, 4, 3), strict=True):
        side = layers.Conv2D(_FEATURES, 1, name=f"lateral{number}")(stage)
        top = side if top is None else layers.Add()([side, layers.UpSampling2D(2)(top)])
        merged.append(layers.Conv2D(_FEATURES, 3, padding="same", name=f"p{number}")(top))
    return [*merged[::-1], p6, p7]


def _head(
    layers: Any,
    levels: list[Any],
    name: str,
    n_each: int,
    n: int,
    *,
    activation: str = "linear",
    bias: Any = "zeros",
) -> Any:
    """Return the ``n`` values of every anchor of all levels, by the same two convolutions."""
    hidden = layers.Conv2D(_FEATURES, 3, padding="same", activation="relu", name=f"{name}_hidden")
    last = layers.Conv2D(
        n_each * n,
        3,
        padding="same",
        activation=activation,
        bias_initializer=bias,
        kernel_initializer="random_normal",
        name=f"{name}_values",
    )
    values = [layers.Reshape((-1, n))(last(hidden(level))) for level in levels]
    return layers.Concatenate(axis=1, name=f"{name}_joined")(values)
