"""The array simulator against closed forms and plain rules: timing, delays, changes, counts."""

import numpy as np
import pytest
from array_networks import driven, network

from bioconv import neurons
from bioconv.analog.functions import Linear, Softmax
from bioconv.ground.errors import DataError, ParameterError
from bioconv.network import Change, Drive, Input, Population, Projection, Readout
from bioconv.operators import Dense, identity
from bioconv.simulators import simulate

RECORD = {"a": ("counts", "spikes", "v")}


def run(net, x, **options):
    return simulate(net, x, **{"dtype": "float64", "progress": False, **options})


def spike_steps(recording, name, neuron, image=0):
    raster = recording.rasters[name]
    return raster.step[(raster.image == image) & (raster.neuron == neuron)].tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_perfect_integrator_counts_to_the_floor(dtype):
    x = np.array([[0.0, 0.25, 1.0], [-0.5, 0.375, 0.8125], [3.0, 0.5, 0.0625]])
    recording = run(driven(neurons.IntegrateAndFire()), x, record=RECORD, steps=64, dtype=dtype)
    expected = np.floor(64 * np.clip(x, 0, 1))
    np.testing.assert_array_equal(recording.counts["a"], expected)
    np.testing.assert_array_equal(recording.spikes_per_image["a"], expected.sum(axis=1))
    np.testing.assert_array_equal(recording.spikes_per_neuron["a"], expected.sum(axis=0))
    np.testing.assert_allclose(recording.rates("a"), expected / 0.064)
    np.testing.assert_allclose(recording.outputs["y"], expected / 64)


def test_spikes_and_traces_of_a_perfect_integrator_step_by_step():
    recording = run(driven(neurons.IntegrateAndFire()), [[0.5, 0.75, 0.0]], record=RECORD, steps=8)
    assert spike_steps(recording, "a", 0) == [1, 3, 5, 7]  # v reaches 1 at the end of step 1
    assert spike_steps(recording, "a", 1) == [1, 2, 3, 5, 6, 7]
    expected = [0.75, 0.5, 0.25, 0.0, 0.75, 0.5, 0.25, 0.0]  # after the reset
    np.testing.assert_array_equal(recording.traces["a", "v"][0, :, 1], expected)


def test_reset_to_a_value_forgets_the_rest():
    net = driven(neurons.IntegrateAndFire("value"))
    recording = run(net, [[0.5, 0.75, 0.9]], record=RECORD, steps=8)
    assert [spike_steps(recording, "a", n) for n in range(3)] == [[1, 3, 5, 7]] * 3


def test_the_refractory_period_covers_the_next_steps():
    """A spike in step t blocks t + 1 ... t + n: the interval is n + 1 / i."""
    net = driven(neurons.IntegrateAndFire(t_ref=np.array([0.0, 1.0, 4.0])))
    recording = run(net, [[0.5, 0.5, 0.5]], record=RECORD, steps=30)
    for neuron, period in enumerate((0, 1, 4)):
        assert spike_steps(recording, "a", neuron) == list(range(1, 30, 2 + period))


@pytest.mark.parametrize("delay", [1, 2, 7, 40])
@pytest.mark.parametrize("chunk_bytes", [1, 10**9])
def test_a_spike_arrives_after_its_delay(delay, chunk_bytes):
    """Also where the delay is longer than a chunk."""
    cell = neurons.IntegrateAndFire()
    populations = [Population(name, (1,), cell.model) for name in "ab"]
    projection = Projection("a", "b", Dense((1,), np.array([[1.0]])), "syn", delay)
    drive = Drive("x", "a", identity((1,)))
    net = network(populations, [projection], [drive], shape=(1,))
    record = {"a": ("spikes",), "b": ("spikes",)}
    recording = run(net, [[0.25]], record=record, steps=60, chunk_bytes=chunk_bytes)
    sent = spike_steps(recording, "a", 0)
    assert sent == list(range(3, 60, 4))
    assert spike_steps(recording, "b", 0) == [s + delay for s in sent if s + delay < 60]


