"""Conversion of frozen dataclasses to plain trees and back, according to their type hints.

A dataclass becomes a dictionary with the name of its class under "class" and one entry per field.
A tuple of dataclasses becomes a dictionary by name (by number if names are missing or unsuitable),
each with its "position".  Only the classes of `KNOWN_CLASSES` can be created from a file, and every
value must match the type hint of its field.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from math import prod
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from bioconv.analog.functions import FUNCTIONS
from bioconv.analog.graph import Affine, AnalogGraph, GraphInput, Layer, Term
from bioconv.ground.decisions import Decision
from bioconv.ground.errors import NetworkFileError, ParameterError
from bioconv.network import (
    AnalogStage,
    Change,
    Disturbance,
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
)
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster
from bioconv.network.storage.hdf5 import Entry, Tree
from bioconv.neurons import NeuronModel, Parameter, Receptor, State
from bioconv.operators import OPERATORS, Operator

#: maximum number of neurons or activations that one entry of a file may declare
MAX_SIZE = 100_000_000
_PLAIN_CLASSES = (
    *(NeuronModel, Parameter, State, Receptor),
    *(AnalogGraph, GraphInput, Layer, Affine, Term),
    *(SpikingNetwork, Input, Population, Projection, Drive, Change, Readout, Disturbance),
    AnalogStage,
    *(Recording, Raster, Decision),
)
#: closed table of the dataclasses that a file may contain: name -> class
KNOWN_CLASSES: Mapping[str, type] = types.MappingProxyType(
    {**OPERATORS, **FUNCTIONS, **{cls.__name__: cls for cls in _PLAIN_CLASSES}}
)
_SCALARS = (str, int, float, bool)
_FIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_RESERVED = frozenset({"class", "position"})
_ORDER = "(order)"


@lru_cache(maxsize=1024)
def field_hints(cls: type) -> Mapping[str, Any]:
    """Return name and type of every field that the constructor of ``cls`` accepts."""
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}


def encode(value: Any, hint: Any = Any, where: str = "") -> Entry:
    """Return the tree, or leaf of a tree, that represents ``value``.

    Raises
    ------
    ParameterError
        If a file cannot contain values of this kind.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return encode_object(value, where)
    if isinstance(value, Mapping):
        return _encode_mapping(value, hint, where)
    if isinstance(value, (tuple, list)):
        return _encode_tuple(tuple(value), hint, where)
    if isinstance(value, (np.ndarray, jax.Array)) or (value is not None and _is_only_array(hint)):
        return _array(value, where)
    return _plain_scalar(value, hint, where)


def encode_object(value: Any, where: str = "") -> Tree:
    """Return the tree that represents a dataclass; see `encode`."""
    cls: Any = type(value)
    name = str(cls.__name__)
    hints = field_hints(cls)
    if KNOWN_CLASSES.get(name) is not cls or _RESERVED & set(hints):
        raise ParameterError(f"{where}: {name} is not a class that a bioconv file can contain.")
    tree: Tree = {"class": name}
    for field, hint in hints.items():
        tree[field] = encode(getattr(value, field), hint, f"{where}/{field}")
    return tree


def _encode_mapping(value: Mapping[Any, Any], hint: Any, where: str) -> Tree:
    below = _mapping_hint(hint)
    tree: Tree = {_key(k, where): encode(v, below, f"{where}/{k}") for k, v in value.items()}
    # HDF5 lists entries by name, so that any other order has to be stored.
    return tree if list(tree) == sorted(tree) else {**tree, _ORDER: tuple(tree)}


def _encode_tuple(items: tuple[Any, ...], hint: Any, where: str) -> Entry:
    below = _item_hints(hint, len(items))
    if all(isinstance(item, (*_SCALARS, np.generic)) for item in items):
        return tuple(_plain_scalar(i, h, where) for i, h in zip(items, below, strict=True))
    names = [getattr(item, "name", "") for item in items]
    fit = all(isinstance(name, str) and _FIT.fullmatch(name) for name in names)
    if not fit or len(set(names)) < len(names):
        names = [f"{position:05d}" for position in range(len(items))]
    tree: Tree = {}
    for position, (name, item) in enumerate(zip(names, items, strict=True)):
        entry = encode(item, below[position], f"{where}/{name}")
        tree[name] = {**entry, "position": position} if isinstance(entry, dict) else entry
    return tree


