"""The discretised update against Brian2's own neuron groups, and against closed forms."""

import dataclasses
import os
import re
import subprocess
import sys

import jax
import numpy as np
import pytest
from later import later
from test_neuron_models import MODELS

from bioconv import neurons
from bioconv.ground.errors import ExpressionError, ParameterError
from bioconv.neurons import discretise
from bioconv.neurons.language.evaluation import evaluate
from bioconv.neurons.language.expressions import parse_expression
from bioconv.neurons.language.model import UNITS
from bioconv.neurons.language.update import update_of

brian2 = later("brian2")

SI = {"ms": 1e-3, "mV": 1e-3, "pA": 1e-12, "pF": 1e-12, "nS": 1e-9, "Hz": 1.0, "1": 1.0}
DT = 0.5


@pytest.fixture(autouse=True)
def numpy_target():
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    yield
    brian2.prefs.codegen.target = before


def one_step(model, parameters, state, dt, *, phases=("integrate",)):
    """One step of the compiled update in float64."""
    with jax.enable_x64(True):
        update = update_of(model)
        values = {**update.constants(parameters, dt), "t": 0.0}
        return {
            name: np.broadcast_to(np.asarray(value), (len(next(iter(state.values()))),))
            for name, value in update.integrate(dict(state), values, None).items()
        }


