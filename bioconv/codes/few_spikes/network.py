"""Build the spiking network of the few-spikes code.

Every population has a step S in which it starts to fire.  By then all of its input has arrived: its
sources fired in K steps, and their last spikes arrive in step S.  Delays of branches of unequal
depth are balanced such that the last spikes of all sources arrive together; the t-th spikes of a
source arrive in step S - K + t, where K is that of the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import lcm, prod

import numpy as np
from numpy.typing import NDArray

from bioconv.analog.graph import Affine, Layer
from bioconv.codes.code import Request
from bioconv.codes.common import layout
from bioconv.codes.common.affine import apply64
from bioconv.codes.common.assembly import Parts, add_all, prepared
from bioconv.codes.common.expectation import expect
from bioconv.codes.common.max_windows import cells_of, pool_of
from bioconv.codes.common.membrane import denominator, on_grid, rounded
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.rewritten import Carried, Rewritten
from bioconv.codes.few_spikes.code import FewSpikesCode
from bioconv.codes.few_spikes.layers import (
    K_RELU,
    carries,
    inputs_of,
    levels_of,
    list_errors,
    rounding_of,
    steps_of,
    tables_of,
    units_of,
)
from bioconv.codes.few_spikes.neurons import FewSpikes, FewSpikesMaxGate, FewSpikesOutput
from bioconv.codes.few_spikes.pieces import in_pieces
from bioconv.codes.few_spikes.tables import Table
from bioconv.codes.pointwise import expanded_for
from bioconv.network import (
    Change,
    Drive,
    Input,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
    Value,
)
from bioconv.neurons.library.parts import NEVER
from bioconv.operators import Operator, compact, scaled

Floats = NDArray[np.float64]

#: potentials are integer multiples of 2^-34 mV: sums are exact in float64 in any order
_GRID = 2.0**-34
#: value of padding cells in a pooling window
_LOWEST = -1e9


def build(code: FewSpikesCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a graph; see `bioconv.convert`.

    Parameters
    ----------
    code : FewSpikesCode
    request : Request

    Raises
    ------
    ConversionError
        If the code does not support some layers (the message lists all of them) or the neuron.
    ParameterError
        If the duration is too short.
    """
    graph, calibration = request.graph, request.calibration
    whole = code.analog == "none"
    expanded = expanded_for(graph, calibration) if whole else graph
    pieced = in_pieces(code, expanded, calibration, graph.shapes())
    rewritten = prepared(replace(request, graph=pieced.graph), "few-spikes", carries)
    steps = steps_of(code, rewritten, pieced.lines)
    inputs = inputs_of(rewritten, calibration) if whole or code.fit != "standard" else {}
    tables = tables_of(code, rewritten, inputs, steps)
    errors = pieced.errors or list_errors(rewritten.layers, tables, inputs)
    k = max(steps.values(), default=code.k or K_RELU)
    plan = FewSpikesPlan(
        initial=code.initial,
        dt=request.dt or 1.0,
        names=layout.names(rewritten),
        units=units_of(code, rewritten, calibration, steps, pieced.lines),
        tables=tables,
        starts=_starts(rewritten, steps),
        carried=rewritten.carried(graph),
        inputs={entry.name: entry.shape for entry in rewritten.inputs},
    )
    expected = expect(
        rewritten,
        levels_of(code.initial, rewritten, plan.units, tables),
        calibration,
        decisions=request.decided(),
    )
    add_all(
        plan, rewritten, graph.outputs, layer=_add_neurons, gates=_add_gates, readout=_add_readout
    )
    latency = max(plan.starts[layer.name] for layer in rewritten.readouts) + 2
    return plan.network(
        graph,
        (Input(plan.names[name], shape) for name, shape in plan.inputs.items()),
        dt=plan.dt,
        n_steps=layout.steps_of(
            request, plan.dt, latency, advice="Use more steps, or a smaller k."
        ),
        record={
            **layout.describe_options(code),
            "k": k,
            "latency_steps": latency,
            "latency": latency * plan.dt,
            # a layer receives a sample for K steps and then fires for K steps; see `pipeline`
            "pipeline_steps": 2 * k,
            "pipeline_interval": 2 * k * plan.dt,
            "functions": ", ".join(sorted({type(e.function).__name__ for e in rewritten.layers})),
            "calibration_samples": request.n_samples,
            **({"function_errors": errors} if whole else {}),
            **expected.record(),
        },
    )


