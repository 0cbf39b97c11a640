"""Recordings as Neo objects: the same spikes and signals, with units, as Neo itself reads them."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sample_networks import images, spiking_network

import bioconv as bc
from bioconv.ground.errors import ParameterError, SimulatorMissingError

RECORD = {"image": ("spikes",), "conv": ("spikes", "v"), "out": ("spikes", "v")}


@pytest.fixture(scope="module")
def recorded() -> tuple[Any, Any]:
    """A network with spiking input and what it did on three images."""
    network = spiking_network("regular")
    x = images(3)
    return network, bc.simulate(network, x, record=RECORD, progress=False)


def test_every_spike_comes_out_at_its_time(recorded: tuple[Any, Any]) -> None:
    network, recording = recorded
    block = recording.to_neo(network)
    assert len(block.segments) == recording.n_images == 3
    assert all(len(raster.step) > 5 for raster in recording.rasters.values())
    for image, segment in enumerate(block.segments):
        for name, raster in recording.rasters.items():
            chosen = segment.filter({"source_population": name}, objects="SpikeTrain")
            assert len(chosen) == len(recording.spikes_per_neuron[name])
            mine = raster.image == image
            for train in chosen:
                steps = raster.step[mine & (raster.neuron == train.annotations["source_index"])]
                np.testing.assert_allclose(
                    train.rescale("ms").magnitude, (steps + 1.0) * network.dt
                )
            assert sum(map(len, chosen)) == recording.spikes_per_image[name][image]
            assert {str(train.units.dimensionality) for train in chosen} == {"ms"}
            assert {float(train.t_stop.rescale("ms")) for train in chosen} == {40.0}


def test_signals_have_units_times_and_neurons(recorded: tuple[Any, Any]) -> None:
    network, recording = recorded
    block = recording.to_neo(network)
    for image, segment in enumerate(block.segments):
        assert len(segment.analogsignals) == 2
        for signal in segment.analogsignals:
            name = signal.annotations["source_population"]
            assert signal.name == "v" and str(signal.units.dimensionality) == "mV"
            expected = recording.traces[name, "v"][image]
            np.testing.assert_array_equal(signal.magnitude, expected)
            assert float(signal.times[0].rescale("ms")) == network.dt
            assert float(signal.t_stop.rescale("ms")) == (recording.n_steps + 1) * network.dt
            assert signal.array_annotations["channel_index"].tolist() == list(
                range(expected.shape[1])
            )


def test_annotations_tell_what_was_simulated(recorded: tuple[Any, Any]) -> None:
    network, recording = recorded
    block = recording.to_neo(network)
    assert block.name == network.name and block.annotations["simulator"] == "array"
    assert block.annotations["dt_ms"] == 1.0 and block.annotations["versions"]
    classes = [segment.annotations["classes"]["dense"] for segment in block.segments]
    assert classes == recording.predictions().tolist()


def test_exact_times_of_a_simulator_without_steps(recorded: tuple[Any, Any]) -> None:
    _, recording = recorded
    raster = recording.rasters["conv"]
    exact = replace(raster, time=raster.step + 0.25)
    block = replace(recording, rasters={"conv": exact}, traces={}).to_neo()
    times = np.concatenate([train.magnitude for s in block.segments for train in s.spiketrains])
    np.testing.assert_array_equal(np.sort(times), np.sort(raster.step + 0.25))


def test_neo_computes_with_it(recorded: tuple[Any, Any]) -> None:
    import quantities as pq

    network, recording = recorded
    segment = recording.to_neo(network).segments[0]
    chosen = segment.filter({"source_population": "conv"}, objects="SpikeTrain")
    rates = [
        (len(train) / (train.t_stop - train.t_start)).rescale(pq.Hz).item() for train in chosen
    ]
    raster = recording.rasters["conv"]
    counts = np.bincount(raster.neuron[raster.image == 0], minlength=len(chosen))
    np.testing.assert_allclose(rates, counts / (recording.n_steps * recording.dt * 1e-3))
    cut = segment.time_slice(10 * pq.ms, 20 * pq.ms)
    kept = sum(map(len, cut.spiketrains))
    expected = [
        np.sum((r.image == 0) & (r.step >= 9) & (r.step < 20)) for r in recording.rasters.values()
    ]
    assert kept == sum(expected) > 0


def test_what_cannot_become_neo_is_refused(
    recorded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, recording = recorded
    with pytest.raises(ParameterError, match="units of conv.v, out.v require the network"):
        recording.to_neo()
    with pytest.raises(ParameterError, match="has no population 'conv'"):
        other = network.replace(
            populations=network.populations[1:], projections=(), changes=(), drives=()
        )
        recording.to_neo(other)
    with pytest.raises(ParameterError, match="contains no spike times"):
        replace(recording, rasters={}, traces={}).to_neo()
    monkeypatch.setitem(sys.modules, "neo", None)
    with pytest.raises(SimulatorMissingError, match=r"pip install 'bioconv\[neo\]'"):
        recording.to_neo(network)


@pytest.mark.skipif(importlib.util.find_spec("elephant") is None, reason="pip install elephant")
def test_elephant_takes_the_trains(recorded: tuple[Any, Any]) -> None:
    from elephant.statistics import mean_firing_rate, time_histogram

    network, recording = recorded
    trains = recording.to_neo(network).segments[0].spiketrains
    rate = mean_firing_rate(trains[-1])
    assert float(rate.rescale("Hz")) == pytest.approx(1000.0 * len(trains[-1]) / 40.0)
    histogram = time_histogram(list(trains), 1.0 * trains[0].units)
    steps = np.concatenate([r.step[r.image == 0] for r in recording.rasters.values()])
    # A spike has the time at which its step ends, and Elephant's bins are open at their ends.
    expected = np.bincount(steps + 1, minlength=41)[:40]
    np.testing.assert_array_equal(histogram.magnitude[:, 0], expected)
