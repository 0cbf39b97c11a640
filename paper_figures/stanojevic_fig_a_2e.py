"""stanojevic Fig A.2e: test accuracy on Fashion-MNIST."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.single_spikes import accuracy, relu_accuracy, single_spike, split
from bioconv.plots.style import BLUE, ORANGE, finish, legend_above, panels

EPOCHS = 5
N_HIDDEN = 400

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig A.2e",
    title="Test accuracy on Fashion-MNIST",
    claims=(
        Claim(
            "accuracy",
            "test accuracy, per cent",
            88.93,
            tolerance=0.6,
            kind="at least",
            source="figure; tolerance: two standard deviations of 10,000 images",
        ),
        Claim(
            "relu_loss",
            "loss against a ReLU network of the same size, points ('close to the ANN performance')",
            2.0,
            kind="at most",
            source="text; our reading of the number",
        ),
    ),
    data="Fashion-MNIST",
    substitute="without data digits, 100 hidden neurons",
    partly=f"the thesis does not state the number of epochs, kappa, lambda and the dropout rate; "
    f"here {EPOCHS} epochs at larger learning rates, without dropout, for two cores",
    minutes=6,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy of a single-spike and of a ReLU network."""
    data = split(context, "fashion_mnist")
    n_hidden = N_HIDDEN if data.used != "digits" else context.pick(100, 40)
    found = single_spike(context, data, n_hidden, EPOCHS)
    return {
        "accuracy": np.array([accuracy(found, data)]),
        "relu": np.array([relu_accuracy(context, data, n_hidden, EPOCHS)]),
        "learning": 100 * found.history["accuracy"],
        "used": np.array(data.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Accuracy, and its difference to that of the ReLU network."""
    found = float(result["accuracy"][0])
    return {"accuracy": found, "relu_loss": float(result["relu"][0]) - found}


def plot(result: Result, context: Context) -> Figure:
    """Accuracy while training, and at the end."""
    figure, (axes,) = panels(1, width=5.0, height=3.2)
    curve = result["learning"]
    axes.plot(1 + np.arange(len(curve)), curve, "o-", color=BLUE, label="training batches")
    ends = ((result["accuracy"], BLUE, "test"), (result["relu"], ORANGE, "test, ReLU"))
    for value, color, label in ends:
        axes.axhline(float(value[0]), color=color, linestyle=":", label=label)
    legend_above(figure, axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish(axes, "", "epoch", "accuracy (%)")
    return figure
