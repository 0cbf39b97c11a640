"""The exact first-spike code on published models: every class as the analog network gives it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.analog.functions import Linear
from bioconv.codes import FirstSpikeExactCode
from bioconv.data import fit_shape

#: max pooling, channels first, batch norm, batch norm and max pooling, max pooling, branches
FILES = {
    "chollet_mnist_cnn/mnist_cnn.h5": "mnist",
    "snntb_mnist_lenet5_cf_9914/99.14.h5": "mnist",
    "yjs_mnist_mlp_bn/mnist_mlp.h5": "mnist",
    "devyani_fashion_cnn_bn/fashion_mnist_cnn.h5": "fashion_mnist",
    "debajyoti_cifar10_cnn_small/cifar10_cnn.h5": "cifar10",
    "mlperf_ic_resnet8/pretrainedResnet.h5": "cifar10",
}


def _samples(
    folder: Path, dataset: str, graph: AnalogGraph, n: int | None
) -> tuple[NDArray, NDArray]:
    """Calibration and test images."""
    if dataset == "cifar10":
        with np.load(folder / "cifar10" / "cifar10_exact_subset.npz", allow_pickle=False) as file:
            parts = [file["x_train4000"][:1000], file["x_test1000"]]
    else:
        loaded = (bc.load_data(dataset, split=split)[0] for split in ("train", "test"))
        parts = [next(loaded)[:1000], next(loaded)]
    calibration, x = (fit_shape(part, graph.inputs[0].shape) for part in parts)
    return calibration, x[:n]


def _check(folder: Path, name: str, n: int | None) -> None:
    """Potentials of the outputs, classes, and spikes of each neuron."""
    graph = bc.read(folder / "models" / name)
    calibration, x = _samples(folder, FILES[name], graph, n)
    if FILES[name] == "cifar10":  # the residual network takes pixels as they are
        factor = 1.0 if "resnet" in name else 1 / 255
        calibration, x = (part.astype(np.float32) * factor for part in (calibration, x))
    ends = [replace(e, function=Linear()) if e.name in graph.outputs else e for e in graph.layers]
    linear = replace(graph, layers=tuple(ends))
    network = bc.convert(linear, calibration=calibration, code=FirstSpikeExactCode())
    record = {population.name: ("counts",) for population in network.populations}
    recording = bc.simulate(
        network, x, simulator="event", record=record, batch_size=250, progress=False
    )
    found = recording.outputs[recording.readout]
    for dtype in ("float32", "float64"):
        exact = linear.predict(x, dtype=dtype)
        assert isinstance(exact, np.ndarray)
        np.testing.assert_array_equal(found.argmax(axis=1), exact.argmax(axis=1))
        error = np.abs(found - exact).max(axis=1) / np.abs(exact).max(axis=1)
        assert error.max() < 1e-4
    assert max(int(counts.max()) for counts in recording.counts.values()) == 1
    for population, counts in recording.counts.items():
        np.testing.assert_array_equal(counts.sum(axis=1), recording.spikes_per_image[population])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("devyani_fashion_cnn_bn/fashion_mnist_cnn.h5", marks=pytest.mark.slow),
        "yjs_mnist_mlp_bn/mnist_mlp.h5",
    ],
)
def test_fifty_images(shared_data: Path, name: str) -> None:
    _check(shared_data, name, 50)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_all_test_images(shared_data: Path, name: str) -> None:
    _check(shared_data, name, None)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["brian2", "nest"])
def test_twenty_images_elsewhere(shared_data: Path, simulator: str) -> None:
    """The classes of Keras, and the same spikes as in the array simulator."""
    name = "snntb_mnist_lenet5_cf_9914/99.14.h5"
    graph = bc.read(shared_data / "models" / name)
    calibration, x = _samples(shared_data, "mnist", graph, 20)
    network = bc.convert(graph, calibration=calibration, code=FirstSpikeExactCode())
    record = {population.name: ("spikes",) for population in network.populations}
    there, here = (
        bc.simulate(network, x, simulator=s, record=record, dtype="float64", progress=False)
        for s in (simulator, "array")
    )
    exact = graph.predict(x)
    assert isinstance(exact, np.ndarray)
    np.testing.assert_array_equal(there.predictions(), exact.argmax(axis=1))
    for population, raster in here.rasters.items():
        for column in ("image", "step", "neuron"):
            np.testing.assert_array_equal(
                getattr(raster, column), getattr(there.rasters[population], column)
            )


@pytest.mark.slow
def test_twenty_images_on_the_grid_are_near_the_closed_form(shared_data: Path) -> None:
    """Nearest steps of spikes that arrive are within one step; what they inherit adds to it."""
    name = "snntb_mnist_lenet5_cf_9914/99.14.h5"
    graph = bc.read(shared_data / "models" / name)
    calibration, x = _samples(shared_data, "mnist", graph, 20)
    network = bc.convert(graph, calibration=calibration, code=FirstSpikeExactCode())
    record = {population.name: ("spikes",) for population in network.populations}
    grid, exact = (
        bc.simulate(network, x, simulator=s, record=record, dtype="float64", progress=False)
        for s in ("array", "event")
    )
    off = {}
    for population in network.populations:
        a, b = grid.rasters[population.name], exact.rasters[population.name]
        assert b.time is not None
        steps = np.full((2, len(x), population.n_neurons), np.nan)
        steps[0, a.image, a.neuron] = a.step + 1.0
        steps[1, b.image, b.neuron] = b.time / network.dt
        np.testing.assert_array_equal(*np.isnan(steps))
        if len(a.step):
            off[population.name] = np.abs(np.diff(steps, axis=0))[0]
    first, second = list(off)[:2]
    assert np.nanmax(off[first]) <= 0.5 + 1e-6
    assert np.nanmax(off[second]) <= 1.0
    for distances in off.values():
        assert np.mean(distances[np.isfinite(distances)] <= 1.0) > 0.99
        assert np.nanmax(distances) < 2.0
