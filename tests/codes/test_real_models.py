"""Published models: what a rate can carry agrees with the analog network, the rest is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bioconv as bc
from bioconv.ground.errors import ConversionError, UnsafeModelError

#: file, data, images, whether the output is a regression
CARRIED = [
    ("niposin_iris_mlp/iris_model.h5", "iris", 150, False),
    ("hls4ml_jet_3layer/keras_3layer_70pruned_retrained.h5", "normal", 500, False),
    ("yjs_mnist_mlp_bn/mnist_mlp.h5", "mnist", 500, False),
    ("mlperf_ad_autoencoder/ad01.h5", "normal", 500, True),
    ("snntb_mnist_cnn_avgpool/weights.10-0.99.h5", "mnist", 200, False),
    ("snntb_mnist_lenet5_cf_9914/99.14.h5", "mnist", 200, False),
    ("tensorspace_mnist_lenet/tf_keras_model.h5", "mnist", 200, False),
    ("chollet_mnist_cnn/mnist_cnn.h5", "mnist", 200, False),
    ("devyani_fashion_cnn_bn/fashion_mnist_cnn.h5", "fashion_mnist", 200, False),
    ("sadiemir_fashion_cnn_k3/fashion_mnist_cnn.keras", "fashion_mnist", 200, False),
    ("debajyoti_cifar10_cnn_small/cifar10_cnn.h5", "cifar10", 200, False),
    ("evil_cifar10_resnet20_keras/cifar10_dnn.h5", "cifar10", 100, False),
    ("mlperf_ic_resnet8/pretrainedResnet.h5", "cifar10_raw", 200, False),
    ("mlperf_kws_dscnn/kws_ref_model_rebuilt.keras", "kws", 500, False),
    ("maminm_mnist_gan_generator/mnist_generator.h5", "normal", 30, True),
    ("oarriaga_emotion_mini_xception/fer2013_mini_XCEPTION.102-0.66.hdf5", "uniform", 30, False),
]
QUICK = {"niposin_iris_mlp/iris_model.h5", "hls4ml_jet_3layer/keras_3layer_70pruned_retrained.h5"}

REFUSED = {
    "curiousily_fraud_autoencoder/model.h5": ["dense_1 (Tanh)", "dense_3 (Tanh)"],
    "nithish_har_conv1d_lstm/har_model.h5": ["lstm (LSTM)"],
    "shamna_imdb_lstm/imdb_lstm.h5": ["embedding (Embedding)", "lstm (LSTM)"],
    "precise_wakeword_gru/tng-computer.net": ["net (GRU)"],
}


def samples(
    folder: Path, data: str, shape: tuple[int, ...], n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Calibration data and test samples."""
    if data in ("normal", "uniform"):
        rng = np.random.default_rng(0)
        draw = rng.normal if data == "normal" else rng.random
        return draw(size=(4000 if len(shape) == 1 else 200, *shape)), draw(size=(n, *shape))
    if data == "iris":
        from sklearn.datasets import load_iris

        return load_iris().data, load_iris().data
    if data == "kws":
        with np.load(folder / "speech" / "kws_mfcc.npz") as archive:
            return archive["x"][-300:], archive["x"][:n]
    if data.startswith("cifar10"):
        with np.load(folder / "cifar10" / "cifar10_exact_subset.npz") as archive:
            scale = 1.0 if data.endswith("raw") else 1 / 255
            return archive["x_train4000"][:500] * scale, archive["x_test1000"][:n] * scale
    train, test = (bc.load_data(data, split=split)[0] for split in ("train", "test"))
    return train[:1000].reshape(-1, *shape), test[:n].reshape(-1, *shape)


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
    calibration = np.zeros((2, *graph.inputs[0].shape))
    with pytest.raises(ConversionError) as error:
        bc.convert(graph, calibration=calibration)
    for reason in REFUSED[file]:
        assert f"- {reason}: " in str(error.value)
    assert len(error.value.problems) == len(REFUSED[file])


def test_a_file_with_code_is_refused_before_anything_runs(shared_data: Path) -> None:
    file = shared_data / "models" / "nnom_mnist_densenet" / "keras_mnist_model.h5"
    with pytest.raises(UnsafeModelError, match="lambda_1"):
        bc.convert(file, calibration=np.zeros((2, 28, 28, 1)))
