"""Validation of spiking networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bioconv.ground.errors import Problem
from bioconv.ground.options import is_number
from bioconv.network.parts import (
    AnalogStage,
    Change,
    Drive,
    Input,
    NetworkParts,
    Population,
    Projection,
    Readout,
)
from bioconv.network.stages import STAGE_FUNCTIONS
from bioconv.network.validation.checks import (
    Problems,
    identifier_problems,
    is_whole,
    listed,
    operator_problems,
    repeated,
    shape_problems,
    text_problems,
    value_problems,
)
from bioconv.network.validation.graph import graph_problems
from bioconv.timing import wrong_number_of_steps, wrong_step

ENCODERS = ("current", "regular", "poisson", "raster")
READOUTS = (
    *("count", "potential", "accumulated_softmax", "softmax", "level", "first_spike"),
    *("pattern", "pattern_absolute"),
)


def network_problems(network: NetworkParts) -> list[Problem]:
    """Return all problems of ``network``; an empty list if it is valid.

    Parameters
    ----------
    network : NetworkParts

    Returns
    -------
    list of Problem
        Problems in the order of the fields of the network.
    """
    return [
        *_name_problems(network),
        *_time_problems(network),
        *(p for entry in network.inputs for p in _input_problems(entry)),
        *(p for entry in network.populations for p in _population_problems(entry, network)),
        *(p for entry in network.projections for p in _projection_problems(entry, network)),
        *(p for entry in network.stages for p in _stage_problems(entry, network)),
        *(p for entry in network.drives for p in _drive_problems(entry, network)),
        *(p for entry in network.changes for p in _change_problems(entry, network)),
        *(p for entry in network.readouts for p in _readout_problems(entry, network)),
        *(_code_problems(network.code)),
        *graph_problems(network.analog),
    ]


def _name_problems(network: NetworkParts) -> Problems:
    yield from identifier_problems("network", "name", network.name)
    spaces: tuple[tuple[str, tuple[Any, ...]], ...] = (
        (
            "inputs, populations and stages",
            (*network.inputs, *network.populations, *network.stages),
        ),
        ("readouts", network.readouts),
    )
    for where, items in spaces:
        for item in items:
            yield from identifier_problems(where, type(item).__name__, item.name)
        yield from repeated(where, (item.name for item in items))


def _time_problems(network: NetworkParts) -> Problems:
    for name, wrong in (
        ("dt", wrong_step(network.dt)),
        ("n_steps", wrong_number_of_steps(network.n_steps)),
    ):
        if wrong:
            yield Problem("network", name, f"{wrong}.")


def _input_problems(entry: Input) -> Problems:
    yield from shape_problems(entry.name, "Input", entry.shape)
    if entry.encoder not in ENCODERS:
        reason = f"has the unknown encoder {entry.encoder!r}."
        yield Problem(entry.name, "Input", reason, f"Valid: {listed(ENCODERS)}.")
    if not is_number(entry.scale):
        yield Problem(entry.name, "Input", f"scale must be finite. Received: {entry.scale}.")
    known = entry.calibrated or (0.0, 0.0, 0.0)
    if not (all(map(is_number, known)) and known[0] <= known[1] and known[2] >= 0):
        reason = f"calibrated must be a finite range. Received: {entry.calibrated}."
        yield Problem(entry.name, "Input", reason)


def _population_problems(entry: Population, network: NetworkParts) -> Problems:
    name, shape, model = entry.name, entry.shape, entry.model
    yield from shape_problems(name, "Population", shape)
    yield from _layer_reference_problems(entry, network)
    parameters = {p.name: p for p in model.parameters}
    states = [s.name for s in model.states]
    for key, value in entry.parameters.items():
        if key not in parameters:
            reason = f"{model.name} has no parameter {key!r}."
            yield Problem(name, "Population", reason, f"Valid: {listed(parameters)}.")
            continue
        yield from value_problems(name, key, value, shape, parameters[key].bounds)
    for key, value in entry.initial.items():
        if key not in states:
            reason = f"{model.name} has no state variable {key!r}."
            yield Problem(name, "Population", reason, f"Valid: {listed(states)}.")
            continue
        yield from value_problems(name, key, value, shape)
    yield from value_problems(name, "scale", entry.scale, shape)
    yield from value_problems(name, "offset", entry.offset, shape)
    values = np.asarray(entry.spike_values)
    if values.ndim != 1 or values.dtype.kind != "f" or not np.isfinite(values).all():
        yield Problem(name, "Population", "spike_values must be a list of finite numbers.")
    if not (is_number(entry.max_rate) and entry.max_rate > 0):
        yield Problem(
            name, "Population", f"max_rate must be above 0 Hz. Received: {entry.max_rate}."
        )
    if not is_whole(entry.start_step, 0):
        reason = f"start_step must be an integer of at least 0. Received: {entry.start_step!r}."
        yield Problem(name, "Population", reason)
    if model.refractory in parameters:
        value = entry.parameters.get(model.refractory, parameters[model.refractory].default)
        yield from _refractory_problems(name, model.refractory, value, network.dt)


def _refractory_problems(where: str, key: str, value: Any, dt: float) -> Problems:
    values = np.asarray(value, dtype=float)
    if not (is_number(dt) and dt > 0 and np.isfinite(values).all()):
        return  # reported by another check
    steps = np.round(values / dt)
    # The same tolerance as `bioconv.timing.whole_steps`, for whole arrays.
    wrong = (np.abs(steps * dt - values) > 1e-6 * dt) | (values < 0)
    if wrong.any():
        worst = float(values[wrong].ravel()[0])
        reason = f"{key} = {worst} ms is not a whole number of steps of dt = {dt} ms."
        yield Problem(where, "Population", reason, f"Use a multiple of {dt} ms.")


def _layer_reference_problems(entry: Population, network: NetworkParts) -> Problems:
    shapes = {layer.name: layer.shape for layer in network.analog.layers}
    if entry.layer and entry.layer not in shapes:
        reason = f"represents the layer {entry.layer!r}, which the analog network does not have."
        yield Problem(entry.name, "Population", reason)


def _projection_problems(entry: Projection, network: NetworkParts) -> Problems:
    where = f"{entry.pre} -> {entry.post}"
    sources = {i.name: i.spike_shape for i in network.spiking_inputs}
    sources |= {p.name: p.shape for p in network.populations}
    targets = {p.name: p for p in network.populations}
    yield from operator_problems(
        where, "Projection", entry.operator, sources.get(entry.pre), _shape_of(targets, entry.post)
    )
    if entry.pre not in sources:
        reason = f"there is no population or spiking input {entry.pre!r}."
        yield Problem(where, "Projection", reason, f"Valid: {listed(sources)}.")
    if entry.post not in targets:
        reason = f"there is no population {entry.post!r}."
        yield Problem(where, "Projection", reason, f"Valid: {listed(targets)}.")
    else:
        model = targets[entry.post].model
        receptors = [r.name for r in model.receptors]
        if entry.receptor not in receptors:
            reason = f"{model.name} has no receptor {entry.receptor!r}."
            yield Problem(where, "Projection", reason, f"Valid: {listed(receptors)}.")
    if not is_whole(entry.delay_steps, 1):
        reason = f"delay_steps must be an integer of at least 1. Received: {entry.delay_steps!r}."
        yield Problem(where, "Projection", reason)
    if not (is_number(entry.release) and 0 < entry.release <= 1):
        reason = (
            f"release must be a probability above 0 and at most 1. Received: {entry.release!r}."
        )
        yield Problem(where, "Projection", reason)


def _stage_problems(entry: AnalogStage, network: NetworkParts) -> Problems:
    layer = next((one for one in network.analog.layers if one.name == entry.layer), None)
    if layer is None:
        reason = f"computes the layer {entry.layer!r}, which the analog network does not have."
        yield Problem(entry.name, "AnalogStage", reason)
        return
    if not isinstance(layer.function, STAGE_FUNCTIONS):
        names = listed(cls.__name__ for cls in STAGE_FUNCTIONS)
        reason = f"a stage cannot compute the function {type(layer.function).__name__}."
        yield Problem(entry.name, "AnalogStage", reason, f"Valid: {names}.")
    shapes, needed = ([one.shape for one in part.inputs] for part in (entry, layer))
    if shapes != needed:
        reason = f"has arguments of shape {shapes}, but the layer {entry.layer!r} has {needed}."
        yield Problem(entry.name, "AnalogStage", reason)
    known = _sources_of_stage(entry, network)
    for affine in entry.inputs:
        yield from shape_problems(entry.name, "AnalogStage", affine.shape)
        yield from value_problems(entry.name, "bias", affine.bias, affine.shape)
        for term in affine.terms:
            if term.source not in known:
                reason = (
                    f"computes from {term.source!r}, which is no input, no population with rates "
                    "and no earlier stage."
                )
                yield Problem(entry.name, "AnalogStage", reason, f"Valid: {listed(known)}.")
            yield from operator_problems(
                entry.name, "AnalogStage", term.operator, known.get(term.source), affine.shape
            )


def _sources_of_stage(entry: AnalogStage, network: NetworkParts) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all parts from which a stage can compute, by name."""
    shapes = network.analog.shapes()
    place = [one.name for one in network.stages].index(entry.name)
    return {
        **{i.name: i.spike_shape if i.spikes else i.shape for i in network.inputs},
        **{
            p.name: p.shape
            for p in network.populations
            if p.model.threshold and p.decoded_from == "counts"
        },
        **{one.name: shapes.get(one.layer, ()) for one in network.stages[:place]},
    }


