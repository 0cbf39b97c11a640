"""Tables and models of the PyNN program of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bioconv.export.cells import SIMULATORS, cell_for, standard_cell_of
from bioconv.export.nestml import MAY_FIRE, added_states, nestml
from bioconv.export.stages import stage_tables
from bioconv.export.tables import Network, Unit, model_names, network_tables
from bioconv.ground.errors import Problem
from bioconv.network import SpikingNetwork
from bioconv.neurons import NeuronModel


def pynn_network(network: SpikingNetwork) -> Network:
    """Return the tables and arrays of a network for the PyNN program."""
    models = model_names(network)
    plan = network_tables(network, {name: _model(model) for name, model in models.items()})
    stages = stage_tables(network, plan.arrays)
    tables = {
        **plan.tables,
        **stages,
        "CELLS": _cells(network),
        "STANDARD_CELLS": _standard_cells(models),
    }
    return Network(tables, plan.arrays)


def write_models(network: SpikingNetwork, folder: Path) -> None:
    """Write a .nestml file for each model that is generated for NEST."""
    for name, model in model_names(network).items():
        text = nestml(replace(model, name=name))
        (folder / f"{name}.nestml").write_text(text, encoding="utf-8")


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
    """Return simulator -> population -> cell, or the reason why there is none."""
    table: dict[str, Any] = {}
    for simulator in SIMULATORS:
        row = {p.name: cell_for(p, network, simulator) for p in network.populations}
        table[simulator] = {
            name: {"refused": str(cell)} if isinstance(cell, Problem) else {"cell": cell}
            for name, cell in row.items()
        }
    return table


def _standard_cells(models: Mapping[str, NeuronModel]) -> dict[str, Any]:
    """Return model -> its standard cell's names for its parts, for models that have one."""
    found = {name: standard_cell_of(model) for name, model in models.items()}
    return {
        name: {
            "parameters": dict(entry[1].parameters),
            "states": dict(entry[1].states),
            "receptors": dict(entry[1].receptors),
            "weight": entry[1].weight,
            "crossing": entry[1].crossing,
        }
        for name, entry in found.items()
        if entry is not None
    }
