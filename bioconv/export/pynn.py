"""A network as a PyNN program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bioconv.export.cells import SIMULATORS, cell_for, standard_cells
from bioconv.export.nestml import MAY_FIRE, added_states, nestml
from bioconv.export.tables import Network, Unit, model_names, network_tables
from bioconv.ground.errors import ExportError, Problem
from bioconv.network import SpikingNetwork
from bioconv.neurons import NeuronModel


def pynn_network(network: SpikingNetwork) -> Network:
    """Tables and arrays of a network for the PyNN program.

    Raises
    ------
    ExportError
        Two different neuron models have one name.
    """
    models = model_names(network)
    problems = [
        Problem(name, "NeuronModel", f"another model is also called {model.name}.", "Rename it.")
        for name, model in models.items()
        if name != model.name
    ]
    if problems:
        raise ExportError(f"{network.name} cannot become a PyNN program:", problems)
    plan = network_tables(network, {name: _model(model) for name, model in models.items()})
    tables = {**plan.tables, "CELLS": _cells(network), "STANDARD_CELLS": _standard_cells(network)}
    return Network(tables, plan.arrays)


def write_models(network: SpikingNetwork, folder: Path) -> None:
    """Write a .nestml file for each model that NEST gets as a generated one."""
    for population in network.populations:
        model = population.model
        text = nestml(model)
        (folder / f"{model.name}.nestml").write_text(text, encoding="utf-8")


def _model(model: NeuronModel) -> dict[str, Any]:
    return {
        "source": model.source,
        "equations": "\n".join(line.strip() for line in model.equations.splitlines()) + "\n",
        "threshold": model.threshold or None,
        "reset": model.reset or None,
        "after": model.after or None,
        "refractory": model.refractory or None,
        "method": model.method,
        "current": model.current,
        "states": {s.name: {"unit": Unit(s.unit)} for s in model.states},
        "receptors": tuple(receptor.name for receptor in model.receptors),
        "added_states": added_states(model),
        "may_fire": MAY_FIRE,
    }


def _cells(network: SpikingNetwork) -> dict[str, Any]:
    """Simulator -> population -> cell, or a text that says why there is none."""
    table: dict[str, Any] = {}
    for simulator in SIMULATORS:
        row = {p.name: cell_for(p, network, simulator) for p in network.populations}
        table[simulator] = {
            name: {"refused": str(cell)} if isinstance(cell, Problem) else {"cell": cell}
            for name, cell in row.items()
        }
    return table


def _standard_cells(network: SpikingNetwork) -> dict[str, Any]:
    """The table of the cells that the network's models name."""
    used = {population.model.standard_cell for population in network.populations}
    return {
        name: {
            "parameters": dict(cell.parameters),
            "states": dict(cell.states),
            "receptors": dict(cell.receptors),
            "weight": cell.weight,
            "crossing": cell.crossing,
        }
        for name, cell in standard_cells().items()
        if name in used
    }
