"""Load data for calibration and simulation from ``.npz`` files or named datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioconv.data import datasets
from bioconv.ground.archives import array_names, read_arrays
from bioconv.ground.decisions import Decision, finite_numbers, is_one_hot
from bioconv.ground.errors import DataError

#: names of the datasets
NAMES = (
    "digits",
    "digits_canvas",
    "mnist",
    "fashion_mnist",
    "cifar10",
    "imdb",
    "imdb_2500",
    "imdb_20000",
)

#: samples, and labels if there are any
Data = tuple[NDArray, NDArray | None]


def load_data(
    source: str | Path,
    *,
    split: str = "test",
    scale: float | None = None,
    offset: float = 0.0,
    n_images: int | None = None,
) -> Data:
    """Load samples, and labels if there are any.

    Parameters
    ----------
    source : str or Path
        An ``.npz`` file with ``x`` and optionally ``y``, or the name of a dataset: ``digits``,
        ``digits_canvas`` (several digits on a canvas, for detectors), ``mnist``,
        ``fashion_mnist``, ``cifar10``, ``imdb`` (5,000 words), ``imdb_2500`` or ``imdb_20000``
        (200 words of a review).
    split : {"test", "train"}
        Part of a named dataset.
    scale, offset : float
        If either is given, ``x * scale + offset`` is returned, where x are the stored values (0
        to 255 for images, 0 to 16 for digits).  Otherwise a named dataset is returned in the form
        on which its networks are trained (images between 0 and 1, channels last), and the values
        of a file are not changed.
    n_images : int, optional
        Number of samples, from the start of the data.  By default all.

    Returns
    -------
    x : ndarray of float32, shape (n, ...)
        Integers (word indices) stay integers if neither scale nor offset is given.
    y : ndarray or None, shape (n,) or (n, ...)
        Class numbers, also for one-hot labels; or several labels or values for each sample, or
        objects (see `bioconv.detection`).
        Whether they suit a network is checked where they are compared with its outputs.

    Raises
    ------
    DataError
        If the file cannot be read or contains no valid ``x``, if ``y`` is not finite or has not one
        entry for each sample, or if the name is unknown.

    Examples
    --------
    >>> x, y = load_data("digits", n_images=3)
    >>> x.shape, float(x.max()) <= 1
    ((3, 8, 8, 1), True)
    """
    if n_images is not None and n_images < 1:
        raise DataError(f"the number of images must be at least 1. Received: {n_images}.")
    given = (scale, offset) != (None, 0.0)
    name = str(source) if str(source) in NAMES else ""
    x, y = _named(name, split) if name else _from_file(Path(source))
    x, y = x[:n_images], None if y is None else y[:n_images]
    if given:
        x = x * (1.0 if scale is None else scale) + offset
    elif name:
        x = datasets.scale(name, x)
    if not np.issubdtype(x.dtype, np.integer):
        x = x.astype(np.float32)
    if not np.all(np.isfinite(x)):
        raise DataError(f"{source}: x contains NaN or infinite values. Remove them first.")
    return x, y


def _named(name: str, split: str) -> Data:
    if split not in ("train", "test"):
        raise DataError(f"split must be 'train' or 'test'. Received: {split!r}.")
    return datasets.part(name, split)


def _from_file(path: Path) -> Data:
    if not path.is_file():
        raise DataError(
            f"no data file {str(path)!r}. Pass an .npz file with arrays x and (optionally) y, "
            f"or one of the names {', '.join(NAMES)}."
        )
    save = "Save it with numpy.savez(file, x=images, y=labels)."
    arrays = read_arrays(path, DataError, ("x", "y"), advice=save)
    if "x" not in arrays:
        found = ", ".join(array_names(path, DataError)) or "nothing"
        raise DataError(f"{path}: no array called x. Found: {found}. {save}")
    return _checked(path, arrays["x"], arrays.get("y"))


def _checked(path: Path, x: NDArray, y: NDArray | None) -> Data:
    if x.ndim < 2 or not len(x) or x.dtype.kind not in "fiub":
        raise DataError(
            f"{path}: x must contain numbers of at least one sample, with samples first. "
            f"Received: shape {x.shape}, dtype {x.dtype}."
        )
    if y is None:
        return x, None
    try:
        y = finite_numbers(y, len(x))
    except DataError as error:
        raise DataError(f"{path}: y: {error}") from None
    if is_one_hot(y):
        y = Decision().labels(y, y.shape[1:], len(y))
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    return x, y.astype(np.int64) if np.array_equal(y, np.floor(y)) else y


def fit_shape(x: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Convert samples to the input shape of a network if the conversion is unambiguous.

    The conversion adds or removes axes of length one, flattens, or moves channels from last to
    first.

    Parameters
    ----------
    x : ndarray, shape (n, ...)
    shape : tuple of int
        Shape of one sample that the network expects.

    Raises
    ------
    DataError
        If the shapes do not agree in one of these ways.

    Examples
    --------
    >>> fit_shape(np.zeros((5, 28, 28)), (28, 28, 1)).shape
    (5, 28, 28, 1)
    """
    given = x.shape[1:]
    if given == shape:
        return x
    squeezed = tuple(size for size in given if size != 1)
    if squeezed == tuple(size for size in shape if size != 1) or (
        len(shape) == 1 and shape[0] == np.prod(given)
    ):
        return x.reshape(len(x), *shape)
    if len(given) == 3 and (given[2], *given[:2]) == shape:
        return np.moveaxis(x, -1, 1)
    raise DataError(f"the network takes samples of shape {shape}. Received: {given}.")
