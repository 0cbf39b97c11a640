"""Published networks for the figures of the exact first-spike code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bioconv as bc
from bioconv.codes import FirstSpikeExactCode
from bioconv.data import fit_shape, load_data
from bioconv.network import Population, SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.paper_figures.frame import Context
from bioconv.paper_figures.workloads import Workload, cifar10, digits, keywords
from bioconv.reading import read


@dataclass(frozen=True)
class Published:
    """A published model: its file, its dataset, a label, and the substitute without data."""

    parts: tuple[str, str]
    dataset: str
    label: str
    substitute: str


MODELS = {
    "mlp": Published(
        ("yjs_mnist_mlp_bn", "mnist_mlp.h5"), "mnist", "perceptron, MNIST", "digits_mlp"
    ),
    "lenet5": Published(
        ("snntb_mnist_lenet5_cf_9914", "99.14.h5"), "mnist", "LeNet-5, MNIST", "digits_cnn"
    ),
    "mnist_cnn": Published(
        ("chollet_mnist_cnn", "mnist_cnn.h5"), "mnist", "CNN, MNIST", "digits_cnn"
    ),
    "fashion_cnn": Published(
        ("devyani_fashion_cnn_bn", "fashion_mnist_cnn.h5"),
        "fashion_mnist",
        "CNN, Fashion-MNIST",
        "digits_cnn",
    ),
}
#: of `paper_figures.workloads.cifar10`
CIFAR10 = {"cnn": "CNN, CIFAR-10", "resnet8": "ResNet-8, CIFAR-10"}


def label(name: str) -> str:
    """Description of network and dataset."""
    return CIFAR10[name] if name in CIFAR10 else MODELS[name].label


def workload(context: Context, name: str, n_images: int) -> Workload:
    """Return a network of `MODELS` or `CIFAR10`, or "keywords", or digits if data are missing."""
    if name in CIFAR10:
        return cifar10(context, name, n_images)
    if name == "keywords":
        return keywords(context, n_images)
    entry = MODELS[name]
    path = context.model_file(*entry.parts)
    if context.quick or path is None:
        return digits(entry.substitute, n_images)
    graph = read(path)
    shape = graph.inputs[0].shape
    calibration, _ = load_data(entry.dataset, split="train", n_images=1000)
    x, y = load_data(entry.dataset, n_images=n_images)
    used = f"{entry.dataset} (first {len(x)} test images), {entry.parts[0]}"
    return Workload(
        entry.label, graph, fit_shape(calibration, shape), fit_shape(x, shape), np.asarray(y), used
    )


def converted(given: Workload, **options: Any) -> SpikingNetwork:
    """Return the spiking network of a workload."""
    return bc.convert(
        given.graph, calibration=given.calibration, code=FirstSpikeExactCode(**options)
    )


def simulated(network: SpikingNetwork, x: NDArray, *record: str, **options: Any) -> Recording:
    """Simulate without time steps; ``record`` lists the populations whose spikes are recorded."""
    given = {"simulator": "event", "batch_size": 250, "progress": False, **options}
    return bc.simulate(network, x, record={name: ("spikes",) for name in record}, **given)


def hidden(network: SpikingNetwork) -> list[Population]:
    """Return the populations that represent a ReLU."""
    found = []
    for population in network.populations:
        names = {parameter.name for parameter in population.model.parameters}
        if "t_first" in names:
            found.append(population)
    return found


def active_share(network: SpikingNetwork, recording: Recording) -> float:
    """Return the spikes per hidden neuron, for a network in which inactive neurons are silent."""
    populations = hidden(network)
    spikes = sum(int(recording.spikes_per_image[p.name].sum()) for p in populations)
    return spikes / (recording.n_images * sum(p.n_neurons for p in populations))


def agreement(given: Workload, recording: Recording) -> float:
    """Return the share of samples with the class of the analog network."""
    return recording.agreement(given.decision.of(given.outputs()))


def closing(population: Population) -> float:
    """Return the time in ms when the window of a population closes."""
    return float(np.max(np.asarray(population.parameters["t_close"])))
