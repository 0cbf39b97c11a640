"""Published models: what a rate can carry agrees with the analog network, the rest is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from published import CARRIED, samples

import bioconv as bc
from bioconv.ground.errors import ConversionError, UnsafeModelError

QUICK = {"niposin_iris_mlp/iris_model.h5", "hls4ml_jet_3layer/keras_3layer_70pruned_retrained.h5"}

REFUSED = {
    "curiousily_fraud_autoencoder/model.h5": ["dense_1 (Tanh)", "dense_3 (Tanh)"],
    "nithish_har_conv1d_lstm/har_model.h5": ["lstm (LSTM)"],
    "shamna_imdb_lstm/imdb_lstm.h5": ["lstm (LSTM)"],
    "precise_wakeword_gru/tng-computer.net": ["net (GRU)"],
}


@pytest.mark.parametrize(
    ("file", "data", "n_images", "regression"),
    [
        pytest.param(*case, marks=() if case[0] in QUICK else pytest.mark.slow, id=case[0])
        for case in CARRIED
    ],
)
def test_agrees_with_its_analog_network(
    shared_data: Path, file: str, data: str, n_images: int, regression: bool
) -> None:
    graph = bc.read(shared_data / "models" / file)
    calibration, x = samples(shared_data, data, graph.inputs[0].shape, n_images)
    network = bc.convert(graph, calibration=calibration)
    recording = bc.simulate(network, x, progress=False)
    output = recording.outputs[network.readouts[0].name]
    exact = graph.predict(x)
    if regression:
        assert np.abs(output - exact).mean() < 0.02 * np.ptp(exact)
    else:
        assert np.mean(output.argmax(axis=-1) == exact.argmax(axis=-1)) >= 0.99


@pytest.mark.parametrize("file", REFUSED)
def test_what_cannot_spike_is_refused_by_name(shared_data: Path, file: str) -> None:
    graph = bc.read(shared_data / "models" / file)
    calibration = np.ones((2, *graph.inputs[0].shape))
    with pytest.raises(ConversionError) as error:
        bc.convert(graph, calibration=calibration)
    for reason in REFUSED[file]:
        assert f"- {reason}: " in str(error.value)
    assert len(error.value.problems) == len(REFUSED[file])


def test_a_file_with_code_is_refused_before_anything_runs(shared_data: Path) -> None:
    file = shared_data / "models" / "nnom_mnist_densenet" / "keras_mnist_model.h5"
    with pytest.raises(UnsafeModelError, match="lambda_1"):
        bc.convert(file, calibration=np.zeros((2, 28, 28, 1)))
