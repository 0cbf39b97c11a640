"""Digests of nested values: different values have different digests, in every process.

A value is encoded as a tag for its type, the length of its content, and the content, with the
items of a container encoded in the same way.  No encoding is the beginning of another one, so that
the encodings of different values differ (as in bencode and canonical CBOR).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np

from bioconv.ground.errors import ParameterError

#: to be changed with the encoding, because all digests change with it
VERSION = 1


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value as 64 hexadecimal digits.

    Parameters
    ----------
    value : object
        None, a boolean, number, text, bytes, path, member of an enumeration, class, NumPy or JAX
        array, dataclass instance, range, slice, or a list, tuple, set or mapping of such values.
        The types count: 1, 1.0, True and "1" have different digests, as have ``[1]`` and ``(1,)``.
        The order of a mapping or set does not count, nor does the memory layout of an array.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If a value of another type occurs, because nothing identifies its content.

    Examples
    --------
    >>> digest_of([1, 23]) == digest_of([12, 3])
    False
    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    digest = hashlib.sha256(f"bioconv digest {VERSION}\n".encode())
    for part in _encoded(value):
        digest.update(part)
    return digest.hexdigest()


def _encoded(value: Any) -> Iterator[bytes]:
    """Yield the encoding of a value in parts."""
    if isinstance(value, Enum):
        yield from _items(b"E", [_name(type(value)), value.name])
    elif value is None or isinstance(value, bool):
        yield {None: b"N", True: b"T", False: b"F"}[value]
    elif isinstance(value, np.generic) or _is_array(value):
        yield from _array(value)
    elif isinstance(value, int):
        yield from _content(b"i", str(int(value)).encode())
    elif isinstance(value, float):
        yield from _content(b"f", struct.pack("<d", value))
    elif isinstance(value, complex):
        yield from _content(b"c", struct.pack("<dd", value.real, value.imag))
    elif isinstance(value, str):
        yield from _content(b"s", value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, bytes | bytearray):
        yield from _content(b"b", bytes(value))
    elif isinstance(value, PurePath):
        yield from _content(b"p", str(value).encode("utf-8", "surrogatepass"))
    elif isinstance(value, type):
        yield from _content(b"t", _name(value).encode())
    elif is_dataclass(value):
        own = [(field.name, getattr(value, field.name)) for field in fields(value)]
        yield from _items(b"D", [_name(type(value)), *own])
    elif isinstance(value, range | slice):
        bounds = (value.start, value.stop, value.step)
        yield from _items(b"r" if isinstance(value, range) else b"/", bounds)
    elif isinstance(value, list | tuple):
        yield from _items(b"l" if isinstance(value, list) else b"u", value)
    elif isinstance(value, Mapping):
        pairs = ((b"".join(_encoded(key)), item) for key, item in value.items())
        ordered = sorted(pairs, key=lambda pair: pair[0])
        yield _head(b"m", len(ordered))
        for key, item in ordered:
            yield key
            yield from _encoded(item)
    elif isinstance(value, set | frozenset):
        yield _head(b"S", len(value))
        yield from sorted(b"".join(_encoded(item)) for item in value)
    else:
        raise ParameterError(
            f"an object of the class {_name(type(value))} cannot be identified by its content. "
            "Use plain values, arrays and dataclasses."
        )


def _head(tag: bytes, length: int) -> bytes:
    return tag + struct.pack("<Q", length)


def _content(tag: bytes, content: bytes) -> Iterator[bytes]:
    yield _head(tag, len(content))
    yield content


def _items(tag: bytes, items: Any) -> Iterator[bytes]:
    yield _head(tag, len(items))
    for item in items:
        yield from _encoded(item)


def _is_array(value: Any) -> bool:
    """Whether a value is an array of NumPy or JAX, which converts to one of NumPy."""
    if isinstance(value, type):
        return False
    return all(hasattr(value, name) for name in ("__array__", "dtype", "shape"))


def _array(value: Any) -> Iterator[bytes]:
    """Yield the encoding of an array; a scalar of NumPy is an array without dimensions."""
    array = np.asarray(value)
    if array.dtype.hasobject or array.dtype.fields:
        raise ParameterError(
            f"an array of the type {array.dtype} cannot be identified by its content. "
            "Use arrays of numbers or texts."
        )
    # The name distinguishes types without a code of their own, such as bfloat16.
    yield from _items(b"A", [array.dtype.str, array.dtype.name, array.shape])
    content = np.ascontiguousarray(array)
    yield _head(b"b", content.nbytes)
    yield content.tobytes()


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
