"""Layers of the few-spikes code: supported functions, their tables, and units of potentials."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bioconv.analog import AnalogGraph, iterate
from bioconv.analog.functions import (
    Elementwise,
    Function,
    Linear,
    MaxPool,
    NotEqual,
    ReLU,
)
from bioconv.analog.graph import Layer
from bioconv.codes.common.calibration import measure, pooled_scale
from bioconv.codes.common.expectation import Level, n_samples_of
from bioconv.codes.common.outputs import same_function
from bioconv.codes.common.rewritten import Rewritten
from bioconv.codes.few_spikes.code import FewSpikesCode
from bioconv.codes.few_spikes.neurons import MOST_INPUTS
from bioconv.codes.few_spikes.standard import (
    Approximation,
    error_of,
    fitted_table,
    standard_table,
    suited_table,
)
from bioconv.codes.few_spikes.tables import Table, relu_table
from bioconv.ground.errors import ConversionError, Problem

Floats = NDArray[np.float64]


#: usual K: of a network with ReLU alone (Table 1 of the paper), and with others (SiLU there)
K_RELU, K_FITTED = 10, 16
#: number of inputs of all fitted layers that are in memory, and the fewest samples
_INPUTS, _FEWEST_SAMPLES = 1 << 23, 8


def carries(function: Function) -> bool:
    """Whether a table can be fitted to the function, which must act on each element separately."""
    return can_have_table(type(function))


def can_have_table(cls: type[Function]) -> bool:
    """Whether functions of a class act on each element separately and are continuous."""
    return issubclass(cls, Elementwise) and cls.pointwise and not issubclass(cls, Linear | NotEqual)


def is_fitted(function: Function) -> bool:
    """Whether a table has to be fitted to the function: it is not a ReLU, whose table is known."""
    return carries(function) and not isinstance(function, ReLU)


def steps_of(
    code: FewSpikesCode, rewritten: Rewritten, roomy: Container[str] = ()
) -> dict[str, int]:
    """Return K, the number of steps in which a layer fires, of each layer.

    A maximum has the K of its sources.  The usual K is larger where functions other than ReLU are
    fitted, or made of the ``roomy`` layers, whose sums of large numbers need more digits.

    Raises
    ------
    ConversionError
        If a pooling window has sources with different K.
    """
    functions = [layer.function for layer in rewritten.layers]
    simple = not roomy and all(isinstance(function, ReLU | MaxPool) for function in functions)
    usual = K_RELU if simple else K_FITTED
    steps: dict[str, int] = {}
    problems = []
    for layer in rewritten.layers:
        if isinstance(layer.function, MaxPool):
            pooled = {steps[term.source] for term in layer.inputs[0].terms}
            steps[layer.name] = max(pooled)
            if len(pooled) > 1:
                problems.append(_unequal(layer.name))
        else:
            steps[layer.name] = code.steps_of(layer.function, usual)
    _refuse(rewritten, problems)
    return steps


def units_of(
    code: FewSpikesCode,
    rewritten: Rewritten,
    calibration: dict[str, NDArray],
    steps: Mapping[str, int],
    roomy: Container[str] = (),
) -> dict[str, Floats]:
    """Return the activation that 1 mV represents in each layer: alpha for ReLU, 1 otherwise.

    The alpha of a ReLU is chosen such that the percentile of its activations, or the upper limit
    of the function, is the largest number with K binary digits.  In ``roomy`` layers it is twice
    as large: they are parts of functions that must not saturate on other samples, which costs far
    more than a digit.
    """
    unscaled = {layer.name for layer in rewritten.layers if not isinstance(layer.function, ReLU)}
    measured = measure(
        replace(rewritten, analog=unscaled),
        calibration,
        percentile=code.percentile,
        normalization=code.normalization,
        over=code.over,
    )
    units: dict[str, Floats] = {}
    for layer in rewritten.layers:
        match layer.function:
            case MaxPool():
                units[layer.name] = pooled_scale(layer, units)
            case ReLU(max_value=limit):
                above = 2.0 ** steps[layer.name] / (2.0 ** steps[layer.name] - 1)
                room = 2.0 if layer.name in roomy else 1.0
                largest = measured.of[layer.name] * above * room
                alpha = np.full((), code.alpha) if code.alpha else largest
                units[layer.name] = np.minimum(alpha, limit * above)
            case _:
                units[layer.name] = np.ones(())
    return units | {layer.name: measured.of[layer.name] for layer in rewritten.readouts}


def inputs_of(
    rewritten: Rewritten | AnalogGraph, calibration: dict[str, NDArray], n_samples: int = 64
) -> dict[str, Floats]:
    """Return the inputs of each fitted function on the first samples of the calibration data."""
    fitted = {
        f"into {layer.name}": layer for layer in rewritten.layers if is_fitted(layer.function)
    }
    if not fitted:
        return {}
    probes = [replace(layer, name=name, function=Linear()) for name, layer in fitted.items()]
    layers = (*rewritten.layers, *probes)
    graph = AnalogGraph(rewritten.name, rewritten.inputs, layers, tuple(fitted))
    size = sum(int(np.prod(layer.shape)) for layer in fitted.values())
    n = n_samples_of(size, n_samples, _INPUTS, _FEWEST_SAMPLES)
    few = {name: x[:n] for name, x in calibration.items()}
    found: dict[str, list[Floats]] = {layer.name: [] for layer in fitted.values()}
    for batch in iterate(graph, few, names=list(fitted)):
        for name, values in batch.items():
            found[fitted[name].name].append(np.ravel(values).astype(np.float64))
    return {name: np.concatenate(values) for name, values in found.items()}


def tables_of(
    code: FewSpikesCode,
    rewritten: Rewritten,
    inputs: Mapping[str, Floats],
    steps: Mapping[str, int],
) -> dict[str, Table]:
    """Return the table of each layer, for inputs of the fitted functions from `inputs_of`.

    Raises
    ------
    ConversionError
        If the spikes in a pooling window have different weights.
    """
    heard = {} if code.fit == "standard" else _shared(rewritten, inputs)
    find = suited_table if code.fit == "auto" else fitted_table
    tables: dict[str, Table] = {}
    problems = []
    for layer in rewritten.layers:
        k = steps[layer.name]
        match layer.function:
            case MaxPool():
                pooled = [tables[term.source] for term in layer.inputs[0].terms]
                tables[layer.name] = pooled[0]
                if not all(pooled[0].same_worth(table) for table in pooled):
                    problems.append(_unequal(layer.name))
            case ReLU():
                tables[layer.name] = relu_table(k).limited(code.bits)
            case Elementwise() as function:
                own = heard.get(layer.name)
                table = standard_table(function, k) if own is None else find(function, k, own)
                tables[layer.name] = table.limited(code.bits)
    _refuse(rewritten, problems)
    return tables


def list_errors(
    layers: Iterable[Layer], tables: Mapping[str, Approximation], inputs: Mapping[str, Floats]
) -> str:
    """Return the largest error of each fitted function over its layers, such as "Tanh 0.0123".

    Errors are those of `bioconv.codes.few_spikes.standard.error_of`, for the layer's own inputs.
    """
    largest: dict[str, float] = {}
    for layer in layers:
        if layer.name in inputs and isinstance(layer.function, Elementwise):
            found = error_of(tables[layer.name], layer.function, inputs[layer.name])
            name = type(layer.function).__name__
            largest[name] = max(largest.get(name, 0.0), found)
    return ", ".join(f"{name} {largest[name]:.4f}" for name in sorted(largest))


def levels_of(
    initial: str,
    rewritten: Rewritten,
    units: Mapping[str, Floats],
    tables: Mapping[str, Table],
) -> dict[str, Level]:
    """Return the values that the spikes of each layer represent, for `expect`."""
    levels: dict[str, Level] = {}
    for layer in rewritten.layers:
        if not isinstance(layer.function, MaxPool):
            table = tables[layer.name]
            start = rounding_of(initial, layer.function, table)
            levels[layer.name] = partial(_said, table, units[layer.name], start)
    return levels


def rounding_of(initial: str, function: Function, table: Table) -> float:
    """Return the start potential in mV that rounds a ReLU to the nearest value."""
    half = isinstance(function, ReLU) and initial == "half"
    return float(table.worth[-1]) / 2 if half else 0.0


def _said(table: Table, unit: Floats, start: float, x: NDArray) -> Floats:
    return unit * table.value(x / unit + start)


def _shared(rewritten: Rewritten, heard: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the inputs to which the table of each layer is fitted.

    These are its own, except where layers with the same function need one table: a maximum passes
    on the spikes of all its sources, and a neuron can tell a few tables apart only.
    """
    functions = {layer.name: layer.function for layer in rewritten.layers}
    senders: dict[str, set[str]] = {}
    groups: dict[str, set[str]] = {name: {name} for name in heard}
    for layer in (*rewritten.layers, *rewritten.readouts):
        sources = {
            name for t in layer.inputs[0].terms for name in senders.get(t.source, {t.source})
        }
        pools = isinstance(layer.function, MaxPool)
        senders[layer.name] = sources if pools else {layer.name}
        if not pools and len(sources) <= MOST_INPUTS:
            continue
        for alike in _alike(sorted(sources & heard.keys()), functions):
            merged = set().union(*(groups[name] for name in alike))
            groups |= dict.fromkeys(merged, merged)
    return {name: np.concatenate([heard[n] for n in sorted(groups[name])]) for name in heard}


def _alike(names: list[str], functions: Mapping[str, Function]) -> list[list[str]]:
    """Return the names in groups of layers with the same function."""
    groups: list[list[str]] = []
    for name in names:
        for group in groups:
            if same_function(functions[group[0]], functions[name]):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _unequal(name: str) -> Problem:
    reason = "it pools layers with different functions, whose spikes have different weights."
    return Problem(name, "MaxPool", reason, "Pool these layers separately.")


def _refuse(rewritten: Rewritten, problems: list[Problem]) -> None:
    if problems:
        raise ConversionError(
            f"The few-spikes code does not support {len(problems)} layer(s) of {rewritten.name!r}:",
            problems,
        )
