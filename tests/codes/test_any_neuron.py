"""The rate code on any neuron: calibrated drives, by name, in the array simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later
from small_graphs import affine, graph, layer, mlp
from some_variants import some

import bioconv as bc
from bioconv import neurons
from bioconv.analog.functions import Linear, MaxPool, ReLU
from bioconv.codes import RateCode
from bioconv.codes.common.calibration import fluctuation, lowest_activation, measure
from bioconv.codes.common.membrane import Membrane
from bioconv.codes.common.rewriting import rewrite
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.network import SpikingNetwork
from bioconv.operators import Dense, identity

stats = later("scipy.stats")

RNG = np.random.default_rng(8)
MODEL = mlp(np.random.default_rng(4), (6, 30, 20, 4))
X = RNG.random((60, 6))


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("BIOCONV_CACHE", str(folder))
        yield folder


def convert(name: str, options: dict[str, Any] | None = None, **settings: Any) -> SpikingNetwork:
    neuron = neurons.make(name, options)
    return bc.convert(MODEL, calibration=X, neuron=neuron, **settings)


def outputs(network: SpikingNetwork, x: np.ndarray = X, **settings: Any) -> np.ndarray:
    recording = bc.simulate(network, x, progress=False, **settings)
    return recording.outputs[network.readouts[0].name]


def agreement(output: np.ndarray, x: np.ndarray = X) -> float:
    return float(np.mean(output.argmax(axis=1) == MODEL.predict(x).argmax(axis=1)))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lif", {}),
        ("lif", {"synapse": "alpha"}),
        pytest.param("qif", {}, marks=pytest.mark.slow),
        pytest.param("adex", {}, marks=pytest.mark.slow),
        pytest.param("izhikevich", {"kind": "fast_spiking"}, marks=pytest.mark.slow),
        pytest.param("traub", {}, marks=pytest.mark.slow),
        pytest.param("izhikevich", {}, marks=pytest.mark.slow),
        pytest.param("quartic", {}, marks=pytest.mark.slow),
        pytest.param("eif", {}, marks=pytest.mark.slow),
        pytest.param("mn", {}, marks=pytest.mark.slow),
        pytest.param("hh", {}, marks=pytest.mark.slow),
        pytest.param("izhikevich", {"kind": "chattering"}, marks=pytest.mark.slow),
        pytest.param("adex", {"kind": "regular_bursting"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_classes_stay_the_same(name: str, options: dict[str, Any]) -> None:
    """In 300 ms (squid axon 400 ms), with rates below 200 Hz."""
    network = convert(name, options)
    recording = bc.simulate(
        network, X, progress=False, record={p.name: ("counts",) for p in network.populations}
    )
    output = recording.outputs[network.readouts[0].name]
    exact = MODEL.predict(X)
    assert agreement(output) >= 0.9
    assert np.abs(output - exact).mean() < 0.03 * np.ptp(exact)
    assert network.dt * network.n_steps <= 400.0
    hidden = [p.name for p in network.populations][:-1]
    assert max(float(recording.rates(entry).max()) for entry in hidden) < 250.0
    assert 0 < network.code["drive_rms"] <= network.code["drive_residual"] < 0.3


@pytest.mark.slow
def test_defaults_suit_the_neuron_and_can_be_overridden() -> None:
    perfect = bc.convert(MODEL, calibration=X)
    assert (perfect.dt, perfect.n_steps, perfect.code["max_rate"]) == (1.0, 500, 1000.0)
    network = bc.convert(MODEL, calibration=X, neuron="adex")
    model = neurons.make("adex").model
    assert network.dt <= model.dt_default
    assert network.dt * network.n_steps == pytest.approx(300.0)
    assert network.code["max_rate"] == 130.0
    assert network.populations[0].model == model
    code = RateCode(max_rate=90.0)
    network = bc.convert(MODEL, calibration=X, neuron="adex", dt=0.1, n_steps=1111, code=code)
    assert (network.dt, network.n_steps, network.code["max_rate"]) == (0.1, 1111, 90.0)
    with pytest.raises(ParameterError, match="no neuron 'adexx'"):
        bc.convert(MODEL, calibration=X, neuron="adexx")


@pytest.mark.slow
def test_a_slow_neuron_gets_more_time() -> None:
    network = convert("morris_lecar")
    rate, time = network.code["max_rate"], network.dt * network.n_steps
    assert rate < 30.0
    assert time * rate / 1000.0 == pytest.approx(39.0, rel=0.01)


def test_the_record_says_what_was_found(tmp_path: Path) -> None:
    network = convert("adex")
    found = network.code
    assert found["adaptation_ratio"] > 1.5
    assert 10.0 < found["adaptation_time"] < 144.0
    assert found["drive_rms_spikes"] < 0.1
    assert found["synaptic_time"] == network.populations[0].parameters.get("tau_syn", 5.0)
    network.save(tmp_path / "net.h5")
    assert dict(bc.load(tmp_path / "net.h5").code) == dict(found)


@pytest.mark.slow
def test_a_given_synaptic_time_is_kept() -> None:
    network = convert("izhikevich", {"tau_syn": 6.0})
    assert network.populations[0].parameters["tau_syn"] == 6.0
    assert convert("izhikevich").populations[0].parameters["tau_syn"] > 6.0


@pytest.mark.slow
def test_synapses_are_slow_where_the_neuron_is_not_where_a_low_rate_is_asked_for() -> None:
    """A fixed duration has no time for slow synapses; a slow neuron gets the time by default."""
    low = bc.convert(MODEL, calibration=X, neuron="lif", code=RateCode(max_rate=12.5))
    slow = bc.convert(MODEL, calibration=X, neuron=neurons.make("ml", {"kind": "class_2"}))
    assert low.code["max_rate"] < 1.01 * slow.code["max_rate"]
    assert low.code["synaptic_time"] <= 35.0 < slow.code["synaptic_time"]


@pytest.mark.slow
def test_a_step_at_which_inhibition_would_make_spikes_is_not_taken() -> None:
    """Euler's quadratic neuron runs away under strong inhibition if the step is long."""
    model = neurons.make("izhikevich").model
    coarse = neurons.Neuron(bc.neurons.NeuronModel(**{**vars_of(model), "dt_default": 1.0}))
    network = bc.convert(MODEL, calibration=X, neuron=coarse)
    assert network.dt < 1.0
    assert agreement(outputs(network)) >= 0.9


