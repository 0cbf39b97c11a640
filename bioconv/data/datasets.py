"""The datasets on which the networks are trained, as (train, test) pairs of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bioconv.data.detection import blood_cells, on_canvas
from bioconv.data.stored import SHAPES, Array, Split, stored
from bioconv.ground.archives import array_names, read_arrays
from bioconv.ground.cache import remembered
from bioconv.ground.errors import DataError, DataNotFoundError, UnknownNameError
from bioconv.ground.keras_engine import import_keras, keras_home
from bioconv.ground.versions import version

Dataset = tuple[Split, Split]
DataPath = str | Path

#: datasets of word indices -> number of words
N_WORDS = {"imdb": 5000, "imdb_2500": 2500, "imdb_20000": 20_000}
# In this order, so that arrays of a whole dataset take precedence over those of a part of it.
_NPZ_KEYS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("x_train4000", "y_train4000", "x_test1000", "y_test1000"),
)


def names() -> tuple[str, ...]:
    """Return the names of the datasets.

    Returns
    -------
    tuple of str
        Names that `load` and `scaled` accept.
    """
    return tuple(_LOADERS)


def load(name: str, path: DataPath | None = None) -> Dataset:
    """Load a dataset without scaling.

    Parameters
    ----------
    name : str
        One of `names()`.
    path : str or Path, optional
        For ``mnist``, ``fashion_mnist`` and ``cifar10``, an ``.npz`` file that is read in place
        of Keras's copy, or a folder that contains one. See `from_npz`. ``blood_cells`` are read
        from such a file only; see `bioconv.data.detection.blood_cells`.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        Images are uint8, labels integers of shape (n_samples,), or objects; see
        `bioconv.detection`.

    Raises
    ------
    UnknownNameError
        If there is no such dataset.
    DataNotFoundError
        If the dataset is not on this machine and cannot be downloaded.
    ValueError
        If `path` is given for a dataset that is not read from files.

    Examples
    --------
    >>> from bioconv.data import datasets
    >>> (x_train, y_train), (x_test, y_test) = datasets.load("digits")
    >>> x_train.shape, x_test.shape
    ((1437, 8, 8), (360, 8, 8))
    """
    if name not in _LOADERS:
        raise UnknownNameError("dataset", name, names())
    if path is None:
        return _LOADERS[name]()
    if name in _FROM_FILES:
        return _FROM_FILES[name](path)
    if name not in SHAPES:
        allowed = ", ".join((*SHAPES, *_FROM_FILES))
        raise ValueError(f"A path can be given for {allowed} only. Received: {name!r}.")
    return from_npz(name, path)


def part(name: str, split: str) -> Split:
    """Load the training or the test part of a dataset without scaling.

    Of images that are on this machine, only this part is read.

    Parameters
    ----------
    name : str
        One of `names()`.
    split : {"train", "test"}

    Returns
    -------
    (x, y) : pair of ndarray

    Raises
    ------
    UnknownNameError, DataNotFoundError
        As `load`.
    """
    found = stored(name, split, _folder()) if name in SHAPES else None
    return load(name)[split == "test"] if found is None else found


def scaled(name: str, path: DataPath | None = None) -> Dataset:
    """Load a dataset in the form that the networks of this package expect.

    Parameters
    ----------
    name : str
        One of `names()`.
    path : str or Path, optional
        As in `load`.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        Images are float32 in [0, 1] of shape (n_samples, height, width, channels). Other data
        are the same as those of `load`.
    """
    (x_train, y_train), (x_test, y_test) = load(name, path)
    return (scale(name, x_train), y_train), (scale(name, x_test), y_test)


def scale(name: str, x: Array) -> Array:
    """Scale raw samples of a dataset to the input range of the networks.

    Parameters
    ----------
    name : str
        Name of the dataset.
    x : ndarray
        Samples as returned by `load`.

    Returns
    -------
    ndarray
        Images as float32 in [0, 1] with channels last; other data unchanged.
    """
    if name not in _LARGEST_PIXEL:
        return x
    images = x.astype(np.float32) / np.float32(_LARGEST_PIXEL[name])
    return images[..., np.newaxis] if images.ndim == 3 else images


def digits(seed: int = 0) -> Dataset:
    """Load the 8×8 digits of scikit-learn, split into training and test images.

    Parameters
    ----------
    seed : int
        Seed of the split. The shipped networks were trained with 0.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        1,437 and 360 images of shape (8, 8), uint8 from 0 to 16, with the same proportions of
        classes in both parts; labels from 0 to 9.
    """
    key = {"dataset": "digits", "seed": seed, "scikit-learn": version("scikit-learn")}
    names = ("x_train", "x_test", "y_train", "y_test")
    # Kept, because importing scikit-learn takes more than a second.
    kept = remembered("datasets", key, names, lambda: dict(zip(names, _split(seed), strict=True)))
    x_train, x_test = (kept[name].astype(np.uint8) for name in names[:2])
    y_train, y_test = (kept[name].astype(np.int64) for name in names[2:])
    return (x_train, y_train), (x_test, y_test)


def _split(seed: int) -> list[Array]:
    """Return images and labels of the digits, each for training and for testing."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    parts: list[Array] = train_test_split(
        bunch.images, bunch.target, test_size=360, random_state=seed, stratify=bunch.target
    )
    return parts


def digits_canvas(n_train: int = 4000, n_test: int = 200) -> Dataset:
    """Place the digits of scikit-learn on canvases, several on each, for detectors.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        4,000 and 200 canvases (64, 64), uint8, and objects (4, 5) of each; see
        `bioconv.data.detection.on_canvas`. The digits are those of the two parts of `digits`.
    """
    train, test = digits()
    return on_canvas(train, n_train, seed=1), on_canvas(test, n_test, seed=2)


