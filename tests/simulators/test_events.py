"""The engine "events" gives what the engine "dense" gives, bit for bit where sums are exact."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from array_networks import analog, chain, default_neurons, driven
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_networks import deterministic, random
from small_graphs import mlp
from test_array_invariance import RECORD, convolutional

import bioconv as bc
from bioconv import neurons
from bioconv.analog.functions import Linear
from bioconv.ground.errors import ParameterError, SimulatorMissingError
from bioconv.network import Drive, Input, Population, Projection, Readout, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import AveragePool, Chain, Operator, Reshape, conv
from bioconv.simulators.array import choice
from bioconv.simulators.array.plan import make_plan
from bioconv.simulators.settings import Settings

sys.path.append(str(Path(__file__).parents[1] / "operators"))
from operator_strategies import chains

pytest.importorskip("numba", reason="no Numba: the engine 'events' is not installed")

from bioconv.simulators.array.events import engine

GRID = 1 / 64


def both(
    net: SpikingNetwork, x: np.ndarray, dtype: str = "float64", **options: object
) -> tuple[Recording, Recording]:
    """Recordings of everything by the dense engine and by events."""
    record = {p.name: ("counts", "spikes", *_states(p)) for p in net.populations}
    record |= {entry.name: ("counts", "spikes") for entry in net.spiking_inputs}
    given = {"record": record, "dtype": dtype, "progress": False, **options}
    dense, events = (bc.simulate(net, x, engine=name, **given) for name in ("dense", "events"))
    assert (dense.engine, events.engine) == ("dense", "events")
    return dense, events


def _states(population: Population) -> tuple[str, ...]:
    return tuple(state.name for state in population.model.states)


def assert_same(dense: Recording, events: Recording, potentials: bool = True) -> None:
    for name, raster in dense.rasters.items():
        for field in ("image", "step", "neuron"):
            left, right = getattr(raster, field), getattr(events.rasters[name], field)
            np.testing.assert_array_equal(left, right, err_msg=name)
        np.testing.assert_array_equal(dense.counts[name], events.counts[name])
        left, right = dense.spikes_per_neuron[name], events.spikes_per_neuron[name]
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(dense.synaptic_operations, events.synaptic_operations)
    for name in dense.outputs:
        np.testing.assert_array_equal(dense.outputs[name], events.outputs[name])
        np.testing.assert_array_equal(dense.classes[name], events.classes[name])
    for key, trace in dense.traces.items():
        if potentials:
            np.testing.assert_array_equal(trace, events.traces[key], err_msg=str(key))
        else:
            np.testing.assert_allclose(trace, events.traces[key], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("encoder", "dtype"),
    [
        ("current", "float64"),
        ("poisson", "float64"),
        pytest.param("current", "float32", marks=pytest.mark.slow),
        pytest.param("regular", "float32", marks=pytest.mark.slow),
    ],
)
def test_convolutions_and_pooling_with_every_input(encoder: str, dtype: str) -> None:
    x = np.random.default_rng(1).normal(0, 0.6, (5, 6, 6, 2))
    dense, events = both(convolutional(encoder), x, dtype, seed=3)
    assert_same(dense, events)
    assert events.spikes_per_image["b"].sum() > 30


#: those that are compared in every run
QUICK = (2,)


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(cell, id=cell.model.name, marks=() if i in QUICK else pytest.mark.slow)
        for i, cell in enumerate(default_neurons())
    ],
)
def test_neurons_with_resets_synapses_and_refractory_periods(cell: neurons.Neuron) -> None:
    """A product and a sum may be rounded once or twice, so that potentials are compared nearly."""
    net = chain(cell, delays=(2, 1))
    exact = [replace(p, operator=p.operator.map_weights(on_grid)) for p in net.projections]
    net = net.replace(projections=tuple(exact))
    x = np.random.default_rng(2).uniform(0.0, 40.0, (4, 6)) * float(cell.value("c_m")) / 20
    dense, events = both(net, x)
    assert_same(dense, events, potentials=False)
    assert min(total.sum() for total in events.spikes_per_image.values()) > 0


CURRENTS = {"izhikevich": 10.0, "quadratic_integrate_and_fire": 600.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", CURRENTS)
def test_neurons_with_nonlinear_equations(name: str) -> None:
    """These neurons amplify rounding, so that a spike may come a step earlier or later."""
    cell = bc.neurons.make(name)
    net = driven(cell, 5, n_steps=120)
    dense, events = both(net, CURRENTS[name] * np.linspace(0.5, 2.0, 15).reshape(3, 5))
    assert events.spikes_per_image["a"].sum() > 10
    assert np.abs(dense.counts["a"] - events.counts["a"]).max() <= 1


def test_crossing_neurons_and_scheduled_changes() -> None:
    dense, events = both(deterministic(), np.random.default_rng(0).uniform(0, 1, (3, 6)))
    assert_same(dense, events, potentials=False)
    assert events.spikes_per_image["waves"].sum() > 0


def test_groups_chunks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = convolutional("regular"), np.random.default_rng(1).normal(0, 0.6, (7, 6, 6, 2))
    given = {"record": RECORD, "progress": False, "engine": "events", "dtype": "float64"}
    reference = bc.simulate(net, x, **given)
    for cores, options in ((1, {}), (3, {}), (2, {"batch_size": 3}), (1, {"chunk_bytes": 1 << 11})):
        monkeypatch.setattr(engine, "n_cores", lambda cores=cores: cores)
        assert_same(reference, bc.simulate(net, x, **given, **options))


def test_a_run_of_more_steps_than_a_byte_counts() -> None:
    net = driven(neurons.IntegrateAndFire(), 3, n_steps=700)
    dense, events = both(net, np.full((2, 3), 0.75))
    assert_same(dense, events)
    assert events.counts["a"].min() > 255


def on_grid(values: np.ndarray) -> np.ndarray:
    return np.round(values / GRID) * GRID


def stack(seed: int, operators: list[Operator], delays: list[int]) -> SpikingNetwork:
    """Populations of random neurons in a line, with weights and currents on a grid."""
    rng = np.random.default_rng(seed)
    kinds = (
        neurons.IntegrateAndFire(),
        neurons.IntegrateAndFire("value", t_ref=2.0),
        neurons.IntegrateAndFire("subtraction", t_ref=1.0),
    )
    first = operators[0].in_shape
    shapes = [first, *(operator.out_shape for operator in operators)]
    populations = []
    for index, shape in enumerate(shapes):
        cell = kinds[rng.integers(len(kinds))]
        bias = on_grid(rng.normal(0.1, 0.2, shape))
        parameters = {**cell.parameters, "i_offset": bias}
        populations.append(Population(f"p{index}", shape, cell.model, parameters))
    projections = [
        Projection(f"p{i}", f"p{i + 1}", operator.map_weights(on_grid), "syn", delay)
        for i, (operator, delay) in enumerate(zip(operators, delays, strict=True))
    ]
    drive = Drive("x", "p0", Reshape(first, first), GRID)
    return SpikingNetwork(
        name="stack",
        dt=1.0,
        n_steps=int(rng.integers(20, 60)),
        inputs=(Input("x", first),),
        populations=tuple(populations),
        projections=tuple(projections),
        drives=(drive,),
        changes=(),
        readouts=(Readout("y", populations[-1].name, "count", Linear()),),
        analog=analog(first, shapes[-1]),
    )


@st.composite
def stacks(draw: st.DrawFn) -> tuple[SpikingNetwork, np.ndarray]:
    operators = [part for part in draw(chains(3)).operators if not _divides(part)]
    first = operators[0] if operators else Reshape((3,), (3,))
    kept: list[Operator] = [first]
    for part in operators[1:]:
        if part.in_shape == kept[-1].out_shape:
            kept.append(part)
    delays = [draw(st.integers(1, 4)) for _ in kept]
    net = stack(draw(st.integers(0, 2**32 - 1)), kept, delays)
    return net, on_grid(np.random.default_rng(0).uniform(0, 1.2, (3, *first.in_shape)))


def _divides(operator: Operator) -> bool:
    """Whether means leave the grid, so that sums depend on their order."""
    return isinstance(operator, AveragePool) and not set(operator.counts.ravel()) <= {1, 2, 4, 8}


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(given=stacks())
def test_random_stacks(given: tuple[SpikingNetwork, np.ndarray]) -> None:
    assert_same(*both(*given))


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(given=stacks())
def test_many_random_stacks(given: tuple[SpikingNetwork, np.ndarray]) -> None:
    assert_same(*both(*given))


def test_a_layer_of_several_tiles() -> None:
    """More neurons than a tile holds, not a whole number of tiles."""
    rng, cell = np.random.default_rng(0), neurons.IntegrateAndFire()
    first = conv((14, 14, 1), on_grid(rng.normal(0.1, 0.4, (3, 3, 1, 8))), padding="same")
    second = Chain(
        (
            AveragePool((14, 14, 8), (2, 2)),
            conv((7, 7, 8), on_grid(rng.normal(0.1, 0.3, (3, 3, 8, 10)))),
        )
    )
    net = SpikingNetwork(
        name="tiles",
        dt=1.0,
        n_steps=30,
        inputs=(Input("x", (14, 14, 1)),),
        populations=(
            Population("a", (14, 14, 8), cell.model),
            Population("b", (5, 5, 10), cell.model),
        ),
        projections=(Projection("a", "b", second, "syn"),),
        drives=(Drive("x", "a", first, GRID),),
        changes=(),
        readouts=(Readout("y", "b", "count", Linear()),),
        analog=analog((14, 14, 1), (5, 5, 10)),
    )
    assert_same(*both(net, on_grid(rng.random((3, 14, 14, 1))), "float32"))


def test_what_the_engine_does_not_cover_is_refused_or_runs_densely() -> None:
    net, x = random(), np.zeros((1, 1))
    with pytest.raises(ParameterError, match="cannot run test: process .*random numbers.*dense"):
        bc.simulate(net, x, engine="events", progress=False)
    assert bc.simulate(net, x, steps=3, progress=False).engine == "dense"
    plain = convolutional("current")
    failing = plain.replace(projections=tuple(replace(p, release=0.5) for p in plain.projections))
    with pytest.raises(ParameterError, match="from a to b fail at random"):
        bc.simulate(failing, np.zeros((1, 6, 6, 2)), engine="events", progress=False)


def test_auto_takes_events_for_cheap_neurons() -> None:
    net, x = convolutional("current"), np.zeros((1, 6, 6, 2))
    found = bc.simulate(net, x, steps=2000, dtype="float64", progress=False)
    assert found.engine == "events"
    assert bc.simulate(net, x, progress=False).engine == "dense", "a small one"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: driven(neurons.AdaptiveExponential(), 2), "functions such as exp"),
        (deterministic, "scheduled changes|crossed"),
        (random, "random numbers"),
        (lambda: driven(neurons.TraubMiles(), 2), "calls exprel"),
        (lambda: convolutional("current"), ""),
    ],
    ids=["costly", "changes", "noise", "unknown function", "none"],
)
def test_why_auto_is_dense(
    make: Callable[[], SpikingNetwork], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "_LEAST", 0)
    net = make()
    plan = make_plan(net, Settings("array", net.n_steps), 1, 1 << 20)
    found = choice.why_dense(net, plan, net.n_steps)
    assert re.search(reason, found) if reason else not found


def test_auto_takes_events_for_large_networks_of_clamped_populations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the ends of clamps are scheduled, and the engines agree; tables of a code are dense."""
    graph, x = mlp(np.random.default_rng(0)), np.random.default_rng(1).random((5, 6))
    net = bc.convert(graph, calibration=x, code=bc.RateCode(clamp=3), n_steps=50)
    assert net.changes
    assert_same(*both(net, x), potentials=False)
    plan = make_plan(net, Settings("array", net.n_steps), 1, 1 << 20)
    monkeypatch.setattr(choice, "_LEAST", 0)
    assert "scheduled changes" in choice.why_dense(net, plan, net.n_steps)
    monkeypatch.setattr(choice, "_LEAST_RELEASED", 0)
    assert choice.why_dense(net, plan, net.n_steps) == ""
    tables = bc.convert(graph, calibration=x, code=bc.FewSpikesCode())
    assert "scheduled changes" in choice.why_dense(
        tables, make_plan(tables, Settings("array", 50), 1, 1 << 20), 50
    )


