"""The models of others, from their original bytes; nothing here was written by bioconv."""

from __future__ import annotations

import builtins
import marshal
import types

import numpy as np
import pytest
from later import later
from some_variants import some

from bioconv.ground.errors import UnsafeModelError
from bioconv.reading import read

keras = later("keras")

#: what Keras 3 itself loads, and inputs on the scale of the training data
LOADABLE = {
    "mlperf_ic_resnet8/pretrainedResnet.h5": 255.0,
    "evil_cifar10_resnet20_keras/cifar10_dnn.h5": 1.0,
    "debajyoti_cifar10_cnn_small/cifar10_cnn.h5": 1.0,
    "yjs_mnist_mlp_bn/mnist_mlp.h5": 1.0,
    "sadiemir_fashion_cnn_k3/fashion_mnist_cnn.keras": 1.0,
    "mlperf_kws_dscnn/kws_ref_model_rebuilt.keras": 50.0,
    "mlperf_ad_autoencoder/ad01.h5": 1.0,
    "hls4ml_jet_3layer/keras_3layer_70pruned_retrained.h5": 1.0,
    "niposin_iris_mlp/iris_model.h5": 5.0,
    "curiousily_fraud_autoencoder/model.h5": 1.0,
    "oarriaga_emotion_mini_xception/fer2013_mini_XCEPTION.102-0.66.hdf5": 1.0,
    "maminm_mnist_gan_generator/mnist_generator.h5": 1.0,
    "nithish_har_conv1d_lstm/har_model.h5": 1.0,
}
#: those that take Keras longest
LONG = (
    "oarriaga_emotion_mini_xception/fer2013_mini_XCEPTION.102-0.66.hdf5",
    "evil_cifar10_resnet20_keras/cifar10_dnn.h5",
)
#: file -> dataset, accuracy in percent on its whole test set
MNIST = {
    "chollet_mnist_cnn/mnist_cnn.h5": ("mnist", 99.08),
    "snntb_mnist_lenet5_cf_9914/99.14.h5": ("mnist", 99.14),
    "snntb_mnist_cnn_avgpool/weights.10-0.99.h5": ("mnist", 99.10),
    "tensorspace_mnist_lenet/tf_keras_model.h5": ("mnist", 98.54),
    "yjs_mnist_mlp_bn/mnist_mlp.h5": ("mnist", 98.30),
    "devyani_fashion_cnn_bn/fashion_mnist_cnn.h5": ("fashion_mnist", 89.51),
    "sadiemir_fashion_cnn_k3/fashion_mnist_cnn.keras": ("fashion_mnist", 91.49),
}
#: file -> largest input, accuracy in percent on x_test1000
CIFAR = {
    "mlperf_ic_resnet8/pretrainedResnet.h5": (255.0, 87.0),
    "evil_cifar10_resnet20_keras/cifar10_dnn.h5": (1.0, 81.5),
    "debajyoti_cifar10_cnn_small/cifar10_cnn.h5": (1.0, 68.7),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in LOADABLE],
)
def test_equals_keras_where_keras_can_load(name, shared_data, agree):
    path = shared_data / "models" / name
    graph = read(path)
    model = keras.saving.load_model(path, compile=False)
    shape = graph.inputs[0].shape
    x = np.random.default_rng(0).random((6, *shape), dtype=np.float32) * LOADABLE[name]
    agree(graph, model, x)


def accuracy(graph, x, y) -> float:
    """In percent."""
    return 100 * float(np.mean(graph.predict(x).argmax(-1) == np.ravel(y)))


def images(graph, dataset: str, n: int):
    (_, _), (x, y) = getattr(keras.datasets, dataset).load_data()
    x = x[:n].reshape(-1, *graph.inputs[0].shape).astype(np.float32) / 255
    return x, y[:n]


@pytest.mark.parametrize("name", some(MNIST, every=3))
def test_accuracy_on_the_first_images(name, shared_data, fast_code):
    """Two thousand of the ten thousand images: the sample's accuracy is close to the whole's."""
    dataset, expected = MNIST[name]
    graph = read(shared_data / "models" / name)
    deviation = 100 * np.sqrt(expected / 100 * (1 - expected / 100) / 2000)
    assert abs(accuracy(graph, *images(graph, dataset, 2000)) - expected) < 3 * deviation


