"""Mean average precision of detectors, as COCO defines it.

Source: Lin et al. 2014, "Microsoft COCO: common objects in context" (arXiv:1405.0312), and the
evaluation described at https://cocodataset.org/#detection-eval: the mean over classes and over ten
overlaps from 0.5 to 0.95 of the average precision at 101 recalls, for objects of any size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.detection.anchors import CODINGS, decode_boxes
from bioconv.detection.boxes import Boxes, find_boxes, intersection_over_union
from bioconv.ground.errors import DataError
from bioconv.ground.options import check, choice, number, whole

#: overlaps from which on a box counts as found
OVERLAPS = np.linspace(0.5, 0.95, 10)
#: recalls at which the precision is averaged
RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class MeanAveragePrecision:
    """COCO's mean average precision, a metric of true objects and of the outputs of a detector.

    Parameters
    ----------
    scores, boxes : str
        Names of the two outputs; by default the first one has the scores and the second one the
        boxes.
    threshold : float
        Score that a box must exceed to be reported.
    overlap : float
        Largest intersection over union of two reported boxes of a class.
    n_candidates, n_boxes : int
        See `find_boxes`.
    anchors : ndarray, shape (n_anchors, 4), optional
        Anchors of a network whose second output are offsets to them (`Anchors.boxes`).  By default
        the output are boxes in pixels.
    coding : {"corners", "centers"}
        Form of these offsets; see `decode_boxes`.
    """

    scores: str = ""
    boxes: str = ""
    threshold: float = number(0.05, 0.0)
    overlap: float = number(0.5, 0.0)
    n_candidates: int = whole(200, 1)
    n_boxes: int = whole(100, 1)
    anchors: NDArray | None = None
    coding: str = choice("corners", CODINGS)

    def __post_init__(self) -> None:
        check(self)

    @property
    def name(self) -> str:
        """Its name in words."""
        return "mean average precision"

    def __call__(self, y: ArrayLike, outputs: NDArray | Mapping[str, NDArray]) -> float:
        """Return the mean average precision, between 0 and 1.

        Parameters
        ----------
        y : array_like, shape (n_images, n_objects, 5)
            Objects; see `bioconv.detection`.
        outputs : mapping of str to ndarray
            Scores and boxes of the network, see `find_boxes`.

        Raises
        ------
        DataError
            If the network has not two such outputs, or if ``y`` are not objects of its classes.
        """
        found = self.find(outputs)
        n_classes = self._pair(outputs)[0].shape[-1]
        return float(average_precisions(true_boxes(y, n_classes), found, n_classes).mean())

    def find(self, outputs: NDArray | Mapping[str, NDArray]) -> Boxes:
        """Return the boxes that a network reports; see `find_boxes`."""
        scores, boxes = self._pair(outputs)
        if self.anchors is not None:
            boxes = decode_boxes(boxes, self.anchors, self.coding)
        return find_boxes(
            scores,
            boxes,
            threshold=self.threshold,
            overlap=self.overlap,
            n_candidates=self.n_candidates,
            n_boxes=self.n_boxes,
        )

    def _pair(self, outputs: NDArray | Mapping[str, NDArray]) -> tuple[NDArray, NDArray]:
        if not isinstance(outputs, Mapping) or len(outputs) < 2:
            raise DataError(
                "mean average precision requires a network with two outputs, scores and boxes. "
                "Received: a single output."
            )
        names = [self.scores or list(outputs)[0], self.boxes or list(outputs)[1]]
        unknown = [name for name in names if name not in outputs]
        if unknown:
            raise DataError(
                f"there is no output {', '.join(map(repr, unknown))}. Outputs of the network: "
                f"{', '.join(outputs)}."
            )
        return np.asarray(outputs[names[0]]), np.asarray(outputs[names[1]])


def true_boxes(y: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """Return the objects of images after validation, shape (n_images, n_objects, 5).

    Raises
    ------
    DataError
        If they have another form, if a class is unknown, if a box has no area, or if there is no
        object at all.
    """
    rows = np.asarray(y, np.float64)
    wanted = (
        "objects are an array of shape (n_images, n_objects, 5) with rows of class, x_min, y_min, "
        "x_max, y_max, and of class -1 where an image has fewer objects"
    )
    if rows.ndim != 3 or rows.shape[2] != 5 or not np.isfinite(rows).all():
        raise DataError(f"{wanted}. Received: an array of shape {rows.shape}.")
    labels = rows[..., 0]
    if np.any(labels != np.floor(labels)) or labels.min() < -1 or labels.max() >= n_classes:
        raise DataError(
            f"{wanted}. The network has the classes 0 to {n_classes - 1}. Received: classes from "
            f"{labels.min():g} to {labels.max():g}."
        )
    real = labels >= 0
    if not real.any():
        raise DataError(f"{wanted}. Received: no object.")
    if np.any(rows[real][:, 3:] <= rows[real][:, 1:3]):
        raise DataError(f"{wanted}. Received: a box without an area.")
    return rows


def average_precisions(y: NDArray, found: Boxes, n_classes: int) -> NDArray[np.float64]:
    """Return the average precision of each class that occurs, at each overlap of `OVERLAPS`.

    Parameters
    ----------
    y : ndarray, shape (n_images, n_objects, 5)
        From `true_boxes`.
    found : Boxes
    n_classes : int

    Returns
    -------
    ndarray, shape (n_occurring_classes, 10)
    """
    right = _match(y, found)
    labels = y[..., 0]
    rows = [
        _average(found.scores[found.classes == label], right[found.classes == label], n)
        for label in range(n_classes)
        if (n := int(np.count_nonzero(labels == label)))
    ]
    return np.array(rows)


def _match(y: NDArray, found: Boxes) -> NDArray[np.bool_]:
    """Return which boxes find an object at each overlap, shape (n_images, n_boxes, n_overlaps).

    The boxes choose in the order of their scores, each the object of its class with which it
    overlaps most and that is still free.
    """
    n_images, n_boxes = found.scores.shape
    overlap = intersection_over_union(found.boxes, y[..., 1:])
    overlap[found.classes[:, :, None] != y[:, None, :, 0]] = 0.0
    free = np.ones((n_images, y.shape[1], len(OVERLAPS)), bool)
    right = np.zeros((n_images, n_boxes, len(OVERLAPS)), bool)
    for place in range(n_boxes):
        offered = np.where(free, overlap[:, place, :, None], -1.0)
        # of two that overlap equally COCO takes the last
        best = offered.shape[1] - 1 - offered[:, ::-1].argmax(axis=1)
        most = np.take_along_axis(offered, best[:, None], axis=1)[:, 0]
        right[:, place] = most >= np.minimum(OVERLAPS, 1 - 1e-10)
        image, level = np.nonzero(right[:, place])
        free[image, best[image, level], level] = False
    return right


def _average(scores: NDArray, right: NDArray[np.bool_], n_objects: int) -> NDArray[np.float64]:
    """Return the mean precision of one class over `RECALLS`, for each overlap."""
    order = np.argsort(-scores, kind="stable")
    hits = right[order].cumsum(axis=0)
    places = np.arange(1, len(hits) + 1)[:, None]
    # the largest precision at this or a larger recall
    precision = np.maximum.accumulate((hits / places)[::-1], axis=0)[::-1]
    recall = hits / n_objects
    reached = [np.searchsorted(column, RECALLS) for column in recall.T]
    padded = np.concatenate([precision, np.zeros((1, precision.shape[1]))])
    return np.array([padded[place, k].mean() for k, place in enumerate(reached)])
