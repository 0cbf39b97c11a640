"""Rasters in files, with the encoder that made them."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioconv.encoders.encoder import Encoder
from bioconv.encoders.raster import SpikeRaster
from bioconv.export.support.arrays import write
from bioconv.ground.archives import read_arrays
from bioconv.ground.errors import DataError

_NEEDED = ("unit", "time", "shape", "duration")
#: a file of few bytes must not ask for the memory of more units than a camera of 8K has
_MOST_UNITS = 2**26


def save_raster(path: str | Path, raster: SpikeRaster, encoder: Encoder | None = None) -> None:
    """Write a raster as an ``.npz`` file, whole or not at all.

    Parameters
    ----------
    path : str or Path
    raster : SpikeRaster
    encoder : Encoder, optional
        Fitted, so that the file contains all that decoding requires.

    Notes
    -----
    The arrays are ``unit`` (n_spikes,), ``time`` (n_spikes,) in ms, ``shape``, ``duration`` in ms,
    and, as text, ``encoder`` and its ``options`` in JSON.
    """
    arrays: dict[str, NDArray] = {
        "unit": raster.unit,
        "time": raster.time,
        "shape": np.array(raster.shape, np.int64),
        "duration": np.array(raster.duration),
    }
    if encoder is not None:
        arrays["encoder"] = np.array(encoder.name)
        arrays["options"] = np.array(json.dumps(asdict(encoder)))
    write(Path(path), arrays)


def load_raster(path: str | Path) -> SpikeRaster:
    """Return the raster of a file of `save_raster`.

    Raises
    ------
    DataError
        If the file is missing, damaged, no raster, or has more than 2^26 units.
    """
    arrays = read_arrays(path, DataError)
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        raise DataError(f"{path} contains no raster: it has no array {', '.join(missing)}.")
    shape, duration = arrays["shape"], arrays["duration"]
    if shape.ndim != 1 or shape.dtype.kind not in "iu" or duration.size != 1:
        raise DataError(f"{path}: shape must be whole numbers, and duration one number.")
    n_units = prod(shape.tolist())
    if n_units > _MOST_UNITS:
        raise DataError(f"{path} has {n_units:,} units; at most {_MOST_UNITS:,} are read.")
    try:
        return SpikeRaster(
            arrays["unit"], arrays["time"], tuple(shape.tolist()), float(duration.reshape(()))
        )
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: {error}") from error


def has_encoder(path: str | Path) -> bool:
    """Return whether a file of `save_raster` says how its spikes were encoded.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    return "encoder" in read_arrays(path, DataError, ("encoder",))


def load_encoder_options(path: str | Path) -> tuple[str, dict[str, object]]:
    """Return the name and the options of the encoder in a file of `save_raster`.

    Raises
    ------
    DataError
        If the file is missing or damaged, or if it contains no encoder.
    """
    arrays = read_arrays(path, DataError, ("encoder", "options"))
    try:
        name, options = str(arrays["encoder"]), json.loads(str(arrays["options"]))
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} contains no encoder with its options.") from error
    if not isinstance(options, dict):
        raise DataError(f"{path}: the options of the encoder are no mapping.")
    return name, options
