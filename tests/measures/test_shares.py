"""Intervals of shares and confusion matrices against SciPy and scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from later import later
from sample_networks import images, recording_of, spiking_network

from bioconv import measures
from bioconv.ground.decisions import Decision
from bioconv.ground.errors import ParameterError
from bioconv.measures.shares import interval_of

stats = later("scipy.stats")
metrics = later("sklearn.metrics")

NET = spiking_network()
X = images(40)


@pytest.mark.parametrize(("right", "n"), [(0, 7), (7, 7), (98, 100), (1, 2), (4321, 10_000)])
@pytest.mark.parametrize("confidence", [0.95, 0.6])
def test_interval_is_that_of_scipy(right: int, n: int, confidence: float) -> None:
    expected = stats.binomtest(right, n).proportion_ci(confidence, method="wilson")
    found = measures.wilson_interval(right / n, n, confidence)
    assert np.allclose(found, (expected.low, expected.high), rtol=1e-12, atol=1e-14)


def test_intervals_of_many_shares() -> None:
    low, high = measures.wilson_interval([0.5, np.nan], 20)
    assert np.isnan(low[1]) and np.isnan(high[1])
    assert low[0] == pytest.approx(1 - high[0])
    with pytest.raises(ParameterError, match="shares from 0 to 1"):
        measures.wilson_interval(1.2, 20)
    with pytest.raises(ParameterError, match="at least one sample"):
        measures.wilson_interval(0.5, 0)


def test_decisions_of_one_sample_have_no_interval() -> None:
    recording = recording_of(NET, X)
    assert interval_of(recording, 0.5) is not None
    classes = {"dense": np.zeros((*recording.classes["dense"].shape, 3), int)}
    labels = replace(recording, classes=classes, decisions={"dense": Decision("threshold")})
    assert interval_of(labels, 0.5) is None


def test_confusion_is_that_of_scikit_learn() -> None:
    recording = recording_of(NET, X)
    y = np.random.default_rng(0).integers(0, 3, len(X))
    expected = metrics.confusion_matrix(y, recording.predictions(), labels=[0, 1, 2])
    found = measures.confusion(NET, recording, y)
    assert found is not None
    assert np.array_equal(found[:, :3], expected)
    assert not found[:, 3].any()


def test_decisions_without_an_output_have_a_column() -> None:
    recording = recording_of(NET, X)
    silent = recording.classes["dense"].copy()
    silent[:5] = -1
    y = np.zeros(len(X), int)
    found = measures.confusion(NET, replace(recording, classes={"dense": silent}), y)
    assert found is not None
    assert found[0, 3] == 5
    assert found.sum() == len(X)


def test_values_have_no_classes() -> None:
    network = NET.with_decision("value:0.1")
    assert measures.confusion(network, recording_of(NET, X), np.zeros((len(X), 3))) is None
