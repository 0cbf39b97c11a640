"""Write a network of exact first spikes with other weights, shifts and windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import MaxPool, ReLU
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.codes.common.affine import apply64
from bioconv.codes.first_spike_exact.layers import (
    SlopeSource,
    connect,
    integrator,
    rectifier,
    spike_values,
)
from bioconv.codes.first_spike_exact.leads import (
    Leads,
    Output,
    Parameters,
    Pool,
    Rectifier,
    operators_with,
)
from bioconv.codes.first_spike_exact.leads import Stage as LeadStage
from bioconv.codes.first_spike_exact.schedule import Schedule, Stage, arranged, steps_of
from bioconv.ground.errors import ConversionError
from bioconv.network import Population, Projection, SpikingNetwork
from bioconv.network.agreement import without_expectation
from bioconv.neurons import Neuron
from bioconv.operators import Chain, Operator, WindowCell, compact, compose, identity, scaled
from bioconv.operators import precision as in_precision

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Layer:
    """A layer with its trained weights.

    Parameters
    ----------
    operators : list of Operator
        J, in float64.
    slope : ndarray broadcastable to the shape
        B.
    bias : ndarray broadcastable to the shape
        In units of leads.
    """

    operators: list[Operator]
    slope: Floats
    bias: Floats


def network_with(
    leads: Leads, parameters: Parameters, lengths: Mapping[str, float]
) -> SpikingNetwork:
    """Return the spiking network with these parameters and windows.

    Its analog network is the one that it computes (Eq 3.4), see `analog_with`.

    Parameters
    ----------
    leads : Leads
    parameters : dict
        As `Leads.parameters` returns them.
    lengths : mapping of str to float
        Length of the window of every layer, in units of leads; rounded up to whole steps.
    """
    layers = _layers(leads, parameters)
    schedule = _schedule(leads, lengths)
    populations: dict[str, Population] = {}
    projections: list[Projection] = []
    natural = _natural_scales(leads)
    old = {population.name: population for population in leads.network.populations}
    for encoder in leads.encoders:
        populations[encoder.name] = old[encoder.name]
    for stage in leads.stages:
        synapses, neuron = _built(leads, stage, layers, schedule)
        projections += synapses
        populations[stage.name] = _population(old[stage.name], stage, neuron, schedule, natural)
    return leads.network.replace(
        populations=tuple(populations[p.name] for p in leads.network.populations),
        projections=tuple(projections),
        n_steps=schedule.n_steps,
        analog=_graph(leads, layers, natural),
        code=without_expectation(leads.network.code),
    )


def analog_with(leads: Leads, parameters: Parameters) -> AnalogGraph:
    """Return the ReLU network that a network with these parameters computes.

    The weights are J / B and the biases -D / B (Eq 3.4).  Activations are in the units of the
    layers of the original network wherever one population represents one of its layers, and in
    units of leads elsewhere.

    Raises
    ------
    ConversionError
        If pools of several layers cannot be expressed as a max pooling.
    """
    return _graph(leads, _layers(leads, parameters), _natural_scales(leads))


def _layers(leads: Leads, parameters: Parameters) -> dict[str, _Layer]:
    found = {}
    for stage in leads.stages:
        if isinstance(stage, Pool):
            continue
        own = parameters[stage.name]
        operators = operators_with(stage, [np.asarray(k, np.float64) for k in own["kernels"]])
        shift, slope = np.asarray(own["shift"], np.float64), np.ones((1,) * len(stage.shape))
        if isinstance(stage, Rectifier):
            with in_precision("float64"):
                slope, shrink = map(np.asarray, leads.slopes(stage, operators))
            if np.any(shrink != 1.0):
                operators = [scaled(operator, post=shrink) for operator in operators]
            shift = -shift / slope
        found[stage.name] = _Layer(operators, slope, shift)
    return found


def _schedule(leads: Leads, lengths: Mapping[str, float]) -> Schedule:
    dt, unit = leads.schedule.dt, leads.schedule.unit

    def length(stage: LeadStage) -> int | None:
        if isinstance(stage, Rectifier):
            limit = float(np.max(stage.limit))
            return steps_of(min(float(lengths[stage.name]), limit), unit / dt)
        return None if isinstance(stage, Pool) else 0

    stages = [
        Stage(stage.name, tuple(s.pre for s in stage.synapses), length(stage))
        for stage in leads.stages
    ]
    return arranged([encoder.name for encoder in leads.encoders], stages, dt, unit)


def _built(
    leads: Leads, stage: LeadStage, layers: Mapping[str, _Layer], schedule: Schedule
) -> tuple[Iterable[Projection], Neuron | None]:
    """Return the synapses of a stage, and its neurons unless they do not change."""
    window = schedule.windows[stage.name]
    delays = [schedule.delay(s.pre, stage.name) for s in stage.synapses]
    if isinstance(stage, Pool):
        pairs = zip(stage.synapses, delays, strict=True)
        return [replace(s, delay_steps=delay) for s, delay in pairs], None
    layer = layers[stage.name]
    decay = leads.decay and leads.decay.in_units(1.0 / leads.schedule.unit)
    triples = zip(stage.synapses, layer.operators, delays, strict=True)
    sources = [SlopeSource(s.pre, operator, delay) for s, operator, delay in triples]
    if isinstance(stage, Output):
        synapses = [
            replace(s, operator=source.operator, delay_steps=source.delay)
            for s, source in zip(stage.synapses, sources, strict=True)
        ]
        output = integrator(schedule, window, shape=stage.shape, bias=layer.bias, decay=decay)
        return synapses, output
    grid, connected = connect(stage.name, stage.shape, sources)
    neuron = rectifier(
        leads.code,
        schedule,
        window,
        shape=stage.shape,
        synapses=connected,
        grid=grid,
        slope=layer.slope,
        bias=layer.bias,
        limit=stage.limit,
        decay=decay,
    )
    return connected, neuron


def _population(
    old: Population,
    stage: LeadStage,
    neuron: Neuron | None,
    schedule: Schedule,
    natural: Mapping[str, Floats],
) -> Population:
    changed: dict[str, Any] = {}
    if neuron is not None:
        changed["parameters"] = neuron.parameters
    if not isinstance(stage, Output):
        window = schedule.windows[stage.name]
        changed["start_step"] = window.open - 1
        changed["spike_values"] = spike_values(schedule, window)
        changed["layer"] = _layer_name(old, natural)
        changed["scale"], changed["offset"] = natural[stage.name], np.zeros(())
    return replace(old, **changed)


def _natural_scales(leads: Leads) -> dict[str, Floats]:
    """Return the activation that a lead of 1 stands for in the trained analog network."""
    by_name = {population.name: population for population in leads.network.populations}
    times = Counter(p.layer for p in by_name.values())
    found = {}
    for stage in leads.stages:
        if isinstance(stage, Output):
            continue
        population = by_name[stage.name]
        scale, shape = np.asarray(population.scale), population.shape
        alone = bool(population.layer) and times[population.layer] == 1
        sign = np.where(stage.last, -1.0, 1.0) if isinstance(stage, Pool) else np.ones(())
        fits = alone and not np.any(population.offset) and np.all(scale * sign > 0)
        if isinstance(stage, Rectifier) and np.all(np.isfinite(stage.limit)):
            fits = fits and np.ptp(stage.limit * scale) <= 1e-9
            found[stage.name] = compact(scale if fits else 1.0 / stage.limit, shape)
        else:
            found[stage.name] = compact(scale if fits else sign, shape)
    return found


def _layer_name(population: Population, natural: Mapping[str, Floats]) -> str:
    """Return the name of the layer of the trained analog network."""
    own = natural[population.name]
    kept = population.layer and np.array_equal(
        np.broadcast_to(own, population.shape), np.broadcast_to(population.scale, population.shape)
    )
    return population.layer if kept else population.name


def _graph(
    leads: Leads, layers: Mapping[str, _Layer], natural: Mapping[str, Floats]
) -> AnalogGraph:
    by_name = {population.name: population for population in leads.network.populations}
    inputs = dict(
        zip((e.name for e in leads.network.inputs), leads.network.analog.inputs, strict=True)
    )
    sources = {
        name: _Activation(_layer_name(by_name[name], natural), scale)
        for name, scale in natural.items()
    }
    encoders = {e.name: _Given(inputs[e.input].name, e.operator, e.offset) for e in leads.encoders}
    known: dict[str, _Activation | _Given] = {**sources, **encoders}
    built, outputs = [], {}
    for stage in leads.stages:
        if isinstance(stage, Pool):
            name = _layer_name(by_name[stage.name], natural)
            built.append(_pool_layer(name, stage, known, natural[stage.name]))
            continue
        after = natural.get(stage.name, np.ones(()))
        affine = _affine(stage, layers[stage.name], known, after)
        if isinstance(stage, Output):
            name = _output_name(leads, stage)
            outputs[name] = Layer(name, stage.readout.function, (affine,), stage.shape)
        else:
            largest = float(np.max(stage.limit * after))
            name = _layer_name(by_name[stage.name], natural)
            built.append(Layer(name, ReLU(max_value=largest), (affine,), stage.shape))
    original = leads.network.analog
    last = tuple(outputs[name] for name in original.outputs)
    return replace(original, layers=(*built, *last))


def _output_name(leads: Leads, stage: Output) -> str:
    """Return the name of an output in the analog network, which has them in the same order."""
    return leads.network.analog.outputs[leads.network.readouts.index(stage.readout)]


@dataclass(frozen=True, eq=False)
class _Activation:
    """A source whose lead is ``activation / scale``."""

    layer: str
    scale: Floats

    def term(self, operator: Operator, post: Floats | None) -> tuple[Term, Floats]:
        """Return the contribution of an operator on leads, times ``post``, and its constant."""
        return Term(self.layer, scaled(operator, pre=1.0 / self.scale, post=post)), np.zeros(())


@dataclass(frozen=True, eq=False)
class _Given:
    """An input whose lead is ``operator(x) + offset``."""

    layer: str
    operator: Operator
    offset: Floats

    def term(self, operator: Operator, post: Floats | None) -> tuple[Term, Floats]:
        """Return the contribution of an operator on leads, times ``post``, and its constant."""
        after = scaled(operator, post=post)
        full = np.broadcast_to(self.offset, operator.in_shape)
        return Term(self.layer, compose(self.operator, after)), apply64(after, full[None])


def _affine(
    stage: Rectifier | Output,
    layer: _Layer,
    known: Mapping[str, _Activation | _Given],
    after: Floats,
) -> Affine:
    """Return the input of a ReLU in the units of its layer."""
    terms = []
    bias = np.broadcast_to(layer.bias, stage.shape) * after
    for operator, synapse in zip(layer.operators, stage.synapses, strict=True):
        term, constant = known[synapse.pre].term(operator, after / layer.slope)
        terms.append(term)
        bias = bias + constant
    return Affine(tuple(terms), compact(bias, stage.shape), stage.shape)


def _pool_layer(
    name: str,
    stage: Pool,
    known: Mapping[str, _Activation | _Given],
    scale: Floats,
) -> Layer:
    """Return a max pooling; where neurons wait for the last spike, scales are negative."""
    parts = [_cell(synapse.operator) for synapse in stage.synapses]
    windows = {(cell.size, cell.strides, cell.padding) for _, cell in parts if cell is not None}
    sources = {synapse.pre for synapse in stage.synapses}
    first = parts[0][1]
    if (
        first is None
        or len(windows) != 1
        or len(sources) != 1
        or not all(cell for _, cell in parts)
    ):
        raise ConversionError(
            f"population {stage.name!r} is a maximum over several layers, which cannot be "
            "expressed as one max pooling of the trained analog network."
        )
    ((size, strides, padding),) = windows
    before = parts[0][0]
    term, constant = known[stage.synapses[0].pre].term(before, scale)
    affine = Affine((term,), compact(constant, before.out_shape), before.out_shape)
    return Layer(name, MaxPool(size, strides, padding), (affine,), first.out_shape)


def _cell(operator: Operator) -> tuple[Operator, WindowCell | None]:
    """Return what comes before the cell of a window, and the cell."""
    if isinstance(operator, WindowCell):
        return identity(operator.in_shape), operator
    if isinstance(operator, Chain) and isinstance(operator.operators[-1], WindowCell):
        return compose(*operator.operators[:-1]), operator.operators[-1]
    return operator, None
