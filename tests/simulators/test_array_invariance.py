"""Results do not depend on batches, on chunks, on what is recorded, or on the run."""

from dataclasses import replace

import numpy as np
import pytest
from array_networks import analog, chain

from bioconv import convert, neurons
from bioconv.analog.functions import Linear
from bioconv.codes import FirstSpikeExactCode
from bioconv.ground.keras_engine import import_keras
from bioconv.network import Drive, Input, Population, Projection, Readout, SpikingNetwork
from bioconv.operators import AveragePool, Chain, Dense, Polarity, Reshape, conv
from bioconv.simulators import simulate
from bioconv.simulators.array import samples_at_once
from bioconv.simulators.array.engine import run_chunk
from bioconv.simulators.array.plan import make_plan
from bioconv.simulators.settings import Settings
from bioconv.simulators.stimulation import single_neurons


def convolutional(encoder):
    """6x6x2 -> conv, pool -> dense -> 3, weights on a grid so that sums are exact."""
    rng, cell = np.random.default_rng(0), neurons.IntegrateAndFire()

    def weights(*shape):
        return np.round(rng.normal(0.05, 0.3, shape) * 256) / 256

    first = conv((6, 6, 2), weights(3, 3, 2, 4), padding="same")
    second = Chain(
        (AveragePool((6, 6, 4), (2, 2)), Reshape((3, 3, 4), (36,)), Dense((36,), weights(36, 3)))
    )
    populations = (
        Population("a", (6, 6, 4), cell.model, initial={"v": 0.5}),
        Population("b", (3,), cell.model, {"i_offset": np.array([0.125, 0.0, 0.25])}),
    )
    projections: tuple[Projection, ...] = (Projection("a", "b", second, "syn", 2),)
    drives: tuple[Drive, ...] = ()
    if encoder == "current":
        drives = (Drive("x", "a", first, 2.0**-12),)
    else:
        both = Chain((Polarity((2, 6, 6, 2)), first))
        projections = (Projection("x", "a", both, "syn"), *projections)
    return SpikingNetwork(
        name="small",
        dt=1.0,
        n_steps=37,
        inputs=(Input("x", (6, 6, 2), encoder, signed=encoder != "current"),),
        populations=populations,
        projections=projections,
        drives=drives,
        changes=(),
        readouts=(Readout("y", "b", "count", Linear()),),
        analog=analog((6, 6, 2), (3,)),
    )


RECORD = {"a": ("counts", "spikes"), "b": ("counts", "spikes", "v")}


def assert_same(one, other):
    for name in ("a", "b"):
        np.testing.assert_array_equal(one.counts[name], other.counts[name])
        for field in ("image", "step", "neuron"):
            first, second = (getattr(r.rasters[name], field) for r in (one, other))
            np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(one.spikes_per_neuron[name], other.spikes_per_neuron[name])
    np.testing.assert_array_equal(one.traces["b", "v"], other.traces["b", "v"])
    np.testing.assert_array_equal(one.outputs["y"], other.outputs["y"])
    np.testing.assert_array_equal(one.classes["y"], other.classes["y"])
    np.testing.assert_array_equal(one.synaptic_operations, other.synaptic_operations)


@pytest.mark.parametrize(
    ("encoder", "dtype"),
    [
        pytest.param("current", "float32", marks=pytest.mark.slow),
        ("regular", "float64"),
        ("poisson", "float32"),
    ],
)
def test_batches_and_chunks_change_no_bit(encoder, dtype):
    net = convolutional(encoder)
    x = np.random.default_rng(1).normal(0, 0.6, (7, 6, 6, 2))
    settings = {"record": RECORD, "dtype": dtype, "progress": False, "seed": 5}
    reference = simulate(net, x, batch_size=7, **settings)
    assert reference.spikes_per_image["b"].sum() > 30
    for options in ({"batch_size": 3}, {"batch_size": 1}, {"chunk_bytes": 1 << 15}):
        assert_same(simulate(net, x, **settings, **options), reference)


