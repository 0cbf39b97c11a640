"""The correlative code: units, networks in three simulators, and readout."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import digits
import jax.numpy as jnp
import numpy as np
import pytest
from correlative_networks import CODE, encoder_of, random_graph
from later import later
from sample_networks import images, spiking_network

import bioconv as bc
from bioconv.analog import evaluate
from bioconv.analog.functions import LevelPatterns, PatternDistances, SpikingUnits
from bioconv.analog.spike_patterns import unit_spikes
from bioconv.codes import RateCode
from bioconv.codes.correlative.stack import dense_graph
from bioconv.encoders import SpikeRaster, make, target_patterns
from bioconv.encoders.networks import pack
from bioconv.export.support.readouts import pattern_distances
from bioconv.ground.errors import ConversionError, DataError, ParameterError
from bioconv.measures import van_rossum
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import precision
from bioconv.targets.findings import Verdict

elephant_distances = later("elephant.spike_train_dissimilarity")
quantities = later("quantities")

#: what a spike of one step leaves in another, for a decay of 0.9
KERNEL = np.tril(0.9 ** np.clip(np.subtract.outer(np.arange(30), np.arange(30)), 0, None))
#: populations of the network of `random_graph`
POPULATIONS = ("hidden_1", "hidden_2", "outputs")


@cache
def network_of() -> SpikingNetwork:
    return bc.convert(random_graph(), calibration=digits.train()[:200], code=CODE)


@cache
def recording_of(simulator: str, n: int = 6) -> Recording:
    settings: dict[str, Any] = {"dtype": "float64"} if simulator == "array" else {}
    rasters = encoder_of().encode_each(digits.test(n))
    record = {name: ("spikes",) for name in POPULATIONS}
    return bc.simulate(
        network_of(), rasters, simulator=simulator, record=record, progress=False, **settings
    )


def dense_spikes(recording: Recording, name: str, n: int, n_neurons: int) -> np.ndarray:
    raster = recording.rasters[name]
    found = np.zeros((n, network_of().n_steps, n_neurons), bool)
    found[raster.image, raster.step, raster.neuron] = True
    return found


def test_units_follow_the_equations() -> None:
    """Eqs A.11 and A.12, step by step in plain Python."""
    rng = np.random.default_rng(1)
    current, v_th = rng.normal(0.1, 0.4, (40, 5, 3)), np.array([0.2, 0.5, 0.9])
    with precision("float64"):
        found = np.asarray(unit_spikes(jnp.asarray(current), v_th, 0.8))
        without = np.asarray(unit_spikes(jnp.asarray(current), v_th, 0.0))
    s, chi = np.zeros((5, 3)), np.zeros((5, 3))
    for t in range(40):
        s = current[t] + 0.8 * s * (1 - chi)
        chi = (s >= v_th).astype(float)
        assert np.array_equal(found[t], chi)
    assert 0.1 < found.mean() < 0.9
    assert np.array_equal(without, current >= v_th)


def test_the_encoder_is_the_first_layer() -> None:
    x = digits.test(20)
    graph, encoder = random_graph(), encoder_of()
    first = graph.layers[0]
    assert isinstance(first.function, LevelPatterns)
    found = graph.activations(x, [first.name], dtype="float64")[first.name]
    assert np.array_equal(found, encoder.dense(x))


def test_several_neurons_for_a_value() -> None:
    x = digits.train()[:200]
    encoder = make("cte", {"n_neurons": 2, "n_steps": 50, "interval": 50.0}).fitted(x)
    rng = np.random.default_rng(5)
    weights, thresholds = [rng.normal(0.02, 0.15, (128, 20))], [np.full(20, 0.4)]
    graph = dense_graph(CODE, encoder, weights, thresholds, (8, 8, 1))
    network = bc.convert(graph, calibration=x, code=CODE)
    assert network.inputs[0].shape == (2, 8, 8, 1)
    expected = graph.predict(digits.test(5), dtype="float64")
    for data in (digits.test(5), encoder.encode_each(digits.test(5))):
        found = bc.simulate(network, data, dtype="float64", progress=False)
        np.testing.assert_allclose(found.outputs["distances"], expected, atol=1e-9)


SIMULATORS = ["array", *(pytest.param(s, marks=pytest.mark.slow) for s in ("brian2", "nest"))]


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_spikes_are_those_of_the_equations(simulator: str) -> None:
    """Every spike of every layer, a step later for each layer; the same classes."""
    if simulator == "nest":
        pytest.importorskip("nest")
    n, graph = 6, random_graph()
    recording = recording_of(simulator)
    expected = graph.activations(digits.test(n), POPULATIONS, dtype="float64")
    for depth, name in enumerate(POPULATIONS, 1):
        spikes = dense_spikes(recording, name, n, expected[name].shape[2])
        assert not spikes[:, :depth].any()
        # Layers before the last go on for the steps that it is late.
        assert np.array_equal(spikes[:, depth : depth + 100], expected[name] > 0)
    outputs = graph.predict(digits.test(n), dtype="float64")
    np.testing.assert_allclose(recording.outputs["distances"], outputs, atol=1e-9)
    assert np.array_equal(recording.classes["distances"][:, -1], outputs.argmax(axis=1))


@pytest.mark.slow
def test_spikes_are_equal_in_all_simulators() -> None:
    pytest.importorskip("nest")
    array = recording_of("array")
    for simulator in ("brian2", "nest"):
        other = recording_of(simulator)
        for name in POPULATIONS:
            for part in ("image", "step", "neuron"):
                first, second = (getattr(r.rasters[name], part) for r in (array, other))
                assert np.array_equal(first, second)


def test_distances_are_those_of_the_function() -> None:
    """The readout in NumPy, which accompanies programs, and the analog function in JAX."""
    rng = np.random.default_rng(2)
    spikes, patterns = rng.random((4, 30, 6)) < 0.2, rng.random((3, 30, 6)) < 0.1
    for absolute in (False, True):
        function = PatternDistances(patterns, 0.9, absolute)
        found = np.asarray(function.apply([spikes.astype(np.float32)]))
        total = pattern_distances(
            spikes.astype(float), patterns.astype(float), 0.9, absolute=absolute
        ).sum(axis=2)
        np.testing.assert_allclose(found, -total, rtol=1e-4)
        # Eqs A.15 and A.19 in plain NumPy
        first, second = (KERNEL @ part.astype(float) for part in (spikes, patterns))
        difference = np.abs(first[:, None] - second) ** (1 if absolute else 2)
        np.testing.assert_allclose(total, -np.log(0.9) * difference.sum(axis=(2, 3)))


def test_distances_are_those_of_elephant() -> None:
    """Elephant integrates over continuous time; the sum over steps differs by a known factor."""
    neo = pytest.importorskip("neo")
    rng = np.random.default_rng(3)
    tau, end = 20.0, 1000.0
    dense = rng.random((3, 100, 1)) < 0.1
    rasters = [
        SpikeRaster.from_dense(np.concatenate([one, np.zeros((900, 1), bool)]), 1.0)
        for one in dense
    ]
    found = van_rossum(rasters, rasters, tau=tau)
    trains = [neo.SpikeTrain(r.time, units="ms", t_stop=end) for r in rasters]
    theirs = elephant_distances.van_rossum_distance(trains, time_constant=tau * quantities.ms)
    # The sum of exp(-2 t / tau) over steps instead of its integral, and Elephant's factor of 2.
    factor = 1.0 / (tau * (1.0 - np.exp(-2.0 / tau)))
    np.testing.assert_allclose(found, factor * theirs**2, atol=1e-9)
    assert found[0, 1] > 1.0


def test_wrong_rasters_have_no_distance() -> None:
    one, other = SpikeRaster([0], [1.0], (1,), 5.0), SpikeRaster([0], [1.0], (2,), 5.0)
    with pytest.raises(DataError, match="same shape and duration"):
        van_rossum([one], [other], tau=5.0)
    with pytest.raises(ParameterError, match="tau must be a number above 0"):
        van_rossum([one], [one], tau=0.0)


def test_classes_over_time_are_those_of_the_part_of_the_patterns() -> None:
    recording, graph = recording_of("array"), random_graph()
    spikes = graph.activations(digits.test(6), ["outputs"], dtype="float64")["outputs"]
    goals = graph.layers[-1].function.patterns  # type: ignore[attr-defined]
    each = pattern_distances(spikes, goals.astype(float), CODE.readout_decay)
    points = recording.checkpoints
    for index, point in enumerate(points):
        if point > 3:
            best = each[:, :, : point - 3].sum(axis=2)
            assert np.isclose(
                np.take_along_axis(best, recording.classes["distances"][:, index, None], 1)[:, 0],
                best.min(axis=1),
            ).all()


def test_classes_are_those_of_the_patterns_not_of_the_neurons() -> None:
    recording, n = recording_of("array"), 6
    y = np.arange(n) % len(network_of().readouts[0].patterns)
    found = bc.measures.confusion(network_of(), recording, y)
    n_classes = recording.outputs["distances"].shape[1]
    assert found is not None
    assert found.shape == (n_classes, n_classes + 1)
    assert found.sum() == n
    assert np.trace(found) == np.sum(recording.predictions() == y)
    one_hot = bc.measures.labels_of(network_of(), np.eye(n_classes, dtype=int)[y], n)
    assert np.array_equal(one_hot, y)


def test_samples_are_encoded_by_the_network() -> None:
    """The network knows its encoder, so that it takes samples as well as rasters."""
    found = bc.simulate(network_of(), digits.test(6), dtype="float64", progress=False)
    assert np.array_equal(found.outputs["distances"], recording_of("array").outputs["distances"])
    assert network_of().code["expected_agreement"] == 1.0


def test_targets_take_what_simulations_take(tmp_path: Path) -> None:
    """Samples and rasters; the classes of the analog network are those of the same spikes."""
    x = digits.test(6)
    rasters = encoder_of().encode_each(x)
    for data in (x, rasters):
        report = bc.examine(network_of(), "brian2", data, progress=False)
        assert [measured.agreement for measured in report.measured] == [1.0] * len(report.measured)
        assert report.measured and report.measured[0].n_images == 6
        assert bc.emit(network_of(), tmp_path / "program", "brian2", data)
    for call in (bc.simulate, partial(bc.examine, target="brian2")):
        with pytest.raises(DataError, match=r"samples of shape \(n_samples, 8, 8, 1\), spike"):
            call(network_of(), x=np.ones((2, 5, 5)), progress=False)
    with pytest.raises(DataError, match="the analog network takes no spikes"):
        rated = bc.convert(
            spiking_network().analog, calibration=images(200), code=RateCode(input="regular")
        )
        spikes = SpikeRaster([0], [1.0], rated.inputs[0].spike_shape, 20.0)
        bc.examine(rated, "brian2", [spikes], progress=False)


def test_rasters_have_the_steps_of_the_patterns() -> None:
    for rasters in (
        replace(encoder_of(), interval=50.0).encode_each(digits.test(2)),
        make("ecte", {"n_levels": 6, "n_steps": 150, "interval": 150.0}).encode_each(
            digits.test(2)
        ),
    ):
        with pytest.raises(DataError, match="patterns of 100 steps of 1 ms, 100 ms in all"):
            bc.simulate(network_of(), rasters, progress=False)


@pytest.mark.parametrize("k", [8, 9])
def test_packed_rasters_are_no_samples(k: int) -> None:
    """A sample of shape (k, 2) and a list of k spikes have the same shape."""
    x = np.random.default_rng(6).uniform(0.1, 1.0, (30, k, 2))
    encoder = make("cte", {"n_steps": 50, "interval": 50.0}).fitted(x)
    rng = np.random.default_rng(7)
    graph = dense_graph(CODE, encoder, [rng.normal(0, 0.3, (2 * k, 4))], [np.full(4, 0.4)], (k, 2))
    network = bc.convert(graph, calibration=x, code=CODE)
    few = [SpikeRaster(np.arange(k), np.arange(1.0, k + 1), (k, 2), 50.0)] * 3
    dense = np.stack([raster.to_dense(1.0).reshape(50, -1) for raster in few])
    expected = evaluate(graph, x[:3], replace={graph.layers[0].name: dense})
    found = bc.simulate(network, few, dtype="float64", progress=False)
    np.testing.assert_allclose(found.outputs["distances"], expected["distances"], rtol=1e-5)
    report = bc.examine(network, "brian2", few, progress=False)
    assert report.measured[0].agreement == 1.0
    with pytest.raises(DataError, match="may be samples or packed rasters"):
        bc.simulate(network, pack(few, 1.0), progress=False)
    exact = bc.simulate(network, x, dtype="float64", progress=False).outputs["distances"]
    np.testing.assert_allclose(exact, graph.predict(x, dtype="float64"), atol=1e-9)


def test_spinnaker_has_the_neurons() -> None:
    """All are IF_curr_delta; one without memory, whose leak leaves nothing, is no approximation."""
    report = bc.examine(network_of(), "spinnaker")
    assert all(finding.verdict is not Verdict.IMPOSSIBLE for finding in report.findings)
    (leak,) = [f for f in report.findings if (f.part, f.aspect) == ("outputs", "tau_m")]
    assert leak.error == 0.0


def test_networks_come_back_from_files(tmp_path: Path) -> None:
    network_of().save(tmp_path / "net.h5")
    loaded = SpikingNetwork.load(tmp_path / "net.h5")
    rasters = encoder_of().encode_each(digits.test(6))
    found = bc.simulate(loaded, rasters, dtype="float64", progress=False)
    assert np.array_equal(found.outputs["distances"], recording_of("array").outputs["distances"])
    readout = loaded.readouts[0]
    assert readout.patterns.dtype == bool and readout.decay == CODE.readout_decay


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patterns": np.ones((2, 5, 4), bool)}, "has 3 neurons. Received: \\(2, 5, 4\\)"),
        ({"patterns": np.zeros((0, 5, 3), bool)}, "patterns must have the shape"),
        ({"patterns": np.ones((2, 5, 3))}, "patterns must be bool, not float64"),
        ({"decay": 1.0}, "decay must be above 0 and below 1"),
    ],
)
def test_wrong_readouts_are_refused(changes: dict[str, Any], message: str) -> None:
    readout = replace(
        spiking_network().readouts[0], kind="pattern", patterns=np.ones((2, 5, 3), bool), decay=0.9
    )
    spiking_network(readouts=(readout,))
    with pytest.raises(ConversionError, match=message):
        spiking_network(readouts=(replace(readout, **changes),))


def test_other_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="trained to emit spike patterns"):
        bc.convert(spiking_network().analog, calibration=images(200), code=CODE)
    with pytest.raises(ParameterError, match="target patterns determine the duration"):
        bc.convert(random_graph(), calibration=digits.train()[:200], code=CODE, n_steps=50)
    with pytest.raises(ParameterError, match="needs an encoder with spike patterns"):
        dense_graph(CODE, make("count"), [], [], (8, 8, 1))
    with pytest.raises(ParameterError, match="weights must have the shapes"):
        dense_graph(CODE, encoder_of(), [np.ones((3, 20))], [np.ones(20)], (8, 8, 1))
    with pytest.raises(ParameterError, match="v_th must be positive"):
        SpikingUnits(np.ones((2, 1)), np.zeros(1), 0.5)


def test_edge_input_is_refused() -> None:
    for changes in ({"decay": 0.7}, {"tau": 40.0}, {"multiplication_free": True}):
        with pytest.raises(ParameterError, match="trained with other options"):
            other = replace(CODE, **changes)  # type: ignore[arg-type]
            bc.convert(random_graph(), calibration=digits.train()[:200], code=other)
    with pytest.raises(ParameterError, match="target_seed"):
        other = replace(CODE, target_seed=1)
        bc.convert(random_graph(), calibration=digits.train()[:200], code=other)
    for edges in (((0.5, 0.2),), ((0.1, 0.2, 0.3),)):
        with pytest.raises(ParameterError, match="at most n_levels - 1 = 2 numbers"):
            make("cte", {"n_levels": 3, "edges": edges})
    with pytest.raises(ParameterError, match="n_classes=0"):
        target_patterns(0, 2, 50)
    raster = SpikeRaster([0], [1.0], (1,), 5.0)
    for tau, message in ((1e-4, "comparable with dt"), ("5", "tau must be a number above 0 ms")):
        with pytest.raises(ParameterError, match=message):
            van_rossum([raster], [raster], tau=tau)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="expects lists of rasters"):
        van_rossum(raster, raster, tau=5.0)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="decay must be above 0 and below 1"):
        PatternDistances(np.ones((2, 5, 3), bool), 1.0)
    with pytest.raises(ParameterError, match="expected spikes of the shape"):
        PatternDistances(np.ones((2, 5, 3), bool), 0.9).apply([np.ones((4, 6, 3))])


def test_representable_values_are_those_of_the_encoder() -> None:
    with pytest.raises(ParameterError, match="depends on the encoder"):
        CODE.encode(np.linspace(0.0, 1.0, 101), 100)