@pytest.mark.slow
@pytest.mark.parametrize("name", MNIST)
def test_accuracy_on_all_images(name, shared_data, fast_code):
    dataset, expected = MNIST[name]
    graph = read(shared_data / "models" / name)
    assert round(accuracy(graph, *images(graph, dataset, 10_000)), 2) == expected


@pytest.mark.parametrize("name", some(CIFAR, every=3))
def test_accuracy_on_cifar10(name, shared_data, fast_code):
    top, expected = CIFAR[name]
    graph = read(shared_data / "models" / name)
    with np.load(shared_data / "cifar10" / "cifar10_exact_subset.npz") as data:
        x, y = data["x_test1000"].astype(np.float32) * (top / 255), data["y_test1000"]
    assert round(accuracy(graph, x, y), 1) == expected


def test_accuracy_of_keyword_spotting(shared_data, fast_code):
    graph = read(shared_data / "models" / "mlperf_kws_dscnn" / "kws_ref_model_rebuilt.keras")
    with np.load(shared_data / "speech" / "kws_mfcc.npz") as data:
        x, y = data["x"], data["y"]
    assert round(accuracy(graph, x, y), 1) == 91.5


def reviews(n: int):
    (_, _), (x, y) = keras.datasets.imdb.load_data(num_words=5000)
    padded = np.zeros((n, 500), np.int32)
    for row, review in zip(padded, x[:n], strict=True):
        tail = review[-500:]
        row[500 - len(tail) :] = tail
    return padded, y[:n]


@pytest.mark.slow
def test_accuracy_of_sentiment(shared_data, fast_code):
    graph = read(shared_data / "models" / "shamna_imdb_lstm" / "imdb_lstm.h5")
    x, y = reviews(5000)
    positive = graph.predict(x)[:, 0] > 0.5
    assert round(100 * float(np.mean(positive == y)), 1) == 86.6


@pytest.mark.slow
def test_accuracy_of_sentiment_on_the_first_reviews(shared_data, fast_code):
    graph = read(shared_data / "models" / "shamna_imdb_lstm" / "imdb_lstm.h5")
    x, y = reviews(400)
    positive = graph.predict(x)[:, 0] > 0.5
    assert 80 < 100 * np.mean(positive == y) < 93


def test_gru_of_keras_2_keeps_its_meaning(shared_data, agree):
    """No reset_after, linear candidate, hard sigmoid clip(0.2 x + 0.5): Keras 3 built like that."""
    graph = read(shared_data / "models" / "precise_wakeword_gru" / "tng-computer.net")
    gru, dense = graph.layer("net").function, graph.layer("dense_1")

    def old_hard_sigmoid(x):
        return keras.ops.clip(0.2 * x + 0.5, 0, 1)

    model = keras.Sequential(
        [
            keras.Input((29, 13)),
            keras.layers.GRU(
                20,
                activation="linear",
                recurrent_activation=old_hard_sigmoid,
                reset_after=False,
            ),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    affine = dense.inputs[0]
    model.set_weights(
        [gru.kernel, gru.recurrent_kernel, gru.bias, affine.terms[0].operator.kernel]
        + [np.broadcast_to(affine.bias, (1,))]
    )
    x = np.random.default_rng(0).normal(0, 8, (20, 29, 13)).astype(np.float32)
    agree(graph, model, x)
    assert graph.name == "model"


def test_lambda_is_refused_and_its_code_never_touched(shared_data, monkeypatch):
    """Not even unmarshalled: every way from bytes to code raises while the file is read."""

    def forbidden(*_args, **_kwargs):
        raise AssertionError("code of a file was about to be decoded or run")

    path = shared_data / "models" / "nnom_mnist_densenet" / "keras_mnist_model.h5"
    for owner, name in ((marshal, "loads"), (marshal, "load"), (types, "FunctionType")):
        monkeypatch.setattr(owner, name, forbidden)
    for name in ("eval", "exec", "compile"):
        monkeypatch.setattr(builtins, name, forbidden)
    with pytest.raises(UnsafeModelError) as error:
        read(path)
    refused = [problem.where for problem in error.value.problems]
    assert refused == [f"lambda_{i}" for i in range(1, 14)]
