"""Images with objects, for detectors; see `bioconv.detection` for the form of the objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bioconv.data.stored import Array, Split
from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import DataError, DataNotFoundError

#: side of a canvas in pixels
CANVAS = 64
#: sides of the digits on a canvas before they are cropped to their ink
_SIDES = (14, 28)
#: rows and columns at which a canvas is divided into four parts, each with at most one digit
_DIVISIONS = (CANVAS // 2 - 4, CANVAS // 2 + 4)
#: share of the parts with a digit
_FILLED = 0.75
#: share of the largest value from which on a pixel is ink
_INK = 0.25
#: names of the parts of a file of blood cells
_PARTS = {"train": ("train", "val"), "test": ("test",)}


def on_canvas(digits: Split, n_images: int, seed: int) -> Split:
    """Place digits of several sizes on dark canvases.

    Parameters
    ----------
    digits : pair of ndarray
        Images (n, 8, 8) of scikit-learn from 0 to 16, and their classes.
    n_images : int
        Number of canvases.
    seed : int
        Seed of the choice of the digits, of their sizes and of their places.

    Returns
    -------
    (x, y) : pair of ndarray
        Canvases (n_images, 64, 64) of uint8 from 0 to 255, and objects (n_images, 4, 5) of
        float32: one to four digits that do not overlap, each with the box of its ink.
    """
    random = np.random.default_rng(seed)
    images, classes = digits
    chosen = random.integers(len(images), size=(n_images, 4))
    side = random.integers(*_SIDES, size=(n_images, 4), endpoint=True)
    row, column = random.integers(*_DIVISIONS, size=(2, n_images, 1), endpoint=True)
    part = np.arange(4)
    low = np.stack([row * (part // 2), column * (part % 2)])
    room = np.where(np.stack([part // 2, part % 2])[:, None], CANVAS, np.stack([row, column])) - low
    side = np.minimum(side, room.min(axis=0))
    place = low + random.integers(room - side, endpoint=True)
    filled = random.random((n_images, 4)) < _FILLED
    filled[~filled.any(axis=1), 0] = True
    ink = images[chosen] / images.max()
    down, across = (_stretch(place[axis], side) for axis in (0, 1))
    # a product of matrices, in which the four digits of a canvas are added
    rows = np.moveaxis(down @ ink * filled[..., None, None], 1, 2).reshape(n_images, CANVAS, -1)
    columns = np.moveaxis(across, 2, 3).reshape(n_images, -1, CANVAS)
    canvas = rows @ columns
    boxes = _boxes(ink >= _INK, place, side)
    y = np.concatenate([classes[chosen][..., None], boxes], axis=-1)
    y = np.where(filled[..., None], y, [-1.0, 0, 0, 0, 0])
    front = np.argsort(~filled, axis=1, kind="stable")[..., None]
    x = np.round(255 * np.clip(canvas, 0, 1)).astype(np.uint8)
    return x, np.take_along_axis(y, front, axis=1).astype(np.float32)


def _stretch(start: Array, side: Array) -> Array:
    """Return matrices (..., 64, 8) that stretch 8 pixels to ``side`` ones by linear interpolation.

    Outside of the stretched pixels they are 0.
    """
    pixel = np.arange(CANVAS) + 0.5
    inside = (pixel > start[..., None]) & (pixel < (start + side)[..., None])
    source = np.clip((pixel - start[..., None]) * 8 / side[..., None] - 0.5, 0, 7)
    weight = np.clip(1 - np.abs(source[..., None] - np.arange(8)), 0, None)
    return weight * inside[..., None]


def _boxes(ink: Array, place: Array, side: Array) -> Array:
    """Return the boxes of the ink (n, 4, 8, 8) of stretched digits, shape (n, 4, 4)."""
    scale = side / 8
    ends = []
    for axis, start in ((2, place[1]), (3, place[0])):  # columns are x
        used = np.asarray(ink.any(axis=axis))
        first, last = used.argmax(axis=-1), 8 - used[..., ::-1].argmax(axis=-1)
        ends.append((start + first * scale, start + last * scale))
    (left, right), (top, bottom) = ends
    return np.stack([left, top, right, bottom], axis=-1)


def blood_cells(path: str | Path | None = None) -> tuple[Split, Split]:
    """Read pictures of blood cells with boxes of platelets, red and white cells.

    They are those of the dataset BCCD (github.com/Shenggan/BCCD_Dataset, MIT), in which all images
    have the same size.

    Parameters
    ----------
    path : str or Path
        An ``.npz`` file, or a folder with one, that contains for each part P (``train``, ``val``
        and ``test``) ``x_P`` (images), ``boxes_P`` (x_min, y_min, x_max, y_max of all objects),
        ``labels_P`` and ``image_P`` (class and number of the image of each object).

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        uint8 images of shape (n, height, width, 3), and objects (n, n_objects, 5) of float32.  The
        part ``val`` belongs to the training images.

    Raises
    ------
    DataNotFoundError
        If there is no such file.
    """
    names = [f"{kind}_{part}" for part in ("train", "val", "test") for kind in _KINDS]
    where = Path(path) if path is not None else Path()
    files = sorted(where.glob("*.npz")) if where.is_dir() else [where]
    for file in files if path is not None else ():
        arrays = read_arrays(file, DataError, names) if file.is_file() else {}
        if set(names) <= set(arrays):
            train, test = (
                [_with_objects(arrays, part) for part in parts] for parts in _PARTS.values()
            )
            return _joined(train), _joined(test)
    raise DataNotFoundError(
        f"no blood cells at {str(path) if path is not None else 'any known place'}: pass an .npz "
        f"file, or a folder that contains one, with the arrays {', '.join(names)}."
    )


_KINDS = ("x", "boxes", "labels", "image")


def _with_objects(arrays: dict[str, Array], part: str) -> Split:
    """Return the images of one part, and their objects in rows."""
    x, boxes, labels, image = (arrays[f"{kind}_{part}"] for kind in _KINDS)
    order = np.argsort(image, kind="stable")
    image = image[order]
    number = np.arange(len(image)) - np.searchsorted(image, image)
    y = np.zeros((len(x), number.max(initial=0) + 1, 5), np.float32)
    y[..., 0] = -1
    y[image, number, 0], y[image, number, 1:] = labels[order], boxes[order]
    return x, y


def _joined(parts: list[Split]) -> Split:
    """Join parts, with as many rows of objects as the largest number in any of them."""
    most = max(y.shape[1] for _, y in parts)
    nothing = np.array([-1, 0, 0, 0, 0], np.float32)
    rows = []
    for _, y in parts:
        missing = np.broadcast_to(nothing, (len(y), most - y.shape[1], 5))
        rows.append(np.concatenate([y, missing], axis=1))
    return np.concatenate([x for x, _ in parts]), np.concatenate(rows)
