"""What outputs stand for: found from their functions, changed by the user, counted everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from small_graphs import affine, graph, layer, mlp

import bioconv as bc
from bioconv.analog import functions as f
from bioconv.analog.decisions import before_function, decisions_of, suggest
from bioconv.analog.graph import AnalogGraph
from bioconv.export.support.results import Results
from bioconv.ground.decisions import LARGEST, Decision
from bioconv.ground.errors import DataError, DataWarning, ParameterError
from bioconv.measures import analog_accuracy, analog_classes
from bioconv.operators import Dense, Reshape, identity

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 6))
BINARY = Decision("threshold", threshold=0.5)
VALUE = Decision("value")


def binary(function: f.Function) -> AnalogGraph:
    return mlp(np.random.default_rng(5), (6, 12, 1), last=function)


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (f.Softmax(), (10,), LARGEST),
        (f.LogSoftmax(), (10,), LARGEST),
        (f.Softmax(-1), (7, 10), Decision("largest", axis=1)),
        (f.Softmax(1), (3, 5, 5), Decision("largest", axis=0)),
        (f.Sigmoid(), (1,), BINARY),
        (f.HardSigmoid(), (1, 1), BINARY),
        (f.CumulativeNormal(1.7), (1,), BINARY),
        (f.Tanh(), (1,), Decision("threshold", threshold=0.0)),
        (f.Softsign(), (1,), Decision("threshold", threshold=0.0)),
        (f.Sigmoid(), (6,), BINARY),
        (f.Sigmoid(), (28, 28, 1), BINARY),
        (f.Linear(), (1,), VALUE),
        (f.ReLU(), (1,), VALUE),
        (f.Linear(), (10,), LARGEST),
        (f.Linear(), (1, 1, 10), LARGEST),
        (f.Tanh(), (28, 28, 1), VALUE),
    ],
)
def test_the_output_function_says_what_an_output_stands_for(
    function: f.Function, shape: tuple[int, ...], expected: Decision
) -> None:
    assert suggest(function, shape) == expected


def test_outputs_like_the_input_are_values() -> None:
    assert suggest(f.Sigmoid(), (64,), [(64,)]) == VALUE
    assert suggest(f.Linear(), (64,), [(64,)]) == VALUE
    assert suggest(f.Linear(), (64,), [(32,)]) == LARGEST


def test_a_reshaping_layer_after_the_function_changes_nothing() -> None:
    hidden = layer("dense", f.Sigmoid(), affine(("x", Dense((6,), RNG.normal(size=(6, 1))))))
    out = layer("flat", f.Linear(), affine(("dense", Reshape((1,), (1, 1)))))
    scaled = layer("scaled", f.Linear(), affine(("dense", Dense((1,), np.array([[2.0]])))))
    moved = layer("moved", f.Linear(), affine(("dense", identity((1,))), bias=1.0))
    network = graph(hidden, out, scaled, moved, shape=(6,), outputs=("flat", "scaled", "moved"))
    assert decisions_of(network) == {"flat": BINARY, "scaled": VALUE, "moved": VALUE}


@pytest.mark.parametrize(
    ("function", "threshold", "before"),
    [
        (f.Sigmoid(), 0.5, 0.0),
        (f.Sigmoid(), 0.3, np.log(0.3 / 0.7)),
        (f.Tanh(), 0.0, 0.0),
        (f.HardSigmoid(), 0.5, 0.0),
        (f.HardSigmoid(0.2, 0.5), 0.9, 2.0),
        (f.Linear(), 0.0, 0.0),
        (f.Softplus(), 100.0, 100.0),
        (f.ReLU(), 0.0, 0.0),
    ],
)
def test_thresholds_before_the_function(
    function: f.Function, threshold: float, before: float
) -> None:
    decision = before_function(Decision("threshold", threshold=threshold), function, (1,))
    assert decision.threshold == pytest.approx(before, abs=1e-12, rel=1e-9)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("best", "kind must be one of largest, threshold, value"),
        ("largest:3", "'largest', 'threshold:NUMBER' or 'value:TOLERANCE'"),
        ("threshold:much", "'threshold:NUMBER'"),
        ("value:-1", "tolerance must be a number above 0"),
        ("threshold:1.5", "cannot be decided by a threshold of 1.5"),
        ({"elsewhere": "largest"}, "no output 'elsewhere'. Outputs: dense_2"),
        (Decision("largest", axis=3), "no axis 3"),
        (0.5, "decision must be a Decision"),
    ],
)
def test_decisions_that_do_not_fit_are_refused(chosen: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        bc.convert(binary(f.Sigmoid()), calibration=X, decision=chosen)


def test_traced_and_plain_arrays_are_decided_alike() -> None:
    values = RNG.normal(size=(5, 12))
    for decision in (LARGEST, Decision("largest", axis=0), Decision("largest", axis=1), BINARY):
        found = decision.decide(jnp.asarray(values), (3, 4))
        np.testing.assert_array_equal(found, decision.decide_known(values, (3, 4)))


def test_classes_along_an_axis() -> None:
    outputs = RNG.normal(size=(5, 3, 1, 4))
    np.testing.assert_array_equal(
        Decision("largest", axis=0).of(outputs), outputs[:, :, 0].argmax(axis=1)
    )
    y = RNG.integers(0, 3, (5, 4))
    decision = Decision("largest", axis=0)
    np.testing.assert_array_equal(decision.labels(y, (3, 1, 4), 5), y)
    one_hot = np.moveaxis(np.eye(3)[y], -1, 1)[:, :, None]
    np.testing.assert_array_equal(decision.labels(one_hot, (3, 1, 4), 5), y)


def test_a_sample_without_output_is_undecided() -> None:
    values = np.array([[np.nan, np.nan], [1.0, 3.0]])
    assert LARGEST.decide_known(values, (2,)).tolist() == [-1, 1]
    assert BINARY.decide_known(values, (2,)).tolist() == [[-1, -1], [1, 1]]
    assert np.isnan(VALUE.decide_known(values, (2,))[0]).all()


@pytest.mark.parametrize("y", [[0, 1, 1], [[0], [1], [1]], [[1, 0], [0, 1], [0, 1]], [False, 1, 1]])
def test_labels_of_one_output_above_a_threshold(y: Any) -> None:
    assert BINARY.labels(y, (1,), 3).tolist() == [0, 1, 1]


def test_signs_are_labels_of_a_sign() -> None:
    sign = Decision("threshold", threshold=0.0)
    assert sign.labels([-1, 1, 1], (1,), 3).tolist() == [0, 1, 1]
    with pytest.raises(DataError, match="from -1 to 1"):
        BINARY.labels([-1, 1, 1], (1,), 3)
    with pytest.raises(DataError, match="-1, 0"):
        sign.labels([-1, 0, 1], (1,), 3)


def test_classes_for_a_value_give_a_warning() -> None:
    with pytest.warns(DataWarning, match="If it is a logit, choose decision='threshold:0'"):
        VALUE.labels([0, 1, 1], (1,), 3)


def test_one_sigmoid_output_is_counted_alike_everywhere(tmp_path: Path) -> None:
    model = binary(f.Sigmoid())
    y = (model.predict(X)[:, 0] > 0.5).astype(int)
    assert 5 < y.sum() < 55, "both classes"
    assert bc.estimate(model, X, y, calibration=X, percentiles=[100])[0].accuracy == 1.0
    network = bc.convert(model, calibration=X)
    assert network.decisions() == {"dense_2": BINARY}
    assert analog_classes(network, X).tolist() == y.tolist()
    assert analog_accuracy(network, X, y) == 1.0
    record = {p.name: ("counts",) for p in network.populations}
    recording = bc.simulate(network, X, record=record, progress=False)
    assert recording.accuracy(y) == recording.agreement(analog_classes(network, X)) > 0.95
    assert recording.accuracy(1 - y) < 0.05
    summary = bc.summarize(network, recording, X, y)
    assert summary["accuracy"] == recording.accuracy(y)
    assert (summary["analog_accuracy"], summary["decision"]) == (1.0, "output above 0.5")
    assert bc.diagnose(network, recording, X, y)[-1].accuracy == recording.accuracy(y)
    network.save(tmp_path / "net.h5")
    assert bc.load(tmp_path / "net.h5").decisions() == {"dense_2": BINARY}
    recording.save(tmp_path / "recording.h5")
    assert bc.Recording.load(tmp_path / "recording.h5").accuracy(y) == recording.accuracy(y)


def test_the_user_can_choose(tmp_path: Path) -> None:
    model = binary(f.Linear())
    outputs = model.predict(X)[:, 0]
    y = (outputs > 0.2).astype(int)
    network = bc.convert(model, calibration=X)
    assert network.decisions() == {"dense_2": VALUE}
    recording = bc.simulate(network, X, progress=False)
    assert recording.agreement(outputs) > 0.9
    assert recording.accuracy_over_time(outputs)[0] == recording.answered()[0] == 0.0
    chosen = bc.convert(model, calibration=X, decision="threshold:0.2")
    assert chosen.with_decision().decisions() == network.decisions()
    recording = bc.simulate(chosen, X, progress=False)
    assert recording.accuracy(y) > 0.9
    decision = {"dense_2": "threshold:0.2"}
    (row,) = bc.estimate(model, X, y, calibration=X, percentiles=[100], decision=decision)
    assert row.accuracy == 1.0
    chosen.save(tmp_path / "net.h5")
    assert bc.load(tmp_path / "net.h5").decisions() == chosen.decisions()


def test_programs_decide_without_the_function(tmp_path: Path) -> None:
    """Before a sigmoid, 0.3 is its logit; labels are checked before the images are shown."""
    network = bc.convert(binary(f.Sigmoid()), calibration=X, decision="threshold:0.3")
    bc.emit(network, tmp_path / "program", "brian2")
    program = (tmp_path / "program" / "program.py").read_text()
    assert "'threshold': -0.84729786" in program, "the logit of 0.3"
    support = {path.name: path.read_text() for path in (tmp_path / "program/support").iterdir()}
    assert "decisions.py" in support
    assert not [name for name, text in support.items() if "import bioconv" in text]
    assert not [name for name, text in support.items() if "from bioconv" in text]


def test_results_of_a_program_say_the_accuracy(capsys) -> None:
    entry = {
        **{"population": "p", "kind": "count", "variable": "", "initial": None, "rate": 0.0},
        **{"scale": np.ones(1), "offset": np.full(1, -0.3), "max_rate": 1000.0, "start_step": 0},
        "decision": {"kind": "threshold", "threshold": 0.0, "shape": (1,)},
    }

    def results(y: Any) -> Results:
        return Results(
            sizes={"p": 1},
            start_steps={},
            fan_out={},
            outputs={"p": entry},
            record={},
            checkpoints=np.array([5, 10]),
            dt=1.0,
            seed=0,
            y=y,
        )

    found = results(np.array([1, 1]))
    for n in (5, 1):  # half of the steps, and a tenth
        found.add({"p": (np.arange(n), np.zeros(n, int))}, {})
    found.print_accuracy()
    results(None).print_accuracy()
    assert capsys.readouterr().out == "accuracy: 50.00 % of 2 images\n"
    with pytest.raises(SystemExit, match="2"):
        results(np.array([0, 1007]))
    assert capsys.readouterr().err.startswith("y: labels must be integers from 0 to 1")
