"""Convert a network to tables of plain values, and these to the text of a program.

A program's text contains three kinds of leaves: Python literals, which are inserted by ``repr``,
and `Quantity` and `Unit`, whose parts are checked.  So nothing that a network contains can become
code.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.decisions import Decision
from bioconv.ground.errors import ExportError, ExpressionError, ParameterError
from bioconv.network import Drive, Population, Readout, SpikingNetwork
from bioconv.neurons.language.grammar import check_name
from bioconv.neurons.language.model import UNITS, NeuronModel
from bioconv.operators import Operator

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Quantity:
    """A number, or an array of ``weights.npz``, with a unit of `UNITS`."""

    value: float | str
    unit: str

    def text(self, with_unit: bool) -> str:
        """Return the value as Python source."""
        if isinstance(self.value, str):
            text = f"weights[{self.value!r}]"
        else:
            text = number_text(self.value)
        return f"{text} * {UNITS[self.unit][0]}" if with_unit and self.unit != "1" else text


@dataclass(frozen=True)
class Unit:
    """A unit of `UNITS`."""

    name: str

    def text(self, with_unit: bool) -> str:
        """Return the unit as Python source: a Brian2 unit, or its name."""
        return UNITS[self.name][0] if with_unit else repr(self.name)


@dataclass(frozen=True)
class Network:
    """Tables and arrays of a network, the same for every target.

    Parameters
    ----------
    tables : dict
        Python name of a table -> nested dicts, lists and tuples of literals and `Quantity`.
    arrays : dict of str to ndarray
        Contents of ``weights.npz``.
    """

    tables: dict[str, Any]
    arrays: Arrays


def network_tables(network: SpikingNetwork, models: Mapping[str, Any]) -> Network:
    """Return the tables and arrays of a network that a program needs.

    Parameters
    ----------
    network : SpikingNetwork
    models : mapping of str to mapping
        The target's entry for each neuron model, by its name.
    """
    arrays: Arrays = {}
    names = {model: name for name, model in model_names(network).items()}
    decisions = network.decisions_before_functions()
    tables = {
        "NAME": network.name,
        "DT": Quantity(float(network.dt), "ms"),
        "N_STEPS": int(network.n_steps),
        "MODELS": dict(models),
        "POPULATIONS": {
            p.name: _population(p, names[p.model], arrays) for p in network.populations
        },
        "INPUTS": {
            i.name: {
                "shape": shape_of(i.shape),
                "encoder": i.encoder,
                "scale": float(i.scale),
                "signed": bool(i.signed),
            }
            for i in network.inputs
        },
        "PROJECTIONS": _projections(network, arrays),
        "DRIVES": _drives(network, arrays),
        "CHANGES": _changes(network, arrays),
        "READOUTS": {
            r.name: _readout(network, r, decisions[r.name], arrays) for r in network.readouts
        },
    }
    return Network(tables, arrays)


def check_words(network: SpikingNetwork) -> None:
    """Check every name and every expression of a network again before they are written.

    Raises
    ------
    ExportError
        A name or an expression is outside the closed grammar.
    """
    named = [entry.name for entry in network.inputs]
    named += [population.name for population in network.populations]
    named += [readout.name for readout in network.readouts]
    named += [stage.name for stage in network.stages]
    ends = [name for p in network.projections for name in (p.pre, p.post, p.receptor)]
    ends += [name for drive in network.drives for name in (drive.input, drive.post)]
    ends += [name for change in network.changes for name in (change.population, change.variable)]
    ends += [readout.population for readout in network.readouts]
    ends += [name for stage in network.stages for name in stage.sources]
    try:
        for name in (network.name, *named, *ends):
            check_name(name)
        for population in network.populations:
            dataclasses.replace(population.model)  # a new model checks all its names and texts
    except (ExpressionError, ParameterError) as error:
        raise ExportError(f"The network cannot be written into a program: {error}") from error


def model_names(network: SpikingNetwork) -> dict[str, NeuronModel]:
    """Return the neuron models of a network, each under a unique name.

    The first model with a name keeps it; a number is appended for others of the same name.
    """
    models = tuple(dict.fromkeys(p.model for p in network.populations))
    given = {model.name for model in models}
    names: dict[str, NeuronModel] = {}
    for model in models:
        numbered = (f"{model.name}_{number}" for number in itertools.count(2))
        free = (name for name in numbered if name not in given and name not in names)
        names[next(free) if model.name in names else model.name] = model
    return names


def _population(population: Population, model_name: str, arrays: Arrays) -> dict[str, Any]:
    def quantity(name: str, value: ArrayLike, unit: str) -> Quantity:
        return quantity_of(value, unit, population.shape, f"{population.name}.{name}", arrays)

    model = population.model
    return {
        "model": model_name,
        "shape": shape_of(population.shape),
        "parameters": {
            p.name: quantity(p.name, population.value(p.name), p.unit) for p in model.parameters
        },
        "initial": {
            s.name: quantity(s.name, population.start(s.name), s.unit) for s in model.states
        },
        "start_step": int(population.start_step),
    }


def _projections(network: SpikingNetwork, arrays: Arrays) -> list[dict[str, Any]]:
    rows = []
    for number, projection in enumerate(network.projections):
        receptor = network.population(projection.post).model.receptor(projection.receptor)
        key = f"projection{number}"
        add_edges(key, projection.operator, arrays)
        rows.append(
            {
                "pre": projection.pre,
                "post": projection.post,
                "receptor": receptor.name,
                "variables": receptor.variables,
                "unit": Unit(receptor.unit),
                "delay_steps": int(projection.delay_steps),
                "release": float(projection.release),
                "synapses": key,
            }
        )
    return rows


def _drives(network: SpikingNetwork, arrays: Arrays) -> list[dict[str, Any]]:
    """Return the drives by inputs; for those by analog stages see `bioconv.export.stages`."""
    stages = {stage.name for stage in network.stages}
    return [
        {"input": drive.input, **drive_row(drive, number, arrays)}
        for number, drive in enumerate(network.drives)
        if drive.input not in stages
    ]


def drive_row(drive: Drive, number: int, arrays: Arrays) -> dict[str, Any]:
    """Return the row of a drive, by its number in the network, without what drives."""
    key = f"drive{number}"
    add_edges(key, drive.operator, arrays)
    return {"post": drive.post, "synapses": key, "grid": float(drive.grid)}


def _changes(network: SpikingNetwork, arrays: Arrays) -> list[dict[str, Any]]:
    rows = []
    for number, change in enumerate(network.changes):
        population = network.population(change.population)
        units = {parameter.name: parameter.unit for parameter in population.model.parameters}
        units |= {state.name: state.unit for state in population.model.states}
        unit, key = units[change.variable], f"change{number}"
        rows.append(
            {
                "step": int(change.step),
                "population": change.population,
                "variable": change.variable,
                "dimension": UNITS[unit][1],
                "value": quantity_of(change.value, unit, population.shape, key, arrays),
            }
        )
    return rows


def _readout(
    network: SpikingNetwork, readout: Readout, decision: Decision, arrays: Arrays
) -> dict[str, Any]:
    population = network.population(readout.population)

    def array(name: str, value: ArrayLike) -> Quantity:
        key = f"{readout.name}.{name}"
        arrays[key] = _flat(value, population.shape)
        return Quantity(key, "1")

    potential = "" if readout.reads_spikes else population.model.potential
    start = population.start(potential) if potential else 0.0
    return {
        "population": readout.population,
        "kind": readout.kind,
        "variable": potential,
        "scale": array("readout_scale", population.scale),
        "offset": array("readout_offset", population.offset),
        "initial": array("readout_initial", start),
        "max_rate": float(population.max_rate),
        "start_step": int(population.start_step),
        "rate": float(readout.rate),
        **_patterns(readout, arrays),
        "decision": {**_changed(decision), "shape": shape_of(readout.shape(population))},
    }


def _patterns(readout: Readout, arrays: Arrays) -> dict[str, Any]:
    """Return the patterns with which spikes are compared; nothing for other kinds of readouts."""
    if not readout.compares:
        return {}
    key = f"{readout.name}.patterns"
    arrays[key] = np.ascontiguousarray(readout.patterns, np.float64)
    return {"patterns": Quantity(key, "1"), "decay": float(readout.decay)}


def _changed(decision: Decision) -> dict[str, Any]:
    """Return the kind of a decision, and those of its options that have no default value."""
    usual = dataclasses.asdict(Decision(decision.kind))
    options = dataclasses.asdict(decision)
    return {n: v for n, v in options.items() if n == "kind" or v != usual[n]}


def add_edges(key: str, operator: Operator, arrays: Arrays) -> None:
    """Store the synapses of an operator under a key."""
    edges = operator.edges()
    arrays[f"{key}_pre"] = np.ascontiguousarray(edges.pre, np.int32)
    arrays[f"{key}_post"] = np.ascontiguousarray(edges.post, np.int32)
    arrays[f"{key}_weight"] = np.ascontiguousarray(edges.weight, np.float64)


def quantity_of(
    value: ArrayLike, unit: str, shape: tuple[int, ...], key: str, arrays: Arrays
) -> Quantity:
    """Return a number if all neurons have the same value, else an array stored under ``key``."""
    flat = _flat(value, shape)
    if (flat == flat[0]).all():
        return Quantity(float(flat[0]), unit)
    arrays[key] = flat
    return Quantity(key, unit)


def _flat(value: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    # Some programs multiply inapplicable values by 0, which gives NaN for infinity.
    finite = np.clip(np.asarray(value, np.float64), -1e300, 1e300)
    return np.ascontiguousarray(np.broadcast_to(finite, shape)).ravel()


def shape_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape in plain integers."""
    return tuple(int(n) for n in shape)


