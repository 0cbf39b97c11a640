"""The structure of the spiking network, checked against the analog network without simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_graphs import affine, graph, layer, mlp, residual

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear, MaxPool, ReLU, Sigmoid, Softmax
from bioconv.codes import RateCode
from bioconv.ground.errors import ConversionError
from bioconv.network import SpikingNetwork
from bioconv.neurons.library.parts import NEVER
from bioconv.operators import AveragePool, Dense, Place, Reshape, Scale, compose, conv, identity

RNG = np.random.default_rng(5)
X = RNG.random((40, 6, 6, 3))


def convert(model: AnalogGraph, calibration: Any = X, **options: Any) -> SpikingNetwork:
    return bc.convert(model, calibration=calibration, code=RateCode(**options))


def inception(rng: np.random.Generator) -> AnalogGraph:
    """Branches of unequal depth and scale that meet in a Concatenate, pooled, and averaged."""
    wide = (6, 6, 4)
    first = conv((6, 6, 3), rng.normal(0, 0.4, (3, 3, 3, 4)), 1, "same")
    small, large = (conv(wide, rng.normal(0, s, (1, 1, 4, 4)), 1, "same") for s in (0.1, 3.0))
    joined = [(name, Place(wide, 2, at, 8)) for name, at in (("small", 0), ("large", 4))]
    mean = compose(AveragePool((3, 3, 8), (3, 3)), Reshape((1, 1, 8), (8,)))
    return graph(
        layer("stem", ReLU(), affine(("x", first), bias=rng.normal(0, 0.1, 4))),
        layer("small", ReLU(), affine(("stem", small), bias=0.01)),
        layer("deep", ReLU(), affine(("stem", identity(wide)))),
        layer("large", ReLU(), affine(("deep", large), bias=0.2)),
        layer("pool", MaxPool((2, 2)), affine(*joined), shape=(3, 3, 8)),
        layer(
            "out", Softmax(), affine(("pool", compose(mean, Dense((8,), rng.normal(size=(8, 5))))))
        ),
        shape=(6, 6, 3),
    )


def analog_of(network: SpikingNetwork, x: np.ndarray) -> dict[str, np.ndarray]:
    """What the network's weights and currents compute if rates were any non-negative number.

    For the default neuron (threshold 1 mV, 1 pF, 1 ms): a weight of 1 mV and a current of 1 pA
    both stand for 1.
    """
    drives: dict[str, Any] = {}
    for entry in network.drives:
        value = np.asarray(entry.operator.apply(x.astype(np.float32)))
        drives[entry.post] = drives.get(entry.post, 0) + value
    later = {c.population: c.value for c in network.changes if c.variable == "i_offset"}
    values: dict[str, Any] = {e.name: x * e.scale for e in network.inputs if e.spikes}
    readouts = {entry.population for entry in network.readouts}
    for population in network.populations:
        into = network.projections_to(population.name)
        if population.model.name.startswith("max_gate"):
            cells = {p.receptor: 0.0 for p in into}
            for p in into:
                cells[p.receptor] = cells[p.receptor] + np.asarray(p.operator.apply(values[p.pre]))
            values[population.name] = np.max(list(cells.values()), axis=0)
            continue
        total = drives.get(population.name, 0.0)
        total = total + later.get(population.name, population.parameters.get("i_offset", 0.0))
        for p in into:
            total = total + np.asarray(p.operator.apply(np.asarray(values[p.pre], np.float32)))
        spiking = population.name not in readouts or population.max_rate is None
        values[population.name] = np.maximum(total, 0) if spiking else total
    return values


def assert_same_as_analog(model: AnalogGraph, network: SpikingNetwork, x: np.ndarray) -> None:
    values = analog_of(network, x)
    exact = model.activations(x, dtype="float64")
    carried: dict[str, Any] = {}
    for population in network.populations:
        if population.layer:
            part = population.scale * values[population.name] + population.offset
            carried[population.layer] = carried.get(population.layer, 0.0) + part
    assert carried
    for name, value in carried.items():
        np.testing.assert_allclose(value, exact[name], rtol=2e-4, atol=2e-4, err_msg=name)
    for readout, output in zip(network.readouts, model.outputs, strict=True):
        population = network.population(readout.population)
        decoded = population.scale * values[population.name] + population.offset
        value = np.asarray(readout.function.apply([np.asarray(decoded, np.float32)]))
        np.testing.assert_allclose(value, exact[output], rtol=2e-3, atol=2e-3)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"percentile": 100, "normalization": "layer"},
    {"percentile": 90.0},
    {"normalization": "none"},
    {"clamp": 0},
    {"clamp": 7, "balance_delays": False},
    {"input": "regular"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("make", [residual, inception])
def test_weight_normalization_changes_nothing_but_units(make: Any, options: dict[str, Any]) -> None:
    """Eq 4.5 with branches that share a scale (mueller 4.2.1): the same analog network."""
    model = make(np.random.default_rng(2))
    assert_same_as_analog(model, convert(model, **options), X)


def test_scales_are_percentiles_of_positive_activations() -> None:
    model = residual(np.random.default_rng(2))
    exact = model.activations(X)
    for name, percentile in (("stem", 99.0), ("inner", 100.0)):
        values = exact[name].astype(np.float64)
        by_layer = convert(model, percentile=percentile, normalization="layer").population(name)
        expected = np.percentile(values[values > 0], percentile)
        np.testing.assert_allclose(by_layer.scale, expected, rtol=1e-6)
        by_channel = convert(model, percentile=percentile, normalization="channel").population(name)
        channels = values.reshape(-1, 4).T
        expected = [np.percentile(c[c > 0], percentile) for c in channels]
        np.testing.assert_allclose(np.ravel(by_channel.scale), expected, rtol=1e-6)


def test_scale_of_a_limited_relu_is_at_most_the_limit() -> None:
    model = graph(
        layer("a", ReLU(max_value=0.3), affine(("x", Scale((6, 6, 3), np.array(2.0))))),
        layer("b", Linear(), affine(("a", identity((6, 6, 3))))),
        shape=(6, 6, 3),
    )
    assert float(convert(model, normalization="none").population("a").scale) == 0.3


def test_silent_layers_and_channels_get_a_defined_scale() -> None:
    bias = np.array([0.1, -10.0, 0.2, 0.0])
    first = conv((6, 6, 3), np.abs(RNG.normal(0, 0.2, (3, 3, 3, 4))), 1, "same")
    silent = Scale((6, 6, 4), np.array(-1.0))
    model = graph(
        layer("a", ReLU(), affine(("x", first), bias=bias)),
        layer("b", ReLU(), affine(("a", silent))),
        layer("out", Linear(), affine(("b", identity((6, 6, 4))))),
        shape=(6, 6, 3),
    )
    network = convert(model, normalization="channel")
    scales = np.ravel(network.population("a").scale)
    assert scales[1] == scales.max()
    assert network.code["silent_channels"] == 1
    assert network.code["silent_layers"] == "b"
    assert float(network.population("b").scale) == 1.0


def test_delays_balance_branches() -> None:
    """A shortcut arrives together with the main path; depth is the longest path."""
    network = convert(residual(np.random.default_rng(2)))
    delays = {(p.pre, p.post): p.delay_steps for p in network.projections}
    assert delays == {
        ("stem", "inner"): 1,
        ("stem", "sum"): 2,
        ("inner", "sum"): 1,
        ("sum", "out"): 1,
    }
    network = convert(residual(np.random.default_rng(2)), balance_delays=False)
    assert {p.delay_steps for p in network.projections} == {1}


@pytest.mark.parametrize("clamp", [0, 1, 4])
def test_layers_start_one_after_the_other(clamp: int) -> None:
    """Mueller Eq 4.4: N(l) = d l."""
    network = convert(residual(np.random.default_rng(2)), clamp=clamp)
    starts = {p.name: p.start_step for p in network.populations}
    assert starts == {"stem": 0, "inner": clamp, "sum": 2 * clamp, "out": 3 * clamp}
    for population in network.populations:
        changes = {c.variable: c for c in network.changes if c.population == population.name}
        assert all(c.step == population.start_step for c in changes.values())
        if population.name == "inner" and clamp == 1:
            assert set(changes) == {"i_offset"}  # nothing can arrive before: v stands still
        if population.name == "inner" and clamp == 4:
            assert set(changes) == {"i_offset", "v", "v_th"}
            assert population.parameters["v_th"] == NEVER
            assert changes["v"].value == population.initial["v"]


def test_gates_do_not_wait() -> None:
    network = convert(inception(np.random.default_rng(2)), clamp=5)
    starts = {p.name: p.start_step for p in network.populations}
    assert starts["large"] == 10
    assert starts["pool"] == 11
    assert starts["out"] == 16


@pytest.mark.parametrize("estimate", ["count", "exponential"])
def test_gates_estimate_as_asked(estimate: str) -> None:
    network = convert(inception(np.random.default_rng(2)), max_pool_estimate=estimate)
    assert network.population("pool").model == bc.neurons.MaxGate(4, estimate).model
    receptors = {p.receptor for p in network.projections_to("pool")}
    assert receptors == {"p0", "p1", "p2", "p3"}


def test_weights_currents_and_potentials_lie_on_the_grid() -> None:
    """Half a multiple off the threshold, whatever averages divide the grid by."""
    network = convert(inception(np.random.default_rng(2)), clamp=3)
    g = 2.0**-30
    for population in network.populations:
        if population.model.name.startswith("max_gate"):
            continue
        weights = [p.operator.edges().weight for p in network.projections_to(population.name)]
        # 9 cells are averaged in front of the output, nothing elsewhere
        fine = g / 9 if population.name == "out" else g
        for weight in weights:
            np.testing.assert_allclose(weight / fine, np.round(weight / fine), atol=1e-4)
        start = float(population.initial["v"]) / fine
        assert start % 1 == pytest.approx(0.5)
    for drive in network.drives:
        assert drive.grid == g


def test_readout_by_count_shifts_signed_outputs() -> None:
    model = mlp(RNG, (6, 12, 4))
    x = RNG.random((50, 6))
    population = convert(model, x, readout="count").population("dense_2")
    lowest, highest = model.predict(x).min(), model.predict(x).max()
    assert lowest < 0
    np.testing.assert_allclose(population.offset, lowest, rtol=1e-5)
    np.testing.assert_allclose(population.scale, highest - lowest, rtol=1e-5)
    assert population.layer == "dense_2"


def test_readout_by_softmax_needs_a_softmax() -> None:
    x = RNG.random((50, 6))
    for competition, kind in (("accumulated", "accumulated_softmax"), ("mean", "softmax")):
        network = convert(
            mlp(RNG, last=Softmax()),
            x,
            readout="softmax",
            readout_rate=500.0,
            competition=competition,
        )
        assert (network.readouts[0].kind, network.readouts[0].rate) == (kind, 500.0)
        assert network.readouts[0].draws
    with pytest.raises(ConversionError, match="not a single softmax.*Use readout 'potential'"):
        convert(mlp(RNG, last=Sigmoid()), x, readout="softmax")


def test_signed_inputs_become_on_and_off_sources() -> None:
    x = RNG.normal(size=(50, 6))
    network = convert(mlp(RNG), x, input="poisson")
    (entry,) = network.inputs
    assert (entry.encoder, entry.signed) == ("poisson", True)
    assert entry.scale == pytest.approx(1 / np.abs(x).max())
    assert network.projections_to("dense_1")[0].operator.in_shape == (2, 6)
    assert not network.drives
    (entry,) = convert(mlp(RNG), np.abs(x), input="regular").inputs
    assert not entry.signed


def test_names_and_record() -> None:
    model = mlp(RNG)
    network = bc.convert(model, calibration=RNG.random((50, 6)), name="my net", seed=3)
    assert network.name == "my_net"
    assert network.code["code"] == "rate"
    assert network.code["calibration_samples"] == 50
    assert network.code["seed"] == 3
    assert all(isinstance(v, str | int | float | bool) for v in network.code.values())
    assert network.analog is model
