"""Write a network as a program for sPyNNaker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.export.folder import GROUND, RULES, copy_support, template
from bioconv.export.support.arrays import write as write_arrays
from bioconv.export.tables import Quantity, network_tables, source
from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.operators import fan_out
from bioconv.targets.fit import Fit
from bioconv.targets.spinnaker.arithmetic import STEP
from bioconv.targets.spinnaker.board import Board
from bioconv.targets.spinnaker.geometry import LIST_NEURONS, Connector, neurons_a_core, tile

_TEMPLATES = "bioconv.targets.spinnaker.templates"
_SUPPORT = (
    "arrays.py",
    "command_line.py",
    "encoders.py",
    "images.py",
    "readouts.py",
    "results.py",
)
_OWN_SUPPORT = (
    "spinnaker_mapping.py",
    "spinnaker_nest.py",
    "spinnaker_network.py",
    "spinnaker_synapses.py",
)
_OWN_PACKAGE = "bioconv.targets.spinnaker.support"

Arrays = dict[str, NDArray[Any]]


def write(fit: Fit, folder: Path) -> None:
    """Write ``program.py``, ``weights.npz`` and the package ``support``.

    Parameters
    ----------
    fit : Fit
        From `bioconv.targets.spinnaker.fitting.fit`.
    folder : Path
        Exists and is empty.
    """
    tables, arrays = program_tables(fit)
    text = template("spinnaker_program.py", source(tables, with_units=False), _TEMPLATES)
    (folder / "program.py").write_text(text, encoding="utf-8")
    write_arrays(folder / "weights.npz", arrays)
    copy_support(_SUPPORT, folder)
    copy_support(RULES, folder, GROUND)
    copy_support(_OWN_SUPPORT, folder, _OWN_PACKAGE)


def program_tables(fit: Fit) -> tuple[dict[str, Any], Arrays]:
    """Return the tables of the program and the contents of ``weights.npz``."""
    network, board = fit.network, fit.details["board"]
    arrays: Arrays = {}
    # Everything that is not specific to the board is as in every other program.
    usual = network_tables(network.replace(projections=(), drives=()), {})
    readouts = usual.tables["READOUTS"]
    arrays |= {name: array for name, array in usual.arrays.items() if ".readout_" in name}
    _in_units_of_board(network, board, arrays)
    tables = {
        "NAME": network.name,
        "DT": float(network.dt),
        "N_STEPS": int(network.n_steps),
        "POPULATIONS": {
            p.name: _population(p, network, board, arrays) for p in network.populations
        },
        "INPUTS": usual.tables["INPUTS"],
        "PROJECTIONS": [
            _projection(number, p, connector, network, board, arrays)
            for number, (p, connector) in enumerate(
                zip(network.projections, board.layout.connectors, strict=True)
            )
        ],
        "DRIVES": _drives(network, board, arrays),
        "READOUTS": readouts,
    }
    for name in (*(p.name for p in network.populations), *(i.name for i in network.spiking_inputs)):
        counts = [np.ravel(fan_out(p.operator)) for p in network.projections_from(name)]
        if counts:
            arrays[f"{name}.fan_out"] = np.sum(counts, axis=0)
    return tables, arrays


def _in_units_of_board(network: SpikingNetwork, board: Board, arrays: Arrays) -> None:
    """Convert the potentials of readouts to those of the board."""
    for readout in network.readouts:
        if not readout.reads_spikes:
            gain = board.cells[readout.population].gain
            arrays[f"{readout.name}.readout_initial"] *= gain
            arrays[f"{readout.name}.readout_scale"] /= gain


def _population(
    population: Population, network: SpikingNetwork, board: Board, arrays: Arrays
) -> dict[str, Any]:
    name, cell = population.name, board.cells[population.name]

    def value(key: str, given: ArrayLike) -> Any:
        return _value(f"{name}.{key}", given, population.shape, arrays)

    image = board.layout.images.get(name)
    return {
        "cell": cell.cell,
        "shape": tuple(int(n) for n in population.shape),
        "image": image,
        "parameters": {key: value(key, given) for key, given in cell.parameters.items()},
        "initial": {key: value(f"start_{key}", given) for key, given in cell.initial.items()},
        "max_expected_summed_weight": tuple(float(s.expected) for s in board.scales[name]),
        "neurons_per_core": _neurons_per_core(name, network, board),
        "rise": float(cell.gain / cell.by_sign[0]),
        "start_step": int(population.start_step),
    }


def _neurons_per_core(name: str, network: SpikingNetwork, board: Board) -> int | tuple[int, int]:
    """Return the neurons per core: the edges of a square of an image, or a number."""
    if name in board.layout.images:
        edge = tile(board.layout.images[name][0])
        return edge, edge
    pairs = zip(network.projections, board.layout.connectors, strict=True)
    return min(
        (neurons_a_core(c) for p, c in pairs if p.post == name and c.kind == "pool_dense"),
        default=LIST_NEURONS,
    )


def _projection(
    number: int,
    projection: Projection,
    connector: Connector,
    network: SpikingNetwork,
    board: Board,
    arrays: Arrays,
) -> dict[str, Any]:
    cell, key = board.cells[projection.post], f"projection{number}"
    factor = cell.weights[projection.receptor]
    if connector.kind == "list":
        edges = projection.operator.edges()
        arrays[f"{key}.pre"] = np.ascontiguousarray(edges.pre, np.int32)
        arrays[f"{key}.post"] = np.ascontiguousarray(edges.post, np.int32)
        arrays[f"{key}.weight"] = np.ascontiguousarray(edges.weight * factor, np.float64)
    else:
        arrays[key] = np.ascontiguousarray(connector.weights * factor)
    return {
        "pre": projection.pre,
        "post": projection.post,
        "connector": connector.kind,
        "weights": key,
        "receptors": cell.receptors[projection.receptor],
        "delay": float((projection.delay_steps + cell.later) * network.dt),
        "pool": connector.pool,
        "padding": connector.padding,
    }


def _drives(network: SpikingNetwork, board: Board, arrays: Arrays) -> list[dict[str, Any]]:
    """Return the weights of analog inputs in nA."""
    rows = []
    for number, drive in enumerate(network.drives):
        key, edges = f"drive{number}", drive.operator.edges()
        arrays[f"{key}_pre"] = np.ascontiguousarray(edges.pre, np.int32)
        arrays[f"{key}_post"] = np.ascontiguousarray(edges.post, np.int32)
        arrays[f"{key}_weight"] = edges.weight * board.cells[drive.post].current
        rows.append({"input": drive.input, "post": drive.post, "synapses": key, "grid": STEP})
    return rows


def _value(key: str, given: ArrayLike, shape: tuple[int, ...], arrays: Arrays) -> Any:
    """Return a number if all neurons have the same value, else the name of an array."""
    flat = np.ascontiguousarray(np.broadcast_to(np.asarray(given, np.float64), shape)).ravel()
    if np.ptp(flat) == 0.0:
        return float(flat[0])
    arrays[key] = flat
    return Quantity(key, "1")
