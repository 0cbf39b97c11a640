"""Functions of an analog network that populations can take over, and the network with them."""

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
from bioconv.codes.population import Placement, is_bounded, population_of
from bioconv.conversion import as_graph
from bioconv.ground.errors import ConversionError, ParameterError, Problem
from bioconv.operators import Shape

#: the two layers of a `Bidirectional`, as they stand in the names of places
_SIDES = ("forward", "backward")


def places(model: Any | str | Path | AnalogGraph) -> dict[str, Elementwise]:
    """Where a population can stand: name of the place, and the function that it has now.

    ``LAYER`` for a layer with a bounded function that never falls; ``LAYER/PART`` in recurrent
    layers, ``LAYER/forward/PART`` and ``LAYER/backward/PART`` in bidirectional ones.  The parts of
    an LSTM are input, forget, output (its gates), carry and hidden (its states, as Table 5.1 of
    the thesis calls them); of a GRU update, reset, candidate; of a SimpleRNN state.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        What `bioconv.read` takes, or what it gives.

    Returns
    -------
    dict of str to Elementwise
        In the order of the network, without places that have a population already.
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
    """The analog network with populations of threshold neurons in place of its functions.

    mueller chapter 5: every sigmoid becomes a population of excitatory neurons, every tanh one
    of excitatory and one of inhibitory neurons.  What counts is how many of them fire, so none is
    made: the result computes with numbers of spikes, as fast as a search in a sorted list.
    Products of gates and states stay analog.

    Parameters
    ----------
    model : keras.Model, str, Path or AnalogGraph
        What `bioconv.read` takes, or what it gives.
    placement : Placement or mapping of str to Placement
        For all places but functions whose values are outputs of the network (the parts of a
        recurrent layer are taken over, also where it is an output); or by name of the place (see
        `places`), in which ``*`` stands for anything: ``{"lstm/*": Placement(1000),
        "lstm/hidden": Placement(2000)}``.  The last name that fits counts; places that no name
        fits stay analog.
    seed : int
        Of random thresholds.  Each place draws numbers of its own: converting another one beside
        it changes nothing.

    Returns
    -------
    AnalogGraph
        With `bioconv.analog.functions.ThresholdCount` in these places: ``predict`` and the rest
        as for any analog network.

    Raises
    ------
    ConversionError
        With all places whose function no population can have.
    ParameterError
        A name fits no place; an option is wrong.

    Examples
    --------
    >>> from bioconv import models
    >>> graph = populate(models.weights_path("digits_lstm"), Placement(200))
    >>> type(graph.layer("lstm").function).__name__
    'CountingCell'
    """
    graph = as_graph(model)
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError(f"seed must be a whole number from 0. Received: {seed!r}.")
    found = {place: (f, shape) for layer in graph.layers for place, f, shape in _places(layer)}
    chosen = _chosen(graph, found, placement)
    problems = [
        Problem(
            place,
            type(found[place][0]).__name__,
            "it falls somewhere, or is not bounded around 0: no thresholds have its shape.",
            "Leave it analog, or retrain with sigmoid or tanh.",
        )
        for place in chosen
        if not is_bounded(found[place][0])
    ]
    if problems:
        raise ConversionError(f"Populations cannot carry {graph.name!r}:", problems)
    positions = {place: position for position, place in enumerate(found)}
    made = {
        place: population_of(
            found[place][0],
            options,
            found[place][1],
            np.random.default_rng([int(seed), positions[place]]),
        )
        for place, options in chosen.items()
    }
    layers = tuple(
        replace(layer, function=_with(layer.function, layer.name, made)) for layer in graph.layers
    )
    return replace(graph, layers=layers)


def n_neurons(graph: AnalogGraph) -> dict[str, int]:
    """Numbers of neurons by place: of all its units, excitatory and inhibitory ones.

    Parameters
    ----------
    graph : AnalogGraph
        What `populate` gave.
    """
    found = {}
    for layer in graph.layers:
        for place, function, shape in _places(layer):
            if isinstance(function, ThresholdCount):
                found[place] = neurons_of_unit(function) * int(np.prod(shape))
    return found


def neurons_of_unit(function: ThresholdCount) -> int:
    """Number of neurons of a unit, excitatory and inhibitory ones."""
    inhibitory = 0 if function.inhibitory is None else function.inhibitory.shape[-1]
    return function.n + inhibitory


def sides(layer: Layer) -> Iterator[tuple[str, Recurrent | CountingCell]]:
    """The recurrent cells of a layer: none, one, or two; with the front of their places' names."""
    function = layer.function
    if isinstance(function, Recurrent | CountingCell):
        yield layer.name, function
    elif isinstance(function, Bidirectional):
        for side in _SIDES:
            yield f"{layer.name}/{side}", getattr(function, side)


def _places(layer: Layer) -> Iterator[tuple[str, Elementwise, Shape]]:
    """Name, function, and shape of the units of every place of a layer."""
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
    """The places to convert, and how."""
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
    """A function with the populations in place whose names begin with ``front``."""
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
    """A cell with the populations in place of its parts, besides those that it has."""
    before: dict[str, Elementwise] = {}
    if isinstance(function, CountingCell):
        cell = function.cell
        before = dict(zip(function.replaced, function.functions, strict=True))
    else:
        cell = function
    own = {part: made[f"{front}/{part}"] for part in function.parts if f"{front}/{part}" in made}
    parts = {**before, **own}
    return CountingCell(cell, tuple(parts), tuple(parts.values())) if own else function