@pytest.mark.parametrize("neuron", MODELS, ids=lambda neuron: neuron.model.name)
def test_one_step_equals_a_brian2_group(neuron):
    model, rng = neuron.model, np.random.default_rng(1)
    parameters = {p.name: neuron.value(p.name) for p in model.parameters}
    if model.current:
        parameters[model.current] = rng.normal(0, 100, 5)
    state = {s.name: rng.normal(0, 10, 5) for s in model.states}
    new = one_step(model, parameters, state, DT)

    declared = "\n".join(f"{p.name} : {UNITS[p.unit][1]} (constant)" for p in model.parameters)
    equations = f"{model.equations}\n{declared}".replace("(unless refractory)", "")
    group = brian2.NeuronGroup(5, equations, method=model.method, dt=DT * brian2.ms)
    for item in model.parameters:
        getattr(group, item.name + "_")[:] = np.asarray(parameters[item.name]) * SI[item.unit]
    for item in model.states:
        getattr(group, item.name + "_")[:] = state[item.name] * SI[item.unit]
    brian2.Network(group).run(DT * brian2.ms)
    for item in model.states:
        expected = np.asarray(getattr(group, item.name + "_")[:]) / SI[item.unit]
        np.testing.assert_allclose(new[item.name], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("neuron", MODELS, ids=lambda neuron: neuron.model.name)
def test_the_parts_are_in_the_grammar_and_complete(neuron):
    discrete = discretise(neuron.model)
    known = {part.name for part in (*neuron.model.parameters, *neuron.model.states)}
    for assignment in discrete.update:
        parse_expression(assignment.expression, known, internal=True)
        assert not assignment.target.startswith("_") and assignment.target not in known
        known.add(assignment.target)
    assert [state for state, _ in discrete.updates] == [s.name for s in neuron.model.states]
    assert all(temporary in known for _, temporary in discrete.updates)


def test_folded_constants_change_nothing():
    """The compiled update against a plain evaluation of the update's text."""
    neuron, rng = neurons.LeakyIntegrateAndFire(), np.random.default_rng(0)
    parameters = {p.name: neuron.value(p.name) for p in neuron.model.parameters}
    state = {"v": rng.normal(-60, 5, 7), "i_syn": rng.normal(0, 500, 7)}
    discrete, scope = discretise(neuron.model), {**parameters, **state, "dt": DT}
    for assignment in discrete.update:
        tree = parse_expression(assignment.expression, set(scope), internal=True)
        scope[assignment.target] = evaluate(tree, scope, np)
    new = one_step(neuron.model, parameters, state, DT)
    for name, temporary in discrete.updates:
        np.testing.assert_allclose(new[name], scope[temporary], rtol=1e-13)


def test_exact_decay():
    """A free membrane after one step: v_rest + (v - v_rest) exp(-dt / tau_m)."""
    neuron = neurons.LeakyIntegrateAndFire(synapse="delta")
    parameters = {p.name: neuron.value(p.name) for p in neuron.model.parameters}
    new = one_step(neuron.model, parameters, {"v": np.array([-55.0])}, 2.0)
    assert new["v"][0] == pytest.approx(-65 + 10 * np.exp(-0.1), rel=1e-14)


def test_equal_time_constants_are_refused_with_advice():
    neuron = neurons.LeakyIntegrateAndFire(tau_m=5.0, tau_syn=5.0)
    parameters = {p.name: neuron.value(p.name) for p in neuron.model.parameters}
    with pytest.raises(ParameterError, match="tau_syn from tau_m"):
        update_of(neuron.model).constants(parameters, 1.0)


def test_equations_with_wrong_units_are_refused():
    model = neurons.IntegrateAndFire().model
    wrong = dataclasses.replace(model, equations="dv/dt = i_offset : volt (unless refractory)")
    with pytest.raises(ExpressionError, match="expected"):
        discretise(wrong)
    with pytest.raises(ExpressionError, match="units"):
        discretise(dataclasses.replace(model, threshold="v >= c_m"))


def test_methods_that_cannot_integrate_are_refused():
    model = neurons.IntegrateAndFire().model
    with pytest.raises(ParameterError, match="exponential_euler or euler"):
        discretise(dataclasses.replace(model, method="exact"))


def test_a_frozen_variable_must_not_drive_others_within_a_step():
    model = neurons.IntegrateAndFire(synapse="exponential").model
    text = model.equations.replace("-i_syn / tau_syn", "(v * c_m / ms - i_syn) / tau_syn")
    coupled = dataclasses.replace(model, equations=text, method="rk4")
    with pytest.raises(ParameterError, match="is frozen"):
        discretise(coupled)
    assert discretise(dataclasses.replace(coupled, method="euler")).frozen == ("v",)


@pytest.mark.parametrize("text", ["int(-1.7)", "clip(3, 0, 2)", "exprel(0)", "not 1 > 2", "2**-2"])
def test_functions_mean_what_brian2_means(text):
    expected = {"int(-1.7)": -1, "clip(3, 0, 2)": 2, "exprel(0)": 1, "not 1 > 2": True}
    found = evaluate(parse_expression(text, frozenset()), {}, np)
    assert found == expected.get(text, 0.25)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exprel_is_precise_everywhere(dtype):
    x = np.concatenate([np.linspace(-60, 60, 5001), np.linspace(-1, 1, 5001), [0, 1e-20, -700]])
    x = x.astype(dtype)
    wide = x.astype(np.longdouble)
    exact = np.where(wide == 0, 1, np.expm1(wide) / np.where(wide == 0, 1, wide))
    found = evaluate(parse_expression("exprel(x)", {"x"}), {"x": x}, np)
    assert found.dtype == dtype
    assert np.max(np.abs(found / exact - 1)) < 3 * np.finfo(dtype).eps


def ion_channels(method):
    """A model whose rates SymPy would write as roots of exp(v / mV)."""
    return neurons.NeuronModel(
        name="channels",
        equations=(
            "rate = exp(v / (18 * mV)) / ms : hertz\n"
            "drive = (i_offset - g * (v + 70 * mV)) / c_m : volt/second\n"
            "dv/dt = drive - n * mV / ms : volt\n"
            "dn/dt = rate * (1 - n) : 1"
        ),
        threshold="",
        reset="",
        method=method,
        parameters=(
            neurons.Parameter("i_offset", 0.0, "pA", "Current"),
            neurons.Parameter("g", 10.0, "nS", "Leak"),
            neurons.Parameter("c_m", 100.0, "pF", "Capacitance"),
        ),
        states=(
            neurons.State("v", -70.0, "mV", "Potential"),
            neurons.State("n", 0.0, "1", "Gate"),
        ),
    )


def test_what_stands_still_in_a_step_is_worked_out_once():
    """Exponential Euler: the rate holds while n moves; the drive depends on v, which moves."""
    targets = [a.target for a in discretise(ion_channels("exponential_euler")).update]
    assert targets[0] == "rate" and "drive" not in targets
    targets = [a.target for a in discretise(ion_channels("euler")).update]
    assert targets[:2] == ["rate", "drive"]
    targets = [a.target for a in discretise(ion_channels("rk4")).update]
    assert "rate" not in targets and "drive" not in targets


@pytest.mark.parametrize("method", ["exponential_euler", "euler", "rk2", "rk4"])
def test_exponentials_do_not_overflow_in_float32(method):
    """exp(100)**(1 / 18) is infinite in float32, exp(100 / 18) is 259."""
    model = ion_channels(method)
    discrete = discretise(model)
    assert not any("exp(" in a.expression and ")**" in a.expression for a in discrete.update)
    parameters = {p.name: p.default for p in model.parameters} | {"i_offset": 1700.0}
    state = {"v": np.array([100.0, -60.0]), "n": np.array([0.5, 0.5])}
    exact = one_step(model, parameters, state, 1e-3)
    update = update_of(model)
    values = {k: np.float32(v) for k, v in update.constants(parameters, 1e-3).items()}
    found = update.integrate(
        {k: jax.numpy.asarray(v, "float32") for k, v in state.items()}, {**values, "t": 0.0}, None
    )
    for name in state:
        np.testing.assert_allclose(found[name], exact[name], rtol=2e-6)
    assert exact["n"][0] > 0.55


@pytest.mark.parametrize("estimate", ["exponential", "count"])
def test_the_largest_gate_stays_a_reasonable_model(estimate):
    """Running maxima: a few terms a source, whatever the number of sources."""
    small, large = (discretise(neurons.MaxGate(n, estimate).model) for n in (5, 25))

    def words(discrete):
        texts = [a.expression for a in (*discrete.update, *discrete.definitions)]
        return sum(len(re.findall(r"\w+", text)) for text in texts)

    assert words(large) < 7 * words(small)  # 25 / 5, and the first source needs less than others


def test_brian2_does_not_take_over_errors_and_warnings(tmp_path):
    """Importing Brian2 sets sys.excepthook, which blames Brian2 for any error of a program."""
    code = (
        "import sys, warnings; hook, shown = sys.excepthook, warnings.showwarning\n"
        "from bioconv import neurons\n"
        "neurons.discretise(neurons.IntegrateAndFire().model)\n"
        "assert 'brian2' in sys.modules and sys.excepthook is hook\n"
        "assert warnings.showwarning is shown"
    )
    empty = {**os.environ, "BIOCONV_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=empty)
    assert done.returncode == 0, done.stderr
