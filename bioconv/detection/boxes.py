"""Boxes of images: their overlap, and the choice of those that a detector reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.errors import DataError

#: values of an array of overlaps, above which images are divided
_AT_ONCE = 1 << 24


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes that a detector reports, in descending order of their scores.

    Parameters
    ----------
    boxes : ndarray, shape (n_images, n_boxes, 4)
        x_min, y_min, x_max, y_max in pixels; zeros where an image has fewer boxes.
    scores : ndarray, shape (n_images, n_boxes)
        -inf where an image has fewer boxes.
    classes : ndarray of int, shape (n_images, n_boxes)
        -1 where an image has fewer boxes.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]


def intersection_over_union(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Return the areas of intersections over those of unions; 0 for boxes without an area.

    Parameters
    ----------
    a, b : ndarray, shape (..., n, 4) and (..., m, 4)

    Returns
    -------
    ndarray, shape (..., n, m)
    """
    low = np.maximum(a[..., :, None, :2], b[..., None, :, :2])
    high = np.minimum(a[..., :, None, 2:], b[..., None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=-1)
    area_a, area_b = (np.clip(c[..., 2:] - c[..., :2], 0, None).prod(axis=-1) for c in (a, b))
    union = area_a[..., :, None] + area_b[..., None, :] - common
    return np.divide(common, union, out=np.zeros_like(union), where=union > 0)


def find_boxes(
    scores: ArrayLike,
    boxes: ArrayLike,
    *,
    threshold: float = 0.05,
    overlap: float = 0.5,
    n_candidates: int = 200,
    n_boxes: int = 100,
) -> Boxes:
    """Return the boxes that a detector reports, by class-wise non-maximum suppression.

    Of the boxes of one class, one that overlaps too much with another box of a larger score, which
    is reported itself, is not reported (Lin et al. 2017, arXiv:1708.02002, section 4.1).

    Parameters
    ----------
    scores : array_like, shape (n_images, n_anchors, n_classes)
        Between 0 and 1.
    boxes : array_like, shape (n_images, n_anchors, 4)
        x_min, y_min, x_max, y_max in pixels.
    threshold : float
        Score that a box must exceed.
    overlap : float
        Largest intersection over union of two reported boxes of a class.
    n_candidates : int
        Number of boxes of an image that are looked at, those with the largest scores.
    n_boxes : int
        Largest number of reported boxes of an image.

    Raises
    ------
    DataError
        If the shapes do not belong together.
    """
    values, corners = np.asarray(scores, np.float64), np.asarray(boxes, np.float64)
    if values.ndim != 3 or corners.shape != (*values.shape[:2], 4):
        raise DataError(
            "a detector has scores of shape (n, n_anchors, n_classes) and boxes of shape (n, "
            f"n_anchors, 4). Received: shapes {values.shape} and {corners.shape}. If the outputs "
            "have another order, name them: MeanAveragePrecision(scores=..., boxes=...)."
        )
    n_images, n_anchors, n_classes = values.shape
    n = min(n_candidates, n_anchors * n_classes)
    size = max(_AT_ONCE // n**2, 1)
    parts = [
        _suppress(values[i : i + size], corners[i : i + size], n, threshold, overlap, n_boxes)
        for i in range(0, max(n_images, 1), size)
    ]
    return Boxes(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _suppress(
    scores: NDArray, boxes: NDArray, n: int, threshold: float, overlap: float, n_boxes: int
) -> tuple[NDArray, NDArray, NDArray]:
    """Return boxes, scores and classes of `Boxes` for some images."""
    n_classes = scores.shape[2]
    flat = scores.reshape(len(scores), -1)
    order = np.argsort(-flat, axis=1, kind="stable")[:, :n]
    score = np.take_along_axis(flat, order, axis=1)
    anchor, label = order // n_classes, order % n_classes
    box = np.take_along_axis(boxes, anchor[..., None], axis=1)
    known = score > threshold  # false for NaN
    close = intersection_over_union(box, box) > overlap
    close &= label[:, :, None] == label[:, None, :]
    earlier = np.triu(close, 1)  # a box and those after it, which it suppresses
    kept = _kept(known, earlier)
    first = np.argsort(~kept, axis=1, kind="stable")[:, :n_boxes]
    box, score, label, kept = (
        np.take_along_axis(a, first.reshape(*first.shape, *[1] * (a.ndim - 2)), axis=1)
        for a in (box, score, label, kept)
    )
    return (
        np.where(kept[..., None], box, 0.0),
        np.where(kept, score, -np.inf),
        np.where(kept, label, -1),
    )


def _kept(known: NDArray[np.bool_], suppresses: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the candidates that no kept one before them suppresses.

    Whether the first ``k`` candidates are kept is right after ``k`` rounds, and usually after a
    few, the length of a chain of overlaps: what does not change any more is the greedy choice.
    """
    weights = suppresses.astype(np.float32)
    kept = known
    while True:
        blocked = np.einsum("ni,nij->nj", kept.astype(np.float32), weights) > 0
        found = known & ~blocked
        if np.array_equal(found, kept):
            return found
        kept = found