def test_delta_input_is_lost_while_refractory():
    """The source fires in every step, the target needs one spike and is then blocked for two."""
    source = neurons.IntegrateAndFire()
    target = neurons.IntegrateAndFire(t_ref=2.0)
    populations = [
        Population("a", (1,), source.model),
        Population("b", (1,), target.model, target.parameters),
    ]
    projection = Projection("a", "b", Dense((1,), np.array([[1.0]])), "syn")
    net = network(populations, [projection], [Drive("x", "a", identity((1,)))], shape=(1,))
    recording = run(net, [[1.0]], record={"b": ("spikes", "v")}, steps=12)
    assert spike_steps(recording, "b", 0) == [1, 4, 7, 10]
    np.testing.assert_array_equal(recording.traces["b", "v"], 0.0)


def test_changes_take_effect_at_the_start_of_their_step():
    changes = (
        Change(10, "a", "i_offset", 0.0),
        Change(4, "a", "v", np.array([0.75, 0.0, 0.0])),
        Change(4, "a", "i_offset", np.array([0.25, 0.5, 1.0])),
        Change(6, "a", "v_th", 2.0),
    )
    net = driven(neurons.IntegrateAndFire(), changes=changes)
    recording = run(net, [[0.0, 0.0, 0.5]], record=RECORD, steps=14)
    v, expected = recording.traces["a", "v"][0], np.zeros((14, 3))
    state, fired = np.zeros(3), np.zeros(3)
    for step in range(14):  # the timing contract, written out
        current = np.array([[0.25, 0.5, 1.0], [0.0, 0.0, 0.0]])[int(not 4 <= step < 10)]
        if step == 4:
            state = np.array([0.75, 0.0, 0.0])
        threshold = 2.0 if step >= 6 else 1.0
        state = state + current + np.array([0.0, 0.0, 0.5])  # drives add to the changed value
        spikes = state >= threshold
        state, fired = np.where(spikes, state - threshold, state), fired + spikes
        expected[step] = state
    np.testing.assert_array_equal(v, expected)
    np.testing.assert_array_equal(recording.counts["a"][0], fired)


def test_several_changes_of_one_step_end_with_the_last():
    changes = (Change(2, "a", "v", 5.0), Change(2, "a", "v", 0.5))
    net = driven(neurons.IntegrateAndFire(), changes=changes)
    recording = run(net, [[0.0, 0.0, 0.0]], record=RECORD, steps=4)
    np.testing.assert_array_equal(recording.traces["a", "v"][0, :, 0], [0, 0, 0.5, 0.5])


def test_counts_begin_with_the_first_step_and_spikes_do_not():
    cell = neurons.IntegrateAndFire()
    population = Population("a", (3,), cell.model, start_step=5)
    net = network([population], drives=[Drive("x", "a", identity((3,)))])
    recording = run(net, [[1.0, 0.5, 0.25]], record=RECORD, steps=20, chunk_bytes=1)
    assert recording.counts["a"].tolist() == [[15, 8, 4]]
    assert recording.spikes_per_image["a"].tolist() == [20 + 10 + 5]
    np.testing.assert_allclose(recording.outputs["y"][0], np.array([15, 8, 4]) / 15)
    assert recording.classes["y"][0].tolist() == [-1] * 5 + [0] * 15


def test_the_grid_rounds_currents():
    cell = neurons.IntegrateAndFire()
    drive = Drive("x", "a", identity((3,)), grid=0.25)
    net = network([Population("a", (3,), cell.model)], drives=[drive])
    recording = run(net, [[0.3, 0.4, 0.9]], record=RECORD, steps=8)
    assert recording.counts["a"].tolist() == [[2, 4, 8]]


def test_synaptic_operations_are_spikes_times_fan_out():
    cell = neurons.IntegrateAndFire()
    weights = np.array([[1.0, 0.5, 0.0], [0.0, 0.0, 0.25], [1.0, 1.0, 1.0]])
    populations = [Population("a", (3,), cell.model), Population("b", (3,), cell.model)]
    projection = Projection("a", "b", Dense((3,), weights), "syn")
    net = network(populations, [projection], [Drive("x", "a", identity((3,)))])
    recording = run(net, [[1.0, 0.5, 0.25], [0.0, 1.0, 0.0]], steps=8)
    assert recording.synaptic_operations.tolist() == [8 * 2 + 4 * 1 + 2 * 3, 8]


