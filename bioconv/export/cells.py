"""Which PyNN cell stands for a neuron model, on each simulator, and why.

Standard cells are used where their equations are the model's: `standard_cells` gives their names
and units, in both directions.  For all others NEST gets a generated model (see
`bioconv.export.nestml`); NEURON and Brian2 under PyNN have no such way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bioconv.errors import ExportError, Problem
from bioconv.network import Population, SpikingNetwork
from bioconv.neurons import LeakyIntegrateAndFire, NeuronModel

#: simulators that a PyNN program runs on
SIMULATORS = ("nest", "neuron", "brian2")

#: the word for a generated model where a standard cell would have its name
GENERATED = "generated"

_USE_NEST = "Run it on NEST, or in Brian2 without PyNN (simulator='brian2')."


@dataclass(frozen=True)
class StandardCell:
    """A PyNN standard cell with the equations of a model of this library.

    Parameters
    ----------
    model : NeuronModel
        Equations that coincide with the cell's.
    parameters : mapping of str to ((str, ...), float)
        Parameter of the model -> names in PyNN, and factor from the model's unit to PyNN's.
    weight : float
        Factor of a weight: pA -> nA, or mV -> mV.
    """

    model: NeuronModel
    parameters: Mapping[str, tuple[tuple[str, ...], float]]
    weight: float


_LEAKY = {
    "v_rest": (("v_rest",), 1.0),
    "v_reset": (("v_reset",), 1.0),
    "v_th": (("v_thresh",), 1.0),
    "tau_m": (("tau_m",), 1.0),
    "c_m": (("cm",), 1e-3),  # pF -> nF
    "t_ref": (("tau_refrac",), 1.0),
    "i_offset": (("i_offset",), 1e-3),  # pA -> nA
}


def standard_cells() -> dict[str, StandardCell]:
    """PyNN's name of each standard cell that can stand for a model, and the translation."""
    return {
        "IF_curr_exp": StandardCell(
            LeakyIntegrateAndFire(reset="value", synapse="exponential").model,
            {**_LEAKY, "tau_syn": (("tau_syn_E", "tau_syn_I"), 1.0)},
            1e-3,
        ),
        "IF_curr_delta": StandardCell(
            LeakyIntegrateAndFire(reset="value", synapse="delta").model, _LEAKY, 1.0
        ),
    }


def to_pynn(cell: StandardCell, values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a model as PyNN's, in PyNN's units."""
    return {
        name: np.multiply(value, factor)
        for parameter, value in values.items()
        for names, factor in [cell.parameters[parameter]]
        for name in names
    }


def from_pynn(cell: StandardCell, values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of PyNN as the model's, in the model's units.

    Raises
    ------
    ExportError
        The cell's two receptors differ where the model has one.
    """
    back = {}
    for parameter, (names, factor) in cell.parameters.items():
        given = [values[name] for name in names]
        if any(np.any(np.not_equal(value, given[0])) for value in given):
            raise ExportError(f"{' and '.join(names)} differ, but {parameter} is one parameter.")
        back[parameter] = np.divide(given[0], factor)
    return back


def choose_cells(network: SpikingNetwork, simulator: str) -> dict[str, str]:
    """The PyNN cell of each population on one simulator.

    Parameters
    ----------
    network : SpikingNetwork
    simulator : {"nest", "neuron", "brian2"}

    Returns
    -------
    dict of str to str
        Population -> name of a standard cell, or `GENERATED`.

    Raises
    ------
    ExportError
        Every population that the simulator has no cell for, and what would help.
    """
    chosen = {p.name: cell_for(p, network, simulator) for p in network.populations}
    problems = [cell for cell in chosen.values() if isinstance(cell, Problem)]
    if problems:
        raise ExportError(f"{network.name} cannot run on {simulator} through PyNN:", problems)
    return {name: cell for name, cell in chosen.items() if isinstance(cell, str)}


def cell_for(population: Population, network: SpikingNetwork, simulator: str) -> str | Problem:
    """The cell of one population, or why there is none: the one place that decides."""
    model = population.model
    cell = standard_cells().get(model.standard_cell)
    reason, advice = "", _USE_NEST
    if cell is None or not _coincide(model, cell.model):
        reason = "no standard cell has these equations (reset by subtraction, gates, integrators)"
        advice += " A leaky integrate-and-fire neuron with reset to a value has one."
    elif model.standard_cell == "IF_curr_delta" and simulator == "nest":
        reason = "PyNN 0.13 ignores the start potential of IF_curr_delta on NEST"
    elif model.standard_cell == "IF_curr_delta" and simulator == "neuron":
        reason = "IF_curr_delta does not exist on NEURON"
        advice = "Use the exponential synapse. " + _USE_NEST
    elif simulator != "nest":
        reason = _unchangeable(population, network)
        if not reason and simulator == "brian2" and np.ptp(population.parameters.get("t_ref", 0.0)):
            reason = "PyNN's Brian2 cells of a population share one refractory period"
    if not reason:
        return model.standard_cell
    if simulator == "nest":
        return GENERATED
    return Problem(population.name, model.name, f"{reason}.", advice)


def _coincide(model: NeuronModel, other: NeuronModel) -> bool:
    """Whether two models differ in nothing but default values and words."""

    def essence(m: NeuronModel) -> tuple[Any, ...]:
        names = [(p.name, p.unit) for p in m.parameters]
        equations = [(e.name, e.expression, e.unless_refractory) for e in m.parsed_equations]
        rule = (m.threshold, m.reset_statements, m.method, m.refractory, m.current)
        return (names, equations, rule, m.receptors)

    return essence(model) == essence(other)


def _unchangeable(population: Population, network: SpikingNetwork) -> str:
    """Why scheduled changes are in the way of a standard cell; empty if they are not."""
    states = {state.name for state in population.model.states} - {"v"}
    wrong = sorted(
        {
            change.variable
            for change in network.changes
            if change.population == population.name
            and (change.variable in states or change.variable == population.model.refractory)
        }
    )
    return f"{', '.join(wrong)} cannot be set in the middle of a run here" if wrong else ""
