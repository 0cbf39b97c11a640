"""What NIR cannot represent and bioconv stores as metadata of a node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioconv.ground.errors import ParameterError
from bioconv.network import Population
from bioconv.neurons.language.model import NeuronModel
from bioconv.targets.nir.graph import Node, channels_first, channels_last

Floats = NDArray[np.float64]

#: ms
SECOND = 1e3
_BY_SUBTRACTION, _BY_VALUE = "subtraction", "value"


def metadata_of(
    population: Population, subtracts: bool, fires: bool, shape: tuple[int, ...]
) -> dict[str, Any]:
    """Return the metadata of a population's node.

    Parameters
    ----------
    population : Population
    subtracts : bool
        Whether its reset keeps the excess over the threshold.
    fires : bool
        Whether the node has a threshold.
    shape : tuple of int
        Shape of the population, or its flattened form.
    """
    extra: dict[str, Any] = {}
    if subtracts:
        extra["reset"] = _BY_SUBTRACTION
    start = np.asarray(population.start("v")) - np.asarray(population.value("v_rest"))
    blocked = population.value("t_ref") if fires else 0.0
    for name, value in (("v_start", start), ("t_ref", np.asarray(blocked) / SECOND)):
        if np.any(value):
            array = np.broadcast_to(value, population.shape).reshape(shape)
            extra[name] = np.array(channels_first(array), np.float64)
    return extra


def with_extras(
    population: Population, subtracting: Sequence[NeuronModel], node: Node, second: float
) -> Population:
    """Return the population with the additional values from the node's metadata.

    Parameters
    ----------
    population : Population
    subtracting : sequence of NeuronModel
        The first one replaces the model if the metadata request a reset by subtraction.
    node : Node
    second : float
        Unit of time of the node in ms.

    Raises
    ------
    ParameterError
        If the metadata contain a reset, or numbers, that no neuron can have.
    """
    model, extra = population.model, node.metadata
    reset = extra.get("reset", _BY_VALUE)
    if not isinstance(reset, str) or reset not in (_BY_SUBTRACTION, _BY_VALUE):
        raise ParameterError(
            f"its metadata contain the reset {reset!r:.60}; expected {_BY_SUBTRACTION!r} or "
            f"{_BY_VALUE!r}"
        )
    if reset == _BY_SUBTRACTION and subtracting:
        model = subtracting[0]
    parameters, initial = dict(population.parameters), dict(population.initial)
    if "t_ref" in extra and model.refractory:
        parameters["t_ref"] = compact(_numbers(node, "t_ref", 0.0) * second)
    if "v_start" in extra:
        start = _numbers(node, "v_start", -np.inf)
        initial["v"] = compact(start + np.asarray(parameters["v_rest"]))
    return replace(population, model=model, parameters=parameters, initial=initial)


def _numbers(node: Node, name: str, least: float) -> Floats:
    """Return numbers from the metadata of a node, for each of its neurons."""
    value = node.metadata[name]
    array = np.asarray("" if isinstance(value, str | list) else value)
    fits = array.dtype.kind in "iuf" and (array.size == 1 or array.shape == node.shape)
    if not fits or not np.all(np.isfinite(array) & (array >= least)):
        raise ParameterError(
            f"its metadata contain a {name} that is not one valid number for each of its neurons"
        )
    spread = np.broadcast_to(array.reshape(()) if array.size == 1 else array, node.shape)
    return channels_last(np.asarray(spread, np.float64))


def compact(value: Any) -> Any:
    """Return a single number if all values are equal, else the values."""
    array = np.asarray(value, np.float64)
    return float(array.flat[0]) if array.size and np.all(array == array.flat[0]) else array
