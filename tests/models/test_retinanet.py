"""The detector: Keras's outputs, the scales of its pyramid, its losses, and its boxes in spikes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from later import later

import bioconv as bc
from bioconv import models
from bioconv.data import datasets
from bioconv.data.detection import on_canvas
from bioconv.detection import MeanAveragePrecision, decode_boxes
from bioconv.ground.errors import DataError, ParameterError
from bioconv.measures import analog_metric, metric_over_time
from bioconv.models import _detection, training
from bioconv.models._retinanet import ANCHORS, build_retinanet, padded_anchors
from bioconv.models.network import Recipe

keras = later("keras")
plots = later("bioconv.plots")

SHAPE = (32, 40, 1)
X = np.random.default_rng(0).random((12, *SHAPE)).astype(np.float32)
#: two objects in every second picture
Y = np.array(12 * [[[1, 3, 4, 15, 18], [0, 20, 8, 36, 24.0]]])
Y[::2, 1] = [-1, 0, 0, 0, 0]


@cache
def small() -> Any:
    """A detector with random weights and statistics, for images that are padded."""
    keras.utils.set_random_seed(3)
    model = build_retinanet("small", SHAPE, 2)
    random = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape
            drawn = [random.uniform(0.7, 1.3, n), random.normal(0.1, 0.1, n)]
            layer.set_weights([*drawn, random.normal(0, 0.1, n), random.uniform(0.7, 1.3, n)])
    return model


def rescaled(model: Any, factor: float) -> Any:
    """The same function, but with ``factor`` times the activations of C5."""
    copy = build_retinanet("small", SHAPE, 2)  # the order of shared layers of a clone is another
    copy.set_weights(model.get_weights())
    rectified = copy.get_layer("lateral5").input._keras_history.operation
    for branch in rectified.input._keras_history.operation.input:
        gamma, beta, *statistics = branch._keras_history.operation.get_weights()
        branch._keras_history.operation.set_weights([factor * gamma, factor * beta, *statistics])
    for name in ("lateral5", "p6"):
        kernel, bias = copy.get_layer(name).get_weights()
        copy.get_layer(name).set_weights([kernel / factor, bias])
    return copy


def test_the_network_contains_its_anchors() -> None:
    """Without offsets its boxes are the anchors; 32×40 pixels are padded to 32×64."""
    model = small()
    joined = keras.Model(model.input, model.get_layer("box_joined").output)
    deltas = joined.predict(X, verbose=0)
    scores, boxes = model.predict(X, verbose=0)
    anchors = padded_anchors(SHAPE)
    assert len(anchors) == 9 * (4 * 8 + 2 * 4 + 1 * 2 + 1 + 1)
    assert scores.shape == (12, len(anchors), 2)
    np.testing.assert_allclose(boxes, decode_boxes(deltas, anchors), atol=1e-4)
    np.testing.assert_array_equal(ANCHORS.boxes(32, 64), anchors)


def test_it_is_read_as_keras_computes_it() -> None:
    """Heads with a sigmoid behind Reshape and Concatenate are an output, as are the boxes."""
    found = bc.read(small()).predict(X)
    for ours, exact in zip(found.values(), small().predict(X, verbose=0), strict=True):
        np.testing.assert_allclose(ours, exact, atol=1e-4)


@cache
def converted(factor: float = 1.0) -> Any:
    model = small() if factor == 1.0 else rescaled(small(), factor)
    return bc.convert(model, calibration=X, progress=False).with_decision("value")


@cache
def recorded(factor: float = 1.0) -> Any:
    return bc.simulate(converted(factor), X[:3], steps=400, checkpoints=4, progress=False)


@pytest.mark.slow
def test_the_pyramid_undoes_the_scales_of_the_backbone() -> None:
    """Mueller 4.3.1: with 64 times the activations of C5, not one spike is another one."""
    scaled, usual = rescaled(small(), 64.0), small()
    for ours, exact in zip(scaled.predict(X, verbose=0), usual.predict(X, verbose=0), strict=True):
        np.testing.assert_allclose(ours, exact, atol=2e-4)
    one, other = recorded(), recorded(64.0)
    for (name, spikes), found in zip(
        one.spikes_per_neuron.items(), other.spikes_per_neuron.values(), strict=True
    ):
        np.testing.assert_array_equal(found, spikes, err_msg=name)
    assert sum(spikes.sum() for spikes in one.spikes_per_neuron.values()) > 10_000


def test_all_of_the_pyramid_but_its_relu_is_part_of_weights() -> None:
    """Mueller 4.3.1: what is linear is condensed; nine rectifications of the backbone are left."""
    rectified = [p for p in converted().populations if p.layer]
    # stem, two a block, and P6's; the hidden layers of two heads at five levels
    assert len(rectified) == 1 + 2 * 4 + 1 + 2 * 5
    assert len(converted().readouts) == 2


@pytest.mark.slow
def test_spikes_give_the_scores_and_boxes_of_keras() -> None:
    exact = small().predict(X[:3], verbose=0)
    for readout, values in zip(converted().readouts, exact, strict=True):
        error = np.abs(recorded().outputs[readout.name] - values)
        assert error.max() < 0.02 * np.ptp(values)


@pytest.mark.slow
def test_a_metric_over_time_is_that_of_the_outputs() -> None:
    network, recording = converted(), recorded()
    assert recording.checkpoints.tolist() == [100, 200, 300, 400]
    metric = MeanAveragePrecision(threshold=0.0)
    found = metric_over_time(network, recording, Y[:3], metric)
    assert found[-1] == metric(Y[:3], dict(recording.outputs))

    def box_error(y: Any, outputs: Any) -> float:
        return float(np.abs(outputs["boxes"] - small().predict(X[:3], verbose=0)[1]).mean())

    errors = metric_over_time(network, recording, Y[:3], box_error)
    assert errors[0] > errors[-1] > 0
    assert analog_metric(network, X[:3], Y[:3], box_error) < 1e-4
    with pytest.raises(DataError, match="3 entries of y"):
        metric_over_time(network, recording, Y, "map")
    labels = network.with_decision({"scores": "threshold:0.5", "boxes": "value"})
    classes = bc.simulate(labels, X[:1], steps=60, progress=False)
    with pytest.raises(ParameterError, match="scores stands for classes"):
        metric_over_time(network, classes, Y[:1], "map")


@pytest.mark.slow
def test_the_picture_shows_both_networks() -> None:
    figure = plots.detections(converted(), recorded(), X[:3], y=Y[:3], least_score=0.0)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        f"{kind} network, picture {i}" for kind in ("analog", "spiking") for i in range(3)
    ]
    drawn = [len(axes.patches) for axes in figure.axes]
    assert drawn[:3] == drawn[3:] or max(drawn) > 50
    dotted = [sum(p.get_linestyle() == ":" for p in axes.patches) for axes in figure.axes]
    assert dotted == [1, 2, 1] * 2


def test_the_weight_of_the_focal_loss_is_a_constant_in_its_derivative() -> None:
    """Mueller 4.3.1: the derivative is that of the cross-entropy times alpha and (1 - p)^2."""
    jax = pytest.importorskip("jax")
    wanted = np.array([[[1.0, 0.0], [0.0, -1.0]]], np.float32)
    p = np.array([[[0.3, 0.2], [0.9, 0.4]]], np.float32)

    def loss(scores: Any) -> Any:
        return _detection.focal_loss(wanted, scores).sum()

    weight = np.where(wanted > 0, 0.25 * (1 - p) ** 2, 0.75 * p**2) * (wanted >= 0)
    exact = np.where(wanted > 0, -weight / p, weight / (1 - p))
    np.testing.assert_allclose(jax.grad(loss)(p), exact, rtol=1e-5)
    entropy = -np.where(wanted > 0, np.log(p), np.log(1 - p))
    assert float(loss(p)) == pytest.approx((weight * entropy).sum(), rel=1e-5)


def test_mirrored_objects_belong_to_mirrored_images() -> None:
    (x, y), _ = datasets.scaled("digits_canvas")
    recipe = Recipe("digits_canvas", 1, batch_size=8, flip=True, metric="mean_average_precision")
    images, objects = next(training.batches(x[:8], y[:8], recipe, seed=1))
    real = objects[objects[..., 0] >= 0]
    assert real[:, 1:].min() >= 0
    for image, rows in zip(images[..., 0], objects, strict=True):
        for _, left, top, right, bottom in rows[rows[:, 0] >= 0].round().astype(int):
            ink = image[top:bottom, left:right]
            assert ink.mean() > 0.1
    changed = (images != x[:8]).any(axis=(1, 2, 3)).sum()
    assert changed > 0


def test_digits_on_a_canvas_are_within_their_boxes() -> None:
    (x, y), (x_test, _) = datasets.load("digits_canvas")
    assert x.shape == (4000, 64, 64)
    assert x_test.shape == (200, 64, 64)
    real = y[..., 0] >= 0
    assert set(np.unique(y[..., 0])) == {-1, *range(10)}
    assert 2 < real.sum(axis=1).mean() < 4
    assert (real.sum(axis=1) >= 1).all()
    rows, columns = np.arange(64)[:, None] + 0.5, np.arange(64) + 0.5
    for image, objects in zip(x[:50], y[:50], strict=True):
        inside = np.zeros((64, 64), bool)
        for _, left, top, right, bottom in objects[objects[:, 0] >= 0]:
            here = (rows > top) & (rows < bottom) & (columns > left) & (columns < right)
            assert not (inside & here).any()
            inside |= here
        # outside there is no more than what is fainter than a quarter
        assert image[~inside].sum() < 0.1 * image.sum()
    digits = datasets.digits()[0]
    again = on_canvas(digits, 30, seed=5)
    np.testing.assert_array_equal(again[0], on_canvas(digits, 30, seed=5)[0])
    assert not np.array_equal(again[0], on_canvas(digits, 30, seed=6)[0])


def test_blood_cells_are_read_from_a_file(shared_data: Path) -> None:
    (x, y), (x_test, y_test) = datasets.scaled("blood_cells", shared_data / "detection")
    assert x.shape == (292, 120, 160, 3)
    assert x_test.shape == (72, 120, 160, 3)
    assert [np.count_nonzero(y_test[..., 0] == c) for c in range(3)] == [69, 805, 71]
    assert np.count_nonzero(y[..., 0] >= 0) == 2804 + 1137
    with pytest.raises(FileNotFoundError, match="labels_val"):
        datasets.load("blood_cells")


@pytest.mark.slow
def test_a_detector_is_trained_by_its_recipe(tmp_path: Path, monkeypatch: Any) -> None:
    few = datasets.digits_canvas(n_train=64, n_test=8)
    monkeypatch.setitem(datasets._LOADERS, "digits_canvas", lambda: few)
    card = training.train(models.network("retinanet_tiny"), tmp_path, epochs=1)
    assert card["score"]["metric"] == "mean_average_precision"
    assert 0 <= card["score"]["test"] <= 1
    loaded = keras.models.load_model(tmp_path / "weights" / "retinanet_tiny.keras", compile=False)
    x, y = few[1][0][..., None] / np.float32(255), few[1][1]
    assert _detection.score(loaded, x, y) == pytest.approx(card["score"]["test"], abs=1e-4)