@pytest.mark.slow
def test_spikes_of_its_noise_are_no_reason_for_a_finer_step() -> None:
    network = convert("resonate_and_fire")
    assert network.code["noise_sigma"] > 0
    assert network.dt == neurons.make("resonate_and_fire").model.dt_default


def vars_of(model: neurons.NeuronModel) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.__dataclass_fields__}


@pytest.mark.slow
def test_outputs_are_read_by_perfect_integrators() -> None:
    network = convert("traub", {"tau_syn": 7.0})
    output = network.population(network.readouts[0].population)
    assert output.model == neurons.Integrator("exponential").model
    assert output.parameters["tau_syn"] == 7.0
    assert output.start_step == round(0.2 * network.n_steps)
    late = convert("traub", code=RateCode(settle=0.5))
    assert late.populations[-1].start_step == round(0.5 * late.n_steps)


CLASS_2 = {"kind": "class_2", "c_m": 20.0, "phi": 0.4}


@pytest.mark.slow
def test_a_neuron_whose_rate_jumps_gets_noise() -> None:
    quiet = convert("ml", CLASS_2, code=RateCode(noise="none"))
    noisy = convert("ml", CLASS_2)
    assert "noise_sigma" not in quiet.code
    assert noisy.code["noise_sigma"] > 0
    assert noisy.code["drive_rms"] < 0.7 * quiet.code["drive_rms"]
    sigma = noisy.populations[0].parameters["sigma_noise"]
    assert sigma == noisy.code["noise_sigma"]
    better, worse = (agreement(outputs(network)) for network in (noisy, quiet))
    assert better >= max(0.8, worse)


@pytest.mark.slow
def test_noise_is_what_was_asked_for() -> None:
    network = convert("lif", code=RateCode(noise=100.0))
    assert network.populations[0].parameters["sigma_noise"] == 100.0
    assert agreement(outputs(network)) >= 0.85
    for wrong in ("loud", -1.0, True):
        with pytest.raises(ParameterError, match="noise must be"):
            RateCode(noise=wrong)


@pytest.mark.parametrize("name", some(["lif", "adex"], every=2))
def test_conductances_take_weights_of_one_sign_each(name: str) -> None:
    network = convert(name, {"synapse": "conductance"})
    inner = network.projections_to("dense_2")
    assert {entry.receptor for entry in inner} == {"exc", "inh"}
    for entry in inner:
        assert entry.operator.edges().weight.min() > 0
    assert {entry.receptor for entry in network.projections_to("dense_3")} == {"syn"}
    assert agreement(outputs(network)) >= 0.75


