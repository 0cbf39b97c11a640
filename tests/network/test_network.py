"""Validation of networks, and what a network knows about itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sample_networks import analog_graph, spiking_network

from bioconv.analog.functions import Linear
from bioconv.analog.graph import Affine, Layer, Term
from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.network import Change, Drive, Input, Population, Projection, Readout
from bioconv.neurons import IntegrateAndFire, LeakyIntegrateAndFire, MaxGate
from bioconv.operators import Dense, n_synapses

NET = spiking_network()
CONV, OUT = NET.populations
(DRIVE,), (PROJECTION,), (READOUT,) = NET.drives, NET.projections, NET.readouts


def message(**changes: Any) -> str:
    with pytest.raises(ConversionError) as caught:
        NET.replace(**changes)
    return str(caught.value)


def test_numbers() -> None:
    assert NET.n_neurons == 4 * 4 * 2 + 3
    assert NET.n_synapses == sum(len(p.operator.edges()) for p in NET.projections) == 96
    assert NET.n_synapses_to("out") == n_synapses(PROJECTION.operator)
    assert NET.n_synapses_to("conv") == 0
    assert NET.max_delay == 2
    assert NET.replace(projections=()).max_delay == 0
    assert NET.population("conv") is CONV
    assert NET.projections_to("out") == (PROJECTION,) == NET.projections_from("conv")
    assert NET.spiking_inputs == ()
    with pytest.raises(ParameterError, match="Valid names: conv, out"):
        NET.population("cnov")


def test_spiking_inputs_have_two_polarities() -> None:
    network = spiking_network("poisson")
    (entry,) = network.spiking_inputs
    assert entry.spike_shape == (2, 6, 6, 1)
    assert entry.n_neurons == 72
    assert Input("x", (3,), "regular").spike_shape == (3,)
    assert Input("x", (3,)).n_neurons == 0
    with pytest.raises(ConversionError, match=r"in_shape is \(2, 6, 6, 1\), expected \(6, 6, 1\)"):
        network.replace(inputs=(replace(entry, signed=False),))


def test_topological_order_follows_the_projections_not_the_list() -> None:
    assert NET.replace(populations=(OUT, CONV)).topological_order() == ("conv", "out")


def test_recurrent_networks_are_sound_but_have_no_order() -> None:
    recurrent = Projection("out", "out", Dense((3,), np.eye(3)), "syn")
    network = NET.replace(projections=(PROJECTION, recurrent))
    with pytest.raises(ParameterError, match="out -> out"):
        network.topological_order()


def test_all_problems_at_once() -> None:
    text = message(
        dt=-1.0,
        projections=(replace(PROJECTION, receptor="nmda", delay_steps=0),),
        drives=(replace(DRIVE, input="imgae"),),
    )
    assert "4 problem(s)" in text
    for word in ("dt", "nmda", "delay_steps", "imgae"):
        assert word in text


@pytest.mark.parametrize(
    "name", ["a b", "1st", "lambda", "x\ny", "'", "__import__", "a/b", "v" * 65]
)
def test_names_are_identifiers(name: str) -> None:
    assert "problem" in message(name=name)
    message(readouts=(replace(READOUT, name=name),))
    message(populations=(CONV, replace(OUT, name=name)))


def test_names_are_unique() -> None:
    assert "'conv' occurs twice" in message(populations=(CONV, OUT, CONV))
    assert "'conv' occurs twice" in message(inputs=(*NET.inputs, Input("conv", (2,))))
    assert "'dense' occurs twice" in message(readouts=(READOUT, READOUT))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dt": float("nan")}, "dt"),
        ({"dt": float("inf")}, "dt"),
        ({"n_steps": 0}, "n_steps"),
        ({"n_steps": 2.5}, "n_steps"),
        ({"inputs": (Input("image", (6, 6, 1), "morse"),)}, "encoder 'morse'"),
        ({"inputs": (Input("image", (6, 0, 1)),)}, "positive integers"),
        ({"inputs": (Input("image", (6, 6, 1), scale=float("nan")),)}, "scale"),
        ({"code": {"code": "rate\nimport os"}}, "code"),
    ],
)
def test_network_and_inputs(changes: dict[str, Any], expected: str) -> None:
    assert expected in message(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"shape": (4, 4, 0)}, "positive integers"),
        ({"parameters": {"v_thr": 1.0}}, "no parameter 'v_thr'"),
        ({"parameters": {"v_th": np.nan}}, "NaN"),
        ({"parameters": {"v_th": np.ones(5)}}, "does not broadcast to (4, 4, 2)"),
        ({"parameters": {"v_th": np.ones((1, 4, 4, 2))}}, "does not broadcast"),
        ({"parameters": {"c_m": -1.0}}, "must lie between"),
        ({"parameters": {"t_ref": 1.5}}, "not a whole number of steps of dt = 1.0 ms"),
        ({"parameters": {"t_ref": np.array([1.0, 0.3])}}, "t_ref = 0.3 ms"),
        ({"parameters": {"v_th": "high"}}, "must be numbers"),
        ({"initial": {"w": 0.0}}, "no state variable 'w'"),
        ({"initial": {"v": np.inf}}, "NaN or infinite"),
        ({"scale": np.array(np.inf)}, "scale"),
        ({"offset": np.ones((3, 2))}, "offset"),
        ({"max_rate": 0.0}, "max_rate"),
        ({"start_step": -1}, "start_step"),
        ({"layer": "conv9"}, "represents the layer 'conv9'"),
    ],
)
def test_populations(changes: dict[str, Any], expected: str) -> None:
    assert expected in message(populations=(replace(CONV, **changes), OUT))


def test_default_refractory_period_is_checked_too() -> None:
    model = LeakyIntegrateAndFire().model
    default = model.parameter(model.refractory)
    other = replace(
        model,
        parameters=tuple(replace(p, default=1.7) if p is default else p for p in model.parameters),
    )
    text = message(populations=(replace(CONV, model=other), OUT))
    assert "1.7 ms is not a whole number" in text


def test_a_tenth_of_a_millisecond_divides_two_milliseconds() -> None:
    populations = (replace(CONV, parameters={"t_ref": 2.1}), OUT)
    assert NET.replace(dt=0.1, populations=populations).dt == 0.1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pre": "nobody"}, "no population or spiking input 'nobody'"),
        ({"pre": "image"}, "no population or spiking input 'image'"),
        ({"post": "nobody"}, "no population 'nobody'"),
        ({"operator": Dense((4, 4, 2), np.ones((2, 3)))}, "out_shape is (4, 4, 3), expected (3,)"),
        ({"operator": Dense((32,), np.ones((32, 3)))}, "in_shape is (32,), expected (4, 4, 2)"),
        ({"operator": np.ones((32, 3))}, "needs an operator"),
        ({"receptor": "ampa"}, "Valid: syn"),
        ({"delay_steps": 0}, "delay_steps"),
        ({"delay_steps": 1.5}, "delay_steps"),
        ({"delay_steps": True}, "delay_steps"),
    ],
)
def test_projections(changes: dict[str, Any], expected: str) -> None:
    assert expected in message(projections=(replace(PROJECTION, **changes),))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_are_finite(bad: float) -> None:
    operator = PROJECTION.operator.map_weights(lambda weights: np.full_like(weights, bad))
    assert "NaN or infinite" in message(projections=(replace(PROJECTION, operator=operator),))


@pytest.mark.parametrize(
    ("drive", "expected"),
    [
        (replace(DRIVE, post="nobody"), "no population 'nobody'"),
        (replace(DRIVE, post="out"), "expected (3,)"),
        (replace(DRIVE, grid=-1.0), "grid"),
    ],
)
def test_drives(drive: Drive, expected: str) -> None:
    assert expected in message(drives=(drive,))


def test_drives_need_an_analog_input_and_a_model_that_takes_current() -> None:
    assert "'current'" in message(inputs=(replace(NET.inputs[0], encoder="regular"),))
    gate = Population("conv", (4, 4, 2), MaxGate(2).model)
    assert "takes no constant current" in message(populations=(gate, OUT), changes=())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change(-1, "out", "v", 0.0), "at least 0"),
        (Change(0, "nobody", "v", 0.0), "no population 'nobody'"),
        (Change(0, "out", "u", 0.0), "no parameter or variable 'u'"),
        (Change(0, "out", "v", np.ones(4)), "does not broadcast"),
        (Change(0, "out", "v", np.inf), "infinite"),
        (Change(0, "out", "c_m", 0.0), "must lie between"),
    ],
)
def test_changes(change: Change, expected: str) -> None:
    assert expected in message(changes=(change,))


@pytest.mark.parametrize(
    ("readout", "expected"),
    [
        (Readout("r", "nobody", "count", Linear()), "no population 'nobody'"),
        (Readout("r", "out", "guess", Linear()), "kind 'guess'"),
        (Readout("r", "out", "softmax", Linear()), "above 0 Hz"),
        (Readout("r", "gate", "potential", Linear()), "reads a membrane potential"),
    ],
)
def test_readouts(readout: Readout, expected: str) -> None:
    gate = Population("gate", (3,), MaxGate(2).model)
    assert expected in message(populations=(CONV, OUT, gate), readouts=(readout,))


def test_analog_graph_is_checked() -> None:
    graph = analog_graph()
    first, last = graph.layers
    (affine,) = last.inputs
    (term,) = affine.terms
    wrong = {
        "not an earlier layer": replace(graph, layers=(last, first)),
        "there is no layer": replace(graph, outputs=("softmax",)),
        "occurs twice": replace(graph, layers=(first, first, last)),
        "in_shape": replace(
            graph,
            layers=(
                first,
                replace(last, inputs=(replace(affine, terms=(Term("image", term.operator),)),)),
            ),
        ),
        "bias": replace(
            graph,
            layers=(first, replace(last, inputs=(Affine((term,), np.array([np.nan]), (3,)),))),
        ),
        "but the layer has": replace(
            graph, layers=(first, Layer("dense", Linear(), last.inputs, (4,)))
        ),
    }
    for expected, broken in wrong.items():
        assert expected in message(analog=broken)


def test_neurons_that_never_spike_may_have_an_infinite_threshold() -> None:
    silent = replace(OUT, parameters={"v_th": np.inf})
    network = NET.replace(populations=(CONV, silent))
    assert network.population("out").parameters["v_th"] == np.inf
    assert IntegrateAndFire().model.parameter("v_th").bounds[1] == np.inf
