"""The command line of an exported program, and the images that it reads."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .images import n_neurons


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
            sys.exit(f"--record {entry} is unknown. Valid: {valid}")
        record.setdefault(population, []).append(what)
    return record


def read_checkpoints(wanted: Sequence[int] | None, n_steps: int) -> NDArray[np.int64]:
    """Return the sorted numbers of steps; all of 1 ... ``n_steps`` if none are given."""
    if not wanted:
        return np.arange(1, n_steps + 1)
    if max(wanted) > n_steps:
        sys.exit(f"--checkpoints {max(wanted)} is beyond the last step. Expected at most {n_steps}")
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
    with np.load(path, allow_pickle=False) as data:
        for name, entry in inputs.items():
            key = name if name in data or len(inputs) > 1 else "x"
            if key not in data:
                sys.exit(f"{path} has no array {key!r}. It contains: {', '.join(data.files)}")
            x = np.asarray(data[key][:n_images], dtype=np.float64)
            if entry["encoder"] == "raster":
                _check_lists(path, key, x, n_neurons(entry))
            elif x.shape[1:] != tuple(entry["shape"]):
                received = f"Received images of shape {x.shape[1:]}"
                sys.exit(f"{path}: {key} must have images of shape {entry['shape']}. {received}")
            if not np.isfinite(x).all():
                sys.exit(f"{path}: {key} contains values that are NaN or infinite")
            images[name] = x
        y = data["y"][:n_images] if "y" in data else None
    if y is not None and y.shape[:1] != (len(next(iter(images.values()))),):
        sys.exit(f"{path}: y needs one label for each image. Received an array of shape {y.shape}")
    lengths = {len(x) for x in images.values()}
    if len(lengths) != 1 or 0 in lengths:
        received = ", ".join(f"{name}: {len(x)}" for name, x in images.items())
        sys.exit(
            f"{path}: every input needs the same number of images, at least 1. Received {received}"
        )
    return images, y


def _check_lists(path: Path, key: str, x: NDArray[np.float64], n_sources: int) -> None:
    """Stop if lists of spikes have a wrong shape or sources that do not exist."""
    if x.ndim != 3 or x.shape[2] != 2:
        sys.exit(f"{path}: {key} must have lists (step, source) for each image. Received {x.shape}")
    if not ((x >= -1).all() and (x[..., 1] < n_sources).all() and (x == np.floor(x)).all()):
        sys.exit(f"{path}: {key} must have whole steps, and sources below {n_sources}")
