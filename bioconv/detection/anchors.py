"""Anchors: the boxes of fixed size and place that a detector scores, shifts and stretches.

Source: Lin et al. 2017, "Focal loss for dense object detection" (arXiv:1708.02002), section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.detection.boxes import intersection_over_union
from bioconv.ground.errors import ParameterError

#: offsets of corners are counted in this share of the size of the anchor
CORNER_UNIT = 0.2
#: forms of the offsets that `decode_boxes` reads
CODINGS = ("corners", "centers")
#: overlap with an object from which on an anchor is to find it, and below which it is background
_FOREGROUND, _BACKGROUND = 0.5, 0.4


@dataclass(frozen=True)
class Anchors:
    """Anchors of all levels of a feature pyramid.

    Parameters
    ----------
    strides : tuple of int
        Distance of two places of each level, in pixels.
    size : float
        Side of the smallest square anchor of a level, in its strides.
    octaves : tuple of float
        Sizes at each place, as powers of two of the smallest.
    ratios : tuple of float
        Heights over widths at each place; the area is the same for all.
    """

    strides: tuple[int, ...] = (8, 16, 32, 64, 128)
    size: float = 4.0
    octaves: tuple[float, ...] = (0.0, 1 / 3, 2 / 3)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)

    @property
    def n_each(self) -> int:
        """Number of anchors at each place."""
        return len(self.octaves) * len(self.ratios)

    def boxes(self, height: int, width: int) -> NDArray[np.float64]:
        """Return the anchors for images of a size in pixels, shape (n_anchors, 4).

        They are in the order of levels, rows, columns, sizes and ratios.
        """
        return np.concatenate([self._level(stride, height, width) for stride in self.strides])

    def _level(self, stride: int, height: int, width: int) -> NDArray[np.float64]:
        side = self.size * stride * 2.0 ** np.asarray(self.octaves)[:, None]
        stretch = np.sqrt(self.ratios)
        half = np.stack([side / stretch, side * stretch], axis=-1).reshape(-1, 2) / 2
        y, x = ((np.arange(-(-n // stride)) + 0.5) * stride for n in (height, width))
        centers = np.stack(np.meshgrid(x, y), axis=-1)[:, :, None]
        return np.concatenate([centers - half, centers + half], axis=-1).reshape(-1, 4)


def decode_boxes(deltas: ArrayLike, anchors: NDArray, coding: str = "corners") -> NDArray:
    """Return boxes from what a network says of each anchor.

    Parameters
    ----------
    deltas : array_like, shape (..., n_anchors, 4)
    anchors : ndarray, shape (n_anchors, 4)
    coding : {"corners", "centers"}
        "corners": offsets of the corners, in fifths of the width and height of the anchor.  This is
        a linear function, which a network can contain.  "centers": offsets of the center in units
        of width and height, and logarithms of the ratios of widths and of heights (Girshick et al.
        2014, arXiv:1311.2524, appendix C).

    Returns
    -------
    ndarray, shape (..., n_anchors, 4)

    Raises
    ------
    ParameterError
        If the coding is none of these.
    """
    if coding not in CODINGS:
        raise ParameterError(f"coding must be corners or centers. Received: {coding!r}.")
    values = np.asarray(deltas)
    size = anchors[:, 2:] - anchors[:, :2]
    if coding == "corners":
        return np.asarray(anchors + CORNER_UNIT * np.tile(size, 2) * values)
    center = (anchors[:, :2] + anchors[:, 2:]) / 2 + size * values[..., :2]
    half = size * np.exp(values[..., 2:]) / 2
    return np.concatenate([center - half, center + half], axis=-1)


def assign(anchors: NDArray, y: NDArray) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the object that each anchor is to find, in images with known objects.

    An anchor is to find the object with which it overlaps most, if this is half of their union or
    if no anchor overlaps more with the object.  Below 0.4 it is background, and between the two it
    does not count in the training (Lin et al. 2017, section 4.1).

    Parameters
    ----------
    anchors : ndarray, shape (n_anchors, 4)
    y : ndarray, shape (n_images, n_objects, 5)
        Objects; see `bioconv.detection`.

    Returns
    -------
    classes : ndarray of int, shape (n_images, n_anchors)
        Class of the object; -1 for background, and -2 for anchors that do not count.
    boxes : ndarray, shape (n_images, n_anchors, 4)
        Its box; zeros without an object.
    """
    labels, boxes = y[..., 0].astype(np.int64), y[..., 1:]
    real = labels >= 0
    overlap = intersection_over_union(anchors[None], boxes) * real[:, None]
    best, most = overlap.argmax(axis=2), overlap.max(axis=2)
    classes = np.where(most < _BACKGROUND, -1, -2)
    rows = np.arange(len(y))[:, None]
    found = most >= _FOREGROUND
    favorite = overlap.argmax(axis=1)
    image, item = np.nonzero(real & (overlap.max(axis=1) > 0))
    found[image, favorite[image, item]] = True
    best[image, favorite[image, item]] = item
    classes[found] = labels[rows, best][found]
    return classes, np.where(found[..., None], boxes[rows, best], 0.0)
