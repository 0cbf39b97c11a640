"""Models and neurons: checked when they are made, with messages that help."""

import dataclasses

import numpy as np
import pytest

from bioconv import neurons
from bioconv.ground.errors import ExpressionError, ParameterError
from bioconv.neurons import Neuron, Parameter, Receptor, State

MODELS = [
    neurons.IntegrateAndFire(reset, synapse)
    for reset in ("subtraction", "value")
    for synapse in ("delta", "exponential")
]
MODELS += [
    neurons.LeakyIntegrateAndFire(reset, synapse)
    for reset in ("subtraction", "value")
    for synapse in ("delta", "exponential")
]
MODELS += [neurons.Integrator(), neurons.Integrator("exponential")]
MODELS += [neurons.MaxGate(4), neurons.MaxGate(9, "count")]


def test_the_library_lists_its_neurons():
    for make in neurons.library().values():
        assert isinstance(make(), Neuron)
    names = [neuron.model.name for neuron in MODELS]
    assert len(set(names)) == len(names)


def test_defaults_are_those_of_the_field():
    lif = neurons.LeakyIntegrateAndFire()
    expected = {"v_rest": -65, "v_reset": -65, "v_th": -50, "tau_m": 20, "c_m": 1000}
    assert {name: lif.value(name) for name in expected} == expected
    assert lif.value("tau_syn") == 5 and lif.model.standard_cell == "IF_curr_exp"
    assert neurons.LeakyIntegrateAndFire(synapse="delta").model.standard_cell == "IF_curr_delta"
    assert neurons.LeakyIntegrateAndFire("subtraction").model.standard_cell == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tau_x": 1.0}, r"no parameter 'tau_x'.*Valid parameters: v_rest \(mV\)"),
        ({"tau_m": -1.0}, "tau_m must lie in"),
        ({"tau_m": float("nan")}, "tau_m must be finite"),
        ({"tau_m": np.array([1.0, np.inf])}, "tau_m must be finite"),
        ({"tau_m": "20"}, "tau_m must be finite"),
        ({"c_m": 0.0, "nothing": 1}, "c_m must lie in.*|no parameter"),
    ],
)
def test_bad_parameters_are_refused(values, message):
    with pytest.raises(ParameterError, match=message):
        neurons.LeakyIntegrateAndFire(**values)


def test_all_bad_parameters_are_reported_at_once():
    with pytest.raises(ParameterError) as caught:
        neurons.IntegrateAndFire(c_m=0.0, wrong=1.0, t_ref=-1.0)
    assert all(word in str(caught.value) for word in ("c_m", "wrong", "t_ref"))


def test_unknown_options_are_refused():
    with pytest.raises(ParameterError, match="reset must be one of subtraction, value"):
        neurons.IntegrateAndFire(reset="zero")
    with pytest.raises(ParameterError, match="synapse must be one of delta, exponential, alpha"):
        neurons.LeakyIntegrateAndFire(synapse="gap")
    for n in (1, 26, 2.0):
        with pytest.raises(ParameterError, match="2 to 25 sources"):
            neurons.MaxGate(n)
    with pytest.raises(ParameterError, match="estimate must be"):
        neurons.MaxGate(4, "online")


BASE = neurons.LeakyIntegrateAndFire().model


@pytest.mark.parametrize(
    "change",
    [
        {"name": "os.system"},
        {"name": "Upper"},
        {"source": "a\nimport os"},
        {"threshold": "v"},
        {"threshold": "v > v_th; import os"},
        {"reset": "v_reset = 3"},
        {"equations": BASE.equations + "\nimport os"},
        {"standard_cell": "IF_curr_exp(); import os"},
        {"parameters": (*BASE.parameters, Parameter("g", 1.0, "mV", 'x"""'))},
        {"parameters": (*BASE.parameters, Parameter("exec(1)", 1.0, "mV", "x"))},
    ],
)
def test_models_outside_the_grammar_cannot_be_made(change):
    with pytest.raises(ExpressionError):
        dataclasses.replace(BASE, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "gsl"},
        {"refractory": "tau_x"},
        {"refractory": "v_th"},
        {"current": "v_th"},
        {"states": BASE.states[:1]},
        {"states": (State("v", "tau_m", "mV", ""), BASE.states[1])},
        {"states": (State("v", float("nan"), "mV", ""), BASE.states[1])},
        {"states": (State("v", 0.0, "pA", ""), BASE.states[1])},
        {"receptors": (Receptor("syn", "u", "mV"),)},
        {"receptors": (Receptor("syn", "v", "mV", also=("u",)),)},
        {"receptors": (Receptor("syn", "v", "furlong"),)},
        {"parameters": (*BASE.parameters, Parameter("g", 9.0, "mV", "", (0.0, 1.0)))},
        {"parameters": (*BASE.parameters, BASE.parameters[0])},
    ],
)
def test_models_whose_parts_do_not_fit_cannot_be_made(change):
    with pytest.raises(ParameterError):
        dataclasses.replace(BASE, **change)


def test_models_find_their_parts_by_name():
    assert BASE.parameter("tau_m").unit == "ms"
    assert BASE.receptor("syn").variables == ("i_syn",)
    assert BASE.state("v").initial == "v_rest"
    with pytest.raises(ParameterError, match="no receptor 'exc'. Valid names: syn"):
        BASE.receptor("exc")


def test_models_are_equal_by_content_and_hashable():
    again = neurons.LeakyIntegrateAndFire(tau_m=5.0).model
    assert again == BASE and hash(again) == hash(BASE)
    assert neurons.IntegrateAndFire().model != BASE