def test_a_potential_readout_averages_the_input():
    cell = neurons.Integrator()
    net = network(
        [Population("a", (3,), cell.model, scale=np.array(2.0), offset=np.array([0.0, 1.0, 0.0]))],
        drives=[Drive("x", "a", identity((3,)))],
        readouts=(Readout("y", "a", "potential", Softmax()),),
    )
    recording = run(net, [[0.5, -1.0, 0.25]], steps=16)
    expected = np.exp([1.0, -1.0, 0.5])
    np.testing.assert_allclose(recording.outputs["y"][0], expected / expected.sum(), rtol=1e-12)
    assert set(recording.classes["y"][0]) == {0}
    assert recording.spikes_per_image["a"].tolist() == [0]


def test_a_softmax_readout_draws_from_the_softmax():
    cell = neurons.Integrator()
    net = network(
        [Population("a", (3,), cell.model)],
        drives=[Drive("x", "a", identity((3,)))],
        readouts=(Readout("y", "a", "softmax", Linear(), rate=500.0),),
    )
    x, steps = np.array([0.0, 1.0, 2.0]), 4000
    recording = run(net, x[None], steps=steps, seed=3)
    expected = np.exp(x) / np.exp(x).sum()
    spread = np.sqrt(expected * (1 - expected) / (0.5 * steps))
    assert np.all(np.abs(recording.outputs["y"][0] - expected) < 4 * spread)
    again = run(net, x[None], steps=steps, seed=3)
    np.testing.assert_array_equal(recording.outputs["y"], again.outputs["y"])


def test_the_accumulated_potential_competes_in_the_softmax_of_the_paper():
    """Rueckauer 3.5: after t steps the chances are the softmax of t times the input."""
    cell = neurons.Integrator()
    net = network(
        [Population("a", (3,), cell.model)],
        drives=[Drive("x", "a", identity((3,)))],
        readouts=(Readout("y", "a", "accumulated_softmax", Linear(), rate=1000.0),),
    )
    x, steps, trials = np.array([0.0, 0.02, 0.05]), 60, 400
    outputs = run(net, np.tile(x, (trials, 1)), steps=steps, seed=3).outputs["y"]
    chance = np.exp(np.arange(1, steps + 1)[:, None] * x)
    chance /= chance.sum(axis=1, keepdims=True)
    # A trial has about as many spikes as steps, spread over all of them alike.
    spread = np.sqrt((chance * (1 - chance)).mean(axis=0) / steps + chance.var(axis=0) / steps)
    assert np.all(np.abs(outputs.mean(axis=0) - chance.mean(axis=0)) < 5 * spread / trials**0.5)
    assert np.abs(chance.mean(axis=0) - np.exp(x) / np.exp(x).sum()).max() > 0.2


@pytest.mark.parametrize("estimate", ["exponential", "count"])
def test_a_max_gate_lets_only_the_fastest_source_pass(estimate):
    """Against the rule in NumPy, with the estimates after this step's spikes.

    Exponential: the source with the largest estimate (ties: the lowest index) has spiked.
    Count: a spike takes the lead over all that has passed.
    """
    n, steps = 9, 120
    gate = neurons.MaxGate(n, estimate)
    source = neurons.IntegrateAndFire()
    projections = [Projection("a", "b", Dense((n,), np.eye(n)[:, [p]]), f"p{p}") for p in range(n)]
    populations = [Population("a", (n,), source.model), Population("b", (1,), gate.model)]
    net = network(populations, projections, [Drive("x", "a", identity((n,)))], shape=(n,))
    x = np.random.default_rng(5).random((4, n))
    x[3] = 0.25  # all alike: a tie in every step
    record = {"a": ("spikes",), "b": ("spikes",)}
    recording = run(net, x, record=record, steps=steps)
    for image in range(len(x)):
        raster = recording.rasters["a"]
        sent = np.zeros((steps + 1, n))
        of_image = raster.image == image
        sent[raster.step[of_image] + 1, raster.neuron[of_image]] = 1
        rate, expected = np.zeros(n), []
        for step in range(steps):
            rate = rate * (np.exp(-1 / 20) if estimate == "exponential" else 1.0) + sent[step]
            leads = sent[step, np.argmax(rate)]
            if leads if estimate == "exponential" else rate.max() > len(expected):
                expected.append(step)
        assert spike_steps(recording, "b", 0, image) == expected
        if estimate == "count":  # one step later the gate has fired as often as the fastest
            assert len(expected) == sent[:steps].sum(axis=0).max()