def test_parameters_that_differ_are_drawn_with_the_seed() -> None:
    spread = {
        "v_th": stats.norm(-50.0, 0.5),
        "tau_m": stats.lognorm(0.1, scale=20.0),
        "c_m": stats.uniform(950.0, 100.0),
    }
    first, same, other = (
        convert("lif", spread, seed=seed).population("dense_1") for seed in (1, 1, 2)
    )
    for name, entry in spread.items():
        values = np.asarray(first.parameters[name])
        assert values.shape == (30,)
        assert abs(values.mean() - entry.mean()) < 5 * entry.std() / np.sqrt(30)
        np.testing.assert_array_equal(values, same.parameters[name])
        assert np.any(values != other.parameters[name])
    network = convert("lif", spread, seed=1)
    assert np.any(
        np.ravel(network.population("dense_2").parameters["v_th"])[:20]
        != np.ravel(first.parameters["v_th"])[:20]
    )
    assert agreement(outputs(network)) >= 0.8


def test_drawn_parameters_stay_within_their_bounds() -> None:
    neuron = neurons.make("lif", {"t_ref": stats.norm(0.5, 2.0)})
    values = neuron.drawn((1000,), np.random.default_rng(0))["t_ref"]
    assert values.min() == 0.0
    with pytest.raises(ParameterError, match="c_m must lie in"):
        neurons.make("lif", {"c_m": stats.norm(-5.0, 1.0)})


def test_arrays_that_fit_every_population_are_taken() -> None:
    model = graph(
        layer("a", ReLU(), affine(("x", Dense((6,), np.eye(6))))),
        layer("b", ReLU(), affine(("a", Dense((6,), np.eye(6))))),
        layer("out", Linear(), affine(("b", identity((6,))))),
        shape=(6,),
    )
    v_th = np.linspace(-51.0, -49.0, 6)
    neuron = neurons.make("lif", {"v_th": v_th})
    network = bc.convert(model, calibration=X, neuron=neuron)
    np.testing.assert_array_equal(network.population("a").parameters["v_th"], v_th)
    assert not network.code["exact"]
    later = {c.variable: c.value for c in network.changes if c.population == "b"}
    np.testing.assert_array_equal(later["v_th"], v_th)


@pytest.mark.slow
def test_a_delta_synapse_that_would_lift_too_far_is_refused() -> None:
    with pytest.raises(ConversionError, match="raise its potential by up to.*exponential"):
        convert("izhikevich", {"synapse": "delta"})
    with pytest.raises(ConversionError, match="no capacitance.*exponential"):
        convert("fhn", {"synapse": "delta"})


@pytest.mark.slow
def test_gates_pass_the_spikes_of_neurons_that_fire_now_and_then() -> None:
    model = graph(
        layer("a", ReLU(), affine(("x", identity((4, 4, 2))))),
        layer("pool", MaxPool((2, 2)), affine(("a", identity((4, 4, 2)))), shape=(2, 2, 2)),
        layer("out", Linear(), affine(("pool", identity((2, 2, 2))))),
        shape=(4, 4, 2),
    )
    x = RNG.random((20, 4, 4, 2))
    for name in ("lif", "traub"):
        network = bc.convert(model, calibration=x, neuron=name)
        exact = model.predict(x)
        assert np.abs(outputs(network, x) - exact).mean() < 0.06 * np.ptp(exact)


def test_fluctuation_is_the_variance_of_poisson_input() -> None:
    """Sum of w**2 a, in units of the squared scale."""
    weights = RNG.normal(size=(300, 40))
    model = graph(
        layer("a", ReLU(), affine(("x", identity((300,))))),
        layer("b", ReLU(), affine(("a", Dense((300,), weights)))),
        layer("out", Linear(), affine(("b", identity((40,))))),
        shape=(300,),
    )
    x = RNG.random((8, 300))
    rewritten = rewrite(model, lambda _: np.zeros(1))
    scales = measure(rewritten, {"x": x}, percentile=100, normalization="layer")
    a, b = (float(scales.of[name]) for name in ("a", "b"))
    expected = np.mean((x / a) @ (weights * a / b) ** 2)
    assert fluctuation(rewritten, scales, {"x": x}) == pytest.approx(expected, rel=0.25)
    lowest = (np.maximum(x, 0) @ weights).min() / b
    assert lowest_activation(rewritten, scales, {"x": x}) == pytest.approx(lowest, rel=1e-4)