def mnist() -> Dataset:
    """Load MNIST from Keras's folder, or download it there.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        60,000 and 10,000 images of shape (28, 28), uint8; labels from 0 to 9.
    """
    return _images("mnist")


def fashion_mnist() -> Dataset:
    """Load Fashion-MNIST from Keras's folder, or download it there.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        60,000 and 10,000 images of shape (28, 28), uint8; labels from 0 to 9.
    """
    return _images("fashion_mnist")


def cifar10() -> Dataset:
    """Load CIFAR-10 from Keras's folder, or download it there.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        50,000 and 10,000 images of shape (32, 32, 3), uint8; labels from 0 to 9.
    """
    return _images("cifar10")


def imdb(n_words: int = N_WORDS["imdb"], length: int = 500) -> Dataset:
    """Load the IMDb reviews from Keras's folder, or download them there.

    Parameters
    ----------
    n_words : int
        Number of the most frequent words that are kept. All others have the index 2.
    length : int
        Number of words of a review. Longer ones are cut to their last words, and shorter ones
        are padded with zeros at the start.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        25,000 and 25,000 reviews, int32 word indices of shape (length,); labels 0 and 1.
    """
    (x_train, y_train), (x_test, y_test) = _from_keras("imdb", num_words=n_words)
    pad = import_keras().utils.pad_sequences
    return (pad(x_train, maxlen=length), y_train), (pad(x_test, maxlen=length), y_test)


def sine() -> Dataset:
    """Generate the regression task 0.5 + 0.4 sin(2πx) on [0, 1].

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        float32 arrays of shapes (1001, 1) and (256, 1), all between 0 and 1; x is evenly
        spaced, and the two parts have no points in common.
    """

    def sample(x: Array) -> Split:
        y = 0.5 + 0.4 * np.sin(2.0 * np.pi * x)
        return x.astype(np.float32)[:, np.newaxis], y.astype(np.float32)[:, np.newaxis]

    return sample(np.linspace(0.0, 1.0, 1001)), sample((np.arange(256) + 0.5) / 256)


def from_npz(name: str, path: DataPath) -> Dataset:
    """Read an image dataset from an ``.npz`` file.

    Parameters
    ----------
    name : str
        ``mnist``, ``fashion_mnist`` or ``cifar10``, which determines the expected shape.
    path : str or Path
        The file, or a folder whose first suitable ``.npz`` file is read. A suitable file contains
        the arrays ``x_train, y_train, x_test, y_test`` or, for a part of CIFAR-10,
        ``x_train4000, y_train4000, x_test1000, y_test1000``.

    Returns
    -------
    ((x_train, y_train), (x_test, y_test)) : tuple of pairs of ndarray
        Images are uint8, labels have shape (n_samples,).

    Raises
    ------
    DataNotFoundError
        If there is no suitable file.
    """
    where = Path(path)
    files = sorted(where.glob("*.npz")) if where.is_dir() else [where]
    for file in filter(Path.is_file, files):
        found = array_names(file, DataError)
        for keys in (keys for keys in _NPZ_KEYS if set(keys) <= set(found)):
            arrays = read_arrays(file, DataError, keys)
            if _fits(name, arrays[keys[0]]):
                x_train, y_train, x_test, y_test = (arrays[key] for key in keys)
                return (x_train, y_train.ravel()), (x_test, y_test.ravel())
    wanted = " or ".join("(" + ", ".join(keys) + ")" for keys in _NPZ_KEYS)
    raise DataNotFoundError(
        f"No data of {name} at {where}: looked for an .npz file with the arrays {wanted} and "
        f"images of shape {SHAPES[name]}."
    )


def _fits(name: str, images: Array) -> bool:
    """Whether images have the shape and type of a dataset."""
    return images.shape[1:] == SHAPES[name] and images.dtype == np.uint8


def _images(name: str) -> Dataset:
    """Load images from their files, or else by Keras."""
    train, test = (stored(name, split, _folder()) for split in ("train", "test"))
    if train is None or test is None:
        (x_train, y_train), (x_test, y_test) = _from_keras(name)
        return (x_train, y_train.ravel()), (x_test, y_test.ravel())
    return train, test


def _folder() -> Path:
    """Return the folder in which Keras keeps datasets."""
    return keras_home() / "datasets"


def _from_keras(name: str, **options: Any) -> Dataset:
    """Load a dataset from `keras.datasets`, with advice if this fails."""
    loader = getattr(import_keras().datasets, name)
    try:
        dataset: Dataset = loader.load_data(**options)
    # Keras raises a plain Exception if a download fails.
    except Exception as error:
        raise DataNotFoundError(
            f"{name} is not available: looked in {_folder()}, then tried to "
            f"download it ({error}). Connect to the network once, or set the environment variable "
            f"KERAS_HOME to a folder that contains the files under datasets/"
            + (", or pass the path of an .npz file." if name in SHAPES else ".")
        ) from error
    return dataset


#: datasets with a form of file of their own
_FROM_FILES: dict[str, Callable[..., Dataset]] = {"blood_cells": blood_cells}
_LOADERS: dict[str, Callable[[], Dataset]] = {
    "digits": digits,
    "digits_canvas": digits_canvas,
    **_FROM_FILES,
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "cifar10": cifar10,
    "imdb": imdb,
    "imdb_2500": partial(imdb, n_words=N_WORDS["imdb_2500"]),
    "imdb_20000": partial(imdb, n_words=N_WORDS["imdb_20000"], length=200),
    "sine": sine,
}
_LARGEST_PIXEL = {
    "digits": 16,
    "digits_canvas": 255,
    "blood_cells": 255,
    "mnist": 255,
    "fashion_mnist": 255,
    "cifar10": 255,
}
