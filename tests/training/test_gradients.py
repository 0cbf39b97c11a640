"""Gradients through the array simulator: its own spikes, and derivatives by finite differences."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_networks import CURRENTS, network, pair, run_of, starts
from some_variants import some

import bioconv as bc
from bioconv import neurons
from bioconv.network import Drive, Population, Projection, SpikingNetwork
from bioconv.neurons.library.synapses import KINDS
from bioconv.operators import Dense
from bioconv.training import Surrogate

#: neuron -> (weight, constant current) that leave it below its threshold
QUIET = {
    "leaky_integrate_and_fire": (300.0, 100.0),
    "izhikevich": (0.8, 0.5),
    "traub_miles": (20.0, 10.0),
    "adaptive_exponential": (150.0, 50.0),
}
PULSES = np.array([[1.0, 0.7], [0.9, 1.3]])
X = np.random.default_rng(1).uniform(0.1, 0.4, (2, 3))


@pytest.mark.parametrize("name", some(QUIET, every=2))
def test_gradients_below_threshold_are_those_of_finite_differences(name: str) -> None:
    """The potential after 100 steps, with respect to weights, currents and a parameter."""
    neuron = neurons.make(name)
    wanted = ("weights", "bias", *(() if name == "izhikevich" else ("capacitance",)))
    net = pair(neuron, *QUIET[name], readout="potential")
    # No derivative may pass through the spikes of the first population, which do not depend on b.
    run = run_of(net, 2, trainable=wanted, n_steps=90, chunk_bytes=4000)
    assert run.plan.steps < 45  # several chunks
    own = [k for k, e in enumerate(run.trainable.entries) if _belongs_to_b(net, e)]
    assert len(own) == len(wanted)

    with jax.enable_x64(True):

        @jax.jit
        def potential(variables: list[Any]) -> Any:
            found = run.outcome(variables, {"x": jnp.asarray(X)}, jnp.arange(2))
            return jnp.sum(found.traces["b"]["v"]), found.counts["b"]

        start = starts(run)
        _, counts = potential(start)
        assert not counts.any()
        slopes, _ = jax.jit(jax.grad(potential, has_aux=True))(start)
        for k in own:
            for place in np.ndindex(start[k].shape):
                ends = []
                for sign in (1, -1):
                    moved = [*start[:k], start[k].at[place].add(sign * 1e-6), *start[k + 1 :]]
                    ends.append(float(potential(moved)[0]))
                expected = (ends[0] - ends[1]) / 2e-6
                assert float(slopes[k][place]) == pytest.approx(expected, rel=1e-5, abs=1e-7)
                assert expected != 0


def _belongs_to_b(net: SpikingNetwork, entry: Any) -> bool:
    if entry.field == "projections":
        return True
    return entry.field == "populations" and net.populations[entry.index].name == "b"


def all_neurons(synapse: str) -> SpikingNetwork:
    """For each neuron with this synapse, two driven ones that excite and inhibit two others."""
    populations, projections, drives = [], [], []
    rng = np.random.default_rng(3)
    for name, current in CURRENTS.items():
        neuron = neurons.make(name)
        unit = "1" if neuron.model.parameter(neuron.model.current).unit == "1" else "pA"
        if synapse not in KINDS[unit]:
            continue
        neuron = neurons.make(name, {"synapse": synapse})
        refractory = neuron.model.refractory
        model, own = neuron.model, {refractory: 0.5} if refractory else {}
        parameters = {**neuron.parameters, **own}
        populations += [
            Population(f"{name}_a", (2,), model, parameters, max_rate=100.0),
            Population(
                f"{name}_b",
                (2,),
                model,
                {**parameters, model.current: 0.8 * current},
                max_rate=99.0,
            ),
        ]
        size = {"pA": 0.3 * current, "nS": 5.0, "mV": 3.0, "1": 0.2}[model.receptors[0].unit]
        for receptor in model.receptors:
            kernel = size * rng.normal(0.2, 0.4, (2, 2))
            weights = np.abs(kernel) if receptor.sign else kernel
            connection = Dense((2,), weights)
            projections.append(Projection(f"{name}_a", f"{name}_b", connection, receptor.name, 3))
        drives.append(Drive("x", f"{name}_a", Dense((2,), current * np.eye(2))))
    return network(populations, projections, drives, n_inputs=2, dt=0.05, n_steps=500)


@pytest.mark.parametrize(
    "synapse",
    [
        "exponential",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS["pA"] if kind[0] != "e"),
    ],
)
def test_every_neuron_spikes_as_in_simulate(synapse: str) -> None:
    net = all_neurons(synapse)
    names = [population.name for population in net.populations]
    record = dict.fromkeys(names, ("counts",))
    recording = bc.simulate(net, PULSES, record=record, dtype="float64", progress=False)
    run = run_of(net, 2)
    with jax.enable_x64(True):
        found = run.outcome(starts(run), {"x": jnp.asarray(PULSES)}, jnp.arange(2))
    for name in names:
        assert recording.counts[name].sum() > 0, name
        np.testing.assert_array_equal(found.counts[name], recording.counts[name], name)


@pytest.mark.slow
@pytest.mark.parametrize("synapse", KINDS["pA"])
def test_every_neuron_has_a_gradient(synapse: str) -> None:
    net = all_neurons(synapse)
    run = run_of(net, 2)
    with jax.enable_x64(True):

        def total(variables: list[Any]) -> Any:
            found = run.outcome(variables, {"x": jnp.asarray(PULSES)}, jnp.arange(2))
            return sum(c.sum() for name, c in found.counts.items() if name.endswith("_b"))

        slopes = jax.jit(jax.grad(total))(starts(run))
    for entry, slope in zip(run.trainable.entries, slopes, strict=True):
        assert np.isfinite(slope).all(), entry
        assert np.any(slope != 0), entry


def test_the_outputs_are_those_of_simulate() -> None:
    for readout in ("count", "potential", "level"):
        net = pair(neurons.make("lif"), 900.0, 900.0, readout=readout)
        expected = bc.simulate(net, X, dtype="float64", progress=False).outputs["y"]
        run = run_of(net, 2)
        with jax.enable_x64(True):
            found = run.outcome(starts(run), {"x": jnp.asarray(X)}, jnp.arange(2))
            values = run.objective.analog_values(found, net.readouts[0])
        np.testing.assert_allclose(values, expected, rtol=1e-12)
        assert expected.any()


def test_poisson_inputs_are_those_of_simulate() -> None:
    neuron = neurons.make("lif")
    net = network(
        [Population("a", (2,), neuron.model, neuron.parameters)],
        [Projection("x", "a", Dense((3,), np.full((3, 2), 4000.0)), "syn", 2)],
        [],
        n_inputs=3,
        inputs=(bc.network.Input("x", (3,), "poisson", 1.0),),
    )
    record = {"a": ("counts",)}
    run = run_of(net, 2, chunk_bytes=2000)
    expected = bc.simulate(net, X, record=record, seed=0, dtype="float64", progress=False)
    with jax.enable_x64(True):

        def total(variables: list[Any]) -> Any:
            found = run.outcome(variables, {"x": jnp.asarray(X)}, jnp.arange(2))
            return found.counts["a"].sum(), found.counts["a"]

        slopes, counts = jax.jit(jax.grad(total, has_aux=True))(starts(run))
    np.testing.assert_array_equal(counts, expected.counts["a"])
    assert np.any(counts) and all(np.any(slope != 0) for slope in slopes)


def test_the_gradient_of_a_count_has_the_size_of_the_slope_of_the_f_i_curve() -> None:
    """A perfect integrator: counts are currents times duration, so that all is known exactly."""
    neuron = neurons.IntegrateAndFire()
    net = network(
        [Population("a", (40,), neuron.model, neuron.parameters, max_rate=1000.0)],
        [],
        [Drive("x", "a", Dense((40,), np.eye(40)))],
        n_inputs=40,
        dt=1.0,
        n_steps=400,
    )
    x = np.linspace(0.05, 0.5, 40)[None]
    run = run_of(net, 1, trainable=("weights", "bias"))
    with jax.enable_x64(True):

        def total(x: Any) -> Any:
            found = run.outcome(starts(run), {"x": x}, jnp.arange(1))
            return found.counts["a"].sum()

        slope = jax.grad(total)(jnp.asarray(x))
    expected = 400.0  # spikes per pA: the threshold is 1 mV, the capacitance 1 pF
    assert 0.2 * expected < np.median(slope) < 2 * expected
    assert np.ptp(slope) < np.median(slope)


@pytest.mark.parametrize("n_steps", [1000, 4000])
def test_memory_is_bounded_by_the_chunk(n_steps: int) -> None:
    net = pair(neurons.make("traub_miles"), 1.0, 1.0, n_steps=n_steps)
    run = run_of(net, 2, chunk_bytes=8000, dtype="float32")
    assert run.plan.steps * -(-n_steps // run.plan.steps) >= n_steps
    with jax.enable_x64(True):

        def total(variables: list[Any]) -> Any:
            found = run.outcome(variables, {"x": jnp.asarray(X)}, jnp.arange(2))
            return found.counts["b"].sum()

        compiled = jax.jit(jax.grad(total)).lower(starts(run)).compile()
    used = compiled.memory_analysis().temp_size_in_bytes
    states = sum(s.n * (2 + len(s.model.states)) for s in run.plan.stages) * 2 * 4
    n_chunks = -(-n_steps // run.plan.steps)
    every_step = n_steps * states
    assert used < 40 * 8000 + 3 * n_chunks * states
    assert used < every_step


def test_the_shape_of_the_surrogate_changes_no_spike() -> None:
    net = pair(neurons.make("izhikevich"), 40.0, 10.0)
    counts = []
    for surrogate in (Surrogate(), Surrogate("triangle", 0.1), Surrogate("gaussian", 3.0, 5.0)):
        run = run_of(net, 2, surrogate=surrogate)
        with jax.enable_x64(True):
            counts.append(
                run.outcome(starts(run), {"x": jnp.asarray(X)}, jnp.arange(2)).counts["b"]
            )
    np.testing.assert_array_equal(counts[0], counts[1])
    np.testing.assert_array_equal(counts[0], counts[2])
