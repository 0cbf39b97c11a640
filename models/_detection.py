"""Training of detectors: targets of anchors, losses, and the score on a card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from bioconv.data.datasets import Array
from bioconv.detection import MeanAveragePrecision, assign
from bioconv.detection.anchors import CORNER_UNIT
from bioconv.ground.keras_engine import import_keras
from bioconv.models._retinanet import padded_anchors

#: weight of objects against background, and exponent of the modulating factor (Lin et al. 2017,
#: section 5.1)
_ALPHA, _GAMMA = 0.25, 2.0
#: error of a box in `CORNER_UNIT` below which its loss is squared
_SMOOTH = 1 / 9
#: what an anchor should answer that does not count
_IGNORED = -1.0


def targets(
    batches: Iterator[tuple[Array, Array]], shape: tuple[int, ...], n_classes: int
) -> Iterator[tuple[Array, dict[str, Array]]]:
    """Yield images with what each anchor should answer, for images with objects.

    Parameters
    ----------
    batches : iterator of (x, y)
        Images and objects (n, n_objects, 5).
    shape : tuple of int
        Shape of an image.
    n_classes : int

    Yields
    ------
    (x, targets) : pair of ndarray and dict
        ``scores`` (n, n_anchors, n_classes): 1 for the class of the object, else 0, and -1 for
        anchors that do not count; ``boxes`` (n, n_anchors, 4): zeros without an object.
    """
    anchors = padded_anchors(shape)
    for x, y in batches:
        classes, boxes = assign(anchors, y)
        scores = (classes[..., None] == np.arange(n_classes)).astype(np.float32)
        scores[classes < -1] = _IGNORED
        yield x, {"scores": scores, "boxes": boxes.astype(np.float32)}


def losses(shape: tuple[int, ...]) -> dict[str, Callable[[Any, Any], Any]]:
    """Return the loss of each output of a detector for images of this shape."""
    anchors = padded_anchors(shape)
    unit = CORNER_UNIT * np.tile(anchors[:, 2:] - anchors[:, :2], 2)
    return {"scores": focal_loss, "boxes": partial(box_loss, unit=unit.astype(np.float32))}


def focal_loss(wanted: Any, scores: Any) -> Any:
    """Return the focal loss of each image over the number of its anchors with an object.

    As in mueller 4.3.1, the weight of an anchor, which grows with its error, is a constant in the
    derivative.
    """
    ops = import_keras().ops
    p = ops.clip(scores, 1e-6, 1 - 1e-6)
    right = ops.where(wanted > 0, p, 1 - p)
    weight = ops.where(wanted > 0, _ALPHA, 1 - _ALPHA) * (1 - right) ** _GAMMA
    weight = ops.stop_gradient(ops.where(wanted < 0, 0.0, weight))
    found = ops.sum(ops.cast(wanted > 0, p.dtype), axis=(1, 2))
    return ops.sum(-weight * ops.log(right), axis=(1, 2)) / ops.maximum(found, 1.0)


def box_loss(wanted: Any, boxes: Any, unit: Array) -> Any:
    """Return the smooth absolute error of the boxes of each image, in ``unit`` of the anchors."""
    ops = import_keras().ops
    real = ops.cast(wanted[..., 2:3] > wanted[..., 0:1], boxes.dtype)
    error = ops.abs(boxes - wanted) / unit
    smooth = ops.where(error < _SMOOTH, error**2 / (2 * _SMOOTH), error - _SMOOTH / 2)
    found = ops.sum(real, axis=(1, 2))
    return ops.sum(smooth * real, axis=(1, 2)) / ops.maximum(found, 1.0)


def mirrored(y: Array, width: int) -> Array:
    """Return objects (n, n_objects, 5) in images that are mirrored left to right."""
    label, left, top, right, bottom = np.moveaxis(y, -1, 0)
    other = np.stack([label, width - right, top, width - left, bottom], axis=-1)
    return np.where(label[..., None] < 0, y, other)


def score(model: Any, x: Array, y: Array) -> float:
    """Return the mean average precision of a detector."""
    scores, boxes = model.predict(x, batch_size=50, verbose=0)
    return MeanAveragePrecision()(y, {"scores": scores, "boxes": boxes})
