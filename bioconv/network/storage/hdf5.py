"""Plain trees of numbers, texts and arrays in HDF5, with reproducible bytes and strict reading.

A tree is a dictionary.  A dictionary in it is stored as a group, an array as a contiguous dataset,
and everything else as an attribute.  Nothing else is accepted when reading: no soft, external or
second hard links, no chunks, filters, virtual or external storage, no object, reference or
variable-length types, and no declared size that exceeds the stored data.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, Union

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t
from numpy.typing import NDArray

from bioconv.ground.errors import NetworkFileError, ParameterError
from bioconv.network.storage.seal import USER_BLOCK

Scalar: TypeAlias = str | int | float | bool
Entry: TypeAlias = Union[Scalar, None, tuple[Scalar, ...], NDArray, "Tree"]
Tree: TypeAlias = dict[str, Entry]

MAX_OBJECTS = 200_000
MAX_DEPTH = 64
MAX_ATTRIBUTES = 10_000
#: the limit of HDF5 for an attribute is 64 KiB including its header
MAX_ATTRIBUTE_BYTES = 60_000
_PLAIN = (np.dtype("<f8"), np.dtype("<i8"), np.dtype("<i4"), np.dtype(bool))


def write_tree(path: Path, tree: Tree) -> None:
    """Write ``tree`` to a file, replacing its contents; equal trees result in equal bytes.

    Raises
    ------
    ParameterError
        If a name or a value does not fit into an attribute.
    """
    # In memory, because the HDF5 library crashes if the disk is full when it closes a file.
    image = io.BytesIO()
    # The oldest format stores no times in groups, and its layout has not changed since HDF5 1.0.
    with h5py.File(
        image, "w", libver=("earliest", "v110"), userblock_size=USER_BLOCK, track_order=False
    ) as file:
        _write_group(file, tree)
    with path.open("wb") as output:
        output.write(image.getbuffer())


def _write_group(group: h5py.Group, tree: Tree) -> None:
    for name, value in tree.items():
        if not name or "/" in name or name == "." or not name.isprintable():
            raise ParameterError(f"{group.name}: {name!r} cannot be the name of a file entry.")
        if isinstance(value, dict):
            _write_group(group.create_group(name, track_order=False), value)
        elif isinstance(value, np.ndarray):
            group.create_dataset(name, data=value, track_times=False)
        else:
            _write_attribute(group, name, value)


def _write_attribute(group: h5py.Group, name: str, value: Entry) -> None:
    if value is None:
        group.attrs.create(name, h5py.Empty("S1"))
        return
    items = value if isinstance(value, tuple) else (value,)
    texts = [item.encode() for item in items if isinstance(item, str)]
    data = np.array(texts if texts else items)
    if not items:
        data = np.zeros(0, np.int64)
    if data.nbytes > MAX_ATTRIBUTE_BYTES:
        raise ParameterError(
            f"{group.name}: {name} has {data.nbytes:,} bytes; {MAX_ATTRIBUTE_BYTES:,} is the limit."
        )
    if any(text.endswith(b"\0") for text in texts):
        raise ParameterError(f"{group.name}: {name} ends with a NUL character.")
    dtype = h5py.string_dtype("utf-8", max(1, *map(len, texts))) if texts else data.dtype
    if not isinstance(value, tuple):
        data = data.reshape(())
    group.attrs.create(name, data.astype(dtype), dtype=dtype)


def read_tree(path: Path) -> Tree:
    """Read a file that `write_tree` wrote.

    Raises
    ------
    NetworkFileError
        If the file contains anything other than plain groups, datasets and attributes.
    """
    try:
        with h5py.File(path, "r") as file:
            return _Reader(path.stat().st_size).group(file.id, "", 0)
    except NetworkFileError as error:
        raise NetworkFileError(f"{path}: {error}") from error
    # h5py reports errors of the HDF5 library with almost any built-in exception.
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, ArithmeticError) as error:
        raise NetworkFileError(f"{path} is damaged: {error}") from error
    except (AttributeError, MemoryError, NotImplementedError) as error:
        raise NetworkFileError(f"{path} is damaged: {error}") from error


@dataclass
class _Reader:
    """Reader of groups that tracks how many bytes and objects the file may still declare."""

    file_size: int
    bytes_left: int = field(init=False)
    objects_left: int = MAX_OBJECTS
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.bytes_left = self.file_size

    def group(self, group: h5g.GroupID, where: str, depth: int) -> Tree:
        self._meet(group, where)
        if depth > MAX_DEPTH:
            raise NetworkFileError(f"{where}: groups are nested deeper than {MAX_DEPTH}.")
        tree = self._attributes(group, where)
        if group.get_num_objs() > self.objects_left:
            raise NetworkFileError(f"{where}: more than {MAX_OBJECTS:,} entries.")
        for raw in group:
            name = raw.decode("utf-8")
            below = f"{where}/{name}"
            if name in tree:
                raise NetworkFileError(f"{below} is both an attribute and an object.")
            if group.links.get_info(raw).type != h5l.TYPE_HARD:
                raise NetworkFileError(
                    f"{below} is a link to another location, which is not followed."
                )
            item = h5o.open(group, raw)
            if isinstance(item, h5g.GroupID):
                tree[name] = self.group(item, below, depth + 1)
            elif isinstance(item, h5d.DatasetID):
                tree[name] = self._dataset(item, below)
            else:
                raise NetworkFileError(f"{below} is neither a group nor a dataset.")
        return tree

    def _meet(self, item: Any, where: str) -> None:
        """Require that every object occurs once, which excludes cycles and repeated expansion."""
        address = h5o.get_info(item).addr
        if address in self.seen:
            raise NetworkFileError(f"{where or '/'} is linked twice.")
        self.seen.add(address)
        self.objects_left -= 1
        if self.objects_left < 0:
            raise NetworkFileError(f"{where}: more than {MAX_OBJECTS:,} entries.")

    def _attributes(self, item: h5g.GroupID, where: str) -> Tree:
        count = h5a.get_num_attrs(item)
        if count > MAX_ATTRIBUTES:
            raise NetworkFileError(
                f"{where} has {count:,} attributes; {MAX_ATTRIBUTES:,} is the limit."
            )
        tree: Tree = {}
        for index in range(count):
            attribute = h5a.open(item, index=index)
            name = attribute.name.decode("utf-8")
            tree[name] = _attribute(attribute, f"{where}/{name}")
        return tree

    def _dataset(self, item: h5d.DatasetID, where: str) -> NDArray:
        self._meet(item, where)
        plan = item.get_create_plist()
        if h5a.get_num_attrs(item):
            raise NetworkFileError(f"{where}: attributes of datasets are not accepted.")
        if plan.get_layout() != h5d.CONTIGUOUS or plan.get_nfilters() or plan.get_external_count():
            raise NetworkFileError(f"{where} is not stored as one contiguous block.")
        dtype = _plain_type(item.get_type(), where)
        shape = _shape(item.get_space(), where)
        # Python integers, because the product of a crafted shape could overflow an int64.
        size = dtype.itemsize
        for n in shape:
            size *= n
        if size != item.get_storage_size():
            raise NetworkFileError(
                f"{where} declares {size:,} bytes, but {item.get_storage_size():,} are stored."
            )
        self.bytes_left -= size
        if self.bytes_left < 0 or (size and item.get_offset() + size > self.file_size):
            raise NetworkFileError(f"{where} declares more bytes than the file has.")
        data = np.empty(shape, dtype)
        item.read(h5s.ALL, h5s.ALL, data)
        return data.view(np.uint8) != 0 if dtype.kind == "b" else data


def _attribute(attribute: h5a.AttrID, where: str) -> Entry:
    space, kind = attribute.get_space(), attribute.get_type()
    if space.get_simple_extent_type() == h5s.NULL:
        return None
    shape = _shape(space, where)
    if len(shape) > 1 or max(shape, default=1) * kind.get_size() > MAX_ATTRIBUTE_BYTES:
        raise NetworkFileError(f"{where}: an attribute must be one value or a short list.")
    if isinstance(kind, h5t.TypeStringID):
        if kind.is_variable_str():
            raise NetworkFileError(f"{where}: strings of variable length are not accepted.")
        dtype = np.dtype(("S", kind.get_size()))
    else:
        dtype = _plain_type(kind, where)
    data = np.empty(shape, dtype)
    attribute.read(data, mtype=kind)
    items = [_scalar(item) for item in data.reshape(-1).tolist()]
    return tuple(items) if shape else items[0]


def _scalar(item: Any) -> Scalar:
    return item.decode("utf-8") if isinstance(item, bytes) else item


def _plain_type(kind: h5t.TypeID, where: str) -> np.dtype:
    if kind.get_class() not in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM) or kind.dtype not in _PLAIN:
        raise NetworkFileError(f"{where}: only float64, integers and booleans are accepted.")
    return np.dtype(kind.dtype.str)


def _shape(space: h5s.SpaceID, where: str) -> tuple[int, ...]:
    if space.get_simple_extent_type() not in (h5s.SCALAR, h5s.SIMPLE):
        raise NetworkFileError(f"{where} has no shape.")
    return tuple(int(n) for n in space.get_simple_extent_dims())
