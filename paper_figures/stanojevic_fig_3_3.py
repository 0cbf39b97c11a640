"""stanojevic Fig 3.3: training of spike times follows the ReLU network, or does not."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import bioconv as bc
from bioconv.analog import AnalogGraph
from bioconv.codes import FirstSpikeExactCode
from bioconv.operators import kernels
from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.spike_training import Dataset, dataset, dense_stack
from bioconv.plots.style import BLUE, GRAY, ORANGE, finish, legend_above, panels
from bioconv.training import Training, train_analog
from bioconv.training.first_spike import LIKE_RELU

#: learning rates of a (also of the ReLU network) and of b, where alpha = 1 still learns
_FAST, _SLOW = 5e-4, 3e-5
_HIDDEN, _WIDTH = 8, 340
_CODES: dict[str, dict[str, Any]] = {
    "linear": {**LIKE_RELU},
    "alpha_1": {**LIKE_RELU, "slope": "constant"},
}

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig 3.3",
    title="Training curves, and the cosine between weights of the spiking and the ReLU network",
    claims=(
        Claim(
            "curve",
            "linearly mappable: largest difference of training accuracy from the ReLU network",
            0.0,
            tolerance=1e-3,
            source="caption: the same training curve; one image in a thousand is decided by "
            "rounding",
        ),
        Claim(
            "cosine_linear",
            "linearly mappable: cosine of weights with those of the ReLU network at the end",
            1.0,
            tolerance=1e-5,
            source="caption; single precision",
        ),
        Claim(
            "cosine_alpha",
            "alpha = 1: cosine of the mapped weights W / B at the end",
            0.9999,
            kind="at most",
            source="picture: below 1, and falling",
        ),
        Claim(
            "accuracy_alpha",
            "alpha = 1 at the fast learning rate: training accuracy in per cent ('struggles to "
            "surpass 20')",
            20.0,
            tolerance=10.0,
            source="text; the accuracy of guessing is 10",
        ),
    ),
    data="MNIST, 8 hidden layers of 340 neurons, plain SGD, batches of 8",
    substitute="fewer epochs; without data a network of 4 layers of 40 neurons on digits",
    minutes=5,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy by epoch, and cosines by epoch at the slow learning rate."""
    data = dataset(context, "mnist", context.pick(60_000, 400), 10)
    real = data.used.startswith("mnist")
    shape = data.x.shape[1:]
    start = dense_stack(shape, *((_HIDDEN, _WIDTH) if real else (4, 40)), context.seed)
    epochs = context.pick(3, 2)
    relu, _ = _relu(start, data, _FAST, epochs, context)
    slow_relu, graphs = _relu(start, data, _SLOW, epochs, context)
    result = {"relu": relu, "relu_slow": slow_relu}
    for name in _CODES:
        result[name], _ = _spiking(start, data, name, _FAST, epochs, context)
        result[f"{name}_slow"], own = _spiking(start, data, name, _SLOW, epochs, context)
        pairs = zip([start, *own], [start, *graphs], strict=True)
        result[f"cosine_{name}"] = np.array([_cosine(a, b) for a, b in pairs])
    return {**result, "used": np.array(data.used)}


def _options(rate: float, epoch: int, data: Dataset) -> Training:
    """Return the options of one epoch, at the learning rate that the schedule has reached."""
    reached = rate * 0.9 ** (epoch * (len(data.x) // 8) / 5000)
    return Training(epochs=1, learning_rate=reached, optimizer="sgd", seed=epoch)


def _relu(
    graph: AnalogGraph, data: Dataset, rate: float, epochs: int, context: Context
) -> tuple[NDArray, list[AnalogGraph]]:
    curve, graphs = [], []
    for epoch in range(epochs):
        options = _options(rate, epoch, data)
        graph, history = train_analog(
            graph, data.x, data.y, options=options, progress=context.progress
        )
        curve.append(history["accuracy"][0])
        graphs.append(graph)
    return np.array(curve), graphs


def _spiking(
    graph: AnalogGraph, data: Dataset, name: str, rate: float, epochs: int, context: Context
) -> tuple[NDArray, list[AnalogGraph]]:
    curve, graphs = [], []
    code = FirstSpikeExactCode(**_CODES[name])
    network = bc.convert(graph, calibration=data.x[:1000], code=code)
    for epoch in range(epochs):
        done = bc.finetune(
            network,
            data.x,
            data.y,
            options=_options(rate, epoch, data),
            slope=code.slope,
            gamma=10.0,
            zeta=code.zeta,
            progress=context.progress,
        )
        network = done.network
        curve.append(done.history["accuracy"][0])
        graphs.append(network.analog)
    return np.array(curve), graphs


def _cosine(graph: AnalogGraph, other: AnalogGraph) -> float:
    """Return the cosine between all hidden weights of two networks, in the units of the first."""
    dots = norms = others = 0.0
    for mine, its in zip(graph.layers[:-1], other.layers[:-1], strict=True):
        (w,), (v,) = (kernels(entry.inputs[0].terms[0].operator) for entry in (mine, its))
        dots, norms, others = dots + np.sum(w * v), norms + np.sum(w * w), others + np.sum(v * v)
    return float(dots / np.sqrt(norms * others))


def measure(result: Result) -> dict[str, float]:
    """Return the differences between the networks."""
    return {
        "curve": float(np.max(np.abs(result["linear"] - result["relu"]))),
        "cosine_linear": float(result["cosine_linear"][-1]),
        "cosine_alpha": float(result["cosine_alpha_1"][-1]),
        "accuracy_alpha": 100 * float(result["alpha_1"][-1]),
    }


def plot(result: Result, context: Context) -> Figure:
    """Training accuracy and cosine, by epoch."""
    figure, (left, right) = panels(2, columns=2, width=3.4, height=2.8)
    epochs = np.arange(1, len(result["relu"]) + 1)
    left.plot(epochs, 100 * result["relu"], "--", color=GRAY, label="ReLU")
    left.plot(epochs, 100 * result["linear"], "o-", color=BLUE, label="linearly mappable")
    left.plot(epochs, 100 * result["alpha_1"], "s-", color=ORANGE, label=r"$\alpha = 1$")
    left.plot(epochs, 100 * result["alpha_1_slow"], "s:", color=ORANGE, label=r"$\alpha = 1$, slow")
    left.set_ylim(0, 102)
    legend_above(figure, left)
    finish(left, "", "epoch", "training accuracy (%)")
    for name, style, color in (("linear", "o-", BLUE), ("alpha_1", "s-", ORANGE)):
        # Single precision has no digits below 1e-7.
        distance = np.maximum(1.0 - result[f"cosine_{name}"], 1e-8)
        right.plot(np.arange(len(epochs) + 1), distance, style, color=color)
    right.set_yscale("log")
    finish(right, "", "epoch", "1 - cosine\nwith the ReLU network")
    left.set_xticks(epochs)
    right.set_xticks(np.arange(len(epochs) + 1))
    return figure
