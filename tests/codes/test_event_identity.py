"""The event simulator knows models by their equations: other names, other equations, conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from other_names import new_names
from small_graphs import mlp

import bioconv as bc
from bioconv import noise
from bioconv.analog import AnalogGraph
from bioconv.codes import (
    FirstSpikeCode,
    FirstSpikeExactCode,
    ObservationCode,
    OscillationCode,
    SigmaDeltaCode,
)
from bioconv.codes.observation.stack import dense_graph
from bioconv.ground.errors import ParameterError
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.network.restating import population_as
from bioconv.neurons import NeuronModel
from bioconv.simulators.event import solution_of

CODES = {
    "first_spike": FirstSpikeCode(),
    "first_spike_dynamic": FirstSpikeCode(threshold="dynamic"),
    "first_spike_exact": FirstSpikeExactCode(),
    "first_spike_exact_silent": FirstSpikeExactCode(inactive="silent"),
    "observation": ObservationCode(),
    "oscillation_amplitude": OscillationCode(),
    "oscillation_duration": OscillationCode(adaptation="duration"),
    "sigma_delta": SigmaDeltaCode(),
    "sigma_delta_current": SigmaDeltaCode(input="current"),
}
X = np.random.default_rng(3).random((40, 6))


def graph() -> AnalogGraph:
    return mlp(np.random.default_rng(2), (6, 8, 5, 3))


def observed() -> AnalogGraph:
    rng = np.random.default_rng(2)
    weights = [rng.normal(0.1, 0.2, shape) for shape in ((6, 8), (8, 3))]
    return dense_graph(ObservationCode(), weights, [np.full(8, 0.9), np.full(3, 3.0)], (6,))


@cache
def network_of(code: str) -> SpikingNetwork:
    given = observed() if code == "observation" else graph()
    return bc.convert(given, calibration=X, code=CODES[code])


def run(network: SpikingNetwork) -> Recording:
    record = {population.name: ("spikes",) for population in network.populations}
    return bc.simulate(network, X[:4], simulator="event", record=record, progress=False)


@cache
def recording_of(code: str) -> Recording:
    return run(network_of(code))


def renamed(network: SpikingNetwork) -> SpikingNetwork:
    """The network with other names for every model, parameter, state variable and receptor."""
    new = {p.name: new_names(p.model) for p in network.populations}
    populations = [population_as(p, new[p.name]) for p in network.populations]
    return network.replace(
        populations=tuple(
            replace(p, model=replace(p.model, name=f"other_{number}"))
            for number, p in enumerate(populations)
        ),
        projections=tuple(
            replace(p, receptor=new[p.post].receptors[p.receptor]) for p in network.projections
        ),
        changes=tuple(
            replace(c, variable=new[c.population].names[c.variable]) for c in network.changes
        ),
    )


def edited(model: NeuronModel) -> Iterator[NeuronModel]:
    """The model with one change each of what it does, all under its own name."""
    (first, *others) = model.parsed_equations
    changed = replace(first, expression=f"2 * ({first.expression})")
    lines = [changed, *others]
    yield replace(model, equations="\n".join(line.text for line in lines))
    if model.threshold:
        yield replace(model, threshold=f"({model.threshold}) and t > 2 * dt")
        potential = model.potential or model.states[0].name
        yield replace(model, reset=f"{model.reset}\n{potential} = 0.5 * {potential}".strip())
    if model.refractory:
        yield replace(model, refractory="")
    if model.receptors:
        (first_receptor, *rest) = model.receptors
        other = next((s for s in model.states if s.name != first_receptor.variable), None)
        if other is not None:
            moved = replace(first_receptor, also=(other.name,))
            yield replace(model, receptors=(moved, *rest))


def with_model(network: SpikingNetwork, name: str, model: NeuronModel) -> SpikingNetwork:
    return network.replace(
        populations=tuple(
            replace(p, model=model) if p.name == name else p for p in network.populations
        )
    )


def with_entry(network: SpikingNetwork, name: str, **entries: Any) -> SpikingNetwork:
    """With other entries of one population: parameters or start values."""
    return network.replace(
        populations=tuple(
            replace(p, **{key: {**getattr(p, key), **value} for key, value in entries.items()})
            if p.name == name
            else p
            for p in network.populations
        )
    )


@pytest.mark.parametrize("code", CODES)
def test_names_do_not_matter(code: str) -> None:
    before, after = recording_of(code), run(renamed(network_of(code)))
    for name, raster in before.rasters.items():
        np.testing.assert_array_equal(after.rasters[name].time, raster.time)
        np.testing.assert_array_equal(after.rasters[name].neuron, raster.neuron)
    for name, output in before.outputs.items():
        np.testing.assert_array_equal(after.outputs[name], output)
    assert sum(len(raster.step) for raster in before.rasters.values())


@pytest.mark.parametrize("code", CODES)
def test_every_edit_of_a_model_is_refused(code: str) -> None:
    network = network_of(code)
    models = {p.model: p.name for p in network.populations}
    tried = 0
    for model, name in models.items():
        for other in edited(model):
            assert solution_of(other) is None
            with pytest.raises(ParameterError, match=f"{name!r} has the model .* no model with"):
                run(with_model(network, name, other))
            tried += 1
    assert tried >= 3 * len(models) - 2


def test_a_doubled_threshold_in_the_equations_is_refused() -> None:
    """Which the array simulator follows, and the event simulator once passed over."""
    network = network_of("sigma_delta")
    hidden = network.populations[1]
    model = replace(hidden.model, threshold="polarity * d >= 2 * v_th")
    with pytest.raises(ParameterError, match="no model with an exact solution"):
        run(with_model(network, hidden.name, model))


@pytest.mark.parametrize("code", ["first_spike", "first_spike_exact", "oscillation_duration"])
def test_values_are_followed(code: str) -> None:
    """A larger capacitance slows hidden neurons down, here and in steps."""
    network = network_of(code)
    hidden = next(p for p in network.populations if p.model.receptors and p.model.threshold)
    slower = with_entry(network, hidden.name, parameters={"c_m": 1.3 * hidden.values("c_m").max()})
    exact, before = run(slower).rasters[hidden.name], recording_of(code).rasters[hidden.name]
    assert not np.array_equal(exact.time, before.time)
    steps = bc.simulate(
        slower, X[:4], record={hidden.name: ("spikes",)}, dtype="float64", progress=False
    ).rasters[hidden.name]
    assert len(steps.step) == pytest.approx(len(exact.step), abs=2)
    if len(steps.step) == len(exact.step):
        np.testing.assert_array_equal(steps.neuron, exact.neuron)
        assert np.abs(steps.step - exact.step).max() <= 2


@pytest.mark.parametrize(
    ("code", "entries", "reason"),
    [
        ("first_spike", {"parameters": {"t_ref": 5.0}}, "t_ref = 5 ms"),
        ("first_spike", {"initial": {"i_syn": 1.0}}, "i_syn of population .* start at zero"),
        ("first_spike_exact", {"initial": {"fired": 1.0}}, "fired of population .* start at zero"),
        ("oscillation_amplitude", {"initial": {"q": 1.0}}, "q of population .* start at zero"),
        ("sigma_delta", {"parameters": {"gate": 0.5}}, "gate of population .* start at 1"),
    ],
)
def test_what_a_solver_takes_for_granted_is_checked(
    code: str, entries: dict[str, Any], reason: str
) -> None:
    network = network_of(code)
    (kind,) = entries
    (name,) = entries[kind]
    declared = "parameters" if kind == "parameters" else "states"
    target = next(
        p
        for p in network.populations
        if name in {entry.name for entry in getattr(p.model, declared)} and p.model.threshold
    )
    with pytest.raises(ParameterError, match=reason):
        run(with_entry(network, target.name, **entries))


def test_axons_are_known_by_their_equations() -> None:
    network = noise.disturb(network_of("first_spike"), noise.SpikeJitter(0.5))
    axons = next(p for p in network.populations if p.model.kind == "axon")
    assert solution_of(axons.model) is not None
    slower = replace(axons.model, equations=axons.model.equations.replace("-s / dt", "-2 * s / dt"))
    assert slower.equations != axons.model.equations
    assert solution_of(slower) is None
