"""Fixtures of the reading tests: comparison of graphs with the Keras models they were read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from bioconv.analog import AnalogGraph
from bioconv.reading import read

Agree = Callable[[Any, Any, Any], None]


def outputs(graph: AnalogGraph, x: Any) -> list[np.ndarray]:
    y = graph.predict(x)
    return [y[name] for name in graph.outputs] if isinstance(y, dict) else [y]


@pytest.fixture(scope="package", autouse=True)
def quick_compilation() -> Iterator[None]:
    """Hundreds of small networks run once each: compiling them is what takes the time."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture
def fast_code() -> Iterator[None]:
    """Full compilation, for the tests that run many images."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture
def rng() -> np.random.Generator:
    """The same random numbers for every test."""
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def agree() -> Agree:
    """Assert that a graph gives what a Keras model gives, within 1e-5 of the output's range."""

    def check(graph: AnalogGraph, model: Any, x: Any) -> None:
        expected = model.predict(x, verbose=0)
        expected = expected if isinstance(expected, list) else [expected]
        received = outputs(graph, x)
        # one layer may be two outputs of a model: the graph names it twice, predict gives it once
        assert len(graph.outputs) == len(expected)
        for ours, theirs in zip(received, expected, strict=True):
            assert ours.shape == theirs.shape
            scale = max(float(np.ptp(theirs)), float(np.abs(theirs).max()))
            assert scale > 0
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * scale)

    return check


@pytest.fixture
def same_everywhere(agree: Agree, tmp_path: Path) -> Callable[[Any, Any], AnalogGraph]:
    """Assert agreement in memory, and that ``.keras`` and ``.h5`` give the identical graph."""

    def check(model: Any, x: Any) -> AnalogGraph:
        graph = read(model)
        agree(graph, model, x)
        for suffix in (".keras", ".h5"):
            path = tmp_path / f"model{suffix}"
            model.save(path)
            same_graph(read(path), graph)
        return graph

    return check


def same_graph(first: AnalogGraph, second: AnalogGraph) -> None:
    """Assert that two graphs have the same structure and exactly the same numbers."""
    numbers, structure = jax.tree.flatten(first)
    others, other_structure = jax.tree.flatten(second)
    assert structure == other_structure
    for ours, theirs in zip(numbers, others, strict=True):
        np.testing.assert_array_equal(ours, theirs)