def test_recurrent_networks_are_refused():
    cell = neurons.IntegrateAndFire()
    loop = Projection("a", "a", Dense((3,), np.eye(3)), "syn")
    net = network([Population("a", (3,), cell.model)], [loop], [Drive("x", "a", identity((3,)))])
    with pytest.raises(ParameterError, match="recurrent"):
        run(net, [[0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 4)), r"shape \(n_samples, 3\). Received: \(2, 4\)"),
        (np.zeros(3), "shape"),
        (np.zeros((0, 3)), "no sample"),
        ([[0.0, np.nan, 0.0]], "NaN"),
        ([["a", "b", "c"]], "numbers"),
        ({"z": np.zeros((1, 3))}, r"named \['x'\]. Received: \['z'\]"),
    ],
)
def test_bad_data_are_refused(x, message):
    with pytest.raises(DataError, match=message):
        run(driven(neurons.IntegrateAndFire()), x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"simulator": "spice"}, "Valid: array, event, brian2"),
        ({"steps": 0}, "steps must be"),
        ({"steps": 10**12}, "steps must be an integer from 1 to 10,000,000"),
        ({"record": ["a"]}, "record must be a mapping from populations to what is recorded"),
        ({"record": {"a": 5}}, r"record\['a'\] must be a list of names, received 5"),
        ({"steps": 5, "duration": 5.0}, "not both"),
        ({"duration": 2.5}, "whole number of steps"),
        ({"batch_size": 0}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"dtype": "float16"}, "dtype"),
        (
            {"n_steps": 5},
            "no option n_steps for the simulator 'array'. Options: .*chunk_bytes.*steps",
        ),
        ({"codegen": "cython"}, "no option codegen for the simulator 'array'"),
        ({"record": {"q": ("spikes",)}}, "record has no population 'q'"),
        ({"record": {"a": ("spikes", "u")}}, "takes counts, spikes, v, received 'u'"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        run(driven(neurons.IntegrateAndFire()), [[0.0, 0.0, 0.0]], **options)


def test_a_refractory_period_can_change():
    """Spikes in steps 0 and 2 with a period of one step, then in 4, 8 with three."""
    net = driven(neurons.IntegrateAndFire(t_ref=1.0), changes=(Change(4, "a", "t_ref", 3.0),))
    recording = simulate(net, [[1.0, 1.0, 1.0]], duration=12.0, record=RECORD, progress=False)
    assert recording.n_steps == 12 and spike_steps(recording, "a", 0) == [0, 2, 4, 8]


def test_spiking_input_is_counted_and_delivered():
    cell = neurons.IntegrateAndFire()
    projection = Projection("x", "a", Dense((3,), np.eye(3)), "syn", 2)
    net = network(
        [Population("a", (3,), cell.model)], [projection], inputs=(Input("x", (3,), "regular"),)
    )
    record = {"x": ("counts",), "a": ("spikes",)}
    recording = run(net, [[1.0, 0.5, 0.0]], steps=10, record=record)
    assert recording.counts["x"].tolist() == [[10, 5, 0]]
    assert recording.synaptic_operations.tolist() == [15]
    assert spike_steps(recording, "a", 0) == list(range(2, 10))
    assert spike_steps(recording, "a", 1) == [2, 4, 6, 8]
