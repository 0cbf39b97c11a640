"""Images in the folder of Keras, read from their files without importing Keras, which takes long.

The files are those that Keras downloads, and the arrays are those that it returns: an archive of
NumPy for MNIST, IDX files for Fashion-MNIST (LeCun, Cortes and Burges, "The MNIST database of
handwritten digits"), and pickles for CIFAR-10 (Krizhevsky 2009), of which only numbers and bytes
are taken; nothing is unpickled.
"""

from __future__ import annotations

import gzip
import pickletools
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import DataError

Array = npt.NDArray[Any]
#: samples and labels
Split = tuple[Array, Array]

#: shape of an image of each dataset
SHAPES = {"mnist": (28, 28), "fashion_mnist": (28, 28), "cifar10": (32, 32, 3)}

_CLASSES = 10
_IDX_OF_BYTES = 8
_CIFAR_FOLDER = Path("cifar-10-batches-py-target", "cifar-10-batches-py")
_CIFAR_FILES = {"train": [f"data_batch_{n}" for n in range(1, 6)], "test": ["test_batch"]}
#: operations of pickles of Python 2 that push a text or bytes, and that push an integer
_TEXTS = frozenset({"STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES"})
_NUMBERS = frozenset({"INT", "BININT", "BININT1", "BININT2"})


def stored(name: str, split: str, folder: Path) -> Split | None:
    """Return a part of a dataset; None if its files are missing, damaged or of another kind.

    Parameters
    ----------
    name : str
        A key of `SHAPES`.
    split : {"train", "test"}
    folder : Path
        The folder ``datasets`` of Keras.

    Returns
    -------
    (x, y) : pair of ndarray of uint8, or None
        Images (n, *shape) and labels (n,).
    """
    # Keras, which is asked next, downloads them again, or says what is wrong.
    with suppress(DataError, OSError, EOFError, ValueError, zlib.error):
        x, y = _READERS[name](folder, split)
        if x.shape[1:] == SHAPES[name] and y.shape == (len(x),) and len(x) and y.max() < _CLASSES:
            return x, y
    return None


def _mnist(folder: Path, split: str) -> Split:
    names = f"x_{split}", f"y_{split}"
    arrays = read_arrays(folder / "mnist.npz", DataError, names)
    if set(arrays) != set(names) or any(array.dtype != np.uint8 for array in arrays.values()):
        raise ValueError(f"mnist.npz has no arrays of bytes called {' and '.join(names)}")
    return arrays[names[0]], arrays[names[1]]


def _fashion_mnist(folder: Path, split: str) -> Split:
    first = {"train": "train", "test": "t10k"}[split]
    images, labels = (
        _idx(folder / "fashion-mnist" / f"{first}-{kind}-ubyte.gz")
        for kind in ("images-idx3", "labels-idx1")
    )
    return images, labels


def _idx(path: Path) -> Array:
    """Return the array of a compressed IDX file of bytes."""
    with gzip.open(path, "rb") as file:
        content = file.read()
    if len(content) < 4:
        raise ValueError(f"{path.name} is not an IDX file")
    zeros, kind, rank = content[:2], content[2], content[3]
    shape = tuple(np.frombuffer(content, ">u4", rank, 4).tolist())
    if zeros != b"\0\0" or kind != _IDX_OF_BYTES or len(content) != 4 * (1 + rank) + prod(shape):
        raise ValueError(f"{path.name} is not an IDX file of bytes")
    return np.frombuffer(content, np.uint8, offset=4 * (1 + rank)).reshape(shape)


def _cifar10(folder: Path, split: str) -> Split:
    parts = [_batch(folder / _CIFAR_FOLDER / name) for name in _CIFAR_FILES[split]]
    x = np.concatenate([images for images, _ in parts])
    return x.transpose(0, 2, 3, 1), np.concatenate([labels for _, labels in parts])


def _batch(path: Path) -> Split:
    """Return the images, channels first, and labels of one file of CIFAR-10.

    It is the pickle of a dictionary of an array "data" and a list "labels".  Of the operations in
    it, those between the key and the next one are searched for the bytes and the numbers.
    """
    pixels, numbers = b"", []
    key = ""
    for operation, argument in _pushed(path.read_bytes()):
        if operation in _TEXTS:
            found = argument if isinstance(argument, bytes) else argument.encode("latin-1")
            if found in (b"data", b"labels", b"batch_label", b"filenames"):
                key = found.decode()
            elif key == "data" and len(found) > len(pixels):
                pixels = found
        elif key == "labels":
            numbers.append(argument)
    labels = np.array(numbers, np.uint8)
    return np.frombuffer(pixels, np.uint8).reshape(len(labels), 3, 32, 32), labels


def _pushed(content: bytes) -> Iterator[tuple[str, Any]]:
    """Yield the operations of a pickle that push texts, bytes and integers."""
    for operation, argument, _ in pickletools.genops(content):
        if operation.name in _TEXTS or operation.name in _NUMBERS:
            yield operation.name, argument


_READERS: dict[str, Callable[[Path, str], Split]] = {
    "mnist": _mnist,
    "fashion_mnist": _fashion_mnist,
    "cifar10": _cifar10,
}
