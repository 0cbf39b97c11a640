"""The agreement that is expected at conversion, the layer that loses most, and the warning."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import digits
import jax.numpy as jnp
import numpy as np
import pytest
from small_graphs import affine, graph, layer

import bioconv as bc
from bioconv import codes
from bioconv.analog import evaluate
from bioconv.analog.functions import LayerNormalization, Linear, ReLU, Tanh
from bioconv.codes.common.calibration import LowestValues
from bioconv.codes.common.expectation import compare, expect
from bioconv.codes.common.rewriting import rewrite
from bioconv.codes.common.rewritten import Rewritten
from bioconv.ground.decisions import LARGEST, Decision
from bioconv.ground.errors import AccuracyWarning
from bioconv.operators import Array, Dense, register
from bioconv.reports.networks import describe_expectation

X = np.random.default_rng(0).random((60, 6))


@register
@dataclass(frozen=True, eq=False)
class Steps(ReLU):
    """Whole numbers only, as `rounded` (1)."""

    def value(self, x: Array) -> Array:
        return jnp.round(jnp.maximum(x, 0))


def three_layers() -> Rewritten:
    rng = np.random.default_rng(1)
    model = graph(
        layer("a", ReLU(), affine(("x", Dense((6,), rng.normal(0, 1, (6, 12)))))),
        layer("b", ReLU(), affine(("a", Dense((12,), rng.normal(0, 1, (12, 12)))))),
        layer("out", Linear(), affine(("b", Dense((12,), rng.normal(0, 1, (12, 4)))))),
        shape=(6,),
    )
    return rewrite(model, LowestValues(model, {"x": X}))


def rounded(step: float) -> object:
    return lambda x: step * np.round(np.maximum(x, 0) / step)


def test_exact_layers_lose_nothing() -> None:
    found = expect(three_layers(), {}, {"x": X})
    assert (found.agreement, found.weakest) == (1.0, "")


@pytest.mark.parametrize("coarse", ["a", "b"])
def test_the_layer_that_loses_most_is_named(coarse: str) -> None:
    levels = {name: rounded(2.0 if name == coarse else 0.01) for name in ("a", "b")}
    found = expect(three_layers(), levels, {"x": X})  # type: ignore[arg-type]
    assert found.weakest == coarse
    assert 0.2 < found.agreement < 1.0


def test_errors_of_outputs_are_those_of_a_quantised_network() -> None:
    """Without any change of a decision, too; computed here as plain matrix products."""
    model = three_layers()
    levels = {name: rounded(0.5) for name in ("a", "b")}
    found = expect(model, levels, {"x": X})  # type: ignore[arg-type]
    values: dict[str, list[np.ndarray]] = {"exact": [], "rounded": []}
    for kind, function in (("exact", lambda x: np.maximum(x, 0)), ("rounded", rounded(0.5))):
        y = X
        for entry in (*model.layers, *model.readouts):
            (term,) = entry.inputs[0].terms
            y = y @ term.operator.kernel
            y = y if entry in model.readouts else function(y)  # type: ignore[operator]
        values[kind].append(y)
    exact, coarse = values["exact"][0], values["rounded"][0]
    error = np.sqrt(np.mean((coarse - exact) ** 2)) / np.ptp(exact)
    assert found.deviation == pytest.approx(error, rel=1e-3) and error > 0.01


def test_outputs_that_are_off_are_warned_of_though_decisions_stay() -> None:
    """All probabilities are close to 0.5, so that the class is certain and the value is not."""
    rng = np.random.default_rng(3)
    hidden = layer("a", Tanh(), affine(("x", Dense((6,), rng.normal(0, 0.5, (6, 8))))))
    flat = affine(("a", Dense((8,), rng.normal(0, 0.002, (8, 1)))), bias=1.0)
    model = graph(hidden, layer("out", Linear(), flat), shape=(6,))
    with pytest.warns(AccuracyWarning, match="make the decisions .* off by .* % of their range"):
        network = bc.convert(
            model,
            calibration=X,
            code=bc.FewSpikesCode(k=2),
            decision=Decision("threshold", threshold=0.5),
        )
    assert network.code["expected_agreement"] == 1.0 and network.code["expected_deviation"] > 0.02
    (line,) = describe_expectation(network)
    assert "100.0 %; outputs off by" in line and "the layer 'a' loses most" in line


def test_what_an_input_can_say_counts() -> None:
    found = expect(three_layers(), {"x": lambda x: np.zeros_like(x)}, {"x": X})
    assert found.agreement < 0.9


def test_agreement_is_counted_by_decisions() -> None:
    exact, found = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([[2.0, 1.0], [9.0, 1.0]])
    assert compare([exact], [found], [LARGEST])[1] == 0.5
    one = np.array([[-1.0], [0.1], [3.0], [2.0]])
    logit = Decision("threshold", threshold=0.0)
    assert compare([one], [one + 0.2], [logit])[1] == 1.0
    assert compare([one], [one - 0.2], [logit])[1] == 0.75
    other = one + np.array([[0.01], [0], [0], [1]])
    assert compare([one], [other], [Decision("value")])[1] == 0.75


#: whose run takes longest
SLOW = ("first_spike", "first_spike_dynamic")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in codes.converting()
    ],
)
def test_every_code_predicts_its_agreement(name: str) -> None:
    """Calibrated on one half of images that the network was not trained on, run on the other."""
    images, exact = digits.test(360), digits.mlp().predict(digits.test(360)).argmax(axis=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        network = bc.convert(digits.mlp(), calibration=images[:180], code=codes.make(name))
    measured = bc.simulate(network, images[180:], progress=False).agreement(exact[180:])
    assert abs(float(network.code["expected_agreement"]) - measured) <= 0.02


@pytest.mark.parametrize(
    ("code", "least", "most"),
    [
        (bc.FewSpikesCode(k=2), 0.3, 0.97),
        (bc.PopulationCode(n=3), 0.3, 0.97),
        (bc.OscillationCode(window_steps=3), 0.3, 0.97),
    ],
    ids=["few_spikes", "population", "phase"],
)
def test_loss_is_predicted_and_warned_of(code: codes.Code, least: float, most: float) -> None:
    images, exact = digits.test(360), digits.mlp().predict(digits.test(360)).argmax(axis=-1)
    with pytest.warns(AccuracyWarning, match="loses most") as caught:
        network = bc.convert(digits.mlp(), calibration=images[:180], code=code)
    assert str(network.code["weakest_layer"]) in str(caught[0].message)
    assert code.remedy in str(caught[0].message)
    measured = bc.simulate(network, images[:180], progress=False).agreement(exact[:180])
    assert least < measured < most
    assert abs(float(network.code["expected_agreement"]) - measured) <= 0.02


@pytest.mark.parametrize("source", ["regular", "poisson"])
def test_spikes_of_inputs_count(source: str) -> None:
    """With 60 steps, Poisson spikes say little of a pixel."""
    images, exact = digits.test(360), digits.mlp().predict(digits.test(360)).argmax(axis=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        network = bc.convert(
            digits.mlp(), calibration=images[:180], code=bc.RateCode(input=source), n_steps=60
        )
    measured = bc.simulate(network, images, progress=False).agreement(exact)
    assert abs(float(network.code["expected_agreement"]) - measured) <= 0.02


def test_an_output_that_orders_its_values_anew_is_compared_after_its_function() -> None:
    gamma = np.array([1.0, -1.0, 1.0, 1.0])
    rng = np.random.default_rng(1)
    model = graph(
        layer("a", ReLU(), affine(("x", Dense((6,), rng.normal(0, 1, (6, 8)))))),
        layer(
            "out",
            LayerNormalization(gamma=gamma),
            affine(("a", Dense((8,), rng.normal(0, 1, (8, 4))))),
        ),
        shape=(6,),
    )
    rewritten = rewrite(model, LowestValues(model, {"x": X}))
    found = expect(rewritten, {"a": rounded(1.0)}, {"x": X})  # type: ignore[dict-item]
    rough = evaluate(
        replace(
            model,
            layers=(replace(model.layers[0], function=Steps()), *model.layers[1:]),
        ),
        X,
    )["out"]
    same = rough.argmax(axis=-1) == model.predict(X).argmax(axis=-1)
    assert found.agreement == np.mean(same) < 1.0


def test_no_warning_where_nothing_is_lost() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", AccuracyWarning)
        network = bc.convert(digits.mlp(), calibration=digits.train()[:100])
    assert float(network.code["expected_agreement"]) >= 0.99


def test_a_run_of_minutes_is_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bioconv.measures.expectation._LONGEST", 1000)
    network = bc.convert(digits.mlp(), calibration=digits.train()[:20], code=bc.FirstSpikeCode())
    assert "expected_agreement" not in network.code
    (line,) = describe_expectation(network)
    assert "not known, because a run on a few calibration samples would take minutes" in line


def test_very_large_networks_are_run_on_a_few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"calibration": digits.train()[:20], "code": bc.FirstSpikeCode()}
    found = bc.convert(digits.mlp(), **options)
    limit = int(5.5 * found.n_neurons * found.n_steps)
    monkeypatch.setattr("bioconv.measures.expectation._LONGEST", limit)
    network = bc.convert(digits.mlp(), **options)
    assert network.code["expected_from"] == 5 and "a run on 5" in describe_expectation(network)[0]
    assert float(network.code["expected_agreement"]) in np.arange(6) / 5


def test_every_code_says_what_helps() -> None:
    assert all(cls.remedy.endswith(".") for cls in codes.library().values())


@pytest.mark.slow
def test_tables_are_fitted_where_the_included_ones_do_not_reach() -> None:
    """Inputs of tanh between -20 and 20: the included table is made for -6 to 6."""
    rng = np.random.default_rng(2)
    model = graph(
        layer("a", Tanh(), affine(("x", Dense((6,), rng.normal(0, 8, (6, 20)))))),
        layer("out", Linear(), affine(("a", Dense((20,), rng.normal(0, 1, (20, 4)))))),
        shape=(6,),
    )
    x = rng.normal(0, 1, (200, 6))
    errors = {}
    for fit in ("standard", "auto"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            network = bc.convert(model, calibration=x[:100], code=bc.FewSpikesCode(k=8, fit=fit))
        output = bc.simulate(network, x[100:], progress=False).outputs["out"]
        errors[fit] = float(np.abs(output - model.predict(x[100:])).mean())
    assert errors["auto"] < 0.3 * errors["standard"]