@dataclass
class FewSpikesPlan(Parts):
    """State of the construction: decisions made beforehand, and the parts built so far.

    ``units`` holds the activation that a potential of 1 mV, or a spike of weight 1, represents in
    each layer; ``tables`` the table of each layer, and ``starts`` the step in which it starts to
    fire.
    """

    initial: str
    dt: float
    names: Mapping[str, str]
    units: Mapping[str, Floats]
    tables: Mapping[str, Table]
    starts: Mapping[str, int]
    carried: Mapping[str, Carried]
    inputs: Mapping[str, tuple[int, ...]]

    def delay(self, source: str, start: int) -> int:
        """Return the delay in steps with which the last spikes arrive in the step ``start``."""
        return start - len(self.tables[source]) + 1 - self.starts[source]


def _starts(rewritten: Rewritten, steps: Mapping[str, int]) -> dict[str, int]:
    """Return the step in which each layer starts to fire, or a readout has received all input.

    Inputs are currents, which have charged the neurons before they fire for the first time, in
    step 0.
    """
    starts: dict[str, int] = {}
    for layer in (*rewritten.layers, *rewritten.readouts):
        sources = {term.source for term in layer.inputs[0].terms} & starts.keys()
        starts[layer.name] = max((starts[name] + steps[name] for name in sources), default=0)
    return starts


def _add_neurons(plan: FewSpikesPlan, layer: Layer) -> None:
    """Add a population of neurons that first receive spikes and then fire."""
    name, start, table = plan.names[layer.name], plan.starts[layer.name], plan.tables[layer.name]
    found = _connect(plan, layer)
    model = FewSpikes(max(len(found.tables), 1)).model
    parameters: dict[str, Value] = {**found.parameters, "v_th": NEVER}
    parameters |= {f"last{n}": float(heard.worth[-1]) for n, heard in enumerate(found.tables)}
    rounding = rounding_of(plan.initial, layer.function, table)
    carried = plan.carried.get(layer.name, Carried("", np.ones(()), np.zeros(())))
    plan.populations.append(
        Population(
            name,
            layer.shape,
            model,
            parameters,
            {"v": rounding + found.shift},
            carried.layer,
            scale=plan.units[layer.name] * carried.factor,
            offset=carried.offset,
            start_step=start,
            spike_values=table.worth,
        )
    )
    for step in range(len(table)):
        plan.changes += [
            Change(start + step, name, "v_th", float(table.threshold[step])),
            Change(start + step, name, "v_fall", float(table.fall[step])),
        ]
    plan.changes.append(Change(start + len(table), name, "v_th", NEVER))


def _add_readout(plan: FewSpikesPlan, layer: Layer, output: str) -> None:
    """Add a population of output neurons, which sum their input."""
    name = plan.names[layer.name]
    found = _connect(plan, layer)
    model = FewSpikesOutput(max(len(found.tables), 1)).model
    unit, start = plan.units[layer.name], plan.starts[layer.name]
    plan.populations.append(
        Population(name, layer.shape, model, found.parameters, scale=unit, start_step=start)
    )
    (readout,) = identifiers([output])
    plan.readouts.append(Readout(readout, name, "level", layer.function))


