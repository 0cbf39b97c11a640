"""Figures count the decisions of networks as everything else does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from later import later
from small_graphs import affine, graph, layer

import benchmarks
from bioconv import paper_figures
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Sigmoid
from bioconv.ground.errors import DataError
from bioconv.operators import Dense

lstm = later("bioconv.paper_figures.lstm")
workloads = later("bioconv.paper_figures.workloads")


def binary() -> tuple[AnalogGraph, np.ndarray, np.ndarray]:
    """A network with one sigmoid output, samples, and labels of which it gets all right."""
    out = layer("out", Sigmoid(), affine(("x", Dense((2,), np.array([[3.0], [-3.0]])))))
    x = np.random.default_rng(4).random((40, 2)).astype(np.float32)
    return graph(out, shape=(2,)), x, (x[:, 0] > x[:, 1]).astype(np.int64)


def test_single_outputs_are_decided_by_their_threshold() -> None:
    network, x, y = binary()
    work = workloads.Workload("binary", network, x, x, y, "samples of this test")
    assert 0 < y.mean() < 1
    assert work.analog_accuracy() == 1.0 and lstm.Task(network, x, y, "").accuracy() == 1.0
    np.testing.assert_array_equal(work.decision.of(work.outputs()), y)


@pytest.mark.parametrize("wrong", [2, -1])
def test_labels_that_are_no_classes_are_refused(wrong: int) -> None:
    network, x, y = binary()
    work = workloads.Workload(
        "binary", network, x, x, np.where(y == 1, wrong, 0), "samples of this test"
    )
    with pytest.raises(DataError, match="labels must be"):
        work.analog_accuracy()


@pytest.mark.parametrize("package", [paper_figures, benchmarks], ids=["figures", "benchmarks"])
def test_no_figure_decides_by_itself(package: object) -> None:
    folder = Path(package.__file__).parent  # type: ignore[attr-defined]
    own = re.compile(r"argmax\((?:axis=|-?1\)|.*, *(?:axis=|-?1\)))")
    found = [path.name for path in folder.glob("*.py") if own.search(path.read_text())]
    assert not found, "a Decision says what outputs stand for (bioconv.ground.decisions)"
