"""Recordings as data frames."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from sample_networks import images, recording_of, spiking_network

from bioconv.ground.decisions import Decision
from bioconv.ground.errors import ParameterError, SimulatorMissingError

NET = spiking_network()
RECORDING = recording_of(NET, images(5))


def test_a_row_for_each_sample() -> None:
    pytest.importorskip("pandas")
    found = RECORDING.to_frame()
    assert list(found.columns) == [
        "sample",
        "dense",
        "synaptic operations",
        "spikes of conv",
        "spikes of out",
    ]
    assert found["dense"].tolist() == RECORDING.predictions().tolist()
    assert found["spikes of conv"].sum() == RECORDING.spikes_per_neuron["conv"].sum()


def test_several_decisions_have_a_column_each() -> None:
    pytest.importorskip("pandas")
    classes = np.arange(5 * 40 * 3).reshape(5, 40, 3)
    labels = replace(
        RECORDING, classes={"dense": classes}, decisions={"dense": Decision("threshold")}
    )
    found = labels.to_frame()
    assert found["dense[2]"].tolist() == classes[:, -1, 2].tolist()


def test_a_row_for_each_spike() -> None:
    pytest.importorskip("pandas")
    found = RECORDING.to_frame("spikes")
    counts = found.groupby(["population", "sample"]).size()
    for name, spikes in RECORDING.spikes_per_image.items():
        assert [counts.get((name, n), 0) for n in range(5)] == spikes.tolist()
    conv = found[found["population"] == "conv"]
    assert np.allclose(conv["time"], RECORDING.rasters["conv"].step + 1.0)


def test_what_is_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match="samples, spikes. Received: 'neurons'"):
        RECORDING.to_frame("neurons")
    with pytest.raises(ParameterError, match="no spike times"):
        replace(RECORDING, rasters={}).to_frame("spikes")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SimulatorMissingError, match=r"pip install 'bioconv\[pandas\]'"):
        RECORDING.to_frame()
