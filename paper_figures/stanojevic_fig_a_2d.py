"""stanojevic Fig A.2c, d: test accuracy on MNIST against the number of hidden neurons."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bioconv.paper_figures.frame import Claim, Context, Manifest, Result
from bioconv.paper_figures.single_spikes import accuracy, relu_accuracy, single_spike, split
from bioconv.plots.style import BLUE, ORANGE, finish, legend_above, panels

EPOCHS = 5
SIZES = (340, 400, 800)
#: for digits, and on a quick run
_SMALL, _QUICK = (50, 100, 200), (20, 40, 60)

MANIFEST = Manifest(
    paper="stanojevic",
    number="Fig A.2c, d",
    title="Test accuracy on MNIST against the number of hidden neurons",
    claims=(
        Claim(
            "smallest",
            "test accuracy of the network with 340 hidden neurons, per cent",
            98.2,
            tolerance=0.3,
            kind="at least",
            source="figure; tolerance: two standard deviations of 10,000 images",
        ),
        Claim(
            "largest",
            "test accuracy of the network with 800 hidden neurons, per cent",
            98.2,
            tolerance=0.3,
            kind="at least",
            source="figure; tolerance as above",
        ),
        Claim(
            "relu_loss",
            "largest loss against a ReLU network of the same size, points ('well approximates')",
            1.0,
            kind="at most",
            source="text; our reading of the number",
        ),
    ),
    data="MNIST",
    substitute="without data digits and fewer neurons",
    partly=f"the thesis does not state the number of epochs, kappa, lambda and the dropout rate; "
    f"here {EPOCHS} epochs at larger learning rates, without dropout, for two cores",
    minutes=15,
)


def compute(context: Context) -> dict[str, NDArray]:
    """Accuracy of single-spike and of ReLU networks."""
    data = split(context, "mnist")
    sizes = SIZES if data.used != "digits" else _QUICK if context.quick else _SMALL
    trained = [single_spike(context, data, n, EPOCHS) for n in sizes]
    return {
        "sizes": np.array(sizes),
        "single spike": np.array([accuracy(found, data) for found in trained]),
        "relu": np.array([relu_accuracy(context, data, n, EPOCHS) for n in sizes]),
        "learning": np.stack([100 * found.history["accuracy"] for found in trained]),
        "used": np.array(data.used),
    }


def measure(result: Result) -> dict[str, float]:
    """Accuracy of the smallest and largest network, and the largest loss."""
    found = result["single spike"]
    return {
        "smallest": float(found[0]),
        "largest": float(found[-1]),
        "relu_loss": float(np.max(result["relu"] - found)),
    }


def plot(result: Result, context: Context) -> Figure:
    """Accuracy while training, and against the size."""
    figure, (left, right) = panels(2, width=4.2, height=3.2)
    for size, curve in zip(result["sizes"], result["learning"], strict=True):
        left.plot(1 + np.arange(len(curve)), curve, label=f"{size} hidden")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish(left, "", "epoch", "accuracy on training batches (%)")
    right.plot(result["sizes"], result["single spike"], "o-", color=BLUE, label="single spikes")
    right.plot(result["sizes"], result["relu"], "s--", color=ORANGE, label="ReLU")
    finish(right, "", "hidden neurons", "test accuracy (%)")
    legend_above(figure, left, right)
    return figure
