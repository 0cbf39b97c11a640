"""The few-spikes code on a published residual network of 56 layers, against its analog network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bioconv as bc
from bioconv.codes import FewSpikesCode

#: each takes a quarter of a minute
N_IMAGES = 4


@pytest.mark.slow
def test_few_spikes_agree_with_the_analog_network(shared_data: Path) -> None:
    model = shared_data / "models" / "akamaster_cifar10_resnet56" / "resnet56.keras"
    with np.load(shared_data / "cifar10" / "cifar10_exact_subset.npz") as file:
        calibration = file["x_train4000"][:200].astype(np.float32) / 255
        x = file["x_test1000"][:N_IMAGES].astype(np.float32) / 255
    graph = bc.read(model)
    network = bc.convert(graph, calibration=calibration, code=FewSpikesCode())
    recording = bc.simulate(network, x, progress=False)
    exact = graph.predict(x).argmax(axis=-1)
    assert recording.agreement(exact) == 1.0