def _drive_problems(entry: Drive, network: NetworkParts) -> Problems:
    where = f"{entry.input} -> {entry.post}"
    sources = {i.name: i.shape for i in network.inputs if i.encoder == "current"}
    shapes = network.analog.shapes()
    sources |= {s.name: shapes[s.layer] for s in network.stages if s.layer in shapes}
    targets = {p.name: p for p in network.populations}
    yield from operator_problems(
        where, "Drive", entry.operator, sources.get(entry.input), _shape_of(targets, entry.post)
    )
    if entry.input not in sources:
        reason = f"there is no stage, and no input with the encoder 'current', {entry.input!r}."
        yield Problem(where, "Drive", reason, f"Valid: {listed(sources)}.")
    if entry.post not in targets:
        reason = f"there is no population {entry.post!r}."
        yield Problem(where, "Drive", reason, f"Valid: {listed(targets)}.")
    elif not targets[entry.post].model.current:
        reason = f"the neuron model {targets[entry.post].model.name} takes no constant current."
        yield Problem(where, "Drive", reason)
    if not (is_number(entry.grid) and entry.grid >= 0):
        yield Problem(where, "Drive", f"grid must be at least 0 pA. Received: {entry.grid}.")


def _change_problems(entry: Change, network: NetworkParts) -> Problems:
    where = f"change in step {entry.step!r}"
    if not is_whole(entry.step, 0):
        yield Problem(where, "Change", "the step must be an integer of at least 0.")
    population = next((p for p in network.populations if p.name == entry.population), None)
    if population is None:
        yield Problem(where, "Change", f"there is no population {entry.population!r}.")
        return
    valid: dict[str, tuple[float, float] | None] = {
        parameter.name: parameter.bounds for parameter in population.model.parameters
    }
    valid |= {state.name: None for state in population.model.states}
    if entry.variable not in valid:
        reason = f"{population.model.name} has no parameter or variable {entry.variable!r}."
        yield Problem(where, "Change", reason, f"Valid: {listed(valid)}.")
        return
    bounds = valid[entry.variable]
    yield from value_problems(where, entry.variable, entry.value, population.shape, bounds)