def source(tables: Mapping[str, Any], *, with_units: bool) -> str:
    """Return the tables as Python source, one assignment each.

    Parameters
    ----------
    tables : mapping of str to nested dicts, lists and tuples of literals and `Quantity`
        The names are those of the program's template.
    with_units : bool
        Multiply quantities by their units (Brian2).
    """
    return "".join(f"{name} = {_text(value, 0, with_units)}\n" for name, value in tables.items())


def _text(value: Any, depth: int, with_units: bool) -> str:
    if isinstance(value, Quantity | Unit):
        return value.text(with_units)
    if isinstance(value, str) and "\n" in value:
        pad = "    " * (depth + 1)
        lines = "".join(f"{pad}{line!r}\n" for line in value.splitlines(keepends=True))
        return f"(\n{lines}{'    ' * depth})"
    if isinstance(value, Mapping):
        items = [f"{key!r}: {_text(item, depth + 1, with_units)}" for key, item in value.items()]
        return _brackets("{", items, "}", depth)
    if isinstance(value, list):
        return _brackets("[", [_text(item, depth + 1, with_units) for item in value], "]", depth)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, tuple):
        items = [_text(item, depth, with_units) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(value, str | int | None):
        return repr(value)
    raise TypeError(f"A value of type {type(value).__name__} cannot be written into a program.")


def _brackets(left: str, items: list[str], right: str, depth: int) -> str:
    line = f"{left}{', '.join(items)}{right}"
    if 4 * depth + len(line) <= 88 and "\n" not in line:
        return line
    pad = "    " * (depth + 1)
    return f"{left}\n" + "".join(f"{pad}{item},\n" for item in items) + f"{'    ' * depth}{right}"


def number_text(value: float) -> str:
    """Return a number as Python source; infinities are allowed."""
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
