"""The function that reads a Keras model, in memory or in a file, as an `AnalogGraph`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from bioconv.analog import AnalogGraph
from bioconv.ground.errors import NetworkFileError, ParameterError, ReadError
from bioconv.reading.build import build
from bioconv.reading.files import Stored, open_model, upgraded
from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import Era
from bioconv.reading.weights import ObjectWeights

_REBUILD = (
    "Rebuild it as a functional model: x = keras.Input(shape); keras.Model(x, model.call(x))."
)


#: one shape, or one for each input, in order or by name
Shapes = Sequence[int] | Sequence[Sequence[int]] | Mapping[str, Sequence[int]]


def read(model: Any, *, name: str | None = None, input_shape: Shapes | None = None) -> AnalogGraph:
    """Read a trained Keras network.

    Files are not loaded by Keras.  Instead, their configuration, written by any Keras from 1.2 to
    3, is upgraded, and their weights are read as arrays.  No code in a file is run.

    Parameters
    ----------
    model : keras.Model or path
        A Sequential or functional model in memory, on any Keras backend, or a ``.keras``, ``.h5``
        or ``.hdf5`` file.  The format of a file is recognized by its contents, not by its name.
    name : str, optional
        Name of the graph; by default that of the model.
    input_shape : tuple of int, sequence of them, or mapping of str to them, optional
        Shape of one sample, for inputs whose size the model leaves free, such as
        ``keras.Input((None, None, 1))``.  For several inputs, one shape each, in order or by name.

    Returns
    -------
    AnalogGraph
        A network whose outputs equal ``model.predict`` up to rounding errors.

    Raises
    ------
    ReadError
        If layers cannot be read, with one `Problem` of class, reason and advice for each.
    UnsafeModelError
        If the model contains Python code, as in a Lambda layer.
    NetworkFileError
        If the file is missing, damaged or hostile, or if it is not a model.
    ParameterError
        If ``input_shape`` is not a shape, or if there are not as many as inputs.

    Examples
    --------
    >>> from bioconv.reading import read
    >>> graph = read("model.keras")  # doctest: +SKIP
    """
    if isinstance(model, str | os.PathLike):
        return _read_file(Path(os.fspath(model)), name, input_shape)
    stored = _from_object(model)
    return _build(stored, name, input_shape)


def _read_file(path: Path, name: str | None, input_shape: Shapes | None) -> AnalogGraph:
    try:
        with open_model(path) as stored:
            return _build(stored, name, input_shape)
    except (MemoryError, RecursionError) as error:
        raise NetworkFileError(
            f"{path.name}: reading it takes more {_resource(error)} than is available."
        ) from None


def _resource(error: BaseException) -> str:
    return "memory" if isinstance(error, MemoryError) else "nesting"


def _build(stored: Stored, name: str | None, input_shape: Shapes | None) -> AnalogGraph:
    shapes = _shapes([ref.layer for ref in stored.model.inputs], input_shape)
    try:
        return build(stored.model, stored.weights, stored.era, stored.label, name, shapes)
    except Refusal as refusal:
        text = f"{stored.label}: {refusal.reason} {refusal.advice}"
        raise ReadError(text.strip()) from None


def _shapes(names: Sequence[str], given: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the caller gives, by name of the input."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        if not set(given) <= set(names):
            raise ParameterError(
                f"input_shape must have the names of inputs ({', '.join(names)}). "
                f"Received: {', '.join(map(str, given))}"
            )
        return {key: _shape(value) for key, value in given.items()}
    values = list(given) if isinstance(given, list | tuple) else [given]
    if not any(isinstance(value, list | tuple) for value in values):
        values = [given]
    if len(values) != len(names):
        raise ParameterError(
            f"input_shape must have a shape for each of the {len(names)} inputs "
            f"({', '.join(names)}). Received: {given!r}"
        )
    return dict(zip(names, map(_shape, values), strict=True))


def _shape(value: Any) -> tuple[int, ...]:
    sizes = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not all(isinstance(n, Integral) and not isinstance(n, bool) and int(n) > 0 for n in sizes):
        raise ParameterError(
            f"input_shape must consist of integers above 0, without the batch. Received: {value!r}"
        )
    return tuple(map(int, sizes))


def _from_object(model: Any) -> Stored:
    """Read a model in memory, using only ``get_config`` and ``get_weights``."""
    kind = type(model)
    module = kind.__module__.split(".")[0]
    if not all(hasattr(model, part) for part in ("get_config", "layers", "get_weights")):
        raise ReadError(
            "expected a Keras model or the path of a .keras or .h5 file. "
            f"Received: {kind.__module__}.{kind.__qualname__}"
        )
    label = str(getattr(model, "name", kind.__name__))
    if module not in ("keras", "tf_keras", "tensorflow"):
        raise ReadError(
            f"{label}: the class {kind.__qualname__} is a custom one, whose call() cannot be read. "
            + _REBUILD
        )
    try:
        config = model.get_config()
    except Exception as error:  # noqa: BLE001 - get_config of a custom layer may raise anything
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReadError(f"{label}: get_config of the model failed ({first}). {_REBUILD}") from error
    if not isinstance(config, Mapping | list) or (
        isinstance(config, Mapping) and "layers" not in config
    ):
        raise ReadError(
            f"{label}: its configuration does not contain the connections of layers. {_REBUILD}"
        )
    era = _era(module)
    spec = upgraded({"class_name": kind.__name__, "config": config}, era, label)
    return Stored(spec, ObjectWeights(model, era), era, label)


def _era(module: str) -> Era:
    """Return the Keras of a model in memory, which is Keras 2 for tf.keras and tf_keras."""
    keras: Any = sys.modules.get("keras")
    version = str(getattr(keras, "__version__", "3"))
    if module != "keras" or version.startswith("2."):
        return Era(2, "tensorflow")
    return Era(3, str(keras.config.backend()))
