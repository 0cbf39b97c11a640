"""A network as a Brian2 program."""

from __future__ import annotations

from typing import Any

from bioconv.errors import ExportError, Problem
from bioconv.export.tables import Network, Unit, model_names, network_tables
from bioconv.network import SpikingNetwork
from bioconv.neurons.model import UNITS, NeuronModel


def brian2_network(network: SpikingNetwork) -> Network:
    """Tables and arrays of a network for the Brian2 program.

    Raises
    ------
    ExportError
        A model uses a name that the program needs for itself.
    """
    models = model_names(network)
    problems = [p for name, model in models.items() for p in _clashes(network, name, model)]
    if problems:
        raise ExportError(f"{network.name} cannot become a Brian2 program:", problems)
    return network_tables(network, {name: _model(model) for name, model in models.items()})


def _model(model: NeuronModel) -> dict[str, Any]:
    lines = []
    for equation in model.parsed_equations:
        left = f"d{equation.name}/dt" if equation.differential else equation.name
        flag = " (unless refractory)" if equation.unless_refractory and model.refractory else ""
        lines.append(f"{left} = {equation.expression} : {equation.dimension}{flag}")
    for p in model.parameters:
        lines.append(f"{p.name} : {UNITS[p.unit][1]} (constant)  # {p.meaning}")
    reset = [f"{a.target} = {a.expression}" for a in model.reset_statements]
    return {
        "source": model.source,
        "equations": "\n".join(lines) + "\n",
        "threshold": model.threshold or None,
        "reset": "\n".join(reset) or None,
        # A spike in step t blocks the n steps from t + 1 on; Brian2 counts t itself.
        "refractory": f"{model.refractory} + dt" if model.refractory else False,
        "method": model.method,
        "current": model.current,
        "states": {
            s.name: {"dimension": UNITS[s.unit][1], "unit": Unit(s.unit)} for s in model.states
        },
    }


def _clashes(network: SpikingNetwork, name: str, model: NeuronModel) -> list[Problem]:
    own = {"weight", *(f"change{number}" for number in range(len(network.changes)))}
    return [
        Problem(name, "NeuronModel", f"the program itself uses the name {clash!r}.", "Rename it.")
        for clash in sorted(own & model.names)
    ]