def _readout_problems(entry: Readout, network: NetworkParts) -> Problems:
    population = next((p for p in network.populations if p.name == entry.population), None)
    if population is None:
        yield Problem(entry.name, "Readout", f"there is no population {entry.population!r}.")
    if entry.kind not in READOUTS:
        reason = f"has the unknown kind {entry.kind!r}."
        yield Problem(entry.name, "Readout", reason, f"Valid: {listed(READOUTS)}.")
    elif not entry.reads_spikes and population is not None and not population.model.potential:
        reason = (
            f"kind {entry.kind!r} reads a membrane potential, and no state variable of "
            f"{population.model.name} is declared as one."
        )
        yield Problem(entry.name, "Readout", reason)
    if entry.draws and not (is_number(entry.rate) and entry.rate > 0):
        reason = f"the generator's rate must be above 0 Hz. Received: {entry.rate}."
        yield Problem(entry.name, "Readout", reason)
    if population is not None:
        shape = entry.shape(population)
        if entry.decision and not entry.decision.fits(shape):
            reason = f"decides along axis {entry.decision.axis} of the shape {shape}."
            yield Problem(entry.name, "Readout", reason)
        if entry.compares:
            yield from _pattern_problems(entry, population)


def _pattern_problems(entry: Readout, population: Population) -> Problems:
    patterns = np.asarray(entry.patterns)
    if patterns.ndim != 3 or not patterns.size or patterns.shape[2] != population.n_neurons:
        reason = (
            f"patterns must have the shape (n_patterns, n_steps, {population.n_neurons}), as "
            f"{population.name} has {population.n_neurons} neurons. Received: {patterns.shape}."
        )
        yield Problem(entry.name, "Readout", reason)
    elif patterns.dtype.kind != "b":
        yield Problem(entry.name, "Readout", f"patterns must be bool, not {patterns.dtype}.")
    if not (is_number(entry.decay) and 0 < entry.decay < 1):
        reason = f"decay must be above 0 and below 1. Received: {entry.decay}."
        yield Problem(entry.name, "Readout", reason)


def _code_problems(code: Mapping[str, Any]) -> Problems:
    for key, value in code.items():
        yield from text_problems("code", "option", key)
        if isinstance(value, str):
            yield from text_problems("code", key, value)


def _shape_of(populations: Mapping[str, Population], name: str) -> tuple[int, ...] | None:
    return populations[name].shape if name in populations else None
