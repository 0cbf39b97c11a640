"""Check each part of a network against the declaration of a target.

In addition to its neurons and synapses, a network has *features*, which are listed in `FEATURES`.
A target declares in ``losses`` which of them it lacks and what happens instead; it has all others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bioconv.ground.errors import ParameterError
from bioconv.network import Input, Population, Projection, Readout, SpikingNetwork
from bioconv.neurons.language.identity import same
from bioconv.operators import Chain, Operator
from bioconv.targets.findings import Finding, Verdict, projection_name
from bioconv.targets.target import Cell, Limit, Target

#: features that a network may use in addition to neurons and synapses, and where it uses them
FEATURES = {
    "constant current": "population: a current, the bias or an input",
    "initial state": "population: start values that differ from the model's",
    "random numbers": "population: noise in the equations",
    "refractory period": "population",
    "scheduled changes": "population: parameters or states set at a step",
    "statements after a step": "population: registers, clamps",
    "mixed signs": "projection: weights above and below 0 on one receptor",
    "random release": "projection: synapses that fail",
    "current input": "input that enters as a current",
    "regular input": "input as regular spikes",
    "poisson input": "input as Poisson spikes",
    "raster input": "input as given spikes",
    "analog stage": "a layer that no neuron computes, but a function of decoded activations",
    "readout count": "readout of spike counts",
    "readout first_spike": "readout of the time of the first spike",
    "readout pattern": "readout of the distance of spikes from patterns",
    "readout pattern_absolute": "readout of the absolute distance of spikes from patterns",
    "readout potential": "readout of the mean potential",
    "readout level": "readout of the potential at the end",
    "readout accumulated_softmax": "readout by an external generator and the potential so far",
    "readout softmax": "readout by an external generator and the mean potential",
}


def find_cell(target: Target, population: Population) -> tuple[Cell, str] | None:
    """Return the cell for a population and what differs (empty if nothing); None without a cell."""
    for cell in target.cells:
        if same(population.model, cell.model):
            return cell, ""
    for cell in target.cells:
        for model, difference in cell.stands_for:
            if same(population.model, model):
                return cell, difference
    return None


def check(network: SpikingNetwork, target: Target) -> tuple[Finding, ...]:
    """Return findings on every part of a network, according to the declaration of a target.

    Parameters
    ----------
    network : SpikingNetwork
        With the names of the target's cells (`Target.restated`).
    target : Target

    Returns
    -------
    tuple of Finding
        At least one for each population and each projection.

    Raises
    ------
    ParameterError
        The declaration names a feature that is not one of `FEATURES`.
    """
    unknown = sorted(target.losses.keys() - FEATURES.keys())
    if unknown:
        raise ParameterError(
            f"The losses of {target.name} name unknown features: {', '.join(unknown)}. "
            f"Valid: {', '.join(FEATURES)}."
        )
    return (
        *_size(network, target),
        *(f for entry in network.inputs for f in _lost(target, entry.name, _of_input(entry))),
        *(
            f
            for population in network.populations
            for f in _population(network, population, target)
        ),
        *(
            f
            for projection in network.projections
            for f in _projection(network, projection, target)
        ),
        *(f for s in network.stages for f in _lost(target, s.name, iter(("analog stage",)))),
        *(f for entry in network.readouts for f in _lost(target, entry.name, _of_readout(entry))),
    )


def _size(network: SpikingNetwork, target: Target) -> Iterator[Finding]:
    if target.neurons is not None and network.n_neurons > target.neurons.value:
        text = (
            f"the network has {network.n_neurons:,} neurons, but {target.title} has only "
            f"{target.neurons.value:,}."
        )
        advice = "Convert a smaller network."
        yield Finding(network.name, "size", Verdict.IMPOSSIBLE, text, advice=advice)


def _lost(target: Target, part: str, features: Iterator[str]) -> Iterator[Finding]:
    for feature in features:
        loss = target.losses.get(feature)
        if loss is not None:
            yield Finding(part, feature, loss.verdict, loss.text, advice=loss.advice)


def _of_input(entry: Input) -> Iterator[str]:
    yield f"{entry.encoder} input"


def _of_readout(entry: Readout) -> Iterator[str]:
    yield f"readout {entry.kind}"


def _population(
    network: SpikingNetwork, population: Population, target: Target
) -> Iterator[Finding]:
    yield _neuron(population, target)
    yield from _lost(target, population.name, _of_population(network, population))
    if target.fan_in is not None:
        yield from _fan_in(network, population, target.fan_in)


def _neuron(population: Population, target: Target) -> Finding:
    if target.any_model:
        return Finding(population.name, "neuron", Verdict.EXACT, "its own equations")
    found = find_cell(target, population)
    if found is None:
        cells = ", ".join(cell.name for cell in target.cells)
        text = f"{target.title} has no cell with the equations of {population.model.name}."
        advice = f"Available cells: {cells}; see bioconv targets {target.name}."
        if target.conversion:
            advice = f"{advice} {target.conversion}"
        return Finding(population.name, "neuron", Verdict.IMPOSSIBLE, text, advice=advice)
    cell, difference = found
    outside = list(_outside(population, cell))
    if outside:
        return Finding(
            population.name,
            "neuron",
            Verdict.IMPOSSIBLE,
            f"{cell.name}: {'; '.join(outside)}.",
            advice="Choose other parameters when converting.",
        )
    verdict = Verdict.APPROXIMATED if difference else Verdict.EXACT
    text = f"{cell.name}: {difference or 'the same equations'}"
    return Finding(population.name, "neuron", verdict, text)


def _outside(population: Population, cell: Cell) -> Iterator[str]:
    """Yield parameters out of the cell's bounds; the fit handles those of replaced equations."""
    names = {parameter.name for parameter in population.model.parameters}
    for name, limit in cell.bounds.items():
        if name in names:
            values = np.asarray(population.value(name))
            low, high = limit.value
            if np.any(values < low) or np.any(values > high):
                held = f"{values.min():g}" if np.ptp(values) == 0 else _range(values)
                yield f"{name} is {held} {limit.unit}, but the cell allows {limit}"