def test_fewer_samples_at_once_where_a_neuron_has_much_state():
    def at_once(cell, n_neurons, n_images):
        net = single_neurons(cell, np.zeros((1, n_neurons)), dt=0.125, n_steps=1)
        return samples_at_once(net, n_images)

    few, many = neurons.IntegrateAndFire(), neurons.HodgkinHuxley()
    assert 4 < at_once(many, 12_000, 1000) < at_once(few, 12_000, 1000)
    assert at_once(many, 12_000, 1000) * 12_000 * len(many.model.states) * 4 < 1 << 23
    assert at_once(many, 10**6, 1000) == 4  # the linear algebra needs some
    assert at_once(many, 5, 130) == 44  # 44, 44 and 42
    assert at_once(many, 5, 6) == 6


def test_spikes_are_the_same_where_silence_is_left_out():
    """A run in which layers take turns leaves out silent ones; a much longer one does not."""
    x = np.random.default_rng(4).random((5, 6))
    keras = import_keras()
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(8, activation="relu") for _ in range(3)]
    model = keras.Sequential([keras.Input((6,)), *hidden, keras.layers.Dense(3)])
    net = convert(model, calibration=x, code=FirstSpikeExactCode())
    record = {entry.name: ("spikes",) for entry in (*net.spiking_inputs, *net.populations)}
    runs, windows = [], []
    for steps in (net.n_steps, 4 * net.n_steps):
        windows.append(make_plan(net, Settings("array", steps), len(x), 1 << 24).windows)
        runs.append(simulate(net, x, record=record, steps=steps, progress=False))
    assert windows == [True, False]
    for name in record:
        rasters = [run.rasters[name] for run in runs]
        assert len(rasters[0].step) > 0 or name == net.populations[-1].name
        for field in ("image", "step", "neuron"):
            early = [getattr(r, field)[r.step < net.n_steps] for r in rasters]
            np.testing.assert_array_equal(*early)


def test_a_sample_does_not_leak_into_the_next_one():
    net = chain(neurons.IntegrateAndFire(), delays=(9, 9))
    x = np.random.default_rng(3).random((3, 6))
    settings = {"record": dict.fromkeys("abc", ("counts",)), "progress": False, "batch_size": 1}
    together = simulate(net, x, **settings)
    alone = [simulate(net, x[i : i + 1], **settings) for i in range(3)]
    for name in "abc":
        np.testing.assert_array_equal(
            together.counts[name], np.concatenate([r.counts[name] for r in alone])
        )


def test_the_same_seed_gives_the_same_and_another_one_does_not():
    net, x = convolutional("poisson"), np.full((2, 6, 6, 2), 0.5)
    first, again, other = (
        simulate(net, x, record=RECORD, seed=seed, progress=False) for seed in (1, 1, 2)
    )
    assert_same(first, again)
    assert not np.array_equal(first.counts["a"], other.counts["a"])
    assert not np.array_equal(first.counts["a"][0], first.counts["a"][1])


def test_both_precisions_agree_where_sums_are_exact():
    net = convolutional("current")
    x = np.random.default_rng(2).random((4, 6, 6, 2))
    single, double = (
        simulate(net, x, record=RECORD, dtype=dtype, progress=False)
        for dtype in ("float32", "float64")
    )
    assert_same(single, double)
    assert single.traces["b", "v"].dtype == np.float32


def test_outside_the_simulation_jax_keeps_its_precision():
    import jax.numpy as jnp

    net = convolutional("current")
    simulate(net, np.zeros((1, 6, 6, 2)), steps=2, dtype="float64", progress=False)
    assert jnp.zeros(1).dtype == jnp.float32


def test_one_program_serves_all_batches_chunks_and_weights():
    """Partial batches, remainders of steps, other samples and other weights compile nothing."""
    net, rng = convolutional("current"), np.random.default_rng(0)
    settings = {"batch_size": 3, "chunk_bytes": 1 << 14, "progress": False}
    simulate(net, rng.random((3, 6, 6, 2)), steps=37, **settings)
    compiled = run_chunk._cache_size()
    projections = tuple(
        replace(p, operator=p.operator.map_weights(lambda w: w + 0.5)) for p in net.projections
    )
    other = net.replace(projections=projections)
    for network, n_images in ((net, 4), (other, 7)):
        simulate(network, rng.random((n_images, 6, 6, 2)), steps=37, **settings)
    assert run_chunk._cache_size() == compiled
