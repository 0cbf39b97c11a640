"""Networks and recordings as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from bioconv.ground.errors import BioconvError, NetworkFileError, ParameterError
from bioconv.ground.files import new_file
from bioconv.ground.versions import version
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.storage.hdf5 import Tree, read_tree, write_tree
from bioconv.network.storage.old_names import declare_record, declare_roles
from bioconv.network.storage.schema import MAX_SIZE, decode, encode_object
from bioconv.network.storage.seal import check_seal, seal
from bioconv.network.validation.meaning import meaning_problems

#: class that a file can contain -> (name of the format, version of its layout)
FORMATS: dict[type, tuple[str, int]] = {
    SpikingNetwork: ("bioconv-network", 7),
    Recording: ("bioconv-recording", 3),
}
#: class in a file -> version that added fields -> class -> fields with their values before
ADDED_FIELDS: Mapping[type, Mapping[int, Mapping[str, Tree]]] = MappingProxyType(
    {
        SpikingNetwork: {
            2: {"NeuronModel": {"crossing": False, "dt_default": 0.0}},
            3: {"Population": {"spike_values": np.zeros(0)}},
            4: {
                "NeuronModel": {"after": ""},
                "Parameter": {"moment": False},
                "Projection": {"release": 1.0},
            },
            5: {
                "NeuronModel": {"kind": "", "references": ()},
                "Parameter": {"role": ""},
                "State": {"kind": ""},
                "Receptor": {"sign": 0, "reversal": ""},
                "Population": {"activation_current": 0.0},
                "SpikingNetwork": {"imperfections": ()},
            },
            6: {"Readout": {"decision": None}, "Input": {"calibrated": None}},
            7: {
                "SpikingNetwork": {"stages": ()},
                "Readout": {"patterns": np.zeros((0, 0, 0), bool), "decay": 0.0},
            },
        },
        Recording: {
            2: {"Raster": {"time": None}},
            3: {"Recording": {"decisions": {}, "values": {}}},
        },
    }
)
#: longest delay that a file may contain: each step requires a buffer as large as the population
MAX_DELAY_STEPS = 100_000
_T = TypeVar("_T", SpikingNetwork, Recording)


def save_network(network: SpikingNetwork, path: str | Path) -> None:
    """Write a network to one HDF5 file; equal networks result in equal bytes.

    Parameters
    ----------
    network : SpikingNetwork
    path : str or Path
        An existing file is replaced when the new file is complete.

    Raises
    ------
    ParameterError
        If the folder is missing or not writable, or a value cannot be stored.
    """
    _save(network, Path(path))


def save_recording(recording: Recording, path: str | Path) -> None:
    """Write a recording to one HDF5 file; see `save_network`."""
    _save(recording, Path(path))


def load_network(path: str | Path) -> SpikingNetwork:
    """Read a network from a file, which need not be trusted.

    Every name and expression is parsed with the closed grammar, every reference, shape and number
    is checked, and nothing is executed.

    Raises
    ------
    NetworkFileError
        If the file is missing, damaged, hostile, from a newer version, or has other contents.
    """
    return _load(Path(path), SpikingNetwork)


def load_recording(path: str | Path) -> Recording:
    """Read a recording from a file; raises `NetworkFileError` like `load_network`."""
    return _load(Path(path), Recording)


def load(path: str | Path) -> SpikingNetwork | Recording:
    """Read a bioconv file of any kind; raises `NetworkFileError` like `load_network`."""
    path = Path(path)
    tree, kind = _open(path)
    return _restore(tree, kind, path)


def _save(value: SpikingNetwork | Recording, path: Path) -> None:
    name, layout = FORMATS[type(value)]
    head: Tree = {
        "format": name,
        "format_version": layout,
        "bioconv_version": version("bioconv"),
        "content": encode_object(value),
    }
    with new_file(path, ParameterError) as temporary:
        write_tree(temporary, head)
        seal(temporary)


def _load(path: Path, expected: type[_T]) -> _T:
    tree, kind = _open(path)
    if kind is not expected:
        what = {SpikingNetwork: "network", Recording: "recording"}
        raise NetworkFileError(f"{path} contains a {what[kind]}, not a {what[expected]}.")
    return _restore(tree, expected, path)


def _open(path: Path) -> tuple[Tree, type]:
    """Return the tree in a file of a supported version, and the class that it represents."""
    check_seal(path)
    tree = read_tree(path)
    by_name = {name: (kind, layout) for kind, (name, layout) in FORMATS.items()}
    name, layout = tree.get("format"), tree.get("format_version")
    writer = str(tree.get("bioconv_version"))[:40]
    if not isinstance(name, str) or name not in by_name or type(layout) is not int:
        raise NetworkFileError(
            f"{path}: the format is {name!r:.60}, version {layout!r:.60}; "
            f"expected one of {', '.join(by_name)}."
        )
    kind, known = by_name[name]
    if layout > known:
        raise NetworkFileError(
            f"{path} was written by bioconv {writer!r} in version {layout} of {name}; "
            f"bioconv {version('bioconv')} reads up to version {known}. "
            f"Install bioconv {writer!r} or newer."
        )
    if layout < 1:
        raise NetworkFileError(f"{path}: there is no version {layout} of {name}.")
    for added, classes in ADDED_FIELDS[kind].items():
        if layout < added:
            _add_fields(tree, classes)
    if kind is SpikingNetwork and layout < 5:
        declare_roles(tree)
        declare_record(tree)
    return tree, kind


def _add_fields(tree: Tree, classes: Mapping[str, Tree]) -> None:
    """Add the fields that their version did not have yet to all groups of these classes."""
    name = tree.get("class")
    if isinstance(name, str) and name in classes:
        tree.update({key: value for key, value in classes[name].items() if key not in tree})
    for entry in tree.values():
        if isinstance(entry, dict):
            _add_fields(entry, classes)


def _restore(tree: Tree, kind: type[Any], path: Path) -> Any:
    try:
        made = decode(tree.get("content"), kind, "/content")
        if isinstance(made, SpikingNetwork):
            _check_demands(made)
            _check_meaning(made)
    except BioconvError as error:
        raise NetworkFileError(f"{path}: {error}") from error
    return made


def _check_demands(network: SpikingNetwork) -> None:
    """Refuse networks that would exhaust the memory of a simulator."""
    total = network.n_neurons + sum(entry.n_neurons for entry in network.inputs)
    if total > MAX_SIZE:
        raise NetworkFileError(f"{total:,} neurons; {MAX_SIZE:,} is the limit for a file.")
    if network.max_delay > MAX_DELAY_STEPS:
        raise NetworkFileError(
            f"a delay of {network.max_delay:,} steps; {MAX_DELAY_STEPS:,} is the limit for a file."
        )


def _check_meaning(network: SpikingNetwork) -> None:
    problems = meaning_problems(network)
    if problems:
        raise NetworkFileError("; ".join(map(str, problems)))
