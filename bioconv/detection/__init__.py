"""Detection of objects: anchors, boxes, suppression of duplicates, and mean average precision.

A detector has two outputs: scores of shape (n_anchors, n_classes) and boxes of shape (n_anchors,
4).  A box is x_min, y_min, x_max, y_max in pixels, with the origin at the upper left corner.  The
true objects of an image are rows of class, x_min, y_min, x_max, y_max; images with fewer objects
than others have rows of class -1 at their end.
"""

from bioconv.detection.anchors import Anchors, assign, decode_boxes
from bioconv.detection.boxes import Boxes, find_boxes, intersection_over_union
from bioconv.detection.precision import MeanAveragePrecision, average_precisions, true_boxes

__all__ = [
    "Anchors",
    "Boxes",
    "MeanAveragePrecision",
    "assign",
    "average_precisions",
    "decode_boxes",
    "find_boxes",
    "intersection_over_union",
    "true_boxes",
]