def _range(values: np.ndarray) -> str:
    return f"{values.min():g} to {values.max():g}"


def _of_population(network: SpikingNetwork, population: Population) -> Iterator[str]:
    model = population.model
    driven = any(drive.post == population.name for drive in network.drives)
    if model.current and (driven or np.any(population.value(model.current))):
        yield "constant current"
    for state in model.states:
        usual = (
            state.initial if not isinstance(state.initial, str) else population.value(state.initial)
        )
        if np.any(np.not_equal(population.start(state.name), usual)):
            yield "initial state"
            break
    if any(equation.random for equation in model.parsed_equations):
        yield "random numbers"
    if model.refractory and np.any(population.value(model.refractory)):
        yield "refractory period"
    if any(change.population == population.name for change in network.changes):
        yield "scheduled changes"
    if model.after:
        yield "statements after a step"


def _fan_in(network: SpikingNetwork, population: Population, limit: Limit) -> Iterator[Finding]:
    counts = np.zeros(population.n_neurons, dtype=np.int64)
    for projection in network.projections_to(population.name):
        counts += np.bincount(projection.operator.edges().post, minlength=len(counts))
    if counts.max(initial=0) > limit.value:
        text = f"a neuron has {counts.max():,} synapses, but can have at most {limit}."
        advice = "Convert a network with smaller layers or kernels."
        yield Finding(population.name, "fan-in", Verdict.IMPOSSIBLE, text, advice=advice)


def _projection(
    network: SpikingNetwork, projection: Projection, target: Target
) -> Iterator[Finding]:
    name = projection_name(projection.pre, projection.post, projection.receptor)
    found = [*_delay(name, projection, target.delay_steps, network.dt)]
    found += _lost(target, name, _of_projection(projection))
    if target.operators is not None:
        others = sorted(_operators(projection.operator) - set(target.operators))
        if others:
            text = f"{target.title} does not support the operator {', '.join(others)}."
            found.append(Finding(name, "operator", Verdict.IMPOSSIBLE, text))
    yield from found or [Finding(name, "synapses", Verdict.EXACT, "unchanged")]


def _delay(name: str, projection: Projection, limit: Limit | None, dt: float) -> Iterator[Finding]:
    if limit is None:
        return
    low, high = limit.value
    if not low <= projection.delay_steps <= high:
        steps = projection.delay_steps
        text = f"{steps} steps ({steps * dt:g} ms), but the target allows {limit}."
        yield Finding(name, "delay", Verdict.IMPOSSIBLE, text)


def _of_projection(projection: Projection) -> Iterator[str]:
    if projection.release < 1:
        yield "random release"
    weight = projection.operator.edges().weight
    if np.any(weight > 0) and np.any(weight < 0):
        yield "mixed signs"


def _operators(operator: Operator) -> set[str]:
    if isinstance(operator, Chain):
        return {name for part in operator.operators for name in _operators(part)}
    return {type(operator).__name__}
