"""The estimate before simulation, and the search for the percentile."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from later import later
from small_graphs import mlp

import bioconv as bc
from bioconv.analog import evaluate
from bioconv.analog.functions import Softmax
from bioconv.codes import FewSpikesCode, RateCode
from bioconv.ground.errors import DataError, ParameterError

keras = later("keras")
RNG = np.random.default_rng(0)
MODEL = mlp(RNG, (6, 40, 30, 5), last=Softmax())
X = RNG.random((200, 6))


@pytest.fixture(scope="module")
def y() -> np.ndarray:
    """Classes that the analog network finds."""
    return MODEL.predict(X).argmax(axis=1)


def test_nothing_is_lost_at_the_maximum_of_the_same_data(y: np.ndarray) -> None:
    (row,) = bc.estimate(MODEL, X, y, calibration=X, percentiles=[100])
    assert (row.accuracy, row.agreement) == (1.0, 1.0)
    assert row.output_error < 1e-6


def test_clipping_is_what_the_network_loses_after_long_time() -> None:
    """Mueller Table 4.1: ReLU1 predicts the spiking network."""
    code = RateCode(percentile=60, normalization="layer", clamp=1)
    (row,) = bc.estimate(MODEL, X, calibration=X, code=code, percentiles=[60])
    assert row.accuracy is None
    assert row.agreement < 0.995
    network = bc.convert(MODEL, calibration=X, code=code)
    recording = bc.simulate(network, X, steps=2000, progress=False)
    output = recording.outputs[network.readouts[0].name]
    exact = MODEL.predict(X)
    assert np.abs(output - exact).mean() / np.ptp(exact) == pytest.approx(row.output_error, rel=0.2)


def test_few_steps_cost_more() -> None:
    errors = [
        bc.estimate(MODEL, X, calibration=X, percentiles=[100], n_steps=n)[0].output_error
        for n in (2, 8, 64)
    ]
    assert errors[0] > errors[1] > errors[2] > 0


def test_the_defaults_are_those_of_the_conversion() -> None:
    given = bc.estimate(MODEL, X, calibration=X, code=RateCode(), percentiles=[95])
    assert bc.estimate(MODEL, X, calibration=X, percentiles=[95]) == given
    layer = RateCode(normalization="layer")
    assert bc.estimate(MODEL, X, calibration=X, code=layer, percentiles=[95]) != given


@pytest.mark.parametrize("over", ["positive", "all"])
def test_clips_at_the_percentile_over_all_or_positive_activations(over: str) -> None:
    """The first layer alone, against NumPy."""
    small = mlp(np.random.default_rng(0), (6, 40, 5))
    first = evaluate(small, X, names=["dense_1"])["dense_1"].astype(np.float64)
    scale = np.percentile(first if over == "all" else first[first > 0], 90)
    last = small.layers[-1].inputs[0]
    clipped = np.minimum(first, scale).astype(np.float32)
    expected = np.asarray(last.terms[0].operator.apply(clipped)) + last.bias
    exact = small.predict(X)
    code = RateCode(normalization="layer", over=over)
    (row,) = bc.estimate(small, X, calibration=X, code=code, percentiles=[90])
    error = np.abs(expected - exact).mean() / np.ptp(exact)
    assert row.output_error == pytest.approx(error, rel=1e-4)


def test_search_chooses_by_agreement_on_noise() -> None:
    rows = bc.search_percentile(
        MODEL, calibration=X, percentiles=[30, 99.9, 100], n_samples=100, n_steps=150
    )
    assert [row.percentile for row in rows] == [30, 99.9, 100]
    (chosen,) = [row for row in rows if row.chosen]
    assert chosen.percentile != 30
    assert chosen.agreement == max(row.agreement for row in rows)


def test_noise_that_sets_its_own_scales_loses_nothing_at_the_maximum_of_them() -> None:
    """With scales of other data, which are smaller, noise saturates."""
    quiet = 0.02 * X + 0.49
    quiet[0], quiet[1] = 0.0, 1.0  # the range of the noise
    options = {"calibration": quiet, "percentiles": [98], "n_samples": 60, "n_steps": 300}
    (own,) = bc.search_percentile(MODEL, **options)
    (other,) = bc.search_percentile(MODEL, scales="calibration", **options)
    assert own.output_error < 0.5 * other.output_error


def test_any_metric_of_labels_and_outputs(y: np.ndarray) -> None:
    """Against NumPy: percentile 100 of the same data clips nothing."""
    target = np.eye(5)[y]

    def largest_error(labels: np.ndarray, outputs: np.ndarray) -> float:
        return float(np.abs(labels - outputs).max())

    rows = bc.estimate(MODEL, X, target, calibration=X, percentiles=[60, 100], metric=largest_error)
    exact = np.abs(target - MODEL.predict(X)).max()
    assert [row.analog_metric for row in rows] == pytest.approx([exact, exact])
    assert rows[1].metric == pytest.approx(exact, rel=1e-5)
    assert rows[0].metric > exact * 1.01
    assert all(row.accuracy is None for row in rows)
    assert rows[0].agreement < 1


@pytest.mark.parametrize("by_name", [True, False])
def test_metrics_of_keras_are_counted_anew_for_every_percentile(y: np.ndarray, by_name) -> None:
    """An accuracy of Keras is the accuracy; an instance adds up what it sees."""
    name = "sparse_categorical_accuracy"
    metric = name if by_name else keras.metrics.SparseCategoricalAccuracy()
    given = {"calibration": X, "percentiles": [40, 70, 100]}
    found = bc.estimate(MODEL, X, y, metric=metric, **given)
    usual = bc.estimate(MODEL, X, y, **given)
    assert [row.metric for row in found] == pytest.approx([row.accuracy for row in usual])
    assert found[0].metric < found[2].metric == found[2].analog_metric == 1.0


def test_a_metric_sees_all_outputs_by_name() -> None:
    first = mlp(np.random.default_rng(0), (6, 40, 5))
    both = dataclasses.replace(first, outputs=("dense_1", "dense_2"))
    seen = []

    def metric(labels: np.ndarray, outputs: dict[str, np.ndarray]) -> float:
        seen.append({name: array.shape for name, array in outputs.items()})
        return 0.0

    bc.estimate(both, X, X, calibration=X, percentiles=[100], metric=metric)
    assert seen[0] == {"dense_1": (200, 40), "dense_2": (200, 5)}


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("acuracy", "Keras has no metric 'acuracy'"),
        (3, "must be a function of labels and outputs"),
        (lambda y, outputs: "good", "must return a number"),
        (lambda y, outputs: [], "must return a number"),
    ],
    ids=["unknown", "number", "text", "nothing"],
)
def test_wrong_metrics_are_refused(metric: object, message: str, y: np.ndarray) -> None:
    with pytest.raises(ParameterError, match=message):
        bc.estimate(MODEL, X, y, calibration=X, metric=metric)
    with pytest.raises(ParameterError, match="requires labels"):
        bc.estimate(MODEL, X, calibration=X, metric="mean_absolute_error")


def test_messages(y: np.ndarray) -> None:
    with pytest.raises(DataError, match="expected 200 labels"):
        bc.estimate(MODEL, X, y[:5], calibration=X)
    with pytest.raises(ParameterError, match="percentile"):
        bc.estimate(MODEL, X, calibration=X, percentiles=[])
    with pytest.raises(ParameterError, match="percentile must be a number above 0 and at most 100"):
        bc.estimate(MODEL, X, calibration=X, percentiles=[101])
    with pytest.raises(ParameterError, match="requires a rate code"):
        bc.estimate(MODEL, X, calibration=X, code=FewSpikesCode())
    with pytest.raises(ParameterError, match="scales must be noise or calibration"):
        bc.search_percentile(MODEL, calibration=X, scales="data")
    with pytest.raises(ParameterError, match="noise sample"):
        bc.search_percentile(MODEL, calibration=X, n_samples=0)


def test_layers_that_stay_analog_are_estimated() -> None:
    """What can be converted can be estimated; at the maximum of the same data nothing is lost."""
    given = keras.Input((8,))
    x = keras.layers.LayerNormalization()(keras.layers.Dense(12, "relu")(given))
    model = keras.Model(given, keras.layers.Dense(4)(keras.layers.Dense(10, "relu")(x)))
    data = RNG.random((50, 8))
    (row,) = bc.estimate(model, data, calibration=data, percentiles=[100])
    assert row.agreement == 1.0 and row.output_error < 1e-5
