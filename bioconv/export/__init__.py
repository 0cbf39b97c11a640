"""Programs that run where bioconv is not installed.

`emit` writes a folder: ``program.py`` with the equations and the tables of the network,
``weights.npz`` with its arrays, and the package ``support``.  The Brian2 and PyNN simulators of
bioconv run these very programs.
"""

from __future__ import annotations

from pathlib import Path

from bioconv.errors import ParameterError
from bioconv.export.brian2 import brian2_network
from bioconv.export.folder import copy_support, new_folder, template
from bioconv.export.pynn import pynn_network, write_models
from bioconv.export.support.arrays import write
from bioconv.export.tables import check_words, source
from bioconv.network import SpikingNetwork

__all__ = ["TARGETS", "emit"]

#: what `emit` can write
TARGETS = ("brian2", "pynn")

_PYNN = tuple(f"pynn_{part}.py" for part in ("base", "brian2", "nest", "neuron", "simulators"))
_SHARED = ("arrays.py", "command_line.py", "encoders.py", "images.py", "readouts.py", "results.py")


def emit(network: SpikingNetwork, folder: str | Path, target: str = "brian2") -> list[Path]:
    """Write a network as a program.

    Parameters
    ----------
    network : SpikingNetwork
    folder : str or Path
        Is made; must not exist, or be empty.  It appears whole or not at all.
    target : {"brian2", "pynn"}

    Returns
    -------
    list of Path
        The files, ``program.py`` first: ``python program.py --data images.npz -o result.npz``.

    Raises
    ------
    ExportError
        The target cannot represent the network (every reason is listed), or the folder cannot be
        written.
    ParameterError
        Unknown target.
    """
    if target not in TARGETS:
        raise ParameterError(f"Unknown target {target!r}. Targets: {', '.join(TARGETS)}.")
    folder = Path(folder)
    check_words(network)
    write = _emit_brian2 if target == "brian2" else _emit_pynn
    with new_folder(folder) as scratch:
        write(network, scratch)
        files = [path.relative_to(scratch) for path in sorted(scratch.rglob("*")) if path.is_file()]
    files.sort(key=lambda path: path.name != "program.py")
    return [folder / path for path in files]


def _emit_brian2(network: SpikingNetwork, folder: Path) -> None:
    tables = brian2_network(network)
    text = template("brian2_program.py", source(tables.tables, with_units=True))
    (folder / "program.py").write_text(text, encoding="utf-8")
    write(folder / "weights.npz", tables.arrays)
    copy_support(_SHARED, folder)


def _emit_pynn(network: SpikingNetwork, folder: Path) -> None:
    tables = pynn_network(network)
    text = template("pynn_program.py", source(tables.tables, with_units=False))
    (folder / "program.py").write_text(text, encoding="utf-8")
    write(folder / "weights.npz", tables.arrays)
    write_models(network, folder)
    copy_support((*_SHARED, "nest_models.py", *_PYNN), folder)
