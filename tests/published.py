"""Published models that spikes can carry, with samples for calibration and for a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import bioconv as bc

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
