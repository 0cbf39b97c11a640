"""Programs that run where bioconv is not installed.

`write_program` fills a folder: ``program.py`` with the equations and the tables of the network,
``weights.npz`` with its arrays, and the package ``support``.  The Brian2 and PyNN simulators of
bioconv run exactly these programs.
"""

from __future__ import annotations

from pathlib import Path

from bioconv.export.brian2 import brian2_network
from bioconv.export.folder import ANALOG, GROUND, RULES, copy_support, template
from bioconv.export.pynn import pynn_network, write_models
from bioconv.export.support.arrays import write
from bioconv.export.tables import source
from bioconv.network import SpikingNetwork

__all__ = ["write_program"]

_PYNN = tuple(
    f"pynn_{part}.py" for part in ("base", "brian2", "nest", "neuron", "parallel", "simulators")
)
_SHARED = (
    *("arrays.py", "command_line.py", "encoders.py", "images.py", "readouts.py", "results.py"),
    "stages.py",
)
#: formulas of the functions of analog stages, which are those of the analog network
_FORMULAS = ("formulas.py",)


def write_program(network: SpikingNetwork, folder: Path, target: str) -> None:
    """Write a network as a program into an empty folder.

    Parameters
    ----------
    network : SpikingNetwork
        Its names and expressions must have been checked (`bioconv.export.tables.check_words`).
    folder : Path
    target : {"brian2", "pynn"}

    Raises
    ------
    ExportError
        The target cannot represent the network; the message lists every reason.
    """
    (_write_brian2 if target == "brian2" else _write_pynn)(network, folder)


def _write_brian2(network: SpikingNetwork, folder: Path) -> None:
    tables = brian2_network(network)
    text = template("brian2_program.py", source(tables.tables, with_units=True))
    (folder / "program.py").write_text(text, encoding="utf-8")
    write(folder / "weights.npz", tables.arrays)
    copy_support((*_SHARED, "brian2_operations.py"), folder)
    copy_support(RULES, folder, GROUND)
    copy_support(_FORMULAS, folder, ANALOG)


def _write_pynn(network: SpikingNetwork, folder: Path) -> None:
    tables = pynn_network(network)
    text = template("pynn_program.py", source(tables.tables, with_units=False))
    (folder / "program.py").write_text(text, encoding="utf-8")
    write(folder / "weights.npz", tables.arrays)
    write_models(network, folder)
    copy_support((*_SHARED, "nest_models.py", *_PYNN), folder)
    copy_support((*RULES, "places.py"), folder, GROUND)
    copy_support(_FORMULAS, folder, ANALOG)