def _plain_scalar(value: Any, hint: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is int and float in _members(hint) and int not in _members(hint):
        value = float(value)
    if value is None or type(value) in _SCALARS:
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise ParameterError(f"{where}: {value} does not fit into 64 bits.")
        return value
    raise ParameterError(f"{where}: a {type(value).__name__} cannot be stored in a file.")


def _array(value: Any, where: str) -> NDArray:
    array = np.asarray(value)
    kinds = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}
    if array.dtype == np.int32:
        kinds["i"] = np.int32
    if array.dtype.kind not in kinds or array.dtype == np.uint64:
        raise ParameterError(f"{where}: an array of {array.dtype} cannot be stored in a file.")
    return np.asarray(array, dtype=kinds[array.dtype.kind], order="C")


def _key(key: Any, where: str) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    plain = all(isinstance(part, str) and part != _ORDER for part in parts)
    if not plain or (isinstance(key, tuple) and any("." in part for part in parts)):
        raise ParameterError(f"{where}: {key!r} cannot be the name of a file entry.")
    return ".".join(parts)


def decode(entry: Entry, hint: Any, where: str = "") -> Any:
    """Return the value that `encode` converted to ``entry``, checked against ``hint``.

    Raises
    ------
    NetworkFileError
        If a class is unknown, or a field is missing, unknown or of another type than declared.
    """
    for option in _members(hint):
        if _accepts(option, entry):
            return _build(option, entry, where)
    if type(entry) is int and float in _members(hint):
        return float(entry)
    raise NetworkFileError(f"{where or '/'}: expected {_say(hint)}, found {_describe(entry)}.")


def _accepts(option: Any, entry: Entry) -> bool:
    origin = typing.get_origin(option) or option
    if option is Any:
        return not isinstance(entry, dict) or "class" in entry
    if origin is typing.Literal:
        return entry in typing.get_args(option)
    if origin is types.NoneType:
        return entry is None
    if origin in _SCALARS:
        return type(entry) is origin
    if origin is np.ndarray:
        return isinstance(entry, np.ndarray) and _fits_dtype(option, entry)
    if origin is tuple:
        return isinstance(entry, (tuple, dict))
    return isinstance(entry, dict) and (inspect.isclass(origin))


def _fits_dtype(option: Any, array: NDArray) -> bool:
    """Whether the array has the kind of number that ``NDArray[...]`` specifies."""
    args = typing.get_args(option)
    scalar = next(iter(typing.get_args(args[1])), Any) if len(args) > 1 else Any
    return not inspect.isclass(scalar) or array.dtype.kind == np.dtype(scalar).kind


def _build(option: Any, entry: Any, where: str) -> Any:
    origin = typing.get_origin(option) or option
    if origin is tuple:
        return _build_tuple(option, entry, where)
    if not isinstance(entry, dict):
        return entry
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return _build_mapping(option, entry, where)
    return _build_dataclass(option, entry, where)


def _build_mapping(option: Any, entry: Tree, where: str) -> dict[Any, Any]:
    below = _mapping_hint(option)
    split = typing.get_origin(_key_hint(option)) is tuple
    names = sorted(set(entry) - {_ORDER})
    order = entry.get(_ORDER, tuple(names))
    if not isinstance(order, tuple) or sorted(map(str, order)) != names:
        raise NetworkFileError(f"{where}/{_ORDER} does not match the entries of the group.")
    return {
        (tuple(key.split(".")) if split else key): decode(entry[key], below, f"{where}/{key}")
        for key in map(str, order)
    }


def _build_tuple(option: Any, entry: tuple[Any, ...] | Tree, where: str) -> tuple[Any, ...]:
    items = list(entry) if isinstance(entry, tuple) else _ordered(entry, where)
    hints = _item_hints(option, len(items))
    if len(hints) != len(items):
        raise NetworkFileError(f"{where}: expected {len(hints)} values, found {len(items)}.")
    pairs = enumerate(zip(items, hints, strict=True))
    return tuple(decode(item, below, f"{where}/{n}") for n, (item, below) in pairs)