def test_the_membrane_of_a_slow_neuron_cannot_be_asked_for_more() -> None:
    with pytest.raises(ParameterError, match="fires at most"):
        Membrane.of(neurons.make("morris_lecar"), 0.5, 100.0)


def test_a_duration_is_in_ms() -> None:
    network = bc.convert(MODEL, calibration=X, neuron="adex", duration=250.0)
    assert network.dt * network.n_steps == pytest.approx(250.0)
    assert bc.convert(MODEL, calibration=X, duration=250.0).n_steps == 250
    with pytest.raises(ParameterError, match="n_steps or duration"):
        bc.convert(MODEL, calibration=X, duration=250.0, n_steps=3)


def test_the_user_sees_how_well_the_neuron_can_follow() -> None:
    from bioconv.reports.networks import describe_transfer

    assert describe_transfer(bc.convert(MODEL, calibration=X)) == []
    text = "\n".join(describe_transfer(convert("adex")))
    for part in ("straight line", "as spikes", "adaptation", "synaptic time constant"):
        assert part in text
    assert "conductance" in "\n".join(describe_transfer(convert("lif", {"synapse": "conductance"})))


@pytest.mark.parametrize("tau_m", some([10.0, 18.0, 35.0], every=3))
def test_synapses_stay_away_from_the_time_constant_of_the_membrane(tau_m: float) -> None:
    """Where both are equal the exact solution is singular."""
    assert convert("lif", {"tau_m": tau_m}).code["expected_agreement"] > 0.9


@pytest.mark.slow
def test_a_dip_of_the_rate_is_no_depolarisation_block() -> None:
    network = convert("adex", {"kind": "delayed_accelerating"})
    assert network.code["max_rate"] == 130.0
    assert network.code["expected_agreement"] > 0.9


@pytest.mark.slow
def test_a_step_divides_the_refractory_period() -> None:
    assert convert("lif", {"t_ref": 0.1}).dt == 0.1
    different = convert("lif", {"t_ref": stats.norm(2.0, 0.3)})
    drawn = np.asarray(different.populations[0].parameters["t_ref"])
    assert len(np.unique(drawn)) > 3
    np.testing.assert_allclose(drawn / different.dt, np.round(drawn / different.dt), atol=1e-9)


@pytest.mark.slow
def test_a_deep_network_gets_time_for_its_synapses() -> None:
    deep = mlp(np.random.default_rng(5), (6, *(12,) * 12, 4))
    network = bc.convert(deep, calibration=X, neuron="lif")
    tau, depth = network.code["synaptic_time"], network.code["depth"]
    wait = tau * depth
    assert wait > 105.0
    assert network.dt * network.n_steps == pytest.approx(0.65 * 300.0 + wait, abs=network.dt)
    assert network.populations[-1].start_step * network.dt >= wait - network.dt


def test_noise_that_is_none_leaves_the_neuron_alone() -> None:
    neuron = neurons.make("lif", {"synapse": "conductance"})
    network = bc.convert(MODEL, calibration=X, neuron=neuron, code=RateCode(noise=0))
    assert network.populations[0].model == neuron.model
    assert bc.convert(MODEL, calibration=X, code=RateCode(noise=0)).code["exact"]


@pytest.mark.slow
def test_noise_of_the_user_is_kept() -> None:
    neuron = neurons.with_noise(neurons.make("lif"), 10.0)
    network = bc.convert(MODEL, calibration=X, neuron=neuron)
    assert network.populations[0].parameters["sigma_noise"] == 10.0
    spread = neurons.with_noise(neurons.LeakyIntegrateAndFire(v_th=stats.norm(-50.0, 1.0)), 10.0)
    assert set(spread.distributions) == {"v_th"}


@pytest.mark.slow
def test_noise_with_which_the_neuron_is_too_slow_is_refused() -> None:
    with pytest.raises(ParameterError, match="with noise 50 reaches"):
        bc.convert(MODEL, calibration=X, neuron="fhn", code=RateCode(noise=50.0))


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (lambda: {"i_offset": 500.0}, {}, "the code sets i_offset"),
        (lambda: {"i_offset": stats.norm(0.0, 500.0)}, {}, "the code sets i_offset"),
        (dict, {"max_rate": 0.1}, "too low to present"),
    ],
)
def test_what_would_be_lost_is_refused(
    options: Callable[[], dict[str, Any]], code: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConversionError, match=message):
        convert("lif", options(), code=RateCode(**code))
