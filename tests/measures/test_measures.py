"""Measures against numbers worked out by other means."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sample_networks import images, recording_of, spiking_network

from bioconv import measures, noise
from bioconv.ground.errors import DataError, ParameterError
from bioconv.measures import diagnose, format_table
from bioconv.network import Population
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster

NET = spiking_network()
X = images(10)


@cache
def recorded() -> Recording:
    return recording_of(NET, X)


@cache
def analog() -> dict[str, np.ndarray]:
    """Activations of the analog network."""
    return NET.analog.activations(X, dtype="float64")


def with_counts(name: str, counts: np.ndarray) -> Recording:
    """The ideal recording with other counts in one population."""
    return recording_of(NET, X, counts={**recorded().counts, name: counts})


def test_synaptic_operations_equal_the_edges_that_spikes_meet() -> None:
    (projection,) = NET.projections
    edges = projection.operator.edges()
    by_hand = recorded().counts["conv"][:, edges.pre].sum() / 10
    assert measures.synaptic_operations(NET, recorded()) == pytest.approx(
        {"conv": by_hand, "out": 0}
    )
    by_post = measures.synaptic_operations(NET, recorded(), by="post")
    assert by_post == pytest.approx({"conv": 0, "out": by_hand})
    with pytest.raises(ParameterError, match="by must be"):
        measures.synaptic_operations(NET, recorded(), by="layer")


def test_multiply_accumulates() -> None:
    # 3x3 kernel at 4x4 places for 2 filters; 32 inputs to 3 units
    assert measures.multiply_accumulates(NET.analog) == {"conv2d/relu": 288, "dense": 96}


def test_activity() -> None:
    conv, out = measures.activity(NET, recorded())
    spikes = recorded().counts["conv"].sum(axis=0) / 10
    assert conv.population == "conv"
    assert conv.neurons == 32
    assert conv.spikes_per_image == pytest.approx(spikes.sum())
    assert conv.mean_rate == pytest.approx(spikes.mean() / 0.040)
    assert conv.max_rate == pytest.approx(spikes.max() / 0.040)
    assert conv.silent == np.mean(spikes == 0)
    assert conv.spikes_per_neuron * 32 == pytest.approx(conv.spikes_per_image)
    assert measures.spikes_per_image(recorded(), NET) == pytest.approx(
        conv.spikes_per_image + out.spikes_per_image
    )
    assert measures.spikes_per_neuron(NET, recorded()) * 35 == pytest.approx(
        measures.spikes_per_image(recorded(), NET)
    )
    with pytest.raises(ParameterError, match="belongs to another network"):
        measures.activity(NET, replace(recorded(), spikes_per_neuron={}))


def test_axons_are_no_neurons() -> None:
    jittered = noise.disturb(NET, noise.SpikeJitter(0.5))
    extra = {p.name for p in jittered.populations} - {p.name for p in NET.populations}
    assert extra
    spikes = recorded().spikes_per_image
    relayed = replace(
        recorded(),
        spikes_per_image={**spikes, **{name: spikes["conv"] for name in extra}},
    )
    expected = measures.spikes_per_image(recorded())
    assert measures.spikes_per_image(relayed, jittered) == pytest.approx(expected)
    assert measures.spikes_per_image(relayed) > expected
    per_neuron = measures.spikes_per_neuron(NET, recorded())
    assert measures.spikes_per_neuron(jittered, relayed) == pytest.approx(per_neuron)


def test_classes_of_the_analog_network() -> None:
    assert np.array_equal(measures.analog_classes(NET, X), analog()["dense"].argmax(axis=1))


def test_decoded_values_are_within_half_a_spike() -> None:
    decoded = measures.decode(NET, recorded(), "conv2d/relu")
    clipped = np.clip(analog()["conv2d/relu"], 0, 0.8)
    assert np.abs(decoded - clipped).max() <= 0.5 * 0.8 / 40 + 1e-6
    with pytest.raises(ParameterError, match="no population represents"):
        measures.decode(NET, recorded(), "flatten")


def test_populations_of_one_layer_add_up() -> None:
    conv, out = NET.populations
    positive = replace(conv, scale=np.array(1.0), offset=np.array(0.25))
    negative = replace(conv, name="minus", scale=np.array([-2.0, -4.0]))
    network = NET.replace(populations=(positive, negative, out))
    counts = {**recorded().counts, "conv": np.full((10, 32), 20), "minus": np.full((10, 32), 10)}
    decoded = measures.decode(network, replace(recorded(), counts=counts), "conv2d/relu")
    # half the rate of scale 1, offset 1/4, a quarter of the rate of -2 and -4
    assert np.allclose(decoded, [0.5 + 0.25 - 0.5, 0.5 + 0.25 - 1.0])
    other = Population("minus", (32,), conv.model, layer="conv2d/relu")
    network = NET.replace(populations=(conv, other, out))
    with pytest.raises(ParameterError, match="represent the layer"):
        measures.decode(network, replace(recorded(), counts=counts), "conv2d/relu")


def test_diagnosis_of_a_good_network() -> None:
    y = measures.analog_classes(NET, X)
    first, last = diagnose(NET, recorded(), X, y)
    exact = analog()["conv2d/relu"]
    decoded = measures.decode(NET, recorded(), "conv2d/relu")
    assert first.layer == "conv2d/relu"
    assert first.neurons == 32
    assert first.correlation == pytest.approx(np.corrcoef(decoded.ravel(), exact.ravel())[0, 1])
    assert first.mean_error == pytest.approx(np.abs(decoded - exact).mean(), rel=1e-4)
    assert first.above_scale == pytest.approx(np.mean(exact > 0.8))
    silent = (recorded().counts["conv"].reshape(exact.shape) == 0)[exact > 0]
    assert first.silent == pytest.approx(silent.mean())
    assert first.agreement == first.accuracy == 1.0
    assert last.layer == "dense"
    assert last.agreement == np.mean(recorded().outputs["dense"].argmax(axis=1) == y)


def test_only_the_layers_up_to_here_spike() -> None:
    """The first layer's row runs the rest of the analog network on the decoded rates."""
    noisy = with_counts("conv", np.random.default_rng(0).integers(0, 40, (10, 32)))
    first, _ = diagnose(NET, noisy, X)
    decoded = measures.decode(NET, noisy, "conv2d/relu")
    (affine,) = NET.analog.layer("dense").inputs
    output = decoded.reshape(10, 32) @ affine.terms[0].operator.operators[1].kernel + affine.bias
    agreement = np.mean(output.argmax(axis=1) == analog()["dense"].argmax(axis=1))
    error = np.abs(output - analog()["dense"]).mean() / np.ptp(analog()["dense"])
    assert first.agreement == pytest.approx(agreement)
    assert first.agreement < 1
    assert first.output_error == pytest.approx(error, rel=1e-4)
    assert first.accuracy is None


