"""Tables of the Brian2 program of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bioconv.export.stages import stage_tables
from bioconv.export.tables import Network, Unit, model_names, network_tables
from bioconv.ground.errors import ExportError, Problem
from bioconv.network import SpikingNetwork
from bioconv.neurons.language.model import UNITS, NeuronModel


def brian2_network(network: SpikingNetwork) -> Network:
    """Return the tables and arrays of a network for the Brian2 program.

    Raises
    ------
    ExportError
        A model uses a name that is reserved for the program.
    """
    models = model_names(network)
    problems = [p for name, model in models.items() for p in _clashes(network, name, model)]
    if problems:
        raise ExportError(f"{network.name} cannot be written as a Brian2 program:", problems)
    found = network_tables(network, {name: _model(model) for name, model in models.items()})
    return Network({**found.tables, **stage_tables(network, found.arrays)}, found.arrays)


def _model(model: NeuronModel) -> dict[str, Any]:
    frozen = bool(model.refractory)
    lines = [
        replace(e, unless_refractory=e.unless_refractory and frozen).text
        for e in model.parsed_equations
    ]
    for p in model.parameters:
        lines.append(f"{p.name} : {UNITS[p.unit][1]} (constant)  # {p.meaning}")
    reset = [f"{a.target} = {a.expression}" for a in model.reset_statements]
    return {
        "source": model.source,
        "equations": "\n".join(lines) + "\n",
        "threshold": model.threshold or None,
        "reset": "\n".join(reset) or None,
        "after": "\n".join(f"{a.target} = {a.expression}" for a in model.after_statements),
        "refractory": _refractory(model),
        "method": model.method,
        "current": model.current,
        "current_unit": Unit(model.parameter(model.current).unit if model.current else "1"),
        "noisy": model.noisy,
        "states": {
            s.name: {"dimension": UNITS[s.unit][1], "unit": Unit(s.unit)} for s in model.states
        },
    }


def _refractory(model: NeuronModel) -> str | bool:
    """Return the refractoriness of a model in Brian2's language."""
    if model.crossing:
        return model.threshold
    # A spike in step t blocks the n steps from t + 1 on; Brian2 counts t itself.
    return f"{model.refractory} + dt" if model.refractory else False


def _clashes(network: SpikingNetwork, name: str, model: NeuronModel) -> list[Problem]:
    own = {"weight", "arrives", *(f"change{number}" for number in range(len(network.changes)))}
    return [
        Problem(
            name,
            "NeuronModel",
            f"the program itself uses the name {clash!r}.",
            "Rename it in the model.",
        )
        for clash in sorted(own & model.names)
    ]
