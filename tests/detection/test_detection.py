"""Anchors, suppression and precision, against Keras, COCO's own evaluation, and by hand."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from later import later

from bioconv.detection import (
    Anchors,
    Boxes,
    MeanAveragePrecision,
    assign,
    average_precisions,
    decode_boxes,
    find_boxes,
    intersection_over_union,
    true_boxes,
)
from bioconv.ground.errors import DataError, ParameterError

keras = later("keras")


def some_boxes(random: np.random.Generator, *shape: int) -> np.ndarray:
    """Boxes of a size from 5 to 45 within 100 pixels."""
    low = random.uniform(0, 60, (*shape, 2))
    return np.concatenate([low, low + random.uniform(5, 45, (*shape, 2))], axis=-1)


def some_objects(random: np.random.Generator, n: int, most: int, n_classes: int) -> np.ndarray:
    labels = random.integers(-1, n_classes, (n, most, 1)).astype(float)
    labels[0, 0] = 0
    return np.where(
        labels < 0, [-1.0, 0, 0, 0, 0], np.dstack([labels, some_boxes(random, n, most)])
    )


def near(random: np.random.Generator, y: np.ndarray, n_classes: int) -> Boxes:
    """What a detector might report: boxes near the objects, with errors, and some anywhere."""
    n, most = y.shape[:2]
    boxes = np.concatenate([y[..., 1:], y[..., 1:], some_boxes(random, n, 4)], axis=1)
    boxes = boxes + random.uniform(-2.4, 2.4, boxes.shape)
    labels = np.concatenate([y[..., 0], y[..., 0], random.integers(n_classes, size=(n, 4))], 1)
    labels[(random.random(labels.shape) < 0.2) & (labels >= 0)] = 0
    scores = np.where(labels < 0, -np.inf, random.random(labels.shape).round(2))
    order = np.argsort(-scores, axis=1, kind="stable")
    return Boxes(
        np.take_along_axis(boxes, order[..., None], 1),
        np.take_along_axis(scores, order, 1),
        np.take_along_axis(labels, order, 1).astype(int),
    )


def by_coco(y: np.ndarray, found: Boxes, n_classes: int) -> np.ndarray:
    """The ten precisions of all classes by the evaluation of COCO's authors."""
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    objects = [
        {
            "id": 1 + i * y.shape[1] + j,
            "image_id": i,
            "category_id": int(row[0]),
            "bbox": [*row[1:3], *(row[3:] - row[1:3])],
            "area": float(np.prod(row[3:] - row[1:3])),
            "iscrowd": 0,
        }
        for i, rows in enumerate(y)
        for j, row in enumerate(rows)
        if row[0] >= 0
    ]
    results = [
        {
            "image_id": i,
            "category_id": int(found.classes[i, j]),
            "bbox": [*found.boxes[i, j, :2], *(found.boxes[i, j, 2:] - found.boxes[i, j, :2])],
            "score": float(found.scores[i, j]),
        }
        for i, j in np.argwhere(found.classes >= 0)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = {
            "images": [{"id": i} for i in range(len(y))],
            "categories": [{"id": c} for c in range(n_classes)],
            "annotations": objects,
        }
        truth.createIndex()
        run = evaluation.COCOeval(truth, truth.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
    precision = run.eval["precision"][:, :, :, 0, -1]  # overlaps, recalls, classes; any size
    return np.stack([p.mean(axis=1) for p in np.moveaxis(precision, 2, 0) if p.min() > -1])


@pytest.mark.parametrize("seed", range(6))
def test_precision_is_that_of_coco(seed: int) -> None:
    random = np.random.default_rng(seed)
    y = some_objects(random, 12, 7, 4)
    found = near(random, y, 4)
    ours = average_precisions(true_boxes(y, 4), found, 4)
    np.testing.assert_allclose(ours, by_coco(y, found, 4), rtol=0, atol=1e-12)
    assert 0.05 < ours.mean() < 0.95


def test_perfect_boxes_have_a_precision_of_one_and_others_none() -> None:
    y = some_objects(np.random.default_rng(0), 5, 4, 3)
    labels = y[..., 0].astype(int)
    scores = np.eye(3)[labels] * (labels >= 0)[..., None] * 0.9
    outputs = {"scores": scores, "boxes": y[..., 1:]}
    metric = MeanAveragePrecision(overlap=1.0)
    assert metric(y, outputs) == pytest.approx(1.0)
    assert metric(y, {**outputs, "boxes": y[..., 1:] + 300}) == 0.0
    assert metric(y, {**outputs, "scores": np.roll(scores, 1, axis=2)}) == 0.0


def greedy(scores: np.ndarray, boxes: np.ndarray, threshold: float, overlap: float) -> set[Any]:
    """The boxes that are reported of one image, one after the other, as in the definition."""
    kept: set[Any] = set()
    for label in range(scores.shape[1]):
        chosen: list[int] = []
        for i in np.argsort(-scores[:, label], kind="stable"):
            free = all(
                intersection_over_union(boxes[[i]], boxes[[j]])[0, 0] <= overlap for j in chosen
            )
            if scores[i, label] > threshold and free:
                chosen.append(int(i))
        kept |= {(label, *boxes[i].round(9)) for i in chosen}
    return kept


@pytest.mark.parametrize("overlap", [0.2, 0.5, 0.8])
def test_suppression_is_the_greedy_choice(overlap: float) -> None:
    random = np.random.default_rng(1)
    boxes, scores = some_boxes(random, 6, 60), random.random((6, 60, 3))
    found = find_boxes(scores, boxes, threshold=0.3, overlap=overlap, n_boxes=180)
    for i in range(6):
        ours = {
            (c, *b.round(9))
            for c, b in zip(found.classes[i], found.boxes[i], strict=True)
            if c >= 0
        }
        assert ours == greedy(scores[i], boxes[i], 0.3, overlap)
    assert (np.diff(found.scores[found.classes.min(axis=1) >= 0]) <= 0).all()


def test_missing_outputs_are_no_boxes() -> None:
    """NaN before the first output of a spiking network."""
    found = find_boxes(np.full((2, 5, 3), np.nan), np.zeros((2, 5, 4)))
    assert (found.classes == -1).all()


def test_overlap_is_that_of_keras() -> None:
    random = np.random.default_rng(2)
    a, b = some_boxes(random, 3, 7).astype("f4"), some_boxes(random, 3, 9).astype("f4")
    utils = keras.utils.bounding_boxes
    exact = np.asarray(utils.compute_iou(a, b, bounding_box_format="xyxy"))
    np.testing.assert_allclose(intersection_over_union(a, b), exact, atol=1e-6)


def test_centers_are_decoded_as_by_keras() -> None:
    random = np.random.default_rng(3)
    anchors, deltas = some_boxes(random, 8), random.normal(0, 0.3, (2, 8, 4))
    exact = keras.utils.bounding_boxes.decode_deltas_to_boxes(
        anchors.astype("f4"),
        deltas.astype("f4"),
        anchor_format="xyxy",
        box_format="xyxy",
        encoded_format="center_xywh",
    )
    found = decode_boxes(deltas, anchors, "centers")
    np.testing.assert_allclose(found, np.asarray(exact), atol=1e-3)


def test_corners_are_linear_and_zero_offsets_are_the_anchors() -> None:
    random = np.random.default_rng(4)
    anchors, a, b = some_boxes(random, 8), *random.normal(size=(2, 1, 8, 4))
    zero = decode_boxes(np.zeros_like(a), anchors)
    np.testing.assert_array_equal(zero[0], anchors)
    both = decode_boxes(a + b, anchors)
    np.testing.assert_allclose(
        both - zero, decode_boxes(a, anchors) + decode_boxes(b, anchors) - 2 * zero
    )
    with pytest.raises(ParameterError, match="corners or centers"):
        decode_boxes(a, anchors, "edges")


def test_anchors_are_those_of_the_paper() -> None:
    """Lin et al. 2017, section 4: areas of 32² to 512² on P3 to P7, three ratios, three octaves."""
    boxes = Anchors().boxes(64, 128)
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert len(boxes) == 9 * (8 * 16 + 4 * 8 + 2 * 4 + 1 * 2 + 1)
    areas = np.unique((width * height).round(6))
    sides = [32 * 2**k * 2 ** (o / 3) for k in range(5) for o in range(3)]
    np.testing.assert_allclose(np.sqrt(areas), sides)
    np.testing.assert_allclose(np.unique((height / width).round(9)), [0.5, 1, 2])
    centers = (boxes[:9, :2] + boxes[:9, 2:]) / 2
    np.testing.assert_allclose(centers, 4.0)


def test_anchors_are_assigned_by_overlap() -> None:
    anchors = np.array([[0, 0, 10, 10], [0, 0, 10, 14], [0, 0, 10, 22.0], [50, 50, 60, 60]])
    y = np.array([[[2, 0, 0, 10, 10], [-1, 0, 0, 0, 0]], [[1, 52, 52, 90, 90], [0, 0, 0, 10, 22]]])
    classes, boxes = assign(anchors, y)
    # overlaps 1, 10/14, 10/22 (neither), 0; then: the best one of an object that none overlaps half
    assert classes.tolist() == [[2, 2, -2, -1], [-2, 0, 0, 1]]
    np.testing.assert_array_equal(boxes[0, 1], [0, 0, 10, 10])
    np.testing.assert_array_equal(boxes[1, 3], [52, 52, 90, 90])
    assert not boxes[0, 2:].any()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros((2, 5)), "shape"),
        (np.full((2, 3, 5), -1.0), "no object"),
        (np.array([[[7, 0, 0, 1, 1.0]]]), "classes from 7 to 7"),
        (np.array([[[1, 5, 0, 1, 1.0]]]), "without an area"),
    ],
)
def test_wrong_objects_are_refused(y: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        true_boxes(y, 3)


def test_outputs_are_named_or_in_order() -> None:
    y = some_objects(np.random.default_rng(0), 3, 2, 3)
    scores, boxes = np.random.default_rng(1).random((3, 2, 3)), y[..., 1:]
    exact = MeanAveragePrecision()(y, {"a": scores, "b": boxes})
    named = MeanAveragePrecision(scores="a", boxes="b")
    assert named(y, {"b": boxes, "a": scores}) == exact
    with pytest.raises(DataError, match="another order"):
        MeanAveragePrecision()(y, {"b": boxes, "a": scores})
    with pytest.raises(DataError, match=r"no output 'a'.*b, c"):
        named(y, {"b": boxes, "c": scores})
    with pytest.raises(DataError, match="two outputs"):
        MeanAveragePrecision()(y, {"a": scores})
