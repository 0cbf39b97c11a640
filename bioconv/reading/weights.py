"""Weights of a model by layer and name, from all formats in which they are stored."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.reading.config import shown
from bioconv.reading.hdf5 import Hdf5File, StoredArray
from bioconv.reading.old_weights import upgrade_weights
from bioconv.reading.origins import check_origin
from bioconv.reading.quantized import mode_of, refusal, stored_names
from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import OPERATION, Era, LayerSpec, ModelSpec
from bioconv.reading.weight_names import adaptation, merged, optional, trained, untrained

Named = dict[str, NDArray[np.float64]]


class Weights(ABC):
    """The weights of one model."""

    @abstractmethod
    def layer(self, spec: LayerSpec, most: int) -> Named:
        """Return the weights of a layer by path (see `weight_names`) in float64.

        Parameters
        ----------
        spec : LayerSpec
        most : int
            Largest number of values of one of its weights (see `sizes.most_values`).

        Raises
        ------
        Refusal
            If their number is not that of the layer, or if some are not finite.
        NetworkFileError
            If one is larger in the file, or damaged.
        """

    @abstractmethod
    def inner(self, spec: ModelSpec) -> Weights:
        """Return the weights of a model that is used as a layer."""


class ListedWeights(Weights):
    """Weights in lists by layer name, as in HDF5 files of all versions of Keras.

    Parameters
    ----------
    lists : mapping of str to list of StoredArray
        A model that is used as a layer has a list, too, or such a mapping of its own.
    era : Era
    collided : set of str
        Layers for which the file lists one array several times.
    """

    def __init__(
        self,
        lists: Mapping[str, Any],
        era: Era,
        collided: AbstractSet[str] = frozenset(),
    ) -> None:
        self._lists = lists
        self._era = era
        self._collided = collided

    def layer(self, spec: LayerSpec, most: int) -> Named:
        """See `Weights.layer`."""
        _check_not_quantized(spec, "an HDF5 file")
        names = tuple(name for half in _halves(spec) for name in half)
        return named(spec, [array.read(most) for array in self._list(spec)], self._era, names)

    def inner(self, spec: ModelSpec) -> Weights:
        """See `Weights.inner`."""
        if spec.name not in self._lists:  # Keras 1 lists the inner layers of nested Sequentials
            return self
        found = self._list(spec)
        inside = found if isinstance(found, Mapping) else split(spec, found, self._era)
        return ListedWeights(inside, self._era)

    def _list(self, spec: LayerSpec | ModelSpec) -> Any:
        if spec.name in self._collided:
            raise Refusal(
                "the file lists one array for several of its weights: Keras gave them the same "
                "name when it saved the file, and only one of them was kept.",
                "Save the model as .keras, which stores all of them, and read that file.",
            )
        return self._lists.get(spec.name, ())


class TreeWeights(Weights):
    """Weights of a ``.keras`` archive, such as ``layers/conv2d_1/vars/0``.

    The names of groups are derived from class names in the order of the layers, not from the names
    of layers.  A layer that several models share is stored in one of them only.
    """

    def __init__(
        self,
        file: Hdf5File,
        model: ModelSpec,
        era: Era,
        path: str = "",
        shared: Mapping[int, str] | None = None,
    ) -> None:
        self._file = file
        self._era = era
        self._shared = dict(_shared_folders(file, path, model)) if shared is None else shared
        self._folders = {
            name: folder if file.has(folder) else self._shared.get(number, folder)
            for name, folder, number in _numbered(_folders(file, path, model), model)
        }

    def layer(self, spec: LayerSpec, most: int) -> Named:
        """See `Weights.layer`."""
        arrays: list[StoredArray] = []
        places: dict[str, int] = {}
        names = _leaf_names(spec)
        for name in names:
            prefix = name.rpartition("/")[0]
            place = places.setdefault(prefix, 0)
            places[prefix] += 1
            array = self._file.array(f"{self._folder(spec, prefix)}/{place}")
            if array is not None:
                arrays.append(array)
        _check_numbers(arrays, names)
        for prefix, n in places.items():
            if self._file.array(f"{self._folder(spec, prefix)}/{n}") is not None:
                raise Refusal(f"the file contains more arrays for it than {', '.join(names)}.")
        return named(spec, [array.read(most) for array in arrays], self._era, names)

    def _folder(self, spec: LayerSpec, prefix: str) -> str:
        """Return the group of a layer's arrays, or of a layer in it, which tf.keras underlines."""
        parts = [part for part in (self._folders[spec.name], prefix, "vars") if part]
        folder = "/".join(parts)
        if prefix and not self._file.has(folder):
            old = "/".join((parts[0], f"_{prefix}", "vars"))
            return old if self._file.has(old) else folder
        return folder

    def inner(self, spec: ModelSpec) -> Weights:
        """See `Weights.inner`."""
        return TreeWeights(self._file, spec, self._era, self._folders[spec.name], self._shared)


