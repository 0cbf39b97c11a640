"""The Brian2 simulator: nothing of one image reaches the next, and failures say what to do."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import bioconv as bc
from bioconv.ground.errors import ParameterError, SimulationError, SimulatorMissingError
from bioconv.network import SpikingNetwork

sys.path.append(str(Path(__file__).parents[1] / "equivalence"))
import equivalence_networks as networks  # noqa: E402


def rows(recording: bc.Recording, name: str, image: int) -> np.ndarray:
    raster = recording.rasters[name]
    return np.stack([raster.step, raster.neuron], axis=1)[raster.image == image]


def check_images_apart(network: SpikingNetwork, simulator: str) -> None:
    """Simulate two images in a row, and the second one alone."""
    x = networks.samples(network.inputs[0].shape, 2)
    x[0] = 1.0  # as many spikes under way at the end as there can be
    record = {p.name: ("spikes",) for p in network.populations}
    both = bc.simulate(network, x, simulator=simulator, record=record)
    alone = bc.simulate(network, x[1:], simulator=simulator, record=record)
    for projection in network.projections:
        if projection.pre in record:
            last = rows(both, projection.pre, 0)[:, 0].max()
            assert last + projection.delay_steps >= both.n_steps, "nothing was under way"
    for name in record:
        assert len(rows(alone, name, 0)) > 10
        assert_array_equal(rows(both, name, 1), rows(alone, name, 0), err_msg=name)


@pytest.mark.slow
def test_the_second_image_is_as_alone_with_delays_and_refractoriness() -> None:
    check_images_apart(networks.convolutional(), "brian2")


@pytest.mark.slow
def test_changes_do_not_outlast_an_image() -> None:
    network = networks.branches()
    x = {entry.name: networks.samples(entry.shape, 1) for entry in network.inputs}
    twice = {name: np.concatenate([values, values]) for name, values in x.items()}
    twice["x"][...] = 0.0  # Poisson spikes differ between images
    record = {"first": ("spikes",)}
    recording = bc.simulate(network, twice, simulator="brian2", record=record)
    assert len(rows(recording, "first", 0)) > 10
    assert_array_equal(rows(recording, "first", 0), rows(recording, "first", 1))


def test_traces_and_counts_equal_those_of_the_array_simulator() -> None:
    network = networks.dense()
    x = networks.samples(network.inputs[0].shape, 2)
    record = {"hidden1": ("counts", "v"), "out": ("v",)}
    found = bc.simulate(network, x, simulator="brian2", record=record)
    expected = bc.simulate(network, x, record=record, dtype="float64")
    assert_array_equal(found.counts["hidden1"], expected.counts["hidden1"])
    for key in expected.traces:
        np.testing.assert_allclose(found.traces[key], expected.traces[key], atol=1e-9)


def test_unknown_codegen_is_refused() -> None:
    network = networks.dense()
    with pytest.raises(ParameterError, match="codegen must be one of"):
        bc.simulate(network, np.ones((1, 6)), simulator="brian2", codegen="fortran")


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "brian2" else find(name, *a)
    )
    with pytest.raises(SimulatorMissingError, match="pip install brian2"):
        bc.simulate(networks.dense(), np.ones((1, 6)), simulator="brian2")


def test_a_failure_carries_the_last_words_of_the_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "brian2"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('brian2 is broken today')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SimulationError, match="brian2 is broken today"):
        bc.simulate(networks.dense(), np.ones((1, 6)), simulator="brian2")
