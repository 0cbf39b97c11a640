"""The population code: neurons count what the thresholds say, layer by layer."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from small_graphs import affine, graph, layer

import bioconv as bc
from bioconv import noise, recurrent
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import LSTM, Function, Linear, MaxPool, ReLU, Sigmoid, Tanh
from bioconv.codes.population.copies import gather, lifted, spread
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.measures import decode
from bioconv.network.storage import load_network
from bioconv.network.storage.seal import seal
from bioconv.neurons.language import roles
from bioconv.operators import (
    AveragePool,
    Broadcast,
    Chain,
    Crop,
    Dense,
    Operator,
    Pad,
    Permute,
    Place,
    Reshape,
    Upsample,
    WindowCell,
    compose,
    conv,
    fan_out,
    identity,
    n_synapses,
)

RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (20, 6))
B = RNG.normal(0, 1, 7)
W = [RNG.normal(0, 1, shape) for shape in ((6, 8), (8, 7), (8, 4), (7, 4))]


def _branches() -> AnalogGraph:
    """Sigmoid, tanh behind it, and an output that takes both: delays must be balanced."""
    return graph(
        layer("a", Sigmoid(), affine(("x", Dense((6,), W[0])), bias=0.3)),
        layer("b", Tanh(), affine(("a", Dense((8,), W[1])), bias=B)),
        layer(
            "out",
            Linear(),
            affine(("a", Dense((8,), W[2])), ("b", Dense((7,), W[3])), bias=-0.5),
        ),
        shape=(6,),
    )


def _run(net: bc.SpikingNetwork, x: np.ndarray) -> bc.Recording:
    record = {p.name: ("spikes", "counts") for p in net.populations if p.model.threshold}
    return bc.simulate(net, x, record=record, dtype="float64", progress=False)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "placement": "random",
            "curve": "normal",
            "sigma": "thesis",
            "inhibition": "independent",
        },
    ],
    ids=["quantile", "random"],
)
def test_neurons_fire_as_the_counting_functions_say(options: dict) -> None:
    """The same thresholds as `recurrent.populate` with this seed: every count is the same."""
    net = bc.convert(_branches(), calibration=X, code=bc.PopulationCode(n=40, **options), seed=4)
    recording = _run(net, X)
    counted = recurrent.populate(_branches(), recurrent.Placement(40, **options), seed=4)
    expected = recurrent.counts(counted, X, dtype="float64")
    assert set(expected) == {"a", "b", "b/inhibitory"}
    for place, counts in expected.items():
        name = place.replace("/", "_")
        found = recording.counts[name].reshape(20, -1, 40).sum(axis=-1)
        np.testing.assert_array_equal(found, counts)
    outputs = counted.predict(X, dtype="float64")
    np.testing.assert_allclose(recording.outputs["out"], outputs, atol=1e-7)
    for name in ("a", "b"):
        values = counted.activations(X, [name], dtype="float64")[name]
        np.testing.assert_allclose(decode(net, recording, name), values, atol=1e-12)


def test_a_layer_speaks_in_one_step_and_a_neuron_once() -> None:
    net = bc.convert(_branches(), calibration=X, code=bc.PopulationCode(n=10), n_steps=9)
    recording = _run(net, X)
    assert (net.code["latency_steps"], net.n_steps) == (3, 9)
    for name, step in (("a", 0), ("b", 1), ("b_inhibitory", 1)):
        assert set(recording.rasters[name].step) == {step}
        assert recording.counts[name].max() == 1
    # What is said after the latency stays: nobody speaks any more.
    short = bc.convert(_branches(), calibration=X, code=bc.PopulationCode(n=10))
    np.testing.assert_array_equal(recording.outputs["out"], _run(short, X).outputs["out"])
    with pytest.raises(ParameterError, match="complete after 3 steps"):
        bc.convert(_branches(), calibration=X, code=bc.PopulationCode(n=10), n_steps=2)


def test_relu_is_what_the_oracle_says() -> None:
    """Evenly spaced thresholds: the activation in whole n-ths of the largest one."""
    net = bc.convert(
        graph(
            layer("a", ReLU(), affine(("x", Dense((6,), W[0])), bias=0.1)),
            layer("out", Linear(), affine(("a", Dense((8,), W[2])))),
            shape=(6,),
        ),
        calibration=X,
        code=bc.PopulationCode(n=25, percentile=95.0, normalization="layer"),
    )
    exact = np.maximum(X @ W[0] + 0.1, 0)
    scale = float(np.max(net.population("a").scale)) * 25
    assert 0.2 < (exact > scale).mean() * 10 < 1.0  # some are above the largest that can be said
    spoken = scale * bc.PopulationCode(n=25).encode(exact / scale, 1)
    np.testing.assert_allclose(decode(net, _run(net, X), "a"), spoken, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "padding"),
    [
        pytest.param(ReLU(), ((0, 0), (0, 0)), marks=pytest.mark.slow),
        (Tanh(), ((1, 1), (0, 1))),
    ],
    ids=["relu", "tanh_padded"],
)
def test_maximum_of_counts_is_exact_with_quantiles(function: Function, padding: tuple) -> None:
    """The k-th gate passes on the k-th spikes: the count is the largest count of the window."""
    rng = np.random.default_rng(2)
    kernel = rng.normal(0, 0.6, (3, 3, 2, 3))
    pool = MaxPool((2, 2), (2, 2), padding)
    pooled = pool.out_shape([(4, 4, 3)])
    first = layer("a", function, affine(("x", conv((4, 4, 2), kernel, 1, "same")), bias=-0.2))
    flat = compose(
        Reshape(pooled, (int(np.prod(pooled)),)),
        Dense((int(np.prod(pooled)),), rng.normal(0, 1, (int(np.prod(pooled)), 2))),
    )
    net = bc.convert(
        graph(
            first,
            layer("pool", pool, affine(("a", identity((4, 4, 3)))), shape=pooled),
            layer("out", Linear(), affine(("pool", flat))),
            shape=(4, 4, 2),
        ),
        calibration=rng.normal(0, 1, (50, 4, 4, 2)),
        code=bc.PopulationCode(n=12, normalization="layer"),
    )
    recording = _run(net, rng.normal(0, 1, (10, 4, 4, 2)))
    before = decode(net, recording, "a")
    after = np.asarray(pool.apply([before]))
    np.testing.assert_allclose(decode(net, recording, "pool"), after, atol=1e-5)


def test_gates_are_no_devices_also_in_old_files(tmp_path: Path) -> None:
    """Up to version 4 of the files gates had the model of the neurons."""

    def older(_: str, group: h5py.Group | h5py.Dataset) -> None:
        if group.attrs.get("class") == b"NeuronModel":
            del group.attrs["kind"]
            if group.attrs["name"] == b"threshold_gate":
                group.attrs["name"] = np.bytes_(b"threshold")

    pool = MaxPool((2, 2), (2, 2), ((0, 0), (0, 0)))
    net = bc.convert(
        graph(
            layer("a", ReLU(), affine(("x", identity((4, 4, 2)))), shape=(4, 4, 2)),
            layer("pool", pool, affine(("a", identity((4, 4, 2)))), shape=(2, 2, 2)),
            layer("out", Linear(), affine(("pool", identity((2, 2, 2)))), shape=(2, 2, 2)),
            shape=(4, 4, 2),
        ),
        calibration=np.random.default_rng(0).normal(0, 1, (20, 4, 4, 2)),
        code=bc.PopulationCode(n=3),
    )
    kinds = {p.name: p.model.kind for p in net.populations}
    assert kinds == {"a": roles.SPIKING, "pool": roles.MAX_GATE, "out": roles.READOUT}
    net.save(path := tmp_path / "net.h5")
    with h5py.File(path, "r+") as file:
        file.visititems(older)
        file.attrs.modify("format_version", 4)
    seal(path)
    old = load_network(path)
    assert {p.name: p.model.kind for p in old.populations} == kinds
    for network in (net, old):
        chip = noise.disturb(network, noise.Mismatch("threshold", 0.2))
        changed = [
            not np.array_equal(p.values("v_th"), network.population(p.name).values("v_th"))
            for p in chip.populations[:2]
        ]
        assert changed == [True, False]


def test_average_pooling_goes_between_units_and_neurons() -> None:
    rng = np.random.default_rng(3)
    mean = AveragePool((4, 4, 2), (3, 3), (1, 1), ((1, 1), (1, 1)))
    net = bc.convert(
        graph(
            layer("a", Sigmoid(), affine(("x", identity((4, 4, 2))))),
            layer("b", Sigmoid(), affine(("a", mean), bias=-0.4)),
            layer("out", Linear(), affine(("b", identity((4, 4, 2))))),
            shape=(4, 4, 2),
        ),
        calibration=rng.normal(0, 1, (9, 4, 4, 2)),
        code=bc.PopulationCode(n=300),
    )
    x = rng.normal(0, 1, (5, 4, 4, 2))
    exact = net.analog.predict(x, dtype="float64")
    # Half a neuron of each of two layers; a sigmoid has at most the slope 1/4.
    np.testing.assert_allclose(_run(net, x).outputs["out"], exact, atol=0.5 / 300 * 1.25 + 1e-6)


def test_synapses_between_populations_are_counted_without_writing_them_out() -> None:
    """All to all between the neurons of two units: n² for every weight of the layer."""
    kernel = np.random.default_rng(4).normal(0, 1, (3, 3, 2, 3))
    for operator in (
        Dense((5,), np.eye(5, 4)),
        conv((4, 4, 2), kernel, 2, "same"),
        compose(
            AveragePool((4, 4, 2), (2, 2)), Reshape((2, 2, 2), (8,)), Dense((8,), np.eye(8, 3))
        ),
    ):
        whole = compose(gather(operator.in_shape, 6), operator, spread(operator.out_shape, 7))
        edges = whole.edges()
        np.testing.assert_array_equal(fan_out(whole), np.bincount(edges.pre, minlength=whole.n_in))
        assert n_synapses(whole) == len(edges) == 42 * n_synapses(operator)


@pytest.mark.parametrize(
    "operator",
    [
        Reshape((2, 6), (3, 4)),
        Permute((2, 3, 4), (2, 0, 1)),
        Pad((2, 3), ((1, 0), (0, 2))),
        Crop((4, 3), ((1, 1), (0, 1))),
        Place((2, 3), 1, 2, 7),
        Upsample((2, 3), (2, 1)),
        Broadcast((3,), (2, 3)),
        WindowCell((4, 4, 3), (2, 2), (2, 2), ((0, 1), (1, 0)), 3),
        Chain((Pad((2, 3), ((1, 0), (0, 2))), Reshape((3, 5), (15,)))),
    ],
    ids=lambda operator: type(operator).__name__,
)
def test_lifted_operators_move_the_kth_neurons(operator: Operator) -> None:
    x = np.random.default_rng(1).normal(0, 1, (2, *operator.in_shape, 5))
    each = [np.asarray(operator.apply(x[..., k])) for k in range(5)]
    found = np.asarray(lifted(operator, 5).apply(x))
    np.testing.assert_array_equal(found, np.stack(each, axis=-1))


def test_random_thresholds_are_of_the_seed() -> None:
    def thresholds(seed: int, placement: str) -> np.ndarray:
        code = bc.PopulationCode(n=5, placement=placement)
        net = bc.convert(_branches(), calibration=X, code=code, seed=seed)
        return np.asarray(net.population("a").parameters["v_th"])

    assert thresholds(0, "random").shape == (8, 5)
    assert np.array_equal(thresholds(0, "random"), thresholds(0, "random"))
    assert not np.array_equal(thresholds(0, "random"), thresholds(1, "random"))
    assert np.array_equal(thresholds(0, "quantile"), thresholds(1, "quantile"))


def test_what_cannot_be_carried_is_refused_at_once() -> None:
    with pytest.raises(ParameterError) as wrong:
        bc.PopulationCode(n=0, placement="grid", percentile=0, normalization="neuron")
    for option in ("n must", "placement must", "percentile must", "normalization must"):
        assert option in str(wrong.value)
    cell = LSTM(np.zeros((6, 16)), np.zeros((4, 16)))
    recurrent = graph(
        layer("lstm", cell, affine(("x", identity((3, 6)))), shape=(4,)),
        layer("out", Linear(), affine(("lstm", Dense((4,), np.eye(4))))),
        shape=(3, 6),
    )
    with pytest.raises(ConversionError, match=r"lstm \(LSTM\)"):
        bc.convert(recurrent, calibration=X[:18].reshape(6, 3, 6), code=bc.PopulationCode())
