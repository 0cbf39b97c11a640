"""Read the contents of model files without Keras and without running any code."""

from __future__ import annotations

import errno
import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, BinaryIO

from bioconv.ground.errors import NetworkFileError, ReadError
from bioconv.reading.hdf5 import Hdf5File
from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import Era, ModelSpec
from bioconv.reading.upgrade import upgrade_model
from bioconv.reading.weights import TreeWeights, Weights, listed

#: largest size of an architecture; the largest one of Keras's applications has 2 MB
_LARGEST_JSON = 2**26
_DEEPEST_JSON = 150
_LARGEST_MEMBER = 2**33
#: largest compression ratio; weights compress by a small factor, and deflate by at most 1032
_COMPRESSION = 100
_SMALL = 2**20
#: exceptions of `zipfile` and the decompressors for damaged data
_BROKEN_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    KeyError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
#: a disk or a quota is full, or a file is larger than allowed
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_RESAVE = "Load the model where it was trained and save it with model.save('model.keras')."


@dataclass(frozen=True)
class Stored:
    """A stored model: its upgraded architecture, its weights and its origin."""

    model: ModelSpec
    weights: Weights
    era: Era
    label: str


@contextmanager
def open_model(path: Path) -> Iterator[Stored]:
    """Open a ``.keras`` archive or an HDF5 file, which are distinguished by their contents.

    Parameters
    ----------
    path : Path

    Yields
    ------
    Stored
        The model, whose weights can be read until the context ends.

    Raises
    ------
    NetworkFileError
        If the file is missing, damaged or hostile, or if it is not a model file.
    ReadError
        If it contains no architecture, or one that cannot be upgraded.
    """
    label = path.name
    try:
        if path.is_dir():
            raise _folder_error(path)
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                with TemporaryDirectory() as folder, _open_archive(file, label, folder) as stored:
                    yield stored
            elif _is_hdf5(file):
                with Hdf5File(path, label) as hdf5:
                    yield _from_hdf5(hdf5, label)
            else:
                raise _unknown(file, label)
    except OSError as error:
        reason = error.strerror or str(error)
        raise NetworkFileError(f"{label}: cannot be read ({reason}). Check the path.") from None


def _is_hdf5(file: BinaryIO) -> bool:
    """Whether a signature is at byte 0 or, after a user block, at 512, 1024, 2048, ..."""
    size = file.seek(0, io.SEEK_END)
    offsets = [0, *(512 << shift for shift in range(24))]
    for offset in (offset for offset in offsets if offset < size):
        file.seek(offset)
        if file.read(len(_HDF5_SIGNATURE)) == _HDF5_SIGNATURE:
            return True
    return False


def _folder_error(path: Path) -> NetworkFileError:
    saved_model = (path / "saved_model.pb").exists()
    what = "a TensorFlow SavedModel, a compiled program" if saved_model else "a folder"
    return NetworkFileError(
        f"{path.name}: this is {what}, not a model file. Expected: a .keras or .h5 file. {_RESAVE}"
    )


def _unknown(file: BinaryIO, label: str) -> NetworkFileError:
    file.seek(0)
    start = file.read(64)
    what = "it is neither HDF5 (.h5, .hdf5) nor a zip archive (.keras)"
    if not start:
        what = "it is empty"
    elif start.lstrip()[:1] in (b"{", b"["):
        what = "it contains an architecture as JSON, but no weights"
    return NetworkFileError(f"{label}: {what}. {_RESAVE}")


