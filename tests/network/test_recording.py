"""What a recording says, and which recordings are impossible."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sample_networks import images, recording_of, spiking_network
from small_graphs import mlp

import bioconv as bc
from bioconv.analog.functions import Sigmoid
from bioconv.ground.decisions import LARGEST, Decision
from bioconv.ground.errors import DataError, ParameterError
from bioconv.measures import first_decision
from bioconv.network.recording import Recording
from bioconv.network.recording_parts import Raster


@cache
def good() -> Recording:
    return recording_of(spiking_network(), images(4))


def small(classes: list[list[int]]) -> Recording:
    """Four images, three checkpoints, the classes given, of four."""
    array = np.array(classes)
    return replace(
        good(),
        checkpoints=np.array([10, 20, 40]),
        classes={"dense": array, "other": array * 0},
        outputs={"dense": np.zeros((4, 4)), "other": np.zeros((4, 4))},
        decisions={"dense": LARGEST, "other": LARGEST},
    )


def test_accuracy_over_time() -> None:
    recording = small([[-1, 0, 0], [-1, 1, 1], [-1, 0, 2], [-1, -1, 0]])
    y = np.array([0, 1, 2, 3])
    assert recording.accuracy_over_time(y).tolist() == [0.0, 0.5, 0.75]
    assert recording.accuracy(y) == recording.agreement(y) == 0.75
    assert recording.accuracy(y[:, None]) == 0.75
    assert recording.accuracy(y, "other") == 0.25
    assert recording.predictions().tolist() == [0, 1, 2, 0]
    assert recording.readout == "dense"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2, 7.9], "integers from 0 to 3, .* Received: 7.9"),
        ([0, 1, 2, np.nan], "NaN or infinite for 1 samples"),
        ([0, 1, 2, 1007], "integers from 0 to 3, .* Received values from 0 to 1007"),
        ([0, 1, 2, -1], "Received values from -1 to 2"),
        (["0", "1", "2", "3"], "must be numbers"),
        ([0, 1, 2], "expected 4 labels"),
        (np.ones((4, 4)), "must be one-hot"),
        (np.zeros((4, 3)), "one class number for each sample"),
    ],
)
def test_labels_that_are_no_classes_are_refused(y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        small([[0, 0, 0]] * 4).accuracy(y)


def test_one_hot_labels_are_class_numbers() -> None:
    recording = small([[-1, 0, 0], [-1, 1, 1], [-1, 0, 2], [-1, -1, 0]])
    assert recording.accuracy(np.eye(4)) == recording.accuracy([0, 1, 2, 3]) == 0.75
    assert recording.answered().tolist() == [0.0, 0.75, 1.0]


def test_several_labels_and_values_are_counted_one_by_one() -> None:
    labels = np.array([[[1, 0, 1]], [[0, 0, 1]]])
    values = np.array([[[0.0, 1.0, 2.0]], [[np.nan] * 3]])
    recording = replace(
        recording_of(spiking_network(), images(2)),
        checkpoints=np.array([40]),
        outputs={"tags": np.zeros((2, 3)), "speed": np.zeros((2, 3))},
        classes={"speed": np.array([[0], [-1]]), "tags": labels},
        values={"speed": values},
        decisions={"speed": Decision("value", tolerance=0.1), "tags": Decision("threshold")},
    )
    assert recording.readout == "speed"
    assert recording.accuracy([[0.0, 1.0, 2.3], [0.0, 1.0, 2.0]]) == 2 / 6, "2.3 is too far"
    assert recording.answered().tolist() == [0.5]
    assert recording.accuracy([[1, 0, 0], [0, 0, 1]], "tags") == 5 / 6
    with pytest.raises(DataError, match="If exactly one class is right .* decision='largest'"):
        recording.accuracy([0, 1], "tags")


def test_rates_count_from_the_first_step_in_which_input_can_arrive() -> None:
    name, counts = next(iter(good().counts.items()))
    full = np.zeros(counts.shape, int)
    full[:, 1] = good().n_steps - 1  # a spike in every step but the first
    recording = replace(good(), counts={name: full}, start_steps={name: 1})
    rates = recording.rates(name)
    assert np.allclose(rates[:, 1], 1000.0 / good().dt)
    assert not np.delete(rates, 1, axis=1).any()
    with pytest.raises(ParameterError, match="'absent' were not recorded"):
        recording.rates("absent")


def test_labels_and_readouts_must_fit() -> None:
    with pytest.raises(DataError, match="expected 4 labels.*Received: 3"):
        good().accuracy(np.zeros(3))
    with pytest.raises(ParameterError, match="Valid names: dense"):
        good().accuracy(np.zeros(4), "softmax")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dt": 0.0}, "dt"),
        ({"n_steps": 0}, "n_steps"),
        ({"n_images": 5}, "synaptic_operations has the shape"),
        ({"checkpoints": np.array([0, 40])}, "checkpoints"),
        ({"checkpoints": np.array([41])}, "checkpoints"),
        ({"checkpoints": np.array([5, 5])}, "checkpoints"),
        ({"classes": {"dense": np.zeros((4, 3))}}, "classes['dense']"),
        ({"outputs": {"dense": np.zeros((3, 3))}}, "outputs['dense']"),
        ({"outputs": {"dense": np.array(1.0)}}, "outputs['dense']"),
        ({"counts": {"conv": np.zeros(4)}}, "counts['conv']"),
        ({"spikes_per_image": {"conv": np.zeros(3)}}, "spikes_per_image['conv']"),
        ({"spikes_per_neuron": {"conv": np.zeros((2, 2))}}, "spikes_per_neuron['conv']"),
        ({"traces": {("conv", "v"): np.zeros((4, 39, 1))}}, "traces[('conv', 'v')]"),
        ({"rasters": {"conv": Raster(*np.zeros((2, 3), int), np.zeros(2, int))}}, "lengths"),
        ({"rasters": {"conv": Raster(*np.full((3, 1), 4))}}, "image numbers"),
        ({"rasters": {"conv": Raster(np.array([0]), np.array([40]), np.array([0]))}}, "step"),
        ({"rasters": {"conv": Raster(np.array([0]), np.array([0]), np.array([-1]))}}, "neuron"),
    ],
)
def test_impossible_recordings(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ParameterError) as caught:
        replace(good(), **changes)
    assert expected in str(caught.value)


def test_a_single_output_without_spikes_has_its_lowest_value() -> None:
    """Several silent outputs tell no class, but one tells the lowest of its values."""
    x = np.random.default_rng(0).random((40, 6))
    graph = mlp(np.random.default_rng(1), sizes=(6, 8, 1), last=Sigmoid())
    network = bc.convert(graph, calibration=x, code=bc.RateCode(readout="count"), n_steps=400)
    recording = bc.simulate(network, x, progress=False)
    silent = recording.outputs[recording.readout] <= recording.outputs[recording.readout].min()
    assert silent.any()
    assert recording.answered()[-1] == 1.0
    assert recording.agreement(first_decision(network).of(graph.predict(x))) == 1.0


def test_agreement_with_another_recording() -> None:
    """Where the other one has no output, nothing agrees; classes need not be valid labels."""
    recording = small([[0, 1, 1], [2, 2, 2], [-1, -1, -1], [3, 3, 0]])
    assert recording.agreement(np.array([1, -1, -1, 0])) == 0.5
    with pytest.raises(DataError, match="one decision for each sample"):
        recording.agreement(np.zeros(3, int))
