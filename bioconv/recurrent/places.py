"""Find the functions of an analog network that populations can replace, and replace them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from bioconv.analog import AnalogGraph
from bioconv.analog.functions import (
    Bidirectional,
    CountingCell,
    Elementwise,
    Function,
    Recurrent,
    ThresholdCount,
)
from bioconv.analog.graph import Layer
from bioconv.codes.population import Placement
from bioconv.codes.population.placement import is_bounded, population_of
from bioconv.conversion import as_graph
from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.operators import Shape

#: names of the two layers of a `Bidirectional` in the names of places
_SIDES = ("forward", "backward")


def places(model: Any | str | Path | AnalogGraph) -> dict[str, Elementwise]:
    """Return the places that a population can take, with their present functions.

    A place is called ``LAYER`` in a layer with a bounded function that never decreases,
    ``LAYER/PART`` in a recurrent layer, and ``LAYER/forward/PART`` or ``LAYER/backward/PART`` in a
    bidirectional one.  The parts of an LSTM are input, forget and output (its gates), carry and
    hidden (its states, named as in Table 5.1 of mueller); those of a GRU are update, reset and
    candidate; that of a SimpleRNN is state.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        A model that `bioconv.read` accepts, or a graph that it returns.

    Returns
    -------
    dict of str to Elementwise
        In the order of the network, without places that already have a population.
    """
    return {
        place: function
        for layer in as_graph(model).layers
        for place, function, _ in _places(layer)
        if is_bounded(function)
    }


def populate(
    model: Any | str | Path | AnalogGraph,
    placement: Placement | Mapping[str, Placement],
    *,
    seed: int = 0,
) -> AnalogGraph:
    """Replace functions of an analog network by populations of threshold neurons.

    As in mueller chapter 5, every sigmoid becomes a population of excitatory neurons, and every
    tanh one of excitatory and one of inhibitory neurons.  Only the number of neurons that fire
    matters.  It is found by a search in their sorted thresholds, without simulating the neurons.
    Products of gates and states stay analog.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        A model that `bioconv.read` accepts, or a graph that it returns.
    placement : Placement or mapping of str to Placement
        A single placement is used for all places except functions whose values are outputs of the
        network; the parts of a recurrent layer are replaced even if the layer is an output.  A
        mapping assigns placements to names of places (see `places`), in which ``*`` matches
        anything: ``{"lstm/*": Placement(1000), "lstm/hidden": Placement(2000)}``.  The last name
        that matches a place is used; places that match no name stay analog.
    seed : int
        Seed of random thresholds.  Each place has its own stream of random numbers, so that its
        thresholds do not depend on which other places are replaced.

    Returns
    -------
    AnalogGraph
        The network with a `bioconv.analog.functions.ThresholdCount` in each of these places.  It
        is used like any other analog network.

    Raises
    ------
    ConversionError
        If a population cannot represent a function.  The message lists all such places.
    ParameterError
        If a name matches no place, or if an option is invalid.

    Examples
    --------
    >>> from bioconv import models
    >>> graph = populate(models.weights_path("digits_lstm"), Placement(200))
    >>> type(graph.layer("lstm").function).__name__
    'CountingCell'
    """
    graph = as_graph(model)
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError(f"seed must be an integer of at least 0. Received: {seed!r}.")
    found = {place: (f, shape) for layer in graph.layers for place, f, shape in _places(layer)}
    chosen = _chosen(graph, found, placement)
    problems = [
        Problem(
            place,
            type(found[place][0]).__name__,
            "it decreases somewhere or is not bounded around 0, so no thresholds can represent it.",
            "Leave it analog, or retrain with sigmoid or tanh.",
        )
        for place in chosen
        if not is_bounded(found[place][0])
    ]
    if problems:
        raise ConversionError(f"Populations cannot represent {graph.name!r}:", problems)
    positions = {
        place: (number, within)
        for number, layer in enumerate(graph.layers)
        for within, (place, _, _) in enumerate(_places(layer))
    }
    made = {
        place: population_of(
            found[place][0],
            options,
            found[place][1],
            np.random.default_rng([int(seed), *positions[place]]),
        )
        for place, options in chosen.items()
    }
    layers = tuple(
        replace(layer, function=_with(layer.function, layer.name, made)) for layer in graph.layers
    )
    return replace(graph, layers=layers)


def n_neurons(graph: AnalogGraph) -> dict[str, int]:
    """Return the number of excitatory and inhibitory neurons of all units, by place.

    Parameters
    ----------
    graph : AnalogGraph
        A graph from `populate`.
    """
    found = {}
    for layer in graph.layers:
        for place, function, shape in _places(layer):
            if isinstance(function, ThresholdCount):
                found[place] = neurons_of_unit(function) * int(np.prod(shape))
    return found


def neurons_of_unit(function: ThresholdCount) -> int:
    """Return the number of excitatory and inhibitory neurons of a unit."""
    inhibitory = 0 if function.inhibitory is None else function.inhibitory.shape[-1]
    return function.n + inhibitory


def sides(layer: Layer) -> Iterator[tuple[str, Recurrent | CountingCell]]:
    """Yield the recurrent cells of a layer, at most two, with the prefix of their places."""
    function = layer.function
    if isinstance(function, Recurrent | CountingCell):
        yield layer.name, function
    elif isinstance(function, Bidirectional):
        for side in _SIDES:
            yield f"{layer.name}/{side}", getattr(function, side)


def _places(layer: Layer) -> Iterator[tuple[str, Elementwise, Shape]]:
    """Yield the name, the function and the shape of the units of every place of a layer."""
    for front, cell in sides(layer):
        units = cell.cell.n_units if isinstance(cell, CountingCell) else cell.n_units
        for part, function in cell.parts.items():
            yield f"{front}/{part}", function, (units,)
    if isinstance(layer.function, Elementwise):
        yield layer.name, layer.function, layer.shape


def _chosen(
    graph: AnalogGraph,
    found: Mapping[str, tuple[Elementwise, Shape]],
    placement: Placement | Mapping[str, Placement],
) -> dict[str, Placement]:
    """Return the placement of every place to convert."""
    if isinstance(placement, Placement):
        hidden = [place for place in found if place not in graph.outputs]
        layers = {layer.name for layer in graph.layers}
        chosen = {
            place: placement
            for place in hidden
            if place not in layers or is_bounded(found[place][0])
        }
        if not chosen:
            raise ParameterError(f"{graph.name} has no bounded function in a hidden layer.")
        return chosen
    wrong = {name: value for name, value in placement.items() if not isinstance(value, Placement)}
    unknown = [name for name in placement if not any(fnmatchcase(p, name) for p in found)]
    if wrong or unknown or not placement:
        valid = [place for place, (function, _) in found.items() if is_bounded(function)]
        raise ParameterError(
            f"placement must map names of places to bioconv.recurrent.Placement. "
            f"Places of {graph.name}: {', '.join(valid) or 'none'}. "
            f"Received: {', '.join(map(repr, [*unknown, *wrong])) or 'nothing'}."
        )
    chosen = {}
    for place in found:
        fitting = [options for name, options in placement.items() if fnmatchcase(place, name)]
        if fitting:
            chosen[place] = fitting[-1]
    return chosen


def _with(function: Function, front: str, made: Mapping[str, ThresholdCount]) -> Function:
    """Return a function with those populations inserted whose names begin with ``front``."""
    if isinstance(function, Recurrent | CountingCell):
        return _cell_with(function, front, made)
    if isinstance(function, Bidirectional):
        ahead, back = (
            _cell_with(getattr(function, side), f"{front}/{side}", made) for side in _SIDES
        )
        return replace(function, forward=ahead, backward=back)
    return made.get(front, function)


def _cell_with(
    function: Recurrent | CountingCell, front: str, made: Mapping[str, ThresholdCount]
) -> Recurrent | CountingCell:
    """Return a cell with populations in place of its parts, in addition to its present ones."""
    before: dict[str, Elementwise] = {}
    if isinstance(function, CountingCell):
        cell = function.cell
        before = dict(zip(function.replaced, function.functions, strict=True))
    else:
        cell = function
    own = {part: made[f"{front}/{part}"] for part in function.parts if f"{front}/{part}" in made}
    parts = {**before, **own}
    return CountingCell(cell, tuple(parts), tuple(parts.values())) if own else function