def parse_json(text: str | bytes, label: str) -> Any:
    """Parse JSON of limited depth.

    Raises
    ------
    NetworkFileError
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NetworkFileError(
            f"{label}: its architecture is not valid JSON ({str(error)[:100]}). {_RESAVE}"
        ) from None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST_JSON:
            raise NetworkFileError(f"{label}: its architecture is nested too deeply.")
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return value


def _from_hdf5(file: Hdf5File, label: str) -> Stored:
    text = file.text("", "model_config")
    if text is None:
        raise _without_architecture(file, label)
    if len(text) > _LARGEST_JSON:
        raise file.error("its architecture is too long")
    version = _first_text(file, "keras_version")
    # Keras 1 wrote no version before 1.2; tf.keras writes 2.x-tf.
    era = Era(_major(version or "1"), (_first_text(file, "backend") or "").lower())
    model = upgraded(parse_json(text, label), era, label)
    root = "model_weights" if file.has("model_weights") else ""
    return Stored(model, listed(file, root, era), era, label)


def _first_text(file: Hdf5File, name: str) -> str | None:
    return file.text("", name) or file.text("model_weights", name)


def _major(version: str) -> int:
    first = version.split(".")[0]
    return min(max(int(first), 1), 3) if first.isdecimal() and len(first) < 4 else 3


def _without_architecture(file: Hdf5File, label: str) -> ReadError:
    stored = file.texts("", "layer_names") is not None or any(
        file.has(name) for name in ("layers", "_layer_checkpoint_dependencies", "model_weights")
    )
    if not stored:
        return ReadError(f"{label}: this HDF5 file contains no Keras model (no 'model_config').")
    return ReadError(
        f"{label}: the file contains weights but no architecture (it was written by save_weights). "
        "Build the model, load the weights into it with model.load_weights(...), and pass the "
        "model, or save it with model.save('model.keras')."
    )


def upgraded(config: Any, era: Era, label: str) -> ModelSpec:
    """Apply `upgrade_model`, with the name of the file in errors."""
    if not isinstance(config, Mapping):
        raise ReadError(f"{label}: its architecture is not a JSON object. {_RESAVE}")
    try:
        return upgrade_model(config, era)
    except Refusal as refusal:
        raise ReadError(f"{label}: {refusal.reason} {refusal.advice}".strip()) from None


@contextmanager
def _open_archive(file: BinaryIO, label: str, folder: str) -> Iterator[Stored]:
    """Open an archive, whose weights are unpacked into ``folder``."""
    unpacked = Path(folder) / "model.weights.h5"
    try:
        with zipfile.ZipFile(file) as archive:
            config = _member(archive, "config.json", _LARGEST_JSON, label)
            metadata = _metadata(archive, label)
            name = _weights_member(archive, label)
            with unpacked.open("wb") as copy:
                _unpack(archive, name, _LARGEST_MEMBER, label, copy)
    except _BROKEN_ARCHIVE as error:
        if isinstance(error, NetworkFileError | ReadError):
            raise
        if isinstance(error, OSError) and error.errno in _FULL:
            raise NetworkFileError(
                f"{label}: there is no room in {folder} to unpack its weights. Free some, or set "
                "the environment variable TMPDIR to another folder."
            ) from None
        raise NetworkFileError(
            f"{label}: the archive is damaged or encrypted ({str(error)[:100]}). "
            "Obtain the file again, or save the model again."
        ) from None
    version = metadata.get("keras_version")
    era = Era(_major(version) if isinstance(version, str) else 3)
    model = upgraded(parse_json(config, label), era, label)
    size = file.seek(0, io.SEEK_END)
    with Hdf5File(unpacked, f"{label}/{name}", windows=True, n_bytes=size) as hdf5:
        yield Stored(model, TreeWeights(hdf5, model, era), era, label)


def _metadata(archive: zipfile.ZipFile, label: str) -> Mapping[str, Any]:
    if "metadata.json" not in archive.namelist():
        return {}
    value = parse_json(_member(archive, "metadata.json", _LARGEST_JSON, label), label)
    return value if isinstance(value, Mapping) else {}


def _weights_member(archive: zipfile.ZipFile, label: str) -> str:
    names = archive.namelist()
    for name in ("model.weights.h5", "variables.h5"):  # the second: tf.keras 2.11
        if name in names:
            return name
    if "config.json" in names:
        raise ReadError(
            f"{label}: the archive contains no model.weights.h5 (sharded and npz weights are not "
            f"supported). {_RESAVE}"
        )
    raise NetworkFileError(f"{label}: the zip archive is not a Keras model. {_RESAVE}")


def _member(archive: zipfile.ZipFile, name: str, limit: int, label: str) -> bytes:
    """Return one file of an archive; see `_unpack`."""
    data = io.BytesIO()
    _unpack(archive, name, limit, label, data)
    return data.getvalue()


def _unpack(archive: zipfile.ZipFile, name: str, limit: int, label: str, output: IO[bytes]) -> None:
    """Write one file of an archive, both of whose sizes, claimed and real, are limited."""
    if name not in archive.namelist():
        raise NetworkFileError(f"{label}: the zip archive contains no {name}. {_RESAVE}")
    info = archive.getinfo(name)
    allowed = min(limit, max(_SMALL, _COMPRESSION * info.compress_size))
    if info.file_size > allowed:
        raise NetworkFileError(
            f"{label}: {name} would unpack from {info.compress_size} to {info.file_size} bytes, "
            "which is too much for a model. The file is not trusted."
        )
    n_bytes = 0
    with archive.open(info) as member:
        while n_bytes <= allowed and (piece := member.read(_SMALL)):
            n_bytes += len(piece)
            output.write(piece)
    if n_bytes != info.file_size:
        raise NetworkFileError(f"{label}: {name} does not have the size that the archive states.")
