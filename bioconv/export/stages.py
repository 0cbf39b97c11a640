"""Tables of the analog stages of a network, for programs that compute them between the steps.

A program evaluates the formulas of `bioconv.analog.formulas`, of which it contains a copy.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from bioconv.analog.graph import Affine
from bioconv.export.tables import (
    Arrays,
    Quantity,
    add_edges,
    drive_row,
    quantity_of,
    shape_of,
)
from bioconv.network import AnalogStage, SpikingNetwork
from bioconv.network.stages import layer_of
from bioconv.operators.base import is_data


def stage_tables(network: SpikingNetwork, arrays: Arrays) -> dict[str, Any]:
    """Return the tables of analog stages and of their drives, and store their arrays.

    Parameters
    ----------
    network : SpikingNetwork
    arrays : dict of str to ndarray
        To which the arrays are added.
    """
    names = {stage.name for stage in network.stages}
    return {
        "STAGES": {stage.name: _stage(network, stage, arrays) for stage in network.stages},
        "STAGE_DRIVES": [
            {"stage": drive.input, **drive_row(drive, number, arrays)}
            for number, drive in enumerate(network.drives)
            if drive.input in names
        ],
    }


def _stage(network: SpikingNetwork, stage: AnalogStage, arrays: Arrays) -> dict[str, Any]:
    """Return the function of a stage, its options and its arguments."""
    function: Any = layer_of(network, stage).function
    options: dict[str, Any] = {}
    for entry in dataclasses.fields(function):
        value = getattr(function, entry.name)
        if is_data(entry) and value is not None:
            key = f"{stage.name}.{entry.name}"
            arrays[key] = np.asarray(value, np.float64)
            value = Quantity(key, "1")
        options[entry.name] = value
    return {
        "function": type(function).__name__,
        "options": options,
        "inputs": [
            _argument(network, affine, f"{stage.name}.input{number}", arrays)
            for number, affine in enumerate(stage.inputs)
        ],
    }


def _argument(network: SpikingNetwork, affine: Affine, key: str, arrays: Arrays) -> dict[str, Any]:
    """Return one argument of the function: a weighted sum of what parts represent."""
    populations = {population.name: population for population in network.populations}
    terms = []
    for number, term in enumerate(affine.terms):
        name, population = f"{key}.term{number}", populations.get(term.source)
        add_edges(name, term.operator, arrays)
        per_step = population.max_rate * network.dt / 1000.0 if population else 1.0
        terms.append(
            {
                "source": term.source,
                "synapses": name,
                "first_step": int(population.start_step) if population else 0,
                "per_step": float(per_step),
            }
        )
    bias = quantity_of(affine.bias, "1", affine.shape, f"{key}.bias", arrays)
    return {"shape": shape_of(affine.shape), "bias": bias, "terms": terms}