def _add_gates(plan: FewSpikesPlan, layer: Layer) -> None:
    """Add gates that pass on the spikes of the largest source of each window."""
    name, cells = plan.names[layer.name], range(prod(pool_of(layer).size))
    start, table = plan.starts[layer.name], plan.tables[layer.name]
    gate = FewSpikesMaxGate(len(cells))
    initial: dict[str, Value] = {}
    reached = {cell: np.zeros(layer.shape) for cell in cells}
    for cell, source, operator in cells_of(layer):
        reached[cell] += apply64(operator, np.ones((1, *operator.in_shape)))
        early = plan.delay(source, start)
        for receptor, delay in ((f"p{cell}", early), (f"q{cell}", early + len(table) - 1)):
            plan.projections.append(Projection(plan.names[source], name, operator, receptor, delay))
    for cell, covered in reached.items():
        if not covered.all():
            initial[f"x{cell}"] = np.where(covered > 0, 0.0, _LOWEST)
    carried = plan.carried.get(layer.name, Carried("", np.ones(()), np.zeros(())))
    plan.populations.append(
        Population(
            name,
            layer.shape,
            gate.model,
            {"gain": float(table.worth[0]), "last": float(table.worth[-1])},
            initial,
            carried.layer,
            scale=plan.units[layer.name] * carried.factor,
            offset=carried.offset,
            start_step=start,
            spike_values=table.worth,
        )
    )
    _add_gains(plan, name, "gain", table, start)


@dataclass(frozen=True)
class _Heard:
    """Input of a population: tables of its sources by receptor, parameters, start potential."""

    tables: list[Table]
    parameters: dict[str, Value]
    shift: float


def _connect(plan: FewSpikesPlan, layer: Layer) -> _Heard:
    """Add the projections and drives of a layer, and return the gains of its input."""
    (affine,), name, start = layer.inputs, plan.names[layer.name], plan.starts[layer.name]
    unit, tables = plan.units[layer.name], list[Table]()
    operators: list[Operator] = []
    for term in affine.terms:
        if term.source in plan.inputs:
            operator = scaled(term.operator, post=plan.dt**-1 / unit)
            plan.drives.append(Drive(plan.names[term.source], name, operator, _GRID / plan.dt))
            continue
        table = plan.tables[term.source]
        receptor = _index(tables, table)
        operator = scaled(term.operator, pre=plan.units[term.source], post=1 / unit)
        operator = on_grid(operator, _GRID / table.grid)
        operators.append(operator)
        delay = plan.delay(term.source, start)
        plan.projections.append(
            Projection(plan.names[term.source], name, operator, f"r{receptor}", delay)
        )
    for number, table in enumerate(tables):
        _add_gains(plan, name, f"gain{number}", table, start)
    current = rounded(_bias(affine, unit), _GRID) / plan.dt
    parameters: dict[str, Value] = {"i_offset": _number(current, affine)}
    parameters |= {f"gain{n}": float(table.worth[0]) for n, table in enumerate(tables)}
    plan.changes.append(Change(1, name, "gate", 0.0))
    # Half a multiple off the grid, so that no potential equals a threshold (see `membrane`).
    return _Heard(tables, parameters, _GRID / (2 * lcm(*map(denominator, operators))))


def _bias(affine: Affine, unit: Floats) -> Floats:
    return np.asarray(affine.bias, np.float64) / unit


def _number(current: Floats, affine: Affine) -> Value:
    """Return a constant current, as a single number where it is the same for all neurons."""
    constant = compact(current, affine.shape)
    return float(constant.ravel()[0]) if constant.size == 1 else constant


def _index(tables: list[Table], table: Table) -> int:
    """Return the index of a table with the same spike weights, appended if there is none."""
    for number, known in enumerate(tables):
        if known.same_worth(table):
            return number
    tables.append(table)
    return len(tables) - 1


def _add_gains(plan: FewSpikesPlan, name: str, parameter: str, table: Table, start: int) -> None:
    """Return changes of the gains, one step after the t-th spikes arrive in start - K + t."""
    for t in range(2, len(table) + 1):
        step = start - len(table) + t + 1
        plan.changes.append(Change(step, name, parameter, float(table.worth[t - 1])))
