"""Networks and data of the figures, with substitutes where data are missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioconv import models
from bioconv.analog import AnalogGraph
from bioconv.analog.decisions import decision_of
from bioconv.data import fit_shape, load_data
from bioconv.ground.archives import read_arrays
from bioconv.ground.decisions import Decision
from bioconv.ground.errors import DataError
from bioconv.paper_figures.frame import Context
from bioconv.reading import read


@dataclass(frozen=True)
class Workload:
    """A trained network with its data.

    Parameters
    ----------
    label : str
        Short label for legends.
    graph : AnalogGraph
    calibration : ndarray, shape (n_calibration, ...)
    x : ndarray, shape (n_images, ...)
    y : ndarray of int, shape (n_images,)
    used : str
        Description for the caption.
    """

    label: str
    graph: AnalogGraph
    calibration: NDArray
    x: NDArray
    y: NDArray
    used: str

    def analog_accuracy(self) -> float:
        """Return the accuracy of the analog network."""
        return self.decision.accuracy(self.outputs(), self.y)

    def outputs(self) -> NDArray:
        """Return the first output of the analog network, shape (n_images, ...)."""
        name = self.graph.outputs[0]
        return self.graph.activations(self.x, [name])[name]

    @property
    def decision(self) -> Decision:
        """What the first output stands for."""
        return decision_of(self.graph)


#: published CIFAR-10 networks: file, label, factor on the pixels
_CIFAR10 = {
    "cnn": (("debajyoti_cifar10_cnn_small", "cifar10_cnn.h5"), "CNN", 1 / 255),
    "resnet8": (("mlperf_ic_resnet8", "pretrainedResnet.h5"), "ResNet-8", 1.0),
    "resnet20": (("evil_cifar10_resnet20_keras", "cifar10_dnn.h5"), "ResNet-20", 1 / 255),
    **{
        f"deep{n}": ((f"akamaster_cifar10_resnet{n}", f"resnet{n}.keras"), f"ResNet-{n}", 1 / 255)
        for n in (20, 32, 44, 56)
    },
}


def cifar10(context: Context, name: str, n_images: int) -> Workload:
    """A network of `_CIFAR10`, or digits without the data.

    "deep20" to "deep56" are residual networks of 20 to 56 layers of one author, for the figures of
    mueller 4.2 on ResNet18 to ResNet101.
    """
    parts, label, scale = _CIFAR10[name]
    path = context.model_file(*parts)
    if path is None or context.data is None or context.quick:
        return digits("digits_cnn", n_images)
    file = read_arrays(context.data / "cifar10" / "cifar10_exact_subset.npz", DataError)
    calibration, x = file["x_train4000"][:1000], file["x_test1000"][:n_images]
    y = file["y_test1000"][:n_images].reshape(-1)
    return Workload(
        label=label,
        graph=read(path),
        calibration=(calibration * scale).astype(np.float32),
        x=(x * scale).astype(np.float32),
        y=y.astype(np.int64),
        used=f"CIFAR-10 (first {len(x)} test images), {label} of {parts[0]}",
    )


def cifar10_training(context: Context, name: str) -> tuple[NDArray, NDArray]:
    """Images and classes for fine-tuning a network of `cifar10`: 4,000, or digits."""
    parts, _, scale = _CIFAR10[name]
    if context.model_file(*parts) is None or context.data is None or context.quick:
        x, y = load_data("digits", split="train", n_images=context.pick(1437, 200))
        return x, np.asarray(y)
    file = read_arrays(context.data / "cifar10" / "cifar10_exact_subset.npz", DataError)
    x, y = file["x_train4000"], file["y_train4000"].reshape(-1)
    return (x * scale).astype(np.float32), y.astype(np.int64)


def keywords(context: Context, n_images: int) -> Workload:
    """A keyword-spotting network, a chain of nine convolutions, or digits without the data."""
    path = context.model_file("mlperf_kws_dscnn", "kws_ref_model_rebuilt.keras")
    if path is None or context.data is None or context.quick:
        return digits("digits_cnn", n_images)
    file = read_arrays(context.data / "speech" / "kws_mfcc.npz", DataError)
    x, y = file["x"].astype(np.float32), file["y"].astype(np.int64)
    return Workload(
        label="DS-CNN",
        graph=read(path),
        calibration=x[n_images:],
        x=x[:n_images],
        y=y[:n_images],
        used=f"Speech Commands (first {n_images} clips), DS-CNN of mlperf_kws_dscnn",
    )


def mnist(context: Context, name: str, n_images: int, substitute: str) -> Workload:
    """A network of ``models`` on MNIST, or ``substitute`` on digits without the data."""
    if context.quick or context.data is None:
        return digits(substitute, n_images)
    calibration, _ = load_data("mnist", split="train", n_images=1000)
    x, y = load_data("mnist", n_images=n_images)
    return _own(name, calibration, x, y, f"MNIST (first {len(x)} test images), {name}")


def digits(name: str, n_images: int) -> Workload:
    """A network of ``models`` on scikit-learn's digits."""
    calibration, _ = load_data("digits", split="train")
    x, y = load_data("digits", n_images=n_images)
    return _own(name, calibration, x, y, f"digits ({len(x)} test images), {name}")


def _own(name: str, calibration: NDArray, x: NDArray, y: NDArray | None, used: str) -> Workload:
    graph = read(Path(models.weights_path(name)))
    shape = graph.inputs[0].shape
    labels = np.zeros(0, np.int64) if y is None else y
    return Workload(name, graph, fit_shape(calibration, shape), fit_shape(x, shape), labels, used)
