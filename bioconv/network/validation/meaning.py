"""Values in a network file that are numbers, but have no meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from bioconv.analog.functions import ReLU
from bioconv.ground.errors import Problem
from bioconv.network.parts import Input, NetworkParts, Population
from bioconv.network.validation.checks import Problems
from bioconv.neurons.language import roles

#: Simulators compute in single precision, whose largest number is 3.4e38.
LARGEST = 1e30


def meaning_problems(network: NetworkParts) -> list[Problem]:
    """Return the problems of a valid network whose values cannot be meant.

    They are checked when a file is read.  A network in memory may have them while it is changed,
    and one with imperfections may have neurons that always fire.

    Parameters
    ----------
    network : NetworkParts
    """
    return [
        *(p for entry in network.inputs for p in _input_problems(entry)),
        *(p for entry in network.populations for p in _scale_problems(entry, network)),
        *(p for entry in network.populations for p in _threshold_problems(entry, network)),
        *_weight_problems(network),
    ]


def _input_problems(entry: Input) -> Problems:
    if not entry.scale > 0:
        reason = f"scale must be above 0, as rates cannot be negative. Received: {entry.scale:g}."
        yield Problem(entry.name, "Input", reason)


def _scale_problems(entry: Population, network: NetworkParts) -> Problems:
    """Refuse activations that the layer cannot have.

    The scale may be negative if a later layer that changes the sign is decoded, or if the spikes
    have signs themselves.
    """
    scale = np.asarray(entry.scale, np.float64)
    functions = {layer.name: layer.function for layer in network.analog.layers}
    rectified = isinstance(functions.get(entry.layer), ReLU) and not len(entry.spike_values)
    if np.any(scale == 0) or (rectified and np.any(scale < 0)):
        reason = f"scale must {'be above' if rectified else 'not be'} 0. Received: {scale.min():g}."
        advice = "Rates times the scale are the activations of its layer."
        yield Problem(entry.name, "Population", reason, advice)


def _threshold_problems(entry: Population, network: NetworkParts) -> Problems:
    """Refuse neurons that would fire in every step, whatever they receive."""
    model = entry.model
    name = model.role(roles.THRESHOLD)
    changed = any(c.population == entry.name and c.variable == name for c in network.changes)
    fires_on = model.threshold and not model.crossing  # a crossing may be at any potential
    if not (name and fires_on) or changed or network.imperfections:
        return
    below = model.role(roles.RESET) or model.role(roles.REST)
    low = np.asarray(entry.value(below) if below else 0.0, np.float64)
    threshold = np.asarray(entry.value(name), np.float64)
    if np.any(threshold <= low):
        what = f"{below}, which is up to {low.max():g}" if below else "0"
        reason = f"the threshold {name} must be above {what}. Received: {threshold.min():g}."
        advice = "Otherwise the neurons fire in every step, whatever they receive."
        yield Problem(entry.name, "Population", reason, advice)


def _weight_problems(network: NetworkParts) -> Problems:
    for where, part in _weighted(network):
        leaves = map(np.asarray, jax.tree_util.tree_leaves(part))
        largest = max((np.abs(a).max(initial=0) for a in leaves if a.dtype.kind == "f"), default=0)
        if largest > LARGEST:
            reason = f"a weight is {largest:g}, and no simulator computes beyond {LARGEST:g}."
            yield Problem(where, "weights", reason)


def _weighted(network: NetworkParts) -> Iterator[tuple[str, Any]]:
    """Yield the operators and arrays that multiply or add, with their place."""
    for projection in network.projections:
        yield f"{projection.pre} -> {projection.post}", projection.operator
    for drive in network.drives:
        yield f"{drive.input} -> {drive.post}", drive.operator
    for stage in network.stages:
        yield stage.name, [(a.bias, [t.operator for t in a.terms]) for a in stage.inputs]
    for population in network.populations:
        yield population.name, dict(population.parameters)
    for layer in network.analog.layers:
        for affine in layer.inputs:
            yield f"analog {layer.name!r}", [affine.bias, *(t.operator for t in affine.terms)]