class ObjectWeights(Weights):
    """Weights of a Keras model in memory, from ``get_weights`` of its layers."""

    def __init__(self, model: Any, era: Era) -> None:
        self._layers = {layer.name: layer for layer in model.layers}
        self._era = era

    def layer(self, spec: LayerSpec, most: int) -> Named:
        """See `Weights.layer`."""
        layer = self._layers.get(spec.name)  # an operation, e.g. x + y, is not among the layers
        if layer is None:
            return named(spec, (), self._era)
        check_origin(layer)
        _check_not_quantized(spec, "a model in memory")
        names = (*trained(spec), *adaptation(spec), *untrained(spec))
        return named(spec, layer.get_weights(), self._era, names)

    def inner(self, spec: ModelSpec) -> Weights:
        """See `Weights.inner`."""
        check_origin(self._layers[spec.name])
        return ObjectWeights(self._layers[spec.name], self._era)


def _leaf_names(spec: LayerSpec) -> tuple[str, ...]:
    """Return the names of a layer's arrays in an archive, with those of quantized weights."""
    if spec.kind == "TimeDistributed" and isinstance(spec.inner, LayerSpec):
        if mode_of(spec.inner):  # Keras multiplies with the integers, without their scale
            raise Refusal("it wraps a quantized layer.", "Read the model before quantization.")
        return tuple(f"layer/{name}" for name in _leaf_names(spec.inner))
    return stored_names(spec, (*trained(spec), *untrained(spec)))


def _check_not_quantized(spec: LayerSpec, where: str) -> None:
    """Refuse a quantized layer, or one that wraps it."""
    if isinstance(spec.inner, LayerSpec):
        _check_not_quantized(spec.inner, where)
    if mode_of(spec):
        raise refusal(where)


def _numbers(array: Any) -> NDArray:
    """Return an array of a type that NumPy has: bfloat16 is the upper half of float32."""
    array = np.asarray(array)
    if array.dtype != np.dtype("V2"):
        return array
    return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def _check_numbers(arrays: Sequence[NDArray | StoredArray], names: tuple[str, ...]) -> None:
    """Refuse quantized weights of a layer whose own settings do not describe them."""
    quantized = any(array.dtype in (np.int8, np.uint8) for array in arrays)
    if quantized and not any(name.endswith("_scale") for name in names):
        raise refusal()


def named(
    spec: LayerSpec, arrays: Sequence[NDArray], era: Era, names: tuple[str, ...] = ()
) -> Named:
    """Return the arrays of a layer by name, after conversion to the layout of Keras 3."""
    names = names or (*trained(spec), *untrained(spec))
    _check_numbers(arrays, names)
    arrays = upgrade_weights(spec, [_numbers(array) for array in arrays], era)
    missing_ok = optional(spec)
    if len(arrays) == len(names) - len(missing_ok):
        names = tuple(name for name in names if name not in missing_ok)
    if len(arrays) != len(names):
        expected = ", ".join(names) or "none"
        raise Refusal(
            f"expected the weights {expected}. Received: {len(arrays)} arrays of the shapes "
            f"{shown([array.shape for array in arrays])}."
        )
    found = {}
    for name, array in zip(names, arrays, strict=True):
        if array.dtype.kind not in "fiubV" or array.size and not np.all(np.isfinite(array)):
            raise Refusal(
                f"its weight {name!r} contains NaN or infinite values.",
                "If training has diverged, train it again with a smaller learning rate.",
            )
        found[name] = np.asarray(array, np.float64)
    return merged(spec, found)