def test_parts_are_taken_while_others_are_computed() -> None:
    """A few parts wait at most, and none is computed after the last one that was wanted."""
    made: list[int] = []

    def source() -> Iterator[Any]:
        for number in range(100):
            made.append(number)
            yield number

    parts = engine._Parts(2, 3)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(parts.collect, source())
        taken = [part for part, _ in zip(parts, range(10), strict=False)]
        parts.stopped.set()
    assert len(taken) == 10
    assert len(made) <= 10 + 1 + 3 + 2


def test_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    net, x = convolutional("current"), np.zeros((1, 6, 6, 2))
    assert bc.simulate(net, x, steps=2000, progress=False).engine == "dense"
    with pytest.raises(SimulatorMissingError, match="pip install 'bioconv"):
        bc.simulate(net, x, engine="events", progress=False)


def test_an_unknown_engine() -> None:
    with pytest.raises(ParameterError, match="one of auto, dense, events. Received: 'fast'"):
        bc.simulate(convolutional("current"), np.zeros((1, 6, 6, 2)), engine="fast")


#: runs a network by events and prints how many programs were compiled, and how many read
PROGRAM = """
import sys
sys.path[:0] = {folders!r}
import numpy as np
from test_array_invariance import convolutional
import bioconv as bc
from bioconv.simulators.array.events import population

found, program_of = [], population.program_of
population.program_of = lambda layout: found.append(program_of(layout)) or found[-1]
bc.simulate(convolutional("regular"), np.ones((1, 6, 6, 2)), engine="events", progress=False)
print(sum(len(f.stats.cache_misses) for f in found), sum(len(f.stats.cache_hits) for f in found))
"""


@pytest.mark.slow
def test_a_second_process_compiles_nothing_unless_the_cache_is_open_to_others(
    tmp_path: Path,
) -> None:
    here = Path(__file__).parent
    program = PROGRAM.format(folders=[str(here), str(here.parent)])
    environment = {**os.environ, "BIOCONV_CACHE": str(tmp_path / "cache")}

    def compiled() -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.split("\n")[-2]

    assert compiled() == "2 0"
    assert compiled() == "0 2"
    (tmp_path / "cache" / "events").chmod(0o777)
    assert compiled() == "2 0", "nothing is read from a folder that others can write"
    chosen = tmp_path / "numba"  # where Numba keeps machine code instead
    chosen.mkdir()
    chosen.chmod(0o777)
    environment["BIOCONV_CACHE"] = str(tmp_path / "other")
    environment["NUMBA_CACHE_DIR"] = str(chosen)
    assert [compiled(), compiled()] == ["2 0", "2 0"], "nor from one that the environment names"
