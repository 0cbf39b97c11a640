"""The command line of an exported program, and the images that it reads."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import DataError

from .images import n_neurons


def stop(message: str) -> NoReturn:
    """Print what is wrong with what the user gave, and end with the exit code of such errors."""
    print(message, file=sys.stderr)
    sys.exit(2)


def parser(
    description: str, n_steps: int, recordable: Mapping[str, Sequence[str]]
) -> argparse.ArgumentParser:
    """Return the parser with the options that all programs share.

    Parameters
    ----------
    description : str
    n_steps : int
        Default number of steps per image.
    recordable : mapping of str to sequence of str
        Population -> what can be recorded of it.
    """
    lines = [f"  {name}: {', '.join(what)}" for name, what in recordable.items()]
    options = argparse.ArgumentParser(
        description=description,
        epilog="Variables that can be recorded:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument(
        "--data", type=Path, required=True, help=".npz file with x and, optionally, y"
    )
    options.add_argument("-o", "--output", type=Path, required=True, help="the .npz file to write")
    options.add_argument(
        "--images", type=positive, help="number of images to use, from the first on; default: all"
    )
    options.add_argument(
        "--steps", type=positive, default=n_steps, help="steps per image; default: %(default)s"
    )
    options.add_argument(
        "--first",
        type=not_negative,
        default=0,
        metavar="N",
        help="number of the file's first image in its data set: the random numbers of an image "
        "depend on the seed and on its number only; default: %(default)s",
    )
    options.add_argument(
        "--seed", type=int, default=0, help="seed of random numbers; default: %(default)s"
    )
    options.add_argument("--quiet", action="store_true", help="print no line for each image")
    options.add_argument(
        "--checkpoints",
        type=positive,
        nargs="+",
        help="numbers of steps after which the class is read out; default: all",
    )
    options.add_argument(
        "--record",
        action="append",
        default=[],
        metavar="POPULATION=WHAT",
        help="keep spikes, counts or a state variable; may be repeated",
    )
    return options


def positive(text: str) -> int:
    """Return an integer of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 1. Received: {value}")
    return value


def not_negative(text: str) -> int:
    """Return an integer of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 0. Received: {value}")
    return value


def read_record(
    entries: Sequence[str], recordable: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Return ``["conv1=spikes", ...]`` as population -> what; unknown names end the program."""
    record: dict[str, list[str]] = {}
    for entry in entries:
        population, _, what = entry.partition("=")
        if what not in recordable.get(population, ()):
            valid = "; ".join(f"{name}: {', '.join(all_)}" for name, all_ in recordable.items())
            stop(f"--record {entry} is unknown. Valid: {valid}")
        record.setdefault(population, []).append(what)
    return record


def read_checkpoints(wanted: Sequence[int] | None, n_steps: int) -> NDArray[np.int64]:
    """Return the sorted numbers of steps; all of 1 ... ``n_steps`` if none are given."""
    if not wanted:
        return np.arange(1, n_steps + 1)
    if max(wanted) > n_steps:
        stop(f"--checkpoints {max(wanted)} is beyond the last step. Expected at most {n_steps}")
    return np.unique(np.asarray(wanted, dtype=np.int64))


def read_images(
    path: Path, inputs: Mapping[str, Mapping[str, Any]], n_images: int | None
) -> tuple[dict[str, NDArray[np.float64]], NDArray | None]:
    """Return the images for each input, and labels if the file contains any.

    Parameters
    ----------
    path : Path
        An .npz with ``x`` (or, with several inputs, an array named after each), optionally ``y``.
    inputs : mapping of str to mapping
        Input -> its description; ``shape`` is the shape of one sample.  An input with the encoder
        "raster" takes lists of spikes, shape (n_images, n_listed, 2): step and source, or -1.
    n_images : int or None
        Use the first images only.

    Returns
    -------
    x : dict of str to ndarray of float64, shape (n_images, *shape)
    y : ndarray or None
    """
    images = {}
    data = arrays_of(path)
    for name, entry in inputs.items():
        key = name if name in data or len(inputs) > 1 else "x"
        x = numbers(path, data, key)[:n_images]
        if entry["encoder"] == "raster":
            _check_lists(path, key, x, n_neurons(entry))
        elif x.shape[1:] != tuple(entry["shape"]):
            received = f"Received images of shape {x.shape[1:]}"
            stop(f"{path}: {key} must have images of shape {entry['shape']}. {received}")
        images[name] = x
    y = data.get("y")
    y = y if y is None or y.ndim == 0 else y[:n_images]
    if y is not None and y.shape[:1] != (len(next(iter(images.values()))),):
        stop(f"{path}: y needs one label for each image. Received an array of shape {y.shape}")
    lengths = {len(x) for x in images.values()}
    if len(lengths) != 1 or 0 in lengths:
        received = ", ".join(f"{name}: {len(x)}" for name, x in images.items())
        stop(
            f"{path}: every input needs the same number of images, at least 1. Received {received}"
        )
    return images, y


def arrays_of(path: Path) -> dict[str, NDArray]:
    """Return the arrays of an .npz file; stop if it cannot be read."""
    try:
        return read_arrays(path, DataError, advice="Save it again with numpy.savez.")
    except DataError as error:
        stop(str(error))


def numbers(path: Path, data: Mapping[str, NDArray], key: str) -> NDArray[np.float64]:
    """Return an array of samples; stop if it is missing or contains anything but numbers."""
    if key not in data:
        stop(f"{path} has no array {key!r}. It contains: {', '.join(data) or 'nothing'}")
    if data[key].dtype.kind not in "biuf" or data[key].ndim == 0:
        received = f"{data[key].dtype} of shape {data[key].shape}"
        stop(f"{path}: {key} must be an array of numbers, one sample a row. Received {received}")
    x = data[key].astype(np.float64)
    if not np.isfinite(x).all():
        stop(f"{path}: {key} contains values that are NaN or infinite")
    return x


def _check_lists(path: Path, key: str, x: NDArray[np.float64], n_sources: int) -> None:
    """Stop if lists of spikes have a wrong shape or sources that do not exist."""
    if x.ndim != 3 or x.shape[2] != 2:
        stop(f"{path}: {key} must have lists (step, source) for each image. Received {x.shape}")
    if not ((x >= -1).all() and (x[..., 1] < n_sources).all() and (x == np.floor(x)).all()):
        stop(f"{path}: {key} must have whole steps, and sources below {n_sources}")