def test_diagnosis_sees_silence_and_saturation() -> None:
    dead, _ = diagnose(NET, with_counts("conv", np.zeros((10, 32), int)), X)
    assert (dead.silent, dead.never, dead.saturated, dead.correlation) == (1.0, 1.0, 0.0, None)
    full, _ = diagnose(NET, with_counts("conv", np.full((10, 32), 40)), X)
    assert (full.silent, full.never, full.saturated) == (0.0, 0.0, 1.0)


def test_a_readout_by_potential_has_no_rates() -> None:
    readout = replace(NET.readouts[0], kind="potential")
    network = NET.replace(readouts=(readout,))
    *_, last = diagnose(network, replace(recorded(), counts={"conv": recorded().counts["conv"]}), X)
    assert (last.saturated, last.silent, last.never, last.above_scale) == (None,) * 4
    assert last.correlation is not None


def test_diagnosis_refuses_what_does_not_fit() -> None:
    with pytest.raises(DataError, match="10 samples. Received: 9 samples"):
        diagnose(NET, recorded(), X[:9])
    with pytest.raises(DataError, match="expected 10 labels"):
        diagnose(NET, recorded(), X, np.zeros(2))
    with pytest.raises(ParameterError, match="record="):
        diagnose(NET, replace(recorded(), counts={}), X)


def test_table() -> None:
    rows = [
        {"layer": "conv", "n": 1200, "error": 0.0123456, "ok": True},
        {"layer": "dense_long", "n": 3, "error": None},
    ]
    assert format_table(rows).splitlines() == [
        "layer           n    error    ok",
        "--------------------------------",
        "conv        1,200  0.01235  True",
        "dense_long      3        -     -",
    ]
    assert format_table([]) == ""
    assert format_table([{"x": 1234567.0}]).splitlines()[-1] == "1,234,567"
    lines = format_table(diagnose(NET, recorded(), X)).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("layer")
    assert "mean error" in lines[0]


def test_spike_times_are_decoded_where_they_matter() -> None:
    # A spike in step 2 + i is worth 1 - i / 4; before and after these four steps it is nothing.
    values = np.array([1.0, 0.75, 0.5, 0.25])
    timed = tuple(replace(p, start_step=2, spike_values=values) for p in NET.populations)
    network = NET.replace(populations=timed)
    images, steps, neurons = [0, 0, 0, 3, 3], [1, 2, 5, 3, 6], [2, 1, 1, 0, 0]
    raster = Raster(np.array(images), np.array(steps), np.array(neurons))
    recording = recording_of(NET, X, rasters={"conv": raster, "out": raster})
    decoded = measures.decode(network, recording, "conv2d/relu").reshape(10, -1)
    by_hand = np.zeros((10, 32))
    by_hand[0, 1], by_hand[3, 0] = 0.8 * 1.25, 0.8 * 0.75
    np.testing.assert_allclose(decoded, by_hand)
    row = diagnose(network, recording, X)[0]
    assert row.saturated == np.mean(by_hand >= 0.8 * 0.99)
    with pytest.raises(ParameterError, match="spikes of 'conv' were not recorded"):
        measures.decode(network, recording_of(NET, X, rasters={}), "conv2d/relu")
