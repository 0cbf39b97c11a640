"""The spiking network of layers that answer spike patterns with spike patterns."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import LevelPatterns, Linear, PatternDistances, SpikingUnits
from bioconv.analog.graph import Layer
from bioconv.codes.code import Request
from bioconv.codes.common.assembly import Parts
from bioconv.codes.common.layout import check_neuron
from bioconv.codes.common.names import identifiers
from bioconv.codes.common.trained import check_chain, record_of
from bioconv.codes.correlative.code import CorrelativeCode
from bioconv.codes.correlative.neurons import SpikingUnit
from bioconv.ground.errors import ParameterError
from bioconv.network import Input, Population, Projection, Readout, SpikingNetwork
from bioconv.operators import Dense, Reshape, compose

#: fewest layers of a graph: an encoder, output units, and distances
_FEWEST = 3
#: default step in ms
_DT = 1.0


@dataclass
class CorrelativePlan(Parts):
    """State of the construction; see `Parts`.

    Parameters
    ----------
    dt : float
        ms.
    """

    dt: float


def build(code: CorrelativeCode, request: Request) -> SpikingNetwork:
    """Build the spiking network of a trained analog network; see `bioconv.convert`.

    A spike arrives in the step after it was emitted, so that the pattern of a layer is as many
    steps late as there are layers before it.

    Parameters
    ----------
    code : CorrelativeCode
    request : Request
        The graph is that of `bioconv.training.train_correlative`.

    Raises
    ------
    ConversionError
        If the graph computes anything else (the message lists all layers), or if a neuron is
        requested.
    ParameterError
        If a duration is requested, because the target patterns determine it, or if the graph was
        trained with other options of the code.
    """
    graph = request.graph
    check_neuron(code.name, request.neuron)
    check_graph(graph)
    if request.n_steps is not None or request.duration is not None:
        raise ParameterError(
            "correlative: the target patterns determine the duration. Omit n_steps and duration."
        )
    encoder, *layers, output = graph.layers
    patterns, distances = encoder.function, distances_of(graph)
    if not isinstance(patterns, LevelPatterns):
        raise TypeError(f"{graph.name} does not encode values by patterns")
    _check_code(code, graph)
    plan = CorrelativePlan(request.dt or _DT)
    name, *names = identifiers([graph.inputs[0].name, *(layer.name for layer in layers)])
    n_neurons = patterns.patterns.shape[2]
    shape = graph.inputs[0].shape
    source = Input(name, (n_neurons, *shape) if n_neurons > 1 else shape, "raster")
    before, shape = name, source.shape
    for depth, (layer, own) in enumerate(zip(layers, names, strict=True), 1):
        _add_layer(plan, layer, own, before, shape, depth)
        before, shape = own, plan.populations[-1].shape
    (readout,) = identifiers([output.name])
    kind = "pattern_absolute" if distances.absolute else "pattern"
    plan.readouts.append(
        Readout(
            readout,
            before,
            kind,
            Linear(),
            patterns=distances.patterns,
            decay=distances.decay,
        )
    )
    n_steps = distances.patterns.shape[1] + len(layers)
    return plan.network(
        graph,
        (source,),
        dt=plan.dt,
        n_steps=n_steps,
        record=record_of(code, request, n_steps, plan.dt),
    )


def check_graph(graph: AnalogGraph) -> None:
    """Refuse graphs other than those of `bioconv.training.train_correlative`.

    Raises
    ------
    ConversionError
        The message lists all layers that compute anything else.
    """
    last = len(graph.layers) - 1

    def misfit(layer: Layer, place: int) -> str:
        kind = LevelPatterns if place == 0 else PatternDistances if place == last else SpikingUnits
        return "" if isinstance(layer.function, kind) else f"it is no {kind.__name__}."

    check_chain(
        graph,
        code="correlative",
        trained="to emit spike patterns",
        trainer="bioconv.training.train_correlative",
        fewest=_FEWEST,
        misfit=misfit,
    )


def distances_of(graph: AnalogGraph) -> PatternDistances:
    """Return the function of the last layer of a graph, which compares spikes with patterns."""
    function = graph.layers[-1].function
    if not isinstance(function, PatternDistances):
        raise TypeError(f"{graph.name} does not compare spikes with patterns")
    return function


def _check_code(code: CorrelativeCode, graph: AnalogGraph) -> None:
    """Refuse a code with other options than those that the graph was trained with."""
    distances, units = distances_of(graph), graph.layers[1:-2]
    hidden = {x.function.decay for x in units if isinstance(x.function, SpikingUnits)}
    n_classes, n_steps, n_outputs = distances.patterns.shape
    pairs: list[tuple[str, object, object]] = [
        *(("decay of units", one, code.unit_decay) for one in sorted(hidden)),
        ("decay of traces", distances.decay, code.readout_decay),
        ("absolute distances", bool(distances.absolute), code.multiplication_free),
        ("n_outputs", n_outputs // n_classes, code.n_outputs),
    ]
    wrong = [f"{name}: {found} and {given}" for name, found, given in pairs if found != given]
    if not wrong and not np.array_equal(distances.patterns, code.targets(n_classes, n_steps)):
        wrong = ["target patterns (n_target_spikes, first_step, target_seed)"]
    if wrong:
        raise ParameterError(
            f"correlative: {graph.name} was trained with other options than those of the code "
            f"({'; '.join(wrong)}). Give the code of the training."
        )


def _add_layer(
    plan: CorrelativePlan, layer: Layer, name: str, before: str, shape: tuple[int, ...], depth: int
) -> None:
    function = layer.function
    if not isinstance(function, SpikingUnits):
        raise TypeError(f"{layer.name} does not consist of spiking units")
    n_pre, n = function.weights.shape
    unit = SpikingUnit(function.decay, plan.dt, function.v_th)
    plan.populations.append(Population(name, (n,), unit.model, unit.parameters, start_step=depth))
    operator = compose(Reshape(shape, (prod(shape),)), Dense((n_pre,), function.weights))
    receptor = unit.model.receptors[0].name
    plan.projections.append(Projection(before, name, operator, receptor))
