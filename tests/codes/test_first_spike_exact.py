"""The exact first-spike code, against Keras, the thesis's equations and the analog network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from exact_networks import convert, most_spikes, run
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import affine, graph, layer, mlp, residual
from some_variants import some

import bioconv as bc
from bioconv.analog.functions import Linear, MaxPool, ReLU
from bioconv.codes import FirstSpikeExactCode
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.operators import Dense, conv, identity

RNG = np.random.default_rng(3)
#: the whole family
FAMILY: tuple[dict[str, Any], ...] = (
    {},
    {"slope": "positive"},
    {"slope": "identical"},
    {"ramp": "own"},
    {"threshold": "constant"},
    {"threshold": "falling"},
    {"inactive": "silent"},
    {"normalization": "none"},
    {"slope": "identical", "ramp": "own", "inactive": "silent"},
    {"slope": "positive", "threshold": "falling", "inactive": "silent"},
)


def early_spikes(recording: Recording) -> int:
    """Spikes before the window of their population opens."""
    pairs = [(recording.spikes_per_image[name], c) for name, c in recording.counts.items()]
    return int(sum(total.sum() - late.sum() for total, late in pairs))


@pytest.mark.parametrize("options", some(FAMILY, every=2), ids=str)
def test_every_member_of_the_family_is_exact(options: dict[str, Any]) -> None:
    """Thesis 2.2.3: the mappings differ, what they compute does not."""
    model = residual(np.random.default_rng(2))
    x = RNG.uniform(-0.5, 1, (30, 6, 6, 3))
    network = convert(model, x, **options)
    recording = run(network, x)
    exact = model.predict(x, dtype="float64")
    np.testing.assert_allclose(
        recording.outputs["out"], exact, rtol=0, atol=1e-6 * np.abs(exact).max()
    )
    assert most_spikes(recording) == 1
    assert early_spikes(recording) == 0


@pytest.mark.parametrize("options", [{}, {"inactive": "silent"}, {"threshold": "falling"}], ids=str)
def test_spike_times_are_activations(options: dict[str, Any]) -> None:
    """Eq 3.5: t_max - t is the scaled activation, times the time unit."""
    model = mlp(np.random.default_rng(0))
    x = RNG.random((40, 6))
    network = convert(model, x, **options)
    recording = run(network, x)
    exact = model.activations(x, dtype="float64")
    for name in ("dense_1", "dense_2"):
        population, raster = network.population(name), recording.rasters[name]
        found = np.zeros(exact[name].shape)
        close = float(np.asarray(population.parameters["t_close"]))
        assert raster.time is not None
        found[raster.image, raster.neuron] = close - raster.time
        value = found / network.code["time_unit"] * population.scale
        np.testing.assert_allclose(value, exact[name], atol=1e-6)
        active = int(np.count_nonzero(exact[name] > 1e-6))
        silent = options.get("inactive") == "silent"
        assert len(raster.time) == (active if silent else exact[name].size)


@pytest.mark.parametrize("options", (FAMILY[0], *FAMILY[5:7], FAMILY[8]), ids=str)
def test_grid_is_near_the_closed_form(options: dict[str, Any]) -> None:
    """Given the spikes that arrive on the grid, a spike is at the nearest step."""
    model = mlp(np.random.default_rng(5), (6, 12, 4))
    x = np.round(RNG.random((40, 6)) * 80) / 80  # input that falls on steps of 0.125 ms
    network = convert(model, x, **options, input_range=(0.0, 1.0))
    grid, exact = run(network, x, "array"), run(network, x, "event")
    a, b = grid.rasters["dense_1"], exact.rasters["dense_1"]
    assert b.time is not None
    steps = np.full((2, 40, 12), np.inf)
    steps[0, a.image, a.neuron] = a.step + 1.0
    steps[1, b.image, b.neuron] = b.time / network.dt
    both = np.isfinite(steps).all(axis=0)
    assert both.sum() >= 0.9 * len(b.time)
    assert np.abs(steps[0][both] - steps[1][both]).max() <= 0.5 + 1e-6
    # A spike that rounding takes to the end of the window is none where silence is zero.
    close = float(np.asarray(network.population("dense_1").parameters["t_close"])) / network.dt
    alone = np.isfinite(steps).sum(axis=0) == 1
    assert (close - np.min(steps, axis=0)[alone] <= 0.5 + 1e-6).all()


@pytest.mark.slow
def test_error_of_the_grid_falls_with_the_step_in_first_order() -> None:
    """Every spike is off by up to half a step, and outputs add up such errors."""
    model = mlp(np.random.default_rng(1), (8, 30, 20, 5))
    x = RNG.random((40, 8))
    exact = model.predict(x, dtype="float64")
    errors = []
    for dt in (0.5, 0.25, 0.125):
        network = bc.convert(model, calibration=x, code=FirstSpikeExactCode(), dt=dt)
        outputs = run(network, x, "array").outputs["dense_3"]
        errors.append(float(np.sqrt(np.mean((outputs - exact) ** 2))))
    order = -np.polyfit(np.arange(3), np.log2(errors), 1)[0]
    assert 0.8 < order < 1.2


@pytest.mark.parametrize("percentile", [99.0, 92.0, 75.0])
@pytest.mark.parametrize("normalization", ["none", "layer"])
def test_windows_by_percentile_clip_larger_activations(
    percentile: float, normalization: str
) -> None:
    """Thesis 3.6.3 (iv): a window holds so much of the outputs of the layer, zeros included;
    neurons with a larger activation fire as it opens."""
    model = mlp(np.random.default_rng(1), (8, 30, 5))
    x = RNG.random((200, 8))
    options = {"slope": "identical", "zeta": 0.0, "normalization": normalization}
    network = convert(model, x, percentile=percentile, **options)
    layer = network.population("dense_1")
    exact = model.activations(x, dtype="float64")["dense_1"]
    longest = np.percentile(exact, percentile)
    unit = float(network.code["time_unit"])
    opens, closes = (float(np.max(layer.parameters[name])) for name in ("t_open", "t_close"))
    scale = np.unique(layer.scale).item()
    in_time = longest / scale * unit
    assert in_time - 1e-4 <= closes - opens <= in_time + network.dt
    if normalization == "layer":  # 1 at the percentile
        assert scale == pytest.approx(longest, rel=1e-5)
    raster = run(network, x).rasters["dense_1"]
    assert raster.time is not None
    decoded = np.zeros_like(exact)
    decoded[raster.image, raster.neuron] = (closes - raster.time) / unit * scale
    reach = (closes - opens) / unit * scale
    np.testing.assert_allclose(decoded, np.minimum(exact, reach), atol=1e-6)
    assert (exact > reach).any()


def test_the_percentile_100_is_the_largest_activation() -> None:
    model, x = residual(np.random.default_rng(2)), RNG.random((20, 6, 6, 3))
    lengths = [convert(model, x, percentile=p).n_steps for p in (100.0, 99.99999, 90.0)]
    assert lengths[0] == lengths[1] > lengths[2]


def test_premature_spikes_happen_and_are_counted() -> None:
    """Late inhibition: the first input alone takes the neuron over its threshold."""
    weights = Dense((2,), np.array([[1.0], [-4.0]]))
    model = graph(
        layer("a", ReLU(), affine(("x", weights), bias=0.2)),
        layer("out", Linear(), affine(("a", identity((1,))))),
        shape=(2,),
    )
    calibration = np.array([[0.1, 0.5], [0.0, 0.0], [1.0, 1.0]])
    x = np.array([[1.0, 0.19], [0.0, 0.0], [0.3, 0.0]])
    options = {"threshold": "constant", "normalization": "none", "zeta": 0.0}
    network = convert(model, calibration, **options, input_range=(0.0, 1.0))
    event, grid = run(network, x), run(network, x, "array")
    assert early_spikes(event) > 0
    assert early_spikes(event) == early_spikes(grid)
    assert most_spikes(event) == most_spikes(grid) == 1
    a, b = event.rasters["a"], grid.rasters["a"]
    assert a.time is not None
    np.testing.assert_allclose(a.time / network.dt, b.step + 1, atol=1.0)
    held = convert(model, calibration, **{**options, "threshold": "held"}, input_range=(0.0, 1.0))
    assert early_spikes(run(held, x)) == 0


def test_no_neuron_ever_falls_with_positive_slope() -> None:
    """Eq 2.4, whatever the order of spikes: alpha exceeds the sum of all negative weights."""
    model = residual(np.random.default_rng(4))
    x = RNG.random((20, 6, 6, 3))
    network = convert(model, x, slope="positive")
    constant = convert(model, x, slope="constant")
    assert min(_lowest_slopes(network)) > 0 > min(_lowest_slopes(constant))


def _lowest_slopes(network: SpikingNetwork) -> list[float]:
    lowest = []
    for name in ("stem", "inner", "sum"):
        total = np.zeros(network.population(name).n_neurons)
        for projection in network.projections_to(name):
            edges = projection.operator.edges()
            np.add.at(total, edges.post, np.minimum(edges.weight, 0.0))
        alpha = np.asarray(network.population(name).parameters["i_offset"])
        lowest.append(float((alpha.ravel() + total).min()))
    return lowest


def test_constant_slope_has_the_weights_of_the_thesis() -> None:
    """Eqs 2.3, 2.16, 2.18, 2.25-2.27 for one dense layer, written out."""
    w = RNG.normal(0.3, 0.5, (6, 5))
    b = RNG.normal(0, 0.1, 5)
    model = graph(
        layer("a", ReLU(), affine(("x", Dense((6,), w)), bias=b)),
        layer("out", Linear(), affine(("a", identity((5,))))),
        shape=(6,),
    )
    x = RNG.random((50, 6))
    network = convert(model, x, normalization="none", zeta=0.5, input_range=(0.0, 1.0))
    c = w.sum(axis=0)
    scale = np.maximum(np.maximum(1.0, c / 0.9), -c / 10.0)
    scaled, bias = w / scale, b / scale
    expected = scaled / (1 - scaled.sum(axis=0))
    found = network.projections_to("a")[0].operator.matrix().toarray()
    np.testing.assert_allclose(found, expected, atol=1e-8)
    p = network.population("a").parameters
    unit = network.code["time_unit"]
    window = float(p["t_close"]) - float(p["t_open"])
    largest = (np.maximum(x @ w + b, 0) / scale).max()
    assert abs(window - 1.5 * largest * unit) <= network.dt
    j = expected.sum(axis=0)
    rise = float(p["t_close"]) - float(p["t_start"])
    threshold = rise + window * j - (1 + j) * bias * unit
    np.testing.assert_allclose(p["v_th"], threshold, atol=1e-6)


def test_zero_padding_fires_at_the_end_of_the_window() -> None:
    """Neurons at the border have the same kernel, and the weights they miss as a current."""
    kernel = RNG.normal(0.1, 0.3, (3, 3, 2, 4))
    operator = conv((5, 5, 2), kernel, 1, "same")
    model = graph(
        layer("a", ReLU(), affine(("x", operator))),
        layer("out", Linear(), affine(("a", identity((5, 5, 4))))),
        shape=(5, 5, 2),
    )
    x = RNG.random((10, 5, 5, 2))
    network = convert(model, x)
    late = np.broadcast_to(network.population("a").parameters["i_open"], (5, 5, 4))
    np.testing.assert_allclose(late[1:-1, 1:-1], 1.0, atol=1e-7)
    assert np.abs(late[0, 0] - 1).max() > 0.1
    exact = model.predict(x, dtype="float64")
    np.testing.assert_allclose(run(network, x).outputs["out"], exact, atol=1e-6)


def test_maximum_is_the_first_spike_and_minimum_the_last() -> None:
    """Eq 2.32; a negative factor makes a maximum a minimum (Fig 2.2c)."""
    from bioconv.operators import Scale

    factors = np.array([1.5, -2.0, 0.5])
    model = graph(
        layer("a", ReLU(), affine(("x", identity((4, 4, 3))))),
        layer(
            "pool",
            MaxPool((2, 2)),
            affine(("a", Scale((4, 4, 3), factors)), bias=np.array([0.1, 0.2, -0.3])),
            shape=(2, 2, 3),
        ),
        layer("out", Linear(), affine(("pool", identity((2, 2, 3))))),
        shape=(4, 4, 3),
    )
    x = np.random.default_rng(0).uniform(-0.3, 1, (12, 4, 4, 3))
    for inactive in ("fire", "silent"):
        network = convert(model, x, inactive=inactive)
        assert [p.name for p in network.populations] == ["x_encoder", "a", "pool", "out"]
        for simulator in ("event", "array"):
            recording = run(network, x, simulator)
            exact = model.predict(x, dtype="float64")
            # Half a step of the input (range 1.3), half a step of the layer, factors up to 2.
            grid = 0.0 if simulator == "event" else (1.3 + 1.0) * network.dt / 10.0
            np.testing.assert_allclose(recording.outputs["out"], exact, atol=1e-6 + grid)
            assert most_spikes(recording) == 1


def test_limited_relu_saturates_at_its_limit() -> None:
    model = graph(
        layer("a", ReLU(max_value=0.5), affine(("x", identity((6,))))),
        layer("out", Linear(), affine(("a", identity((6,))))),
        shape=(6,),
    )
    x = RNG.uniform(-1, 1, (20, 6))
    network = convert(model, x)
    np.testing.assert_allclose(run(network, x).outputs["out"], np.clip(x, 0, 0.5), atol=1e-6)


def test_branches_of_unequal_depth_wait_for_each_other() -> None:
    network = convert(residual(np.random.default_rng(2)), RNG.random((10, 6, 6, 3)))
    delays = {p.pre: p.delay_steps for p in network.projections_to("sum")}
    assert delays["inner"] == 1
    assert delays["stem"] > 10
    closes = {n: float(network.population(n).parameters["t_close"]) for n in delays}
    arrivals = {n: closes[n] + d * network.dt for n, d in delays.items()}
    assert len(set(arrivals.values())) == 1


@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 12), min_size=3, max_size=5),
    options=st.sampled_from(FAMILY),
    low=st.sampled_from([0.0, -2.0]),
)
def test_any_perceptron_is_exact(
    seed: int, sizes: list[int], options: dict[str, Any], low: float
) -> None:
    rng = np.random.default_rng(seed)
    model = mlp(rng, tuple(sizes))
    x = rng.uniform(low, 1, (12, sizes[0]))
    recording = run(convert(model, x, **options), x)
    exact = model.predict(x, dtype="float64")
    atol = 1e-5 * max(float(np.abs(exact).max()), 1.0)
    np.testing.assert_allclose(recording.outputs[recording.readout], exact, rtol=0, atol=atol)
    assert most_spikes(recording) == 1


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=8), st.integers(1, 200))
def test_encode_is_the_nearest_value_of_the_window(values: list[float], n: int) -> None:
    x = np.array(values)
    found = FirstSpikeExactCode().encode(x, n)
    assert np.abs(found - np.clip(x, 0, 1)).max() <= 0.5 / n + 1e-12
    np.testing.assert_allclose(found * n, np.round(found * n), rtol=1e-12)


def test_the_first_layer_on_the_grid_is_what_encode_says() -> None:
    model = graph(
        layer("a", ReLU(), affine(("x", identity((64,))))),
        layer("out", Linear(), affine(("a", identity((64,))))),
        shape=(64,),
    )
    x = RNG.uniform(0, 1, (5, 64))
    network = convert(model, x, input_range=(0.0, 1.0))
    raster = run(network, x, "array").rasters["x_encoder"]
    found = np.zeros(x.shape)
    population = network.population("x_encoder")
    values = population.spike_values[raster.step - population.start_step]
    found[raster.image, raster.neuron] = values
    np.testing.assert_allclose(found, FirstSpikeExactCode().encode(x, 80), atol=1e-12)
