"""stanojevic Tables 3.1 and 3.3: networks trained in spike times lose nothing to ReLU networks."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.spike_training import accuracy, dataset, dense_stack, lenet
from bioconv.plots.style import BLUE, GRAY, finish, legend_above, panels
from bioconv.training import Training, evaluate, train_analog

#: networks of the tables: the eight hidden layers of 3.1, the shallow one of 3.3, and LeNet-5
NETWORKS = ("8 x 340", "340", "LeNet-5")
DATASETS = ("mnist", "fashion_mnist")
_TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
#: test accuracies of the thesis in per cent, where it has the network
PAPER = {("340", "mnist"): 98.3, ("340", "fashion_mnist"): 90.14}


def _key(network: str, data: str) -> str:
    return f"{network} {data}".replace(" ", "_")


MANIFEST = Manifest(
    paper="stanojevic",
    number="Tables 3.1 and 3.3",
    title="Test accuracy after training in spike times and as a ReLU network",
    claims=tuple(
        Claim(
            f"difference_{_key(network, data)}",
            f"{network}, {data}: points between the ReLU and the spiking network (mean of seeds)",
            0.0,
            tolerance=0.1,
            source="Table 3.1: at most 0.02; 0.1 is one image in a thousand",
        )
        for network in NETWORKS
        for data in DATASETS
    )
    + tuple(
        Claim(
            f"accuracy_{_key(network, data)}",
            f"{network}, {data}: test accuracy of the spiking network in per cent",
            value,
            tolerance=0.5,
            source="Table 3.3, after 50 epochs; half a point is the spread between seeds here",
        )
        for (network, data), value in PAPER.items()
    ),
    data="MNIST and Fashion-MNIST, 50 epochs, 16 trials",
    substitute="fewer epochs and trials; the thesis does not give the filters of its LeNet-5; "
    "without data digits and smaller networks",
    minutes=45,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Test accuracies, shape (networks, datasets, seeds, 2): ReLU, spiking."""
    seeds, epochs = context.pick(3, 1), context.pick(2, 1)
    found = np.zeros((len(NETWORKS), len(DATASETS), seeds, 2))
    for column, name in enumerate(DATASETS):
        data = dataset(context, name, context.pick(60_000, 240), context.pick(10_000, 120))
        for row, network in enumerate(NETWORKS):
            for seed in range(seeds):
                graph = _start(network, data.x.shape[1:], context.seed + seed, context)
                options = Training(epochs=epochs, seed=context.seed + seed)
                relu, _ = train_analog(
                    graph, data.x, data.y, options=options, progress=context.progress
                )
                spiking = bc.train(
                    graph, data.x, data.y, options=options, progress=context.progress
                )
                found[row, column, seed] = (
                    accuracy(relu.predict(data.x_test), data.y_test),
                    accuracy(evaluate(spiking.network, data.x_test), data.y_test),
                )
    return {"accuracy": found, "used": np.array(data.used)}


def _start(network: str, shape: tuple[int, ...], seed: int, context: Context) -> AnalogGraph:
    if network == "LeNet-5":
        return lenet(shape, seed)
    n_hidden = 8 if network == "8 x 340" else 1
    return dense_stack(shape, n_hidden, context.pick(340, 40), seed)


def measure(result: Result) -> dict[str, float]:
    """Return the differences and the accuracies that the thesis has, in points."""
    mean = 100 * result["accuracy"].mean(axis=2)
    found = {}
    for row, network in enumerate(NETWORKS):
        for column, data in enumerate(DATASETS):
            relu, spiking = mean[row, column]
            found[f"difference_{_key(network, data)}"] = float(relu - spiking)
            if (network, data) in PAPER:
                found[f"accuracy_{_key(network, data)}"] = float(spiking)
    return found


def plot(result: Result, context: Context) -> Figure:
    """Accuracies side by side, one standard deviation on either side."""
    figure, axes = panels(2, columns=2, width=3.4, height=2.8)
    place = np.arange(len(NETWORKS))
    for column, (data, each) in enumerate(zip(DATASETS, axes, strict=True)):
        values = 100 * result["accuracy"][:, column]
        for number, (label, color) in enumerate((("ReLU", GRAY), ("spike times", BLUE))):
            mean, spread = values[:, :, number].mean(axis=1), values[:, :, number].std(axis=1)
            shift = 0.2 * (2 * number - 1)
            each.bar(place + shift, mean, 0.38, yerr=spread, color=color, label=label)
        each.set_xticks(place, NETWORKS)
        low = max(0.0, float(values.min()) - 2.0)
        each.set_ylim(low, 100 + 0.25 * (100 - low))
        finish(each, _TITLES[data], "network", "test accuracy (%)")
    legend_above(figure, *axes)
    return figure
