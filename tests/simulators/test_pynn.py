"""The PyNN simulators: images stay apart, cells are chosen with a reason."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from some_variants import some

import bioconv as bc
from bioconv.ground.errors import (
    CompilerMissingError,
    ExportError,
    ParameterError,
    SimulationError,
    SimulatorMissingError,
)
from bioconv.network import SpikingNetwork

sys.path.append(str(Path(__file__).parents[1] / "equivalence"))
import equivalence_networks as networks  # noqa: E402
from test_brian2 import check_images_apart  # noqa: E402


def long_delays() -> SpikingNetwork:
    return networks.leaky(delay=15.0)


@pytest.mark.parametrize("make", some([long_delays, networks.convolutional], every=2))
def test_nest_keeps_images_apart(make) -> None:
    """Generated models with delays and refractoriness, and standard cells with currents."""
    pytest.importorskip("nest")
    check_images_apart(make(), "nest")


@pytest.mark.slow
def test_brian2_under_pynn_keeps_images_apart() -> None:
    pytest.importorskip("pyNN")
    check_images_apart(long_delays(), "pynn.brian2")


@pytest.mark.slow
def test_neuron_keeps_images_apart() -> None:
    pytest.importorskip("neuron")
    check_images_apart(long_delays(), "neuron")


def test_refusals_name_every_population_and_what_would_help() -> None:
    with pytest.raises(ExportError) as caught:
        bc.simulate(networks.convolutional(), np.ones((1, 7, 6, 3)), simulator="neuron")
    text = str(caught.value)
    assert "conv (" in text and "out (" in text
    assert "NEST" in text and "subtraction" in text


def test_delta_synapses_are_refused_on_neuron() -> None:
    network = networks.leaky(synapse="delta")
    with pytest.raises(ExportError, match="IF_curr_delta does not exist on NEURON"):
        bc.simulate(network, np.ones((1, 6)), simulator="neuron")


def test_unknown_cells_are_refused() -> None:
    with pytest.raises(ParameterError, match="cells must be"):
        bc.simulate(networks.leaky(), np.ones((1, 6)), simulator="neuron", cells="generated")


def test_a_missing_simulator_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "nest" else find(name, *a)
    )
    with pytest.raises(SimulatorMissingError, match=r"bioconv\[pynn\]"):
        bc.simulate(networks.leaky(), np.ones((1, 6)), simulator="nest")


def test_a_missing_compiler_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("nest")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("BIOCONV_CACHE", str(tmp_path / "cache"))
    with pytest.raises(CompilerMissingError, match=r"apt install g\+\+"):
        bc.simulate(networks.convolutional(), np.ones((1, 7, 6, 3)), simulator="nest")


def test_traces_equal_the_array_simulators_and_hidden_ones_are_refused() -> None:
    pytest.importorskip("nest")
    network, x = networks.leaky(), networks.samples((6,), 2)
    record = {"middle": ("v", "counts")}
    found = bc.simulate(network, x, simulator="nest", record=record)
    expected = bc.simulate(network, x, record=record, dtype="float64")
    np.testing.assert_array_equal(found.counts["middle"], expected.counts["middle"])
    trace = expected.traces["middle", "v"]
    np.testing.assert_allclose(found.traces["middle", "v"], trace, atol=1e-9)
    with pytest.raises(SimulationError, match="cannot record middle=i_syn"):
        bc.simulate(network, x, simulator="nest", record={"middle": ("i_syn",)})