def split(model: ModelSpec, arrays: Sequence[StoredArray], era: Era) -> dict[str, Any]:
    """Distribute the flat list of weights of a nested model to its layers.

    A model inside of it gets a mapping like the one that is returned.

    Keras first stores the trainable weights layer by layer, and then all others, which include
    those of frozen layers.  Keras 3 stores a frozen model in the order of its layers, even if some
    of them are trainable again.

    Raises
    ------
    Refusal
        If there are more arrays than the layers have.
    """
    leaves = list(_leaves(model))
    in_order = era.keras == 3 and not model.trainable
    counts = [_counts(leaf, in_order) for _, leaf in leaves]
    bounds = np.cumsum([0, *(n for n, _ in counts), *(n for _, n in counts)])
    if bounds[-1] < len(arrays):
        raise Refusal(
            f"the file contains {len(arrays)} arrays for it, but its layers have {bounds[-1]}."
        )
    pieces = [list(arrays[a:b]) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    shares: dict[str, Any] = {}
    for half in (pieces[: len(leaves)], pieces[len(leaves) :]):
        for ((*outer, name), _), piece in zip(leaves, half, strict=True):
            inside = shares
            for model_name in outer:
                inside = inside.setdefault(model_name, {})
            inside.setdefault(name, []).extend(piece)
    return shares


def _leaves(model: ModelSpec) -> Iterator[tuple[tuple[str, ...], LayerSpec]]:
    """Yield the path of names and the specification of all layers at any depth."""
    for name, spec in model.layers.items():
        inner = _leaves(spec) if isinstance(spec, ModelSpec) else [((), spec)]
        yield from (((name, *path), leaf) for path, leaf in inner)


def _counts(spec: LayerSpec, in_order: bool) -> tuple[int, int]:
    """Return the numbers of arrays in the first and in the second part of a flat list."""
    first, second = map(len, _halves(spec))
    frozen = in_order or spec.config.get("trainable") is False
    return (0, first + second) if frozen else (first, second)


def _halves(spec: LayerSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of a layer's trainable and of its other arrays in an HDF5 file."""
    first, low_rank = trained(spec), adaptation(spec)
    if not low_rank or spec.config.get("trainable") is False:
        return (*first, *low_rank), untrained(spec)
    return (*first[1:], *low_rank), (first[0], *untrained(spec))


def listed(file: Hdf5File, root: str, era: Era) -> ListedWeights:
    """Return the lists of an HDF5 file whose weights are in the group ``root``."""
    return ListedWeights(_FileLists(file, root), era, _collided(file, root))


class _FileLists(Mapping[str, list[StoredArray]]):
    """The lists of arrays of an HDF5 file by layer name."""

    def __init__(self, file: Hdf5File, root: str) -> None:
        self._file, self._root = file, root
        self._layers = dict.fromkeys(file.texts(root, "layer_names") or [])

    def __getitem__(self, layer: str) -> list[StoredArray]:
        if layer not in self._layers:
            raise KeyError(layer)
        group = f"{self._root}/{layer}" if self._root else layer
        names = self._file.texts(group, "weight_names") or []
        arrays = [(name, self._file.array(f"{group}/{name}")) for name in names]
        missing = [name for name, array in arrays if array is None]
        if missing:
            reason = f"the weights {shown(missing)} of layer {layer!r} are missing"
            raise self._file.error(reason)
        return [array for _, array in arrays if array is not None]

    def __contains__(self, layer: object) -> bool:
        return layer in self._layers

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)


def _collided(file: Hdf5File, root: str) -> set[str]:
    """Return the layers for which an HDF5 file lists one array several times."""
    found = set()
    for layer in file.texts(root, "layer_names") or []:
        names = file.texts(f"{root}/{layer}" if root else layer, "weight_names") or []
        if len(set(names)) < len(names):
            found.add(layer)
    return found


def _folders(file: Hdf5File, path: str, model: ModelSpec) -> dict[str, str]:
    """Return the group of each layer in a ``.keras`` archive of Keras 3 or tf.keras."""
    containers = ("layers", "_layer_checkpoint_dependencies")
    roots = ["/".join(filter(None, (path, name))) for name in containers]
    root = next((candidate for candidate in roots if file.has(candidate)), roots[0])
    counters: dict[str, count] = {}
    folders: dict[str, str] = {}
    for name, spec in model.layers.items():
        if isinstance(spec, LayerSpec) and spec.kind.startswith(OPERATION):
            continue
        base = _snake_case(spec.class_name)
        place = next(counters.setdefault(base, count()))
        folders[name] = f"{root}/{base}_{place}" if place else f"{root}/{base}"
    return folders


def _numbered(folders: Mapping[str, str], model: ModelSpec) -> Iterator[tuple[str, str, int]]:
    """Yield the name, group and number of each layer, where -1 is that of a layer without one."""
    for name, folder in folders.items():
        number = model.layers[name].shared
        yield name, folder, -1 if number is None else number


def _shared_folders(file: Hdf5File, path: str, model: ModelSpec) -> Iterator[tuple[int, str]]:
    """Yield the number and group of the layers that models share, at any depth."""
    folders = _folders(file, path, model)
    for name, folder, number in _numbered(folders, model):
        spec = model.layers[name]
        if not file.has(folder):
            continue
        if number >= 0:
            yield number, folder
        if isinstance(spec, ModelSpec):
            yield from _shared_folders(file, folder, spec)


def _snake_case(class_name: str) -> str:
    """Apply Keras's rule, as in Conv2DTranspose -> conv2d_transpose, LeakyReLU -> leaky_re_lu."""
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
