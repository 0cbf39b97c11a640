"""Random numbers in equations: what may be said, what becomes of it, and noise for any neuron."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bioconv import neurons
from bioconv.export.cells import choose_cells
from bioconv.ground.errors import ExportError, ExpressionError, ParameterError
from bioconv.neurons import NeuronModel, Parameter, State, discretise
from bioconv.neurons.language.update import update_of
from bioconv.simulators.stimulation import single_neurons

MODEL = NeuronModel(
    name="noisy",
    equations=(
        "dv/dt = (v_rest - v) / tau_m + i_offset / c_m + sigma * (2 / tau_m)**0.5 * xi : volt"
    ),
    threshold="v > 1000 * mV",
    reset="v = v_rest",
    method="euler",
    parameters=(
        Parameter("v_rest", -65.0, "mV", "Rest"),
        Parameter("tau_m", 20.0, "ms", "Time constant"),
        Parameter("c_m", 100.0, "pF", "Capacitance"),
        Parameter("i_offset", 0.0, "pA", "Current"),
        Parameter("sigma", 2.0, "mV", "Standard deviation"),
    ),
    states=(State("v", "v_rest", "mV", "Potential"),),
)
HELD = (
    "a = 2 * v : volt\nnoise = a * randn() + randn() * mV : volt (constant over dt)\n"
    "dv/dt = (v_rest - v + noise) / tau_m + i_offset / c_m + 0 * sigma / ms : volt"
)


def with_equations(text: str, **fields: str) -> NeuronModel:
    return replace(MODEL, equations=text, **fields)


def walk(model, n_steps, n, dt=0.5, seed=0, **parameters):
    """``v`` after each step, float64, drawn with `Update.draw`."""
    with jax.enable_x64(True):
        update, key = update_of(model), jax.random.key(seed)
        values = {p.name: p.default for p in model.parameters} | parameters
        constants = update.constants(values, dt)
        start = {s.name: values.get(s.initial, s.initial) for s in model.states}

        def step(state, number):
            drawn = update.draw(jax.random.fold_in(key, number), (n,), jnp.float64)
            state, _, _ = update.step(
                state, None, {**constants, **drawn, "t": number * dt}, {}, None
            )
            return state, state["v"]

        state = {name: jnp.full(n, value, jnp.float64) for name, value in start.items()}
        return np.asarray(jax.lax.scan(step, state, jnp.arange(n_steps))[1])


def test_white_noise_becomes_a_standard_normal_number():
    discrete = discretise(MODEL)
    assert discrete.noise == ("normal_xi",)
    assert discrete.update[0].expression == "dt**.5 * normal_xi"
    assert not any("randn" in a.expression for a in discrete.update)
    assert MODEL.noisy and not neurons.IntegrateAndFire().model.noisy


def test_every_draw_is_another_number():
    discrete = discretise(with_equations(HELD, method="exponential_euler"))
    assert discrete.noise == ("normal_noise", "normal_noise_n")
    assert [a.target for a in discrete.held] == ["a", "noise"]
    assert "normal_noise" in discrete.held[1].expression
    assert all(a.target != "a" and "randn" not in a.expression for a in discrete.update)


def test_what_is_constant_over_dt_holds_for_the_whole_step():
    """Threshold and reset see the value that the integration saw, not a later one."""
    model = with_equations(
        "start = v : volt (constant over dt)\n" + MODEL.equations,
        threshold="v > start",
        reset="v = start",
    )
    update = update_of(model)
    parameters = {p.name: p.default for p in model.parameters} | {"v_rest": 0.0, "sigma": 0.0}
    values = {**update.constants(parameters, 1.0), "t": 0.0, "normal_xi": jnp.zeros(3)}
    state, _, fired = update.step({"v": jnp.array([-20.0, 0.0, 20.0])}, None, values, {}, None)
    np.testing.assert_array_equal(fired, [True, False, False])  # the leak lifts the first
    np.testing.assert_allclose(state["v"], [-20.0, 0.0, 19.0])


def test_two_white_noises_are_independent_and_in_a_fixed_order():
    text = MODEL.equations.replace("* xi ", "* (xi_b + xi_a) ")
    assert discretise(with_equations(text)).noise == ("normal_xi_a", "normal_xi_b")
    v = walk(with_equations(text), 200, 2000)[-1]
    assert abs(v.var(ddof=1) / (2 * 4 / (1 - 0.5 / 40)) - 1) < 5 * np.sqrt(2 / 1999)


def test_the_heun_method_takes_multiplicative_noise_in_the_sense_of_stratonovich():
    """Mean of dv/dt = -v / tau + s v xi: v0 exp((s**2 / 2 - 1 / tau) t)."""
    model = with_equations(
        "dv/dt = -v / tau_m + v * (0.04 / ms)**0.5 * xi + 0 * sigma * i_offset / (pA * ms) : volt",
        method="heun",
    )
    v = walk(model, 200, 20_000, dt=0.1, v_rest=1.0)[-1]
    error = v.std(ddof=1) / np.sqrt(len(v))
    assert abs(v.mean() - np.exp((0.02 - 0.05) * 20)) < 5 * error + 0.01
    # In the sense of Ito it would be exp(-1).
    assert v.mean() - np.exp(-1.0) > 10 * error


def test_an_euler_walk_has_the_variance_of_its_closed_form():
    v, a, n = walk(MODEL, 400, 4000), 1 - 0.5 / 20, 4000
    expected = 4 * (2 * 0.5 / 20) * (1 - a**800) / (1 - a**2)
    assert abs(v[-1].var(ddof=1) / expected - 1) < 5 * np.sqrt(2 / (n - 1))
    assert abs(v[-1].mean() + 65) < 5 * np.sqrt(expected / n)
    assert abs(expected / 4 - 1) < 0.02, "and that is close to the Ornstein-Uhlenbeck process's"
    neighbours = np.corrcoef(v[-1, 1:], v[-1, :-1])[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(n), "each neuron has its own noise"


def test_numbers_depend_on_the_key_alone():
    update, key = update_of(MODEL), jax.random.key(5)
    first = update.draw(key, (7,), jnp.float32)["normal_xi"]
    np.testing.assert_array_equal(first, update.draw(key, (7,), jnp.float32)["normal_xi"])
    assert (first != update.draw(jax.random.key(6), (7,), jnp.float32)["normal_xi"]).all()
    with jax.enable_x64(True):
        double = update.draw(key, (7,), jnp.float64)["normal_xi"]
    assert double.dtype == np.float64
    np.testing.assert_array_equal(first, double)
    assert update_of(neurons.IntegrateAndFire().model).draw(key, (7,), jnp.float32) == {}


def test_a_step_without_its_numbers_says_so():
    update = update_of(MODEL)
    with pytest.raises(ParameterError, match=r"normal_xi.*Update\.draw"):
        update.step({"v": jnp.zeros(2)}, None, {"t": 0.0}, {}, None)


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "rk2", "rk4"])
def test_other_methods_refuse_white_noise(method):
    with pytest.raises(ParameterError, match="cannot integrate xi, use euler or heun"):
        replace(MODEL, method=method)


def test_euler_refuses_multiplicative_noise():
    model = with_equations(MODEL.equations.replace("sigma *", "v * sigma / mV *"))
    with pytest.raises(ParameterError, match="Use heun"):
        discretise(model)
    hidden = "s = v * sigma / mV : volt\n" + MODEL.equations.replace("sigma *", "s *")
    with pytest.raises(ParameterError, match="Use heun"):
        discretise(with_equations(hidden))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"threshold": "v > randn() * mV"}, "constant over dt"),
        ({"reset": "v = randn() * mV"}, "constant over dt"),
        ({"threshold": "v > xi * mV"}, "white noise is allowed in differential equations"),
        ({"reset": "v = xi_a * mV"}, "white noise is allowed in differential equations"),
        ({"equations": MODEL.equations.replace("xi", "randn()")}, "constant over dt"),
        ({"equations": "a = randn() : 1\n" + MODEL.equations}, "constant over dt"),
        ({"equations": "a = xi : 1 (constant over dt)\n" + MODEL.equations}, "white noise"),
    ],
)
def test_random_numbers_have_their_places(fields, reason):
    with pytest.raises(ExpressionError, match=reason):
        replace(MODEL, **fields)


def test_wrong_units_of_noise_are_refused():
    with pytest.raises(ExpressionError, match="units|expected"):
        discretise(with_equations(MODEL.equations.replace("(2 / tau_m)**0.5", "(2 / tau_m)")))
    with pytest.raises(ExpressionError, match="Brian2 does not accept"):
        discretise(with_equations(MODEL.equations.replace("xi", "xi * xi * second**0.5")))


def test_noise_for_a_neuron():
    cell = neurons.LeakyIntegrateAndFire(tau_m=10.0)
    noisy = neurons.with_noise(cell, 30.0)
    assert noisy.value("sigma_noise") == 30.0 and noisy.value("tau_m") == 10.0
    assert noisy.model.name == f"{cell.model.name}_noisy"
    assert noisy.model.parameter("sigma_noise").unit == "pA"
    assert noisy.model.standard_cell == "" and cell.model.standard_cell
    first, membrane, synapse = noisy.model.parsed_equations
    assert first.constant_over_dt and "i_offset + i_noise" in membrane.expression
    assert synapse == cell.model.parsed_equations[1], "what has no current stays as it was"
    again = neurons.with_noise(noisy, 5.0)
    assert again.model == noisy.model and again.value("sigma_noise") == 5.0


@pytest.mark.parametrize("name", neurons.library())
def test_every_neuron_of_the_library_takes_noise(name):
    """And sigma says what it means: without noise, nothing changes."""
    cell = neurons.make(name)
    noisy = neurons.with_noise(cell, 1.0).model
    assert noisy.noisy and discretise(noisy).noise == ("normal_i_noise",)
    assert noisy.parameter("sigma_noise").unit == cell.model.parameter(cell.model.current).unit
    dt = cell.model.dt_default or 0.1
    update, plain = update_of(noisy), update_of(cell.model)
    parameters = {p.name: cell.value(p.name) for p in cell.model.parameters}
    parameters[cell.model.current] = 0.3
    state = {
        s.name: jnp.full(2, parameters.get(s.initial, s.initial), float) for s in cell.model.states
    }
    sigma, jump = {"sigma_noise": 2.0}, 1.5
    drawn = {"normal_i_noise": jnp.full(2, jump)}
    with jax.enable_x64(True):
        values = {**update.constants(parameters | sigma, dt), "t": 0.0, **drawn}
        found = update.integrate(state, update.hold(state, values), None)
        parameters[cell.model.current] += 2.0 * np.sqrt(1 / dt) * jump
        expected = plain.integrate(state, {**plain.constants(parameters, dt), "t": 0.0}, None)
        for state_name in state:
            np.testing.assert_allclose(found[state_name], expected[state_name], rtol=1e-12)


def test_neurons_that_cannot_have_noise():
    with pytest.raises(ParameterError, match="takes no current"):
        neurons.with_noise(neurons.MaxGate(2), 1.0)
    with pytest.raises(ParameterError, match="sigma_noise"):
        neurons.with_noise(neurons.LeakyIntegrateAndFire(), -1.0)
    taken = replace(
        MODEL, parameters=(*MODEL.parameters, Parameter("sigma_noise", 1.0, "pA", "Other"))
    )
    noisy = neurons.with_noise(neurons.Neuron(taken), 2.0)
    assert (noisy.value("sigma_noise"), noisy.value("sigma_noise_2")) == (1.0, 2.0)


def test_standard_cells_of_pynn_have_no_noise():
    network = single_neurons(neurons.with_noise(neurons.LeakyIntegrateAndFire(), 10.0), dt=1.0)
    assert choose_cells(network, "nest") == {"neurons": "generated"}
    for simulator in ("neuron", "brian2"):
        with pytest.raises(ExportError, match="standard cell"):
            choose_cells(network, simulator)