def _ordered(tree: Tree, where: str) -> list[Entry]:
    """Return the entries in the order of their positions or numbers."""

    def position(name: str, entry: Entry) -> Any:
        if isinstance(entry, dict) and "position" in entry:
            return entry["position"]
        return int(name) if name.isascii() and name.isdigit() else None

    found = {position(name, entry): entry for name, entry in tree.items()}
    if set(found) != set(range(len(tree))):
        raise NetworkFileError(f"{where}: the positions are not 0 ... {len(tree) - 1}.")
    return [found[n] for n in range(len(tree))]


def _build_dataclass(expected: Any, entry: Tree, where: str) -> Any:
    name = entry.get("class")
    cls = KNOWN_CLASSES.get(name) if isinstance(name, str) else None
    if cls is None:
        raise NetworkFileError(f"{where or '/'}: unknown class {_describe(name)}.")
    if expected is not Any and not issubclass(cls, expected):
        raise NetworkFileError(f"{where or '/'}: expected {_say(expected)}, found {name}.")
    hints = field_hints(cls)
    unknown = sorted(set(entry) - set(hints) - _RESERVED)
    missing = sorted(set(hints) - set(entry))
    if unknown or missing:
        raise NetworkFileError(
            f"{where or '/'} ({name}): "
            + " ".join(
                f"{what} {', '.join(map(repr, names))}."
                for what, names in (("unknown", unknown), ("missing", missing))
                if names
            )
        )
    values = {field: decode(entry[field], hints[field], f"{where}/{field}") for field in hints}
    return _construct(cls, values, where)


def _construct(cls: type, values: dict[str, Any], where: str) -> Any:
    try:
        made = cls(**values)
        shapes = (made.in_shape, made.out_shape) if isinstance(made, Operator) else ()
    except Exception as error:  # a constructor may raise any exception for values from a file
        raise NetworkFileError(f"{where or '/'} ({cls.__name__}): {error}") from error
    for shape in (*shapes, values.get("shape", ())):
        check_size(shape, f"{where or '/'} ({cls.__name__})")
    return made


def check_size(shape: tuple[int, ...], where: str) -> None:
    """Refuse a shape whose array would exhaust the memory."""
    if any(n < 0 for n in shape) or prod(shape) > MAX_SIZE:
        raise NetworkFileError(
            f"{where}: the shape {shape} is invalid or has more than {MAX_SIZE:,} values."
        )


def _members(hint: Any) -> tuple[Any, ...]:
    """Return the alternatives of a union, or the hint itself if it is not a union."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(m for part in typing.get_args(hint) for m in _members(part))
    return (hint,)


def _is_only_array(hint: Any) -> bool:
    return all((typing.get_origin(m) or m) in (np.ndarray, types.NoneType) for m in _members(hint))


def _container(hint: Any, kind: type) -> Any:
    for member in _members(hint):
        origin = typing.get_origin(member)
        if inspect.isclass(origin) and issubclass(origin, kind):
            return member
    return None


def _mapping_hint(hint: Any) -> Any:
    found = _container(hint, Mapping)
    return typing.get_args(found)[1] if found else Any


def _key_hint(hint: Any) -> Any:
    found = _container(hint, Mapping)
    return typing.get_args(found)[0] if found else str


def _item_hints(hint: Any, n: int) -> tuple[Any, ...]:
    """Return one hint for each item of a tuple, repeated for ``tuple[X, ...]``."""
    args = typing.get_args(_container(hint, tuple))
    if not args:
        return (Any,) * n
    return (args[0],) * n if len(args) == 2 and args[1] is Ellipsis else args


def _say(hint: Any) -> str:
    return hint.__name__ if inspect.isclass(hint) else str(hint)


def _describe(entry: Any) -> str:
    if isinstance(entry, dict):
        return f"a group of {len(entry)} entries"
    if isinstance(entry, np.ndarray):
        return f"an array of {entry.dtype} with shape {entry.shape}"
    return repr(entry)[:80]
